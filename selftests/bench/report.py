#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""What the benchmark has measured, for people, and against what was measured before.

report.py table FILE            a table of ratios to the raw device
report.py markdown FILE STACKS  the same of some stacks, as Markdown
report.py plot FILE OUT.svg     the same as bars
report.py gate FILE BASELINE    KTAP: is a ratio more than 1 % worse than in BASELINE?
report.py baseline FILE         what of FILE the gate is about as a new BASELINE, on standard output

FILE has a JSON object a line, as "measures" prints it.
"""

import json
import re
import sys
from xml.sax.saxutils import escape

TOLERANCE = 0.01
# What repeats to a part of that: measured in rounds, or counted.
GATED = re.compile(r"(read|write)-(4k(-dsync|-uring-32)?|1m)$|mixed-4k$|flush$|"
                   r"(ext4|xfs)-(first|warm)-faults$")
# Where more is better.
RATES = ("ops/s", "MB/s")
# How many times as much: compared as it is, and more is better.
TIMES = "times"


def read(path):
    """Returns {measure: {stack: (value, unit)}} and the stacks, both in the order of the file."""
    figures, stacks = {}, []
    with open(path, encoding="utf-8") as lines:
        for line in lines:
            if not line.startswith("{"):
                continue
            f = json.loads(line)
            figures.setdefault(f["measure"], {})[f["stack"]] = (f["value"], f["unit"])
            if f["stack"] not in stacks:
                stacks.append(f["stack"])
    for measure in [m for m in figures if m.endswith("-threads-2")]:
        one = figures.get(measure[:-1] + "1", {})
        figures[measure[:-len("-threads-2")] + "-scaling"] = {
            s: (of[0] / one[s][0], TIMES) for s, of in figures[measure].items() if s in one}
    return figures, stacks


def ratio(of, stack):
    """Cost over the raw device's, or how it scales over how that does; None where either was not measured or is nothing."""
    if "raw" not in of or stack not in of or not of["raw"][0] or not of[stack][0]:
        return None
    value, unit = of[stack]
    raw = of["raw"][0]
    if unit == TIMES:
        return value / raw
    return raw / value if unit in RATES else value / raw


def ratios(figures):
    """Returns {measure: {stack: ratio}} without the raw device itself."""
    result = {}
    for measure, of in figures.items():
        found = {s: ratio(of, s) for s in of if s != "raw"}
        found = {s: r for s, r in found.items() if r is not None}
        if found:
            result[measure] = found
    return result


def number(value):
    if isinstance(value, int) and value < 100:
        return str(value)
    if value < 10:
        return f"{value:.2f}"
    return f"{value:,.0f}".replace(",", " ") if value >= 100 else f"{value:.1f}"


def rows_of(path, wanted=None):
    """Returns the table's cells: what was measured, the raw device's figure, ratios to it."""
    figures, stacks = read(path)
    rows = [["", "raw"] + [s for s in wanted or stacks if s != "raw"]]
    for measure, of in figures.items():
        row = [measure, "-"]
        if "raw" in of:
            row[1] = f'{number(of["raw"][0])} {of["raw"][1]}'
        for stack in rows[0][2:]:
            if stack not in of:
                row.append("-")
            elif ratio(of, stack) is None or of[stack][1] == "faults":
                row.append(f"{number(of[stack][0])} {of[stack][1]}".replace(" faults", ""))
            else:
                row.append(f"{ratio(of, stack):.3f}")
        if set(row[2:]) != {"-"}:
            rows.append(row)
    return rows


def table(path):
    rows = rows_of(path)
    widths = [max(len(r[i]) for r in rows) for i in range(len(rows[0]))]
    for row in rows:
        cells = [row[0].ljust(widths[0])] + [c.rjust(w) for c, w in zip(row[1:], widths[1:])]
        print("  ".join(cells).rstrip())


def markdown(path, stacks):
    rows = rows_of(path, stacks.split(","))
    for row in [rows[0], ["---"] * len(rows[0])] + rows[1:]:
        print("| " + " | ".join(row) + " |")


