#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# A member goes away: its driver is unbound under load, and in the middle of every operation.
#
#	qemu/vm run --nvdimm 640M,448M,256M --allow-log 'EXT4-fs error' \
#		--allow-log 'XFS .*([Ss]hutting down|[Cc]orruption)' -- selftests/kernel/removal.sh [TEST]...

# shellcheck disable=SC2317 # tests are called by name
# shellcheck source=lib.sh
. "$(dirname "$(readlink -f "$0")")/lib.sh"
require_nvdimms 3

readonly DRIVER=/sys/bus/nd/drivers/nd_pmem
ROUNDS=${ROUNDS:-$(by_kernel 25 8)}

# member_name NUMBER: what the driver calls the namespace of /dev/pmemN
member_name() {
	basename "$(readlink -f "/sys/block/pmem$1/device")"
}

unbind() {
	echo "$1" >"$DRIVER/unbind"
}

# bind NAME NUMBER: the device is there again
bind() {
	[[ -e $DRIVER/$1 ]] || echo "$1" >"$DRIVER/bind"
	wait_for test -b "/dev/pmem$2"
}

mode_is() {
	[[ $(pool_get "$1" mode) == "$2" ]]
}

has_grown() {
	(($(volume_get tank/v provisioned) > $1))
}

# An error, or the end of a disk that has no size any more.
reads_nothing() {
	(($(dd if="$1" bs=4k count=1 iflag=direct status=none | wc -c) == 0))
}

load() {
	exec fio --name="$1" --directory="$MNT/v" --size=100M --bs=16k --overwrite=0 --time_based \
		--runtime=600 --thread "${@:2}" >"$TMP/fio-$1" 2>&1
}

ended() {
	! kill -0 "$1" 2>/dev/null
}

removed_under_load() {
	local fs=$1 name mapping writing unbinding raw empty status=0

	new_pool tank /dev/pmem0 /dev/pmem1
	new_volume tank/raw 64M
	raw=$dev
	pattern write direct "$raw" 0 8M 1
	new_volume tank/v 800M
	mkfs_dax "$fs" "$dev"
	mount_dax "$fs" "$dev" "$MNT/v"
	empty=$(volume_get tank/v provisioned)
	monitor_start "$TMP/events"
	(load map --ioengine=mmap --rw=randrw) &
	mapping=$!
	(load write --ioengine=psync --rw=randrw --fsync=16) &
	writing=$!
	wait_for has_grown $((empty + 100 * MIB))
	name=$(member_name 1)
	defer bind "$name" 1
	unbind "$name" &
	unbinding=$!
	wait_for mode_is tank failed
	wait_for has_event "$TMP/events" pool-mode
	eq "$(jq -r 'select(.event == "pool-mode") | .pool.mode' "$TMP/events")" failed "mode in the event"
	# The mode is told first.
	wait_for reads_nothing "$raw"
	must_fail dd if=/dev/zero of="$raw" bs=4k count=1 oflag=direct status=none
	eq "$(volume_get tank/raw state)" failed "state of a volume"
	refused 9 "the pool has failed" pvctl volume create tank/w --size 4M
	refused 9 "the pool has failed" pvctl volume delete tank/raw
	wait_for ended "$writing"
	wait "$writing" || status=$?
	((status)) || fail "writing went on without the member"
	# What a program has mapped it keeps, as on the raw device, until it unmaps it or ends; on
	# some kernels the driver waits for that.
	if ! ended "$mapping"; then
		note "$fs: the program that had pages mapped went on"
		kill -KILL "$mapping"
	fi
	wait_for ended "$mapping"
	umount "$MNT/v"
	wait_for ended "$unbinding"
	wait "$unbinding"
	[[ ! -e /sys/block/pmem1 ]] || fail "the member is still there"
	refused 9 "" pvctl pool destroy tank --force
	expect 0 pvctl pool deactivate tank
	monitor_stop
	rmmod pmemvol
	insmod "$PMEMVOL_MODULES/pmemvol.ko"
	must_fail pvctl pool activate tank
	bind "$name" 1
	expect 0 pvctl pool activate tank
	eq "$(pool_get tank mode)" writable "mode with all members"
	pattern check direct "$(volume_get tank/raw device)" 0 8M 1
	dev=$(volume_get tank/v device)
	mount_dax "$fs" "$dev" "$MNT/v"
	umount "$MNT/v"
	expect 0 fsck_clean "$fs" "$dev"
}

