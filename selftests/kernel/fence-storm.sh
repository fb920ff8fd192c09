#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Attachments come and go, acquire and write, all at once; afterwards nothing is left of them.
#
#	STORM=2000 qemu/vm run -- selftests/kernel/fence-storm.sh [TEST]...

# shellcheck disable=SC2317 # tests are called by name
# shellcheck source=lib.sh
. "$(dirname "$(readlink -f "$0")")/lib.sh"
# shellcheck source=nvmet.sh
. "$HERE/nvmet.sh"
# shellcheck source=fence-lib.sh
. "$HERE/fence-lib.sh"
require_fence
STORM=${STORM:-$(by_kernel 100 30)}
AT_ONCE=$(by_kernel 200 30)

# Memory that the kernel keeps to itself, in KiB.
kernel_memory() {
	awk '/^(SUnreclaim|KernelStack|Percpu|VmallocUsed):/ { sum += $2 } END { print sum }' /proc/meminfo
}

come_and_go() {
	nlreq --fence --repeat "$AT_ONCE" ATTACH '{ATTACHMENT' ATT_NAME:s:pod% "ATT_DEVICE:s:$null" ATT_NODE_ID:u32:1 '}'
	nlreq --fence --repeat "$AT_ONCE" DETACH '{ATTACHMENT' ATT_NAME:s:pod% '}'
}

# What is lost is lost each time; what the kernel keeps in store grows once or twice.
test_memory() {
	local before after i round rounds=$((STORM / 30)) grown=0

	null_new disk 64
	# What is allocated once and kept.
	come_and_go
	after=$(kernel_memory)
	for ((i = 0; i < 3; i++)); do
		before=$after
		for ((round = 0; round < rounds; round++)); do
			come_and_go
		done
		after=$(kernel_memory)
		note "$((rounds * AT_ONCE)) attached and detached: $before KiB before, $after KiB after"
		# A quarter of a KiB each; a debug kernel keeps much for its own purposes, and finds leaks itself.
		((after - before < rounds * AT_ONCE / 4 + $(by_kernel 0 1024))) || grown=$((grown + 1))
	done
	((grown < 3)) || fail "memory grew each time"
}

# pod NAME ROUNDS: attaches, acquires, writes, releases and detaches; others do so as well, so
# that every answer but a crash is possible
pod() {
	local name=$1 i status device

	for ((i = 0; i < $2; i++)); do
		device=$(pvctl fence attach "$name" "$null" --node-id 1 --json | jq -r .device) || return
		[[ -b $device ]] || return
		status=0
		pvctl fence acquire "$name" >"$TMP/out-$name" 2>"$TMP/err-$name" || status=$?
		case $status in
		0 | 9 | 10) ;;
		*)
			echo "acquire: $status: $(<"$TMP/err-$name")"
			return 1
			;;
		esac
		put "$device" 2>"$TMP/put-$name" || grep -q 'Invalid exchange' "$TMP/put-$name" || {
			echo "write: $(<"$TMP/put-$name")"
			return 1
		}
		((RANDOM % 2)) || pvctl fence release "$name" >"$TMP/out-$name" || return
		pvctl fence detach "$name" >"$TMP/out-$name" || return
	done
}

# storm COUNT ROUNDS
storm() {
	local i pids=()

	for ((i = 0; i < $1; i++)); do
		pod "pod$i" "$2" &
		pids+=($!)
	done
	for i in "${pids[@]}"; do
		wait "$i" || fail "a pod failed"
	done
	eq "$(pvctl fence status --json | jq length)" 0 "attachments left"
}

test_storm() {
	null_new disk 64
	storm 4 $((STORM / 10 + 1))
}

