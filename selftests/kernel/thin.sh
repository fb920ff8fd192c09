#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Thin volumes: chunks come on first touch, go back, are erased before others get them, and
# run out.
#
#	qemu/vm run --nvdimm 640M,448M,256M -- selftests/kernel/thin.sh [TEST]...

# shellcheck disable=SC2317 # tests are called by name
# shellcheck source=lib.sh
. "$(dirname "$(readlink -f "$0")")/lib.sh"
require_nvdimms 3

# The pattern of the past: nobody may ever read it from another volume.
OLD=0xA5

test_first_touch() {
	local free

	new_pool tank /dev/pmem0
	new_volume tank/v 256M
	free=$(pool_get tank free)
	eq "$(volume_get tank/v provisioned)" 0 "provisioned at first"
	pattern write direct "$dev" $((10 * CHUNK + 4096)) 512 1
	eq "$(volume_get tank/v provisioned)" "$CHUNK" "provisioned by one sector"
	pattern zero direct "$dev" $((10 * CHUNK)) 4096
	pattern zero direct "$dev" $((10 * CHUNK + 4608)) $((CHUNK - 4608))
	pattern write direct "$dev" $((20 * CHUNK - 512)) 1024 1
	eq "$(volume_get tank/v provisioned)" $((3 * CHUNK)) "provisioned by a write over a border"
	eq $((free - $(pool_get tank free))) $((3 * CHUNK)) "taken from the pool"
	pattern write direct "$dev" $((20 * CHUNK - 512)) 1024 2
	eq "$(volume_get tank/v provisioned)" $((3 * CHUNK)) "provisioned by writing again"
}

test_fstrim() {
	local fs free used

	for fs in ext4 xfs; do
		new_pool tank /dev/pmem0 /dev/pmem1
		new_volume tank/v 800M
		mkfs_dax "$fs" "$dev"
		mount_dax "$fs" "$dev" "$MNT/a"
		pattern write sync "$MNT/a/keep" 0 50M 3
		sync -f "$MNT/a"
		free=$(pool_get tank free)
		used=$(volume_get tank/v provisioned)
		pattern write sync "$MNT/a/file" 0 300M 4
		(($(volume_get tank/v provisioned) >= used + 290 * MIB)) || fail "$fs: nothing was provisioned"
		rm "$MNT/a/file"
		sync -f "$MNT/a"
		fstrim "$MNT/a"
		erased tank
		# A few chunks may hold metadata now.
		(($(volume_get tank/v provisioned) <= used + 8 * CHUNK)) ||
			fail "$fs: $used became $(volume_get tank/v provisioned)"
		(($(pool_get tank free) >= free - 8 * CHUNK)) || fail "$fs: free was $free, is $(pool_get tank free)"
		pattern check mmap "$MNT/a/keep" 0 50M 3
		umount "$MNT/a"
		mount_dax "$fs" "$dev" "$MNT/a" discard
		pattern write sync "$MNT/a/file" 0 100M 5
		rm "$MNT/a/file"
		sync -f "$MNT/a"
		umount "$MNT/a"
		fsck_clean "$fs" "$dev"
		expect 0 pvctl pool destroy tank --force
	done
}

# nothing_old VOLUME: not one word of the past, read in every way
nothing_old() {
	local device size

	device=$(volume_get "$1" device)
	size=$(volume_get "$1" size)
	pattern find direct "$device" 0 "$size" "$OLD" || fail "$1 shows the data of another"
}

test_never_old_data() {
	local free round

	new_pool tank /dev/pmem0 --overcommit 3
	free=$(pool_get tank free)
	for round in 1 2; do
		# Every chunk of the pool has been somebody's.
		new_volume tank/old 700M
		expect 0 pattern fill "$dev" "$OLD"
		grep -q '^ENOSPC ' "$TMP/out" || fail "filling: $(<"$TMP/out")"
		if ((round == 1)); then
			expect 0 pvctl volume delete tank/old
		else
			blkdiscard "$dev"
			nothing_old tank/old
		fi
		# At once, while erasing goes on: one sector of each chunk is touched, the rest is read.
		new_volume tank/new 500M
		pattern touch "$dev" $((64 << 10)) $((5 * CHUNK))
		nothing_old tank/new
		# Mapped too.
		new_volume tank/dax 120M
		mkfs_dax ext4 "$dev"
		mount_dax ext4 "$dev" "$MNT/a"
		fallocate -l 60M "$MNT/a/f"
		pattern zero mmap "$MNT/a/f" 0 60M
		mapped faults "$MNT/a/f" 60M >"$TMP/faults"
		umount "$MNT/a"
		nothing_old tank/dax
		[[ $round == 1 ]] || expect 0 pvctl volume delete tank/old
		expect 0 pvctl volume delete tank/new
		expect 0 pvctl volume delete tank/dax
		erased tank
		eq "$(pool_get tank free)" "$free" "free after round $round"
	done
}

