#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Do the netlink headers, their attribute trees, the YAML specs and the kernel's tables agree?

Prints KTAP. Needs python3-yaml.
"""
import os
import re
import sys

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))


class Family:
    """What belongs to one family.

    core: a header of the module's pure code, and in it what the interface's limits must be
    limits: which attribute is bounded by which constants of the header
    """

    def __init__(self, name, core, pairs, limits):
        self.name = name
        self.prefix = name.upper() + "_"
        self.header = f"include/uapi/linux/{name}.h"
        self.spec = f"Documentation/netlink/specs/{name}.yaml"
        self.kernel = f"kernel/{name}/ctl_netlink.c"
        self.core = core
        self.pairs = pairs
        self.limits = limits


FAMILIES = [
    Family("pmemvol", "kernel/pmemvol/core/format.h", {
        "NAME_MAX": lambda core: core["PMV_NAME_MAX"],
        "UUID_SIZE": lambda core: core["PMV_UUID_SIZE"],
        "MEMBERS_MAX": lambda core: core["PMV_MEMBERS_MAX"],
        "CHUNK_SIZE_MIN": lambda core: 1 << core["PMV_CHUNK_SHIFT_MIN"],
        "CHUNK_SIZE_MAX": lambda core: 1 << core["PMV_CHUNK_SHIFT_MAX"],
    }, {
        "POOL_NAME": {"max-len": "NAME_MAX"},
        "POOL_UUID": {"exact-len": "UUID_SIZE"},
        "POOL_CHUNK_SIZE": {"min": "CHUNK_SIZE_MIN", "max": "CHUNK_SIZE_MAX"},
        "POOL_OVERCOMMIT": {"min": "OVERCOMMIT_MIN", "max": "OVERCOMMIT_MAX"},
        "POOL_LOW_WATER": {"max": "LOW_WATER_MAX"},
        "MEMBER_UUID": {"exact-len": "UUID_SIZE"},
        "VOLUME_NAME": {"max-len": "NAME_MAX"},
        "VOLUME_UUID": {"exact-len": "UUID_SIZE"},
        "VOLUME_NEW_NAME": {"max-len": "NAME_MAX"},
        "VOLUME_ORIGIN": {"max-len": "NAME_MAX"},
        "SNAPSHOT_NAME": {"max-len": "NAME_MAX"},
        "SNAPSHOT_UUID": {"exact-len": "UUID_SIZE"},
    }),
    Family("nvme_fence", "kernel/nvme_fence/core/key.h", {
        "EPOCH_MAX": lambda core: core["NVF_EPOCH_MAX"],
        "NODE_ID_MAX": lambda core: core["NVF_NODE_MAX"],
        "HOST_ID_SIZE": lambda core: core["NVF_HOST_ID_SIZE"],
        "REGISTRANTS_MAX": lambda core: core["NVF_REGISTRANTS_MAX"],
    }, {
        "TIMEOUT": {"min": "TIMEOUT_MIN", "max": "TIMEOUT_MAX"},
        "ATT_NAME": {"max-len": "NAME_MAX"},
        "ATT_NODE_ID": {"min": 1, "max": "NODE_ID_MAX"},
        "ATT_HOST_ID": {"exact-len": "HOST_ID_SIZE"},
        "ATT_UNIQUE_ID": {"max-len": "UNIQUE_ID_MAX"},
        "ATT_EPOCH": {"min": 1, "max": "EPOCH_MAX"},
        "ATT_RECORD_EPOCH": {"max": "EPOCH_MAX"},
        "ATT_LEASE": {"max": "LEASE_MAX"},
        "REG_HOST_ID": {"exact-len": "HOST_ID_SIZE"},
    }),
]


def read(path):
    with open(os.path.join(TOP, path), encoding="utf-8") as f:
        return f.read()


def without_comments(text):
    return re.sub(r"/\*.*?\*/|//[^\n]*", "", text, flags=re.S)


def c_name(prefix, name):
    return (prefix + name).replace("-", "_").upper()


def header_enums(text):
    """{enum name: [(member, value)]} without the __*_MAX helpers."""
    enums = {}
    for name, body in re.findall(r"enum (\w+) \{(.*?)\};", without_comments(text), re.S):
        value, members = 0, []
        for entry in filter(None, (e.strip() for e in body.split(","))):
            member, _, given = (part.strip() for part in entry.partition("="))
            if given:
                if not given.isdigit():
                    continue
                value = int(given)
            if not member.startswith("__"):
                members.append((member, value))
            value += 1
        enums[name] = members
    return enums


def constants(text):
    """{name: value} of the numeric #defines, which are of integers, shifts, differences."""
    found = {}
    for name, value in re.findall(r"^#define (\w+)[ \t]+([^\n]+)$", without_comments(text), re.M):
        value = re.sub(r"\b(\d+)U?L{0,2}\b", r"\1", value.strip())
        if re.fullmatch(r"[\d\s()<-]+", value):
            found[name] = eval(value)  # pylint: disable=eval-used
    return found


