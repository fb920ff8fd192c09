#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# What tests of fencing stand on, without the module: that these targets have reservations which
# stop another host, what they do not stop, and that the programs which look for stale writes
# find them.
#
#	qemu/vm run --release trixie-backports --append nvme_core.multipath=N -- \
#		selftests/kernel/fence-raw.sh [TEST]...

# shellcheck disable=SC2317 # tests are called by name
# shellcheck source=lib.sh
. "$(dirname "$(readlink -f "$0")")/lib.sh"
# shellcheck source=nvmet.sh
. "$HERE/nvmet.sh"
# shellcheck source=fence-lib.sh
. "$HERE/fence-lib.sh"

readonly BLOCKS=256

# reservations A B: register, reserve, conflict, preempt-and-abort
reservations() {
	local a=$1 b=$2

	pr "$a" register 0 0xa ignore
	pr "$b" register 0 0xb ignore
	pr "$a" reserve 0xa 1
	put "$a"
	refuses_writes "$b"
	pr "$b" preempt-abort 0xb 0xa 1
	put "$b"
	refuses_writes "$a"
	dd if="$a" of=/dev/null bs=4096 count=1 iflag=direct status=none
}

test_reservations_tcp() {
	two_hosts tcp
	reservations "$a" "$b"
}

test_reservations_loop() {
	two_hosts loop
	reservations "$a" "$b"
}

test_reservations_rdma() {
	two_hosts rdma
	reservations "$a" "$b"
}

test_reservations_scsi() {
	local a

	require_scsi_target
	null_new disk 64
	scsi_target shared "$null"
	scsi_connect shared 1
	a=$scsi
	scsi_connect shared 2
	reservations "$a" "$scsi"
}

# As people call it.
test_nvme_cli() {
	two_hosts tcp
	nvme resv-register "$a" -n 1 --nrkey=0xa --rrega=0 --iekey
	nvme resv-acquire "$a" -n 1 --crkey=0xa --rtype=1 --racqa=0
	nvme resv-register "$b" -n 1 --nrkey=0xb --rrega=0 --iekey
	nvme resv-report "$a" -n 1 --eds -o json >"$TMP/report"
	eq "$(jq .rtype "$TMP/report")" 1 "rtype"
	refuses_writes "$b"
	nvme resv-acquire "$b" -n 1 --crkey=0xb --prkey=0xa --rtype=1 --racqa=2
	refuses_writes "$a"
	put "$b"
}

test_target_forgets() {
	local controller

	two_hosts tcp
	controller=$ctrl
	pr "$a" register 0 0xa ignore
	pr "$a" reserve 0xa 1
	refuses_writes "$b"
	target_restart shared 1
	wait_for is_live "$controller"
	wait_for put "$b"
}

test_lease_between_hosts() {
	local status=0

	two_hosts tcp
	lease_fail_over "$a" "$b"
	wait "${lease[one]}" || status=$?
	cat "$TMP/lease-one"
	eq "$status" 52 "the paused one's end (EBADE is 52)"
	wait_for records_grow two 5
}

# The hole that is to be closed: on one host nothing tells the two apart.
test_lease_on_one_host_is_split() {
	local before

	two_hosts tcp
	lease_fail_over "$a" "$a"
	before=$(grep -c '^record' "$TMP/lease-one")
	wait_for records_grow one $((before + 5))
	wait_for records_grow two 5
}

# The checker is tested itself: an unfenced writer with an old epoch is found.
test_checker_finds_stale_writes() {
	local writer watcher status=0

	null_new disk 64
	fence-stamp write "$null" "$BLOCKS" 5 1 4 "$TMP/log" >"$TMP/writer" &
	writer=$!
	defer kill -KILL "$writer"
	wait_for grep -q ready "$TMP/writer"
	fence-stamp watch "$null" "$BLOCKS" 6 "$TMP/log" 2>"$TMP/watch" &
	watcher=$!
	wait "$watcher" || status=$?
	eq "$status" 1 "the watcher"
	grep STALE "$TMP/watch"
}

test_checker_finds_lost_writes() {
	local status=0

	null_new disk 64
	fence-stamp write "$null" "$BLOCKS" 5 1 4 "$TMP/log" >"$TMP/writer" &
	wait_for grep -q ready "$TMP/writer"
	kill $!
	wait $!
	dd if=/dev/zero of="$null" bs=4096 count="$BLOCKS" oflag=direct status=none
	timeout -s KILL 20 fence-stamp watch "$null" "$BLOCKS" 5 "$TMP/log" 2>"$TMP/watch" || status=$?
	eq "$status" 1 "the watcher"
	grep LOST "$TMP/watch"
}

# A delayed write lands after a take-over that does not wait: the checker sees that too, so a
# take-over under which it sees nothing has waited.
test_checker_finds_late_writes() {
	local writer status=0

	require_module dm-delay
	null_new disk 64
	slow_new late "$null" 700
	fence-stamp write "$slow" 64 5 1 8 "$TMP/log" >"$TMP/writer" &
	writer=$!
	defer kill -KILL "$writer"
	wait_for grep -q ready "$TMP/writer"
	kill -STOP "$writer"
	fence-stamp watch "$null" 64 6 2>"$TMP/watch" || status=$?
	eq "$status" 1 "the watcher"
	grep STALE "$TMP/watch"
}

tap_main checker-finds-stale-writes checker-finds-lost-writes checker-finds-late-writes \
	reservations-tcp reservations-loop reservations-rdma reservations-scsi nvme-cli target-forgets \
	lease-between-hosts lease-on-one-host-is-split