# With readers and status beside it, over a device that is slow.
test_storm_under_io() {
	local reader

	require_module dm-delay
	null_new disk 64
	slow_new late "$null" 5
	null=$slow
	attach witness "$null" 1
	while get_block "$dev" && pvctl fence status --json >"$TMP/witness"; do :; done &
	reader=$!
	(pod one $((STORM / 20 + 1))) &
	pod two $((STORM / 20 + 1))
	wait $!
	kill "$reader" || fail "reading or status failed: $(<"$TMP/witness")"
	wait "$reader" || true
}

# Many at once, of which one at a time writes.
test_many() {
	local i granted count

	count=$(by_kernel 40 15)
	null_new disk 64
	for ((i = 0; i < count; i++)); do
		attach "pod$i" "$null" 1
		((i % 5)) || acquire "pod$i"
	done
	pvctl fence status --json >"$TMP/all"
	eq "$(jq length "$TMP/all")" "$count" "attachments"
	granted=$(jq '[.[] | select(.state == "granted")] | length' "$TMP/all")
	eq "$granted" 1 "granted at once"
}

some_attachment() {
	[[ $(pvctl fence status --json | jq length) != 0 ]]
}

# The device goes while attachments of it come, acquire and write.
test_removal_storm() {
	local i j pids

	for ((i = 0; i < $(by_kernel 5 2); i++)); do
		null_new "disk$i" 64
		pids=()
		for ((j = 0; j < 3; j++)); do
			(
				set +e
				trap - ERR
				pod "pod$j" 1000
			) >"$TMP/pod$j" 2>&1 &
			pids+=($!)
		done
		wait_for some_attachment
		# Another moment each time.
		for ((j = RANDOM % 10; j > 0; j--)); do
			pvctl fence status >"$TMP/status"
		done
		null_gone "disk$i"
		for j in "${pids[@]}"; do
			wait "$j" || true
		done
		no_attachments
	done
}

# As udev does with whatever disk there is, and a moment longer.
opener() {
	local fd path

	while [[ -e $TMP/opening ]]; do
		for path in /dev/nvf*; do
			[[ -b $path ]] || continue
			{ exec {fd}<"$path"; } 2>"$TMP/opener" || continue
			pvctl fence status >"$TMP/opener" || :
			exec {fd}<&-
		done
	done
}

# The device goes while it is being attached, and while it is refused.
test_removal_while_attaching() {
	local i j pids

	touch "$TMP/opening"
	for ((i = 0; i < $(by_kernel 6 4); i++)); do
		null_new "disk$i" 64
		((i % 2)) || blockdev --setro "$null"
		pids=()
		for ((j = 0; j < 3; j++)); do
			(
				set +e
				trap - ERR
				while [[ -b $null ]]; do
					pvctl fence attach "pod$j" "$null" --node-id 1
				done
			) >"$TMP/pod$j" 2>&1 &
			pids+=($!)
		done
		opener &
		for ((j = RANDOM % 10; j > 0; j--)); do
			pvctl fence status >"$TMP/status"
		done
		null_gone "disk$i"
		for j in "${pids[@]}"; do
			wait "$j" || true
		done
		rm "$TMP/opening"
		wait
		wait_for no_attachments
		touch "$TMP/opening"
	done
}

# The module goes when nobody uses it, and comes, while others want to.
test_unload() {
	local i pid

	touch "$TMP/opening"
	null_new disk 64
	(
		set +e
		trap - ERR
		while [[ -e $TMP/opening ]]; do
			pod "pod" 1
			pvctl fence detach pod
		done
	) >"$TMP/pod" 2>&1 &
	pid=$!
	for ((i = 0; i < $(by_kernel 6 3); i++)); do
		wait_for some_attachment
		wait_for rmmod nvme_fence 2>"$TMP/rmmod"
		insmod "$PMEMVOL_MODULES/nvme_fence.ko"
	done
	rm "$TMP/opening"
	wait "$pid" || true
	wait_for no_attachments
	attach pod "$null" 1
	must_fail rmmod nvme_fence
	acquire pod
	put "$dev"
}

tap_main memory storm storm-under-io many removal-storm removal-while-attaching unload
