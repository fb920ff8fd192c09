# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# What the tests on an installed machine share.
set -uo pipefail

# shellcheck disable=SC2034 # for the tests
readonly VOLUME=/dev/pmemvol/tank/db

fail() {
	echo "FAIL: $*"
	return 1
}

# unit_is STATE UNIT
unit_is() {
	[[ -n $(systemctl list-units --all --no-legend --plain "$2" --state="$1") ]]
}

# wait_until COMMAND...: it works now
wait_until() {
	local end=$((SECONDS + 300))

	until "$@"; do
		((SECONDS < end)) || {
			fail "'$*' did not work in time"
			return
		}
		sleep 0.2
	done
}

# tests NAME...: each is a function test_NAME, in which every failing command fails the test. A test
# builds on those before it.
tests() {
	local name number=0 failed=0 status log

	log=$(mktemp)
	echo "TAP version 13"
	echo "1..$#"
	for name; do
		number=$((number + 1))
		# In a condition failures would be passed over.
		(
			set -eEuo pipefail
			trap 'echo "FAIL: line $LINENO: $BASH_COMMAND"' ERR
			"test_${name//-/_}"
		) >"$log" 2>&1
		status=$?
		if ((status == 0)); then
			echo "ok $number $name"
		else
			tail -n 60 "$log" | sed 's/^/# /'
			echo "not ok $number $name"
			failed=1
		fi
	done
	rm "$log"
	return "$failed"
}