# What is not erased when the pool goes away is erased when it comes back.
test_erase_goes_on() {
	local free

	new_pool tank /dev/pmem0
	free=$(pool_get tank free)
	new_volume tank/old 500M
	expect 0 pattern fill "$dev" "$OLD"
	expect 0 pvctl volume delete tank/old
	expect 0 pvctl pool deactivate tank
	expect 0 pvctl pool activate tank
	eq "$(pvctl volume list tank --json | jq length)" 0 "volumes"
	new_volume tank/new 500M
	pattern touch "$dev" 0 $((10 * CHUNK))
	nothing_old tank/new
	expect 0 pvctl volume delete tank/new
	erased tank
	eq "$(pool_get tank free)" "$free" "free at the end"
}

# A pool over a device that was somebody's: its old content shows nowhere.
test_old_device() {
	pattern fill /dev/pmem2 "$OLD" >"$TMP/fill"
	new_pool tank /dev/pmem2 --force
	new_volume tank/v 200M
	pattern touch "$dev" 8192 "$CHUNK"
	nothing_old tank/v
	pattern zero direct "$dev" 0 8192
}

# fill_pool: a volume "filler" takes everything; $filler is its device
fill_pool() {
	new_volume tank/filler 700M
	filler=$dev
	expect 0 pattern fill "$filler" 0x33
	grep -q '^ENOSPC ' "$TMP/out" || fail "filling: $(<"$TMP/out")"
}

test_out_of_space_block() {
	local old

	new_pool tank /dev/pmem0 --overcommit 4
	new_volume tank/other 64M
	old=$dev
	pattern write direct "$old" 0 4M 1
	fill_pool
	eq "$(pool_get tank mode)" no-space mode
	# Only what needs a chunk fails; the rest goes on.
	pattern write direct "$old" 0 4M 2
	pattern check direct "$old" 0 4M 2
	pattern zero direct "$old" 4M 60M
	expect 0 pattern fill "$old" 0x44
	eq "$(<"$TMP/out")" "ENOSPC $((4 * MIB))" "writing to a full pool"
	# Deleting works in a full pool, and creating fails cleanly or works.
	expect 0 pvctl volume delete tank/filler
	erased tank
	wait_for pool_mode_is tank writable
	pattern write direct "$old" 0 64M 3
	pattern check direct "$old" 0 64M 3
}

pool_mode_is() {
	[[ $(pool_get "$1" mode) == "$2" ]]
}

test_resume_after_extend() {
	new_pool tank /dev/pmem0 --overcommit 4
	new_volume tank/v 900M
	expect 0 pattern fill "$dev" 0x33
	grep -q '^ENOSPC ' "$TMP/out" || fail "filling: $(<"$TMP/out")"
	eq "$(pool_get tank mode)" no-space mode
	expect 0 pvctl pool extend tank /dev/pmem1
	eq "$(pool_get tank mode)" writable "mode after extending"
	expect 0 pattern fill "$dev" 0x34
	eq "$(<"$TMP/out")" "full $((900 * MIB))" "writing after extending"
}

test_out_of_space_file_system() {
	local fs

	for fs in ext4 xfs; do
		new_pool tank /dev/pmem2 --overcommit 10
		new_volume tank/v 600M
		mkfs_dax "$fs" "$dev"
		mount_dax "$fs" "$dev" "$MNT/a"
		pattern write sync "$MNT/a/before" 0 32M 4
		sync -f "$MNT/a"
		# write(2) says so, whatever the errno, and what was there stays.
		must_fail dd if=/dev/zero of="$MNT/a/big" bs=1M count=400
		pattern check mmap "$MNT/a/before" 0 32M 4
		rm "$MNT/a/big"
		expect 0 pvctl pool extend tank /dev/pmem1
		sync -f "$MNT/a"
		pattern write sync "$MNT/a/after" 0 200M 5
		pattern check mmap "$MNT/a/after" 0 200M 5
		umount "$MNT/a"
		fsck_clean "$fs" "$dev"
		expect 0 pvctl pool destroy tank --force
	done
}