COLOURS = ("#8c8c8c", "#c44e52", "#dd8452", "#937860", "#8172b3", "#4c72b0", "#55a868", "#64b5cd",
           "#ccb974", "#da8bc3", "#2f4b7c")
SCALE, HEIGHT, LEFT, LIMIT = 220, 13, 170, 3.0


def plot(path, out):
    """Bars of the ratios to the raw device, cut at three times its cost."""
    figures, stacks = read(path)
    stacks = [s for s in stacks if s != "raw"]
    bars, y = [], 60
    for measure, of in ratios(figures).items():
        if figures[measure]["raw"][1] in ("faults", TIMES):
            continue
        bars.append(f'<text x="{LEFT - 8}" y="{y + HEIGHT}" text-anchor="end">{escape(measure)}</text>')
        for stack in stacks:
            if stack not in of:
                continue
            width = min(of[stack], LIMIT) * SCALE
            colour = COLOURS[(stacks.index(stack) + 1) % len(COLOURS)]
            more = "+" if of[stack] > LIMIT else ""
            bars.append(f'<rect x="{LEFT}" y="{y}" width="{width:.1f}" height="{HEIGHT - 2}" fill="{colour}"/>')
            bars.append(f'<text x="{LEFT + width + 4:.1f}" y="{y + HEIGHT - 3}">{of[stack]:.3f}{more}</text>')
            y += HEIGHT
        y += HEIGHT
    width = LEFT + LIMIT * SCALE + 60
    with open(out, "w", encoding="utf-8") as svg:
        svg.write(f'<svg xmlns="http://www.w3.org/2000/svg" width="{width:.0f}" height="{y}" '
                  'font-family="sans-serif" font-size="11">\n'
                  f'<rect width="{width:.0f}" height="{y}" fill="white"/>\n'
                  '<text x="8" y="18" font-size="14">Cost over the raw device (1 = the line; less is better)</text>\n')
        for i, stack in enumerate(stacks):
            x, row = 8 + i % 6 * 130, 26 + i // 6 * 14
            svg.write(f'<rect x="{x}" y="{row}" width="10" height="10" fill="{COLOURS[(i + 1) % len(COLOURS)]}"/>'
                      f'<text x="{x + 14}" y="{row + 9}">{escape(stack)}</text>\n')
        svg.write("\n".join(bars))
        svg.write(f'\n<line x1="{LEFT + SCALE}" y1="50" x2="{LEFT + SCALE}" y2="{y}" stroke="black"/>\n</svg>\n')


def gate(path, baseline_path):
    now = ratios(read(path)[0])
    with open(baseline_path, encoding="utf-8") as f:
        baseline = json.load(f)
    wanted = [(m, s) for m in baseline for s in baseline[m]]
    failures = 0
    print(f"TAP version 13\n1..{len(wanted)}")
    for i, (measure, stack) in enumerate(wanted, 1):
        old, new = baseline[measure][stack], now.get(measure, {}).get(stack)
        if new is None:
            said, good = "was not measured", False
        else:
            said, good = f"{new:.4f} of raw, {old:.4f} before", new <= old * (1 + TOLERANCE)
        failures += not good
        print(f'# {said}\n{"ok" if good else "not ok"} {i} {stack}-{measure}')
    return 1 if failures else 0


def main(argv):
    if argv[1:2] == ["table"] and len(argv) == 3:
        return table(argv[2])
    if argv[1:2] == ["markdown"] and len(argv) == 4:
        return markdown(argv[2], argv[3])
    if argv[1:2] == ["plot"] and len(argv) == 4:
        return plot(argv[2], argv[3])
    if argv[1:2] == ["gate"] and len(argv) == 4:
        return gate(argv[2], argv[3])
    if argv[1:2] == ["baseline"] and len(argv) == 3:
        found = ratios(read(argv[2])[0])
        found = {m: {s: round(r, 4) for s, r in of.items()} for m, of in found.items()
                 if GATED.match(m)}
        return print(json.dumps(found, indent=1))
    print(__doc__, file=sys.stderr)
    return 2


if __name__ == "__main__":
    sys.exit(main(sys.argv))