def attribute_tree(text, prefix):
    """{attribute: (type, directions)} from the comment on top of the header."""
    tree = {}
    lines = text.split("*/")[1].splitlines()
    for line in lines:
        match = re.match(rf" \*\s+({prefix}A_\w+)\s+(.*)$", line)
        if not match:
            continue
        name, rest = match.groups()
        kind = re.match(r"(\(nest[^)]*\)|16 B|\w+)\s*(.*)$", rest)
        word = kind.group(1)
        directions = set(re.findall(r"\b(in|out)\b", kind.group(2).split("(")[0].split("\t")[0]))
        if word.startswith("(nest"):
            word = "nest-multi" if "multi" in word else "nest"
        tree[name] = ({"16 B": "binary"}.get(word, word), directions)
    return tree


def command_rows(text):
    """Commands in the table of the header's comment, in order."""
    table = re.search(r"\* Command\s.*?\n \*\n", text, re.S).group(0)
    return re.findall(r"^ \* ([A-Z]+(?:_[A-Z]+)?)\t", table, re.M)


def spec_attributes(attribute_set):
    prefix, value, found = attribute_set["name-prefix"], 1, []
    for attr in attribute_set["attributes"]:
        value = attr.get("value", value)
        found.append((c_name(prefix, attr["name"]), value, attr))
        value += 1
    return found


def spec_type(attr):
    return "nest-multi" if attr.get("multi-attr") else attr["type"]


def kernel_policies(text, prefix):
    """{policy: {attribute: initializer}}"""
    policies = {}
    pattern = r"struct nla_policy (\w+)\[[^\]]*\]\s*(?:\w+\s*)?= \{(.*?)\n\};"
    for name, body in re.findall(pattern, without_comments(text), re.S):
        entries = re.split(rf"\[({prefix}A_\w+)\]\s*=", body)[1:]
        policies[name] = dict(zip(entries[::2], (" ".join(e.split()) for e in entries[1::2])))
    return policies


def policy_type(initializer):
    words = {
        "NLA_POLICY_NESTED": "nest", "NLA_NESTED": "nest", "NLA_FLAG": "flag",
        "NLA_U32": "u32", "NLA_U64": "u64", "NLA_S32": "s32",
        "NLA_NUL_STRING": "string", "NLA_STRING": "string",
        "NLA_POLICY_EXACT_LEN": "binary", "NLA_BINARY": "binary", "NLA_REJECT": "reject",
    }
    for word in re.findall(r"NLA_\w+", initializer):
        if word in words:
            return words[word]
    return "unknown"