stores_in_full_pool() {
	local fs=$1 worker

	new_pool tank /dev/pmem2 --overcommit 10
	new_volume tank/v 600M
	mkfs_dax "$fs" "$dev"
	mount_dax "$fs" "$dev" "$MNT/a"
	pattern write sync "$MNT/a/keep" 0 8M 4
	fallocate -l 300M "$MNT/a/big"
	sync -f "$MNT/a"
	mkfifo "$TMP/go"
	defer rm "$TMP/go"
	mapped sigbus "$MNT/a/big" 300M "$TMP/mark-$fs" <"$TMP/go" >"$TMP/sigbus" &
	worker=$!
	exec 8>"$TMP/go"
	wait_for test -e "$TMP/mark-$fs"
	eq "$(pool_get tank mode)" no-space mode
	pattern check mmap "$MNT/a/keep" 0 8M 4
	expect 0 pvctl pool extend tank /dev/pmem1
	echo go >&8
	exec 8>&-
	wait "$worker"
	# The same program, the same mapping: it stored to the end.
	eq "$(tail -n 1 "$TMP/sigbus")" "none $((300 * MIB))" "after space was added"
	grep -q '^SIGBUS' "$TMP/sigbus" || fail "no SIGBUS"
	umount "$MNT/a"
	fsck_clean "$fs" "$dev"
}

test_sigbus_ext4() { stores_in_full_pool ext4; }
test_sigbus_xfs() { stores_in_full_pool xfs; }

test_events_of_space() {
	new_pool tank /dev/pmem2 --overcommit 10 --low-water 20
	new_volume tank/v 500M
	monitor_start "$TMP/events"
	pattern write direct "$dev" 0 100M 1
	must_fail has_event "$TMP/events" low-water
	expect 0 pattern fill "$dev" 0x33
	wait_for has_event "$TMP/events" low-water
	wait_for has_event "$TMP/events" no-space
	expect 0 pattern fill "$dev" 0x33
	blkdiscard "$dev"
	erased tank
	wait_for pool_mode_is tank writable
	monitor_stop
	# One of each, in this order, however many writes failed.
	eq "$(jq -r '.event' "$TMP/events" | grep -E '^(low-water|no-space)$' | tr '\n' ' ')" "low-water no-space " events
	eq "$(jq -r 'select(.event == "pool-mode") | .pool.mode' "$TMP/events" | tr '\n' ' ')" "no-space writable " modes
	# Told again when it happens again.
	monitor_start "$TMP/events2"
	expect 0 pattern fill "$dev" 0x33
	wait_for has_event "$TMP/events2" no-space
	has_event "$TMP/events2" low-water
}

test_delete_in_full_pool() {
	local i

	new_pool tank /dev/pmem0 --overcommit 10
	for ((i = 0; i < 8; i++)); do
		new_volume "tank/v$i" 8M
		pattern write direct "$dev" 0 8M "$i"
	done
	fill_pool
	for ((i = 0; i < 8; i += 2)); do
		expect 0 pvctl volume delete "tank/v$i"
	done
	expect 0 pvctl volume rename tank/v1 w1
	erased tank
	for ((i = 3; i < 8; i += 2)); do
		pattern check direct "$(volume_get "tank/v$i" device)" 0 8M "$i"
	done
	# 32 MiB are there again.
	new_volume tank/more 28M
	pattern write direct "$dev" 0 28M 99
	expect 0 pvctl pool deactivate tank
	expect 0 pvctl pool activate tank
	pattern check direct "$(volume_get tank/more device)" 0 28M 99
	pattern check direct "$(volume_get tank/w1 device)" 0 8M 1
}

test_thick_in_full_pool() {
	new_pool tank /dev/pmem0 --overcommit 4
	new_volume tank/thick 200M --thick
	local thick=$dev
	fill_pool
	pattern write direct "$thick" 0 200M 5
	pattern check direct "$thick" 0 200M 5
	# What it gives back it may have again.
	blkdiscard -l 100M "$thick"
	expect 0 pattern fill "$filler" 0x33
	erased tank
	pattern write direct "$thick" 0 100M 6
	pattern check direct "$thick" 0 100M 6
}

# Its mapped stores find what was reserved, where a thin one's would be SIGBUS.
test_thick_mapped_in_full_pool() {
	local fs thick

	for fs in ext4 xfs; do
		new_pool tank /dev/pmem0 --overcommit 4
		new_volume tank/thick 520M --thick
		thick=$dev
		mkfs_dax "$fs" "$thick"
		mount_dax "$fs" "$thick" "$MNT/a"
		fallocate -l 100M "$MNT/a/file"
		fill_pool
		eq "$(pool_get tank mode)" no-space mode
		(($(volume_get tank/thick provisioned) < 100 * MIB)) || fail "the file's chunks are there already"
		pattern write sync "$MNT/a/file" 0 100M 7
		pattern check mmap "$MNT/a/file" 0 100M 7
		umount "$MNT/a"
		fsck_clean "$fs" "$thick"
		expect 0 pvctl pool destroy tank --force
	done
}

tap_main first-touch fstrim never-old-data erase-goes-on old-device out-of-space-block \
	resume-after-extend out-of-space-file-system sigbus-ext4 sigbus-xfs events-of-space \
	delete-in-full-pool thick-in-full-pool thick-mapped-in-full-pool
