#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Does ktap.awk see what is wrong? Prints KTAP.
set -u

here=$(dirname "$(readlink -f "$0")")
number=0 failures=0

# judged NAME "PASSED FAILED SKIPPED" LINE...
judged() {
	local name=$1 want=$2 got

	shift 2
	number=$((number + 1))
	got=$(printf '%s\n' "$@" | awk -f "$here/ktap.awk" | tail -n 1)
	if [[ $got == "TOTAL $want" ]]; then
		echo "ok $number $name"
	else
		echo "# '$got', not 'TOTAL $want'"
		echo "not ok $number $name"
		failures=1
	fi
}

echo "TAP version 13"
echo "1..14"
judged passes "2 0 0" "KTAP-BEGIN a" "TAP version 13" "1..2" "ok 1 x" "ok 2 y" "KTAP-END a 0"
judged skips "1 0 1" "KTAP-BEGIN a" "TAP version 13" "1..2" "ok 1 x # SKIP no" "ok 2 y" "KTAP-END a 0"
judged skipped-as-a-whole "0 0 1" "KTAP-BEGIN a" "TAP version 13" "1..0 # SKIP no" "KTAP-END a 0"
judged fails "1 1 0" "KTAP-BEGIN a" "TAP version 13" "1..2" "not ok 1 x" "ok 2 y" "KTAP-END a 1"
judged subtests "1 0 0" "KTAP-BEGIN a" "KTAP version 1" "1..1" "    ok 1 in" "    not ok 2 in" "ok 1 x" "KTAP-END a 0"
judged failure-with-status-0 "0 2 0" "KTAP-BEGIN a" "TAP version 13" "1..1" "not ok 1 x" "KTAP-END a 0"
judged success-with-status-1 "1 1 0" "KTAP-BEGIN a" "TAP version 13" "1..1" "ok 1 x" "KTAP-END a 1"
judged too-few "1 1 0" "KTAP-BEGIN a" "TAP version 13" "1..2" "ok 1 x" "KTAP-END a 0"
judged too-many "2 1 0" "KTAP-BEGIN a" "TAP version 13" "1..1" "ok 1 x" "ok 2 y" "KTAP-END a 0"
judged wrong-number "1 1 0" "KTAP-BEGIN a" "TAP version 13" "1..1" "ok 2 x" "KTAP-END a 0"
judged no-plan "1 1 0" "KTAP-BEGIN a" "TAP version 13" "ok 1 x" "KTAP-END a 0"
judged nothing-printed "0 1 0" "KTAP-BEGIN a" "KTAP-END a 139"
judged died "1 1 0" "KTAP-BEGIN a" "TAP version 13" "1..2" "ok 1 x"
judged empty-log "0 1 0" ""
exit $failures