class Checks:
    """The comparisons; each yields what is wrong."""

    def __init__(self, family, spec):
        self.of = family
        self.spec = spec
        self.header = read(family.header)
        self.enums = header_enums(self.header)
        self.sets = {s["name"]: s for s in spec["attribute-sets"]}
        self.tree = attribute_tree(self.header, family.prefix)
        path = os.path.join(TOP, family.kernel)
        self.kernel = read(family.kernel) if os.path.exists(path) else None

    def attributes(self):
        for aset in self.sets.values():
            enum = aset["enum-name"].replace("-", "_")
            want = [(n, v) for n, v in self.enums.get(enum, []) if v]
            have = [(n, v) for n, v, _ in spec_attributes(aset)]
            if want != have:
                yield f"enum {enum}: header {want}, spec {have}"

    def every_enum(self):
        named = {s["enum-name"] for s in self.sets.values()}
        named |= {d["enum-name"] for d in self.spec["definitions"] if d["type"] == "enum"}
        named.add(self.spec["operations"]["enum-name"])
        known = {n.replace("-", "_") for n in named}
        for enum in sorted(known ^ set(self.enums)):
            yield f"enum {enum} is in one of header and spec only"

    def values(self):
        for entry in self.spec["definitions"]:
            if entry["type"] != "enum":
                continue
            enum = entry["enum-name"].replace("-", "_")
            names = [e if isinstance(e, str) else e["name"] for e in entry["entries"]]
            have = [(c_name(entry["name-prefix"], n), i) for i, n in enumerate(names)]
            if have != self.enums.get(enum):
                yield f"enum {enum}: header {self.enums.get(enum)}, spec {have}"

    def limits(self):
        prefix = self.of.prefix
        header, core = constants(self.header), constants(read(self.of.core))
        spec = {c_name(prefix, d["name"]): d["value"]
                for d in self.spec["definitions"] if d["type"] == "const"}
        header.pop(prefix + "GENL_VERSION")
        if header != spec:
            yield f"constants: header {header}, spec {spec}"
        for name, value in self.of.pairs.items():
            if header[prefix + name] != value(core):
                yield f"{prefix}{name} is not what {self.of.core} has, {value(core)}"
        yield from self.checks(header)

    def checks(self, header):
        """The schema wants numbers in checks; they are those of the header."""
        prefix = self.of.prefix
        for aset in self.sets.values():
            for name, _, attr in spec_attributes(aset):
                want = self.of.limits.get(name.removeprefix(prefix + "A_"), {})
                want = {k: v if isinstance(v, int) else header[prefix + v]
                        for k, v in want.items()}
                if attr.get("checks", {}) != want:
                    yield f"{name}: checks {attr.get('checks')}, the header's limits {want}"

    def comment(self):
        in_spec = {}
        for aset in self.sets.values():
            in_spec |= {n: spec_type(a) for n, _, a in spec_attributes(aset)
                        if a["type"] != "pad"}
        for name in sorted(set(in_spec) ^ set(self.tree)):
            yield f"{name} is in one of attribute tree and spec only"
        for name in sorted(set(in_spec) & set(self.tree)):
            if in_spec[name] != self.tree[name][0]:
                yield f"{name}: attribute tree {self.tree[name][0]}, spec {in_spec[name]}"

    def commands(self):
        ops, prefix = self.spec["operations"]["list"], self.spec["operations"]["name-prefix"]
        have = [(c_name(prefix, op["name"]), i) for i, op in enumerate(ops, 1)]
        want = [(n, v) for n, v in self.enums[self.of.name + "_cmd"] if v]
        if have != want:
            yield f"commands: header {want}, spec {have}"
        rows = [c_name(prefix, row) for row in command_rows(self.header)]
        if rows != [n for n, _ in want]:
            yield f"commands: header's enum {[n for n, _ in want]}, its comment {rows}"

    def family(self):
        prefix = self.of.prefix
        if f'#define {prefix}GENL_NAME\t\t"{self.spec["name"]}"' not in self.header:
            yield "the family's name is not the header's"
        group = self.spec["mcast-groups"]["list"][0]["name"]
        if f'#define {prefix}GENL_MCGRP_EVENTS\t"{group}"' not in self.header:
            yield "the multicast group's name is not the header's"

    def policy_of(self, policies, names):
        """The table whose attributes are those of a set; their names have the set's prefix."""
        return [p for p, entries in policies.items() if entries and set(entries) <= names]

    def policies(self):
        policies = kernel_policies(self.kernel, self.of.prefix)
        for aset in self.sets.values():
            attributes, takes = spec_attributes(aset), {}
            for name, _, attr in attributes:
                directions = self.tree.get(name, ("", set()))[1]
                if "in" in directions or (attr["type"] == "nest" and not directions):
                    takes[name] = attr["type"]
            if not takes:
                continue
            tables = self.policy_of(policies, {name for name, _, _ in attributes})
            if len(tables) != 1:
                yield f"{self.of.kernel} has not one policy for {aset['name']} but {tables}"
                continue
            entries = policies.pop(tables[0])
            for name, kind in takes.items():
                got = policy_type(entries.pop(name, ""))
                if got != kind:
                    yield f"{tables[0]}: {name} is {kind} in a request, the table says {got}"
            for name, initializer in entries.items():
                if policy_type(initializer) != "reject":
                    yield f"{tables[0]}: {name} is taken, but not part of any request"
        for policy in policies:
            yield f"{policy} is of no attribute set"

    def operations(self):
        prefix = self.of.prefix + "CMD_"
        blocks = re.findall(rf"\{{([^{{}}]*\.cmd\s*=\s*({prefix}\w+)[^{{}}]*)\}}",
                            without_comments(self.kernel))
        table = {cmd: body for body, cmd in blocks}
        for op in self.spec["operations"]["list"]:
            cmd = c_name(prefix, op["name"])
            if "event" in op:
                if cmd in table:
                    yield f"{cmd} is an event, not an operation"
                continue
            body = table.pop(cmd, None)
            if body is None:
                yield f"{cmd} is not in the table of operations"
                continue
            for field, key in ((".doit", "do"), (".dumpit", "dump")):
                if (field in body) != (key in op):
                    yield f"{cmd}: {field} in one of table and spec only"
        for cmd in table:
            yield f"{cmd} is in the table of operations, not in the spec"


TESTS = [
    ("attributes: header and spec", Checks.attributes, False),
    ("enums: none forgotten", Checks.every_enum, False),
    ("enum values: header and spec", Checks.values, False),
    ("limits: header, spec and pure code", Checks.limits, False),
    ("types: attribute tree and spec", Checks.comment, False),
    ("commands: header, its comment and spec", Checks.commands, False),
    ("names of family and group", Checks.family, False),
    ("kernel policies and what requests carry", Checks.policies, True),
    ("kernel operations and spec", Checks.operations, True),
]


def main():
    print("TAP version 13")
    try:
        import yaml  # pylint: disable=import-outside-toplevel
    except ImportError:
        print("1..0 # SKIP python3-yaml is not installed")
        return 0
    print(f"1..{len(FAMILIES) * len(TESTS)}")
    number, failed = 0, False
    for family in FAMILIES:
        checks = Checks(family, yaml.safe_load(read(family.spec)))
        for title, test, needs_kernel in TESTS:
            number, name = number + 1, f"{family.name}: {title}"
            if needs_kernel and checks.kernel is None:
                print(f"ok {number} {name} # SKIP {family.kernel} is not there")
                continue
            problems = list(test(checks))
            for problem in problems:
                print(f"# {problem}")
            print(f"{'not ok' if problems else 'ok'} {number} {name}")
            failed |= bool(problems)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
