#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# As faults.sh, of clones and of what a write does for a snapshot.
#
#	qemu/vm run --kernel debug --nvdimm 640M,448M,256M -- selftests/kernel/faults-snapshot.sh [TEST]...

# shellcheck disable=SC2317 # tests are called by name
# shellcheck source=lib.sh
. "$(dirname "$(readlink -f "$0")")/lib.sh"
# shellcheck source=snapshot-lib.sh
. "$(dirname "$(readlink -f "$0")")/snapshot-lib.sh"
# shellcheck source=faults-lib.sh
. "$(dirname "$(readlink -f "$0")")/faults-lib.sh"

# Of the first half of the volume only the snapshot knows what was there.
with_snapshot() {
	setup
	pattern write direct "$dev" 0 8M 3
	snapshot create tank v s
	pattern write direct "$dev" 0 4M 4
}

delete_clone() {
	request VOLUME_DELETE w
	wait_for on_medium 2
}

test_clone() {
	with_snapshot
	each_point delete_clone VOLUME_CLONE '{POOL' POOL_NAME:s:tank '}' \
		'{VOLUME' VOLUME_NAME:s:w VOLUME_ORIGIN:s:v '}' '{SNAPSHOT' SNAPSHOT_NAME:s:s '}'
	clone tank v s w
	pattern check direct "$dev" 0 8M 3
}

# Memory runs out when a write has to copy out: the snapshot shows what was, either way.
test_copy_out() {
	local n out status points=32 seed refused=0

	new_pool tank /dev/pmem0 --overcommit 200
	new_volume tank/v 64G
	for ((n = 1; n <= points; n++)); do
		pattern write direct "$dev" "$(place "$n")" 4096 "$n"
	done
	snapshot create tank v s
	for ((n = 1; n <= points; n++)); do
		status=0 seed=$((n + points))
		out=$(FAIL_NTH=$n pattern write direct "$dev" "$(place "$n")" 4096 "$seed" 2>"$TMP/failed") || status=$?
		((status < 2)) || fail "allocation $n: $(<"$TMP/failed")"
		if ((status)); then
			refused=$((refused + 1)) seed=$n
		fi
		pattern check direct "$dev" "$(place "$n")" 4096 "$seed"
		[[ $out == injected ]] || break
	done
	note "$refused of $n writes failed"
	((refused)) || fail "no write ever failed"
	((n <= points)) || fail "an allocation still failed"
	expect 0 pvctl pool check tank
	open_snapshot tank v s
	for ((n = 1; n <= points; n++)); do
		pattern check direct "$snapdev" "$(place "$n")" 4096 "$n"
	done
}

tap_main clone copy-out