test_ext4_under_load() { removed_under_load ext4; }
test_xfs_under_load() { removed_under_load xfs; }

# Refused in whatever way, or done: but never anything else, and never a crash.
attempt() {
	local status=0

	nlreq "$@" >"$TMP/attempt" || status=$?
	((status < 2)) || fail "$*: $(<"$TMP/attempt")"
	printf '%s %s\n' "$1" "$(<"$TMP/attempt")" | tee -a "$TMP/answers" >>"$TMP/answers-now"
}

spin() {
	local i

	for ((i = 0; i < $1; i++)); do
		:
	done
}

# against NUMBER COMMAND REQUEST: COMMAND again and again while that member is unbound and bound
against() {
	local name i going

	name=$(member_name "$1")
	defer bind "$name" "$1"
	: >"$TMP/answers"
	: >"$TMP/answers-now"
	touch "$TMP/go"
	while [[ -e $TMP/go ]]; do
		"$2"
	done &
	going=$!
	for ((i = 0; i < ROUNDS; i++)); do
		# It works again; then, at any moment of the next time, it is taken away.
		: >"$TMP/answers-now"
		wait_for grep -q "$3 OK" "$TMP/answers-now"
		spin $((RANDOM % 4000))
		unbind "$name"
		bind "$name" "$1"
	done
	rm "$TMP/go"
	wait "$going"
	note "$(cut -c 1-70 "$TMP/answers" | sort | uniq -c | tr -s ' ' | tr '\n' ';')"
}

activate_and_off() {
	attempt POOL_ACTIVATE '{POOL' POOL_NAME:s:tank '{POOL_MEMBER' MEMBER_DEVICE:s:/dev/pmem0 '}' \
		'{POOL_MEMBER' MEMBER_DEVICE:s:/dev/pmem1 '}' '}'
	attempt POOL_DEACTIVATE '{POOL' POOL_NAME:s:tank '}'
}

test_against_activate() {
	new_pool tank /dev/pmem0 /dev/pmem1 --overcommit 2
	new_volume tank/v 600M
	pattern write direct "$dev" 0 300M 4
	new_volume tank/w 600M
	pvctl pool deactivate tank
	against 1 activate_and_off POOL_ACTIVATE
	expect 0 pvctl pool activate tank
	pattern check direct "$(volume_get tank/v device)" 0 300M 4
}

create_and_off() {
	attempt POOL_CREATE '{POOL' POOL_NAME:s:lake POOL_FORCE:flag '{POOL_MEMBER' MEMBER_DEVICE:s:/dev/pmem1 '}' '}'
	attempt POOL_DEACTIVATE '{POOL' POOL_NAME:s:lake '}'
}

test_against_create() {
	against 1 create_and_off POOL_CREATE
	expect 0 pvctl pool create pond /dev/pmem1 --force
}

extend_and_off() {
	attempt POOL_CREATE '{POOL' POOL_NAME:s:lake POOL_FORCE:flag '{POOL_MEMBER' MEMBER_DEVICE:s:/dev/pmem2 '}' '}'
	attempt POOL_EXTEND '{POOL' POOL_NAME:s:lake POOL_FORCE:flag '{POOL_MEMBER' MEMBER_DEVICE:s:/dev/pmem1 '}' '}'
	attempt POOL_DEACTIVATE '{POOL' POOL_NAME:s:lake '}'
}

test_against_extend() {
	against 1 extend_and_off POOL_EXTEND
	expect 0 pvctl pool create pond /dev/pmem2 --force
	expect 0 pvctl pool extend pond /dev/pmem1 --force
}

tap_main ext4-under-load xfs-under-load against-activate against-create against-extend
