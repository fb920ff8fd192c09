#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Reservation ioctls on attachments: programs written for the raw device, unmodified, and what
# a malicious consumer can do.
#
#	qemu/vm run --release trixie-backports --append nvme_core.multipath=N -- \
#		selftests/kernel/fence-pr.sh [TEST]...

# shellcheck disable=SC2317 # tests are called by name
# shellcheck source=lib.sh
. "$(dirname "$(readlink -f "$0")")/lib.sh"
# shellcheck source=nvmet.sh
. "$HERE/nvmet.sh"
# shellcheck source=fence-lib.sh
. "$HERE/fence-lib.sh"
require_fence

# three_pods: $one, $two and $three over one device of this node
three_pods() {
	null_new disk 64
	attach one "$null" 1
	one=$dev
	attach two "$null" 1
	two=$dev
	attach three "$null" 1
	three=$dev
}

test_register_and_reserve() {
	three_pods
	conflicts_with "$one" reserve 0xa 1
	pr "$one" register 0 0xa
	refuses_writes "$one"
	pr "$one" reserve 0xa 1
	put "$one"
	fence_is one state granted
	pr "$two" register 0 0xb
	conflicts_with "$two" reserve 0xb 1
	refuses_writes "$two"
	conflicts_with "$two" register 0xc 0xd
	put "$one"
	pr "$one" release 0xa 1
	fence_is one state fenced
	refuses_writes "$one"
	pr "$two" reserve 0xb 1
	put "$two"
}

test_preempt() {
	local command

	three_pods
	for command in preempt preempt-abort; do
		pr "$one" register 0 0xa ignore
		pr "$two" register 0 0xb ignore
		pr "$one" reserve 0xa 1
		put "$one"
		conflicts_with "$two" reserve 0xb 1
		pr "$two" "$command" 0xb 0xa 1
		refuses_writes "$one"
		put "$two"
		fence_is one state stale
		# The victim is not registered any more.
		conflicts_with "$one" reserve 0xa 1
		pr "$two" release 0xb 1
	done
}

test_other_types() {
	local type

	three_pods
	pr "$one" register 0 0xa
	for type in 2 3 4 5 6; do
		must_fail pr "$one" reserve 0xa "$type"
		eq "$(<"$TMP/pr")" EOPNOTSUPP "reserving with type $type"
	done
	refuses_writes "$one"
}

test_read_back() {
	three_pods
	pr "$one" register 0 0xa
	fence-pr "$one" read-keys >"$TMP/keys" || cat "$TMP/keys"
	! grep -q ENOTTY "$TMP/keys" || skip "this kernel has no ioctl that reads keys"
	pr "$two" register 0 0xb
	pr "$one" reserve 0xa 1
	fence-pr "$two" read-keys >"$TMP/keys"
	grep 'key 0xa$' "$TMP/keys"
	grep 'key 0xb$' "$TMP/keys"
	fence-pr "$two" read-reservation >"$TMP/reservation"
	grep 'key 0xa$' "$TMP/reservation"
	grep 'type 1$' "$TMP/reservation"
}

in_without_sys_admin() {
	setpriv --bounding-set=-sys_admin --inh-caps=-sys_admin fence-pr "$@" >"$TMP/pr"
}

# What may be asked for is the kernel's to say, and the same as on any other disk: by who may
# administer, or by who has opened for writing (not on old kernels).
test_rights() {
	local command

	three_pods
	for command in "register 0 0xa" "reserve 0xa 1" "preempt 0xa 0xa 1" "preempt-abort 0xa 0xa 1" \
		"release 0xa 1" "clear 0xa"; do
		# shellcheck disable=SC2086 # a command and its arguments
		must_fail in_without_sys_admin "$one" readonly $command
		eq "$(<"$TMP/pr")" EPERM "$command, through a file for reading"
	done
	fence_is one state fenced
	pr "$two" readonly register 0 0xb
	pr "$two" readonly reserve 0xb 1
	put "$two"
	if in_without_sys_admin "$one" register 0 0xa; then
		# Its own gate, as ever, and no other one but by taking over.
		conflicts_with "$one" reserve 0xa 1
		must_fail in_without_sys_admin "$one" reserve 0xa 1
		put "$two"
		refuses_writes "$one"
	else
		eq "$(<"$TMP/pr")" EPERM "register, through a file for writing"
	fi
}

# Whatever a consumer does: it opens no gate but its own, and shuts one only by taking over.
test_malicious_consumer() {
	local i key command before

	three_pods
	acquire one
	acquire two
	before=$epoch
	for key in 1 0xffffffffffffffff; do
		for command in "register 0 $key" "register $key 0xbad" "register 0 0xbad ignore" \
			"register $key 0 ignore" "release $key 1" "clear $key" "reserve $key 1" \
			"register 0 $key ignore" "release 0xbad 1" "clear 0xbad" "reserve 0xbad 1"; do
			# shellcheck disable=SC2086 # a command and its arguments
			fence-pr "$three" $command >"$TMP/pr" || :
			put "$two"
			refuses_writes "$one"
			refuses_writes "$three"
		done
	done
	eq "$(fence_get two epoch)" "$before" "the holder's epoch"
	# Preempting is taking over, and is told so: nobody else's gate opens.
	pr "$three" register 0 0xbad ignore
	for ((i = 0; i < 5; i++)); do
		fence-pr "$three" preempt 0xbad "$i" 1 >"$TMP/pr" || :
		fence-pr "$three" preempt-abort 0xbad "$i" 1 >"$TMP/pr" || :
		fence-pr "$three" register 0 0xbad ignore >"$TMP/pr" || :
		refuses_writes "$one"
	done
	fence_is three state granted
	fence_is two state stale
	refuses_writes "$two"
	pr "$three" clear 0xbad
	refuses_writes "$one"
	refuses_writes "$two"
	refuses_writes "$three"
}

# lease_on DEVICE DEVICE: the paused one gets EBADE, the other one goes on
lease_on() {
	local status=0

	lease_fail_over "$1" "$2"
	wait "${lease[one]}" || status=$?
	tail -n 3 "$TMP/lease-one"
	cat "$TMP/lease-two"
	eq "$status" "$EBADE" "the paused one's end"
	wait_for records_grow two 5
}

test_lease_on_one_node() {
	null_new disk 64
	attach one "$null" 1
	one=$dev
	attach two "$null" 1
	lease_on "$one" "$dev"
	fence_is one state stale
	fence_is two state granted
}

test_lease_on_one_node_with_reservations() {
	two_hosts tcp
	attach one "$a" 1
	one=$dev
	attach two "$a" 1
	lease_on "$one" "$dev"
}

test_lease_on_two_nodes() {
	two_hosts tcp
	attach one "$a" 1
	one=$dev
	PVCTL_STATE_DIR=$TMP/state/2 attach two "$b" 2
	lease_on "$one" "$dev"
	fence_is one state stale
}

# The paused one is restarted, as a container is, and becomes the standby; then they swap again.
test_lease_restarted() {
	local status=0

	null_new disk 64
	attach one "$null" 1
	one=$dev
	attach two "$null" 1
	two=$dev
	lease_on "$one" "$two"
	kill -STOP "${lease[two]}"
	lease_start one "$one" 1500
	wait_for active one
	kill -CONT "${lease[two]}"
	wait "${lease[two]}" || status=$?
	eq "$status" "$EBADE" "the second paused one's end"
	wait_for records_grow one 3
}

tap_main register-and-reserve preempt other-types read-back rights malicious-consumer lease-on-one-node \
	lease-on-one-node-with-reservations lease-on-two-nodes lease-restarted
