#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Attachments over a namespace with several paths, and on a kernel that is told to restrict writers.
#
#	qemu/vm run --release trixie-backports --append 'nvme_core.multipath=Y bdev_allow_write_mounted=0' -- \
#		selftests/kernel/fence-multipath.sh

# shellcheck disable=SC2317 # tests are called by name
# shellcheck source=lib.sh
. "$(dirname "$(readlink -f "$0")")/lib.sh"
# shellcheck source=nvmet.sh
. "$HERE/nvmet.sh"
# shellcheck source=fence-lib.sh
. "$HERE/fence-lib.sh"
require_fence

# two_paths [noresv]: $a, of which $second is one path
two_paths() {
	if [[ ${1-} == noresv ]]; then
		require_target tcp
	else
		require_target tcp reservations
	fi
	is_multipath || skip "nvme_core was loaded without multipath"
	null_new disk 64
	target shared "$null" tcp "$@"
	port_new 2 tcp
	offer shared 2
	connect shared tcp 1 1
	a=$nvme
	connect shared tcp 1 2
	second=$ctrl
	eq "$nvme" "$a" "the second path's device"
}

# fail_over GRADE: take-overs while one path goes and comes
fail_over() {
	local i one two

	declare -gA writer=()
	defer stamps_kill
	attach one "$a" 1
	one=$dev
	attach two "$a" 1
	two=$dev
	fence_is one grade "$1"
	for ((i = 0; i < $(by_kernel 6 3); i++)); do
		acquire one
		stamps_start one "$one" "$epoch" 1
		disconnect "$second"
		acquire two
		watch_start "$null" "$epoch"
		stamps_end one
		stamps_start two "$two" "$epoch" 2
		connect shared tcp 1 2
		second=$ctrl
		watch_end
		kill -KILL "${writer[two]}"
		stamps_end two 137
	done
}

test_paths() {
	two_paths
	fail_over device
}

test_paths_without_reservations() {
	two_paths noresv
	fail_over local
}

# What another host holds is seen through every path.
test_other_host() {
	two_paths
	attach one "$a" 1
	acquire one
	put "$dev"
	disconnect "$second"
	put "$dev"
	fence_is one report.type write-exclusive
	fence_is one state granted
}

# ana STATE: of the namespace, by both ports
ana() {
	local port path

	for port in 1 2; do
		echo "$1" >"$NVMET/ports/$port/ana_groups/1/ana_state"
	done
	# Controllers tell their hosts, each its own.
	for path in /sys/class/nvme/*/nvme*c*n1/ana_state; do
		wait_for grep -q -x "$1" "$path"
	done
}

# While no path can be used nothing has been sent, and that can be done later.
test_no_path() {
	local start=$SECONDS

	two_paths
	attach one "$a" 1
	ana inaccessible
	expect 4 pvctl fence acquire one --timeout 2
	((SECONDS - start >= 2)) || fail "given up after $((SECONDS - start)) s"
	pvctl fence acquire one --json >"$TMP/acquire" 2>"$TMP/err" &
	ana optimized
	wait $! || fail "$(<"$TMP/err")"
	put "$dev"
	ana inaccessible
	# Nor does a status wait.
	start=$SECONDS
	fence_is one state granted
	((SECONDS - start < 20)) || fail "the status took $((SECONDS - start)) s"
	expect 4 pvctl fence release one --timeout 1
	ana optimized
	expect 0 pvctl fence release one
	pvctl fence status one --json |
		jq -e '.report.registrants | any(.holder and .form == "vacant")' >"$TMP/vacant"
}

# Nobody of this node writes beside the attachments, not even who does not ask for the device alone.
test_restricted_writers() {
	grep -q -w bdev_allow_write_mounted=0 /proc/cmdline || skip "the kernel was started without bdev_allow_write_mounted=0"
	null_new disk 64
	put "$null"
	attach pod "$null" 1
	must_fail put "$null" 2>"$TMP/err"
	says busy
	get_block "$null"
	acquire pod
	put "$dev"
	pvctl fence detach pod
	put "$null"
}

tap_main paths paths-without-reservations other-host no-path restricted-writers
