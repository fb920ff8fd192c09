#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Does the tests' own jq say what the real one says? Prints KTAP.
set -u

here=$(dirname "$(readlink -f "$0")")
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
make -s -C "$here" kernel/bin/jq >&2 || exit 1
ours=$here/kernel/bin/jq

cat >"$work/list" <<'END'
[{"name": "a/b", "size": 18446744073709551615, "on": true, "state": "active", "in": {"x": [1, "y\n\"z"]}},
 {"name": "ü", "size": 9007199254740991, "on": null, "state": "gone", "in": {"x": [], "z": 1.5}}]
END
cat >"$work/events" <<'END'
{"event": "one", "seq": 1}
{"event": "two", "seq": 2, "pool": {"name": "tank"}}
{"event": "three"}
END
echo '{"a": {"b": [{"c": "deep"}]}, "empty": [], "_x1": false}' >"$work/object"
echo '{"torn": [1, 2' >"$work/torn"
: >"$work/nothing"

# Each with every input, whether the filter fits it or not.
filters=(
	. .name .a.b '.a.b[0].c' '.a.b[7].c' .empty ._x1 '.[0].name' '.[1].in.x' '.[].name' '.[].on'
	'.[].in.x[0]' '.[0].in.x[1]' .event .seq .pool.name length '.[2]' '.[].missing'
	'.[] | select(.state == "active") | .name' '.[] | select(.state == "none") | .name'
	'.[] | select(.name == "ü") | .in.x' '.[0].in.z' '.[].in.z' .torn
	# The real one's alone.
	'[.[] | .name] | sort' '.a | length' 'map(.name)' '.name.' '.a[' '.[] | .name'
)
number=0 failures=0

# 2^53 is where the real one becomes inexact.
plain() {
	sed 's/18446744073709551615/18446744073709552000/'
}

echo "TAP version 13"
echo "1..${#filters[@]}"
for filter in "${filters[@]}"; do
	number=$((number + 1)) wrong=
	for input in list events object torn nothing; do
		for option in "" -r -c; do
			"$ours" ${option:+"$option"} "$filter" "$work/$input" >"$work/ours" 2>/dev/null
			status=$?
			/usr/bin/jq ${option:+"$option"} "$filter" "$work/$input" >"$work/real" 2>/dev/null
			(($? == status)) || wrong+=" $input $option: status $status;"
			cmp -s <(plain <"$work/ours") "$work/real" ||
				wrong+=" $input $option: $(head -c 200 "$work/ours");"
			"$ours" ${option:+"$option"} "$filter" <"$work/$input" 2>/dev/null |
				cmp -s - "$work/ours" || wrong+=" $input $option: differs from a pipe;"
		done
	done
	if [[ -z $wrong ]]; then
		echo "ok $number $filter"
	else
		echo "# $wrong"
		echo "not ok $number $filter"
		failures=$((failures + 1))
	fi
done
((failures == 0))
