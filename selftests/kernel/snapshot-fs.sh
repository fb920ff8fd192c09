#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Snapshots of volumes with a mounted file system: when the pool is full, when both grow, when somebody
# else holds the file system still.
#
#	qemu/vm run --nvdimm 640M,448M,256M -- selftests/kernel/snapshot-fs.sh [TEST]...
#
# Of full-log-ext4 and full-log-xfs the kernel tells: --allow-log 'EXT4-fs error' --allow-log 'XFS .*[Ss]hutting down'

# shellcheck disable=SC2317 # tests are called by name
# shellcheck source=lib.sh
. "$(dirname "$(readlink -f "$0")")/lib.sh"
# shellcheck source=snapshot-lib.sh
. "$(dirname "$(readlink -f "$0")")/snapshot-lib.sh"
require_nvdimms 3

# grow_fs FS DEVICE WHERE
grow_fs() {
	case $1 in
	ext4) expect 0 resize2fs "$2" ;;
	xfs) expect 0 xfs_growfs "$3" ;;
	esac
}

# snapshot_is FS SNAPSHOT SEED: its file has that, and it is a whole file system
snapshot_is() {
	open_snapshot tank v "$2"
	mount_snapshot "$1" "$snapdev" "$MNT/snap"
	pattern check buffered "$MNT/snap/f" 0 16M "$3"
	umount "$MNT/snap"
	# Of XFS it is, when what a freeze leaves in the log has been taken out, which a clone can.
	[[ $1 != ext4 ]] || expect 0 fsck_clean ext4 "$snapdev"
	clone tank v "$2" c
	mount_clone "$1" "$dev" "$MNT/c"
	pattern check mmap "$MNT/c/f" 0 16M "$3"
	umount "$MNT/c"
	expect 0 fsck_clean "$1" "$dev"
	expect 0 pvctl volume delete tank/c
}

test_grow_mounted() {
	local fs v

	for fs in ext4 xfs; do
		new_pool tank /dev/pmem0 /dev/pmem1 --overcommit 4
		new_volume tank/v 520M
		v=$dev
		mkfs_dax "$fs" "$v"
		mount_dax "$fs" "$v" "$MNT/a"
		pattern write sync "$MNT/a/f" 0 16M 1
		snapshot create tank v s1
		expect 0 pvctl volume resize tank/v --size 1000M
		grow_fs "$fs" "$v" "$MNT/a"
		pattern write sync "$MNT/a/f" 0 16M 2
		# More than there was room for.
		fallocate -l 600M "$MNT/a/g"
		pattern write sync "$MNT/a/g" 592M 8M 3
		snapshot create tank v s2
		pattern write sync "$MNT/a/f" 0 16M 4
		pattern write sync "$MNT/a/g" 592M 8M 5
		snapshot_is "$fs" s1 1
		eq "$(blockdev --getsize64 "$snapdev")" $((520 * MIB)) "$fs: size of the first snapshot"
		close_snapshot tank v s1
		snapshot_is "$fs" s2 2
		eq "$(blockdev --getsize64 "$snapdev")" $((1000 * MIB)) "$fs: size of the second"
		mount_snapshot "$fs" "$snapdev" "$MNT/snap"
		pattern check buffered "$MNT/snap/g" 592M 8M 3
		umount "$MNT/snap"
		close_snapshot tank v s2
		umount "$MNT/a"
		expect 0 fsck_clean "$fs" "$v"
		# Back, where it was smaller than the volume now is, and once more.
		rollback tank v s1
		mount_dax "$fs" "$v" "$MNT/a"
		pattern check mmap "$MNT/a/f" 0 16M 1
		[[ ! -e $MNT/a/g ]] || fail "$fs: what came later is there"
		grow_fs "$fs" "$v" "$MNT/a"
		fallocate -l 600M "$MNT/a/h"
		umount "$MNT/a"
		expect 0 fsck_clean "$fs" "$v"
		expect 0 pvctl pool destroy tank --force
	done
}

# full_again FS: files of a mounted origin in a pool that has nothing left: of f the first half has its copy
full_again() {
	local fs=$1 status=0

	pattern check buffered "$MNT/a/f" 0 8M 3
	pattern write buffered "$MNT/a/f" 0 8M 4
	pattern check mmap "$MNT/a/f" 0 8M 4
	# Of what has none not even reading goes on: who asks for its place may be about to store.
	must_fail pattern check buffered "$MNT/a/f" 8M 8M 1 2>"$TMP/err"
	says "No space left on device"
	pattern check mmap "$MNT/a/g" 0 4M 2 || status=$?
	eq "$status" 135 "$fs: status of who has read what is mapped (SIGBUS)"
	must_fail pattern write buffered "$MNT/a/g" 4M 4M 5 2>"$TMP/err"
	says "No space left on device"
	expect 0 mapped sigbus "$MNT/a/g" 16M
	eq "$(<"$TMP/out")" "SIGBUS 0" "$fs: a mapped store"
	open_snapshot tank v s
	mount_snapshot "$fs" "$snapdev" "$MNT/snap"
	pattern check buffered "$MNT/snap/f" 0 16M 1
	pattern check mmap "$MNT/snap/g" 0 16M 2
	umount "$MNT/snap"
	close_snapshot tank v s
}

pool_mode_is() {
	[[ $(pool_get "$1" mode) == "$2" ]]
}

# fill_pool: all there is left for others
fill_pool() {
	new_volume tank/filler 700M
	expect 0 pattern fill "$dev" 0x33
	grep -q '^ENOSPC ' "$TMP/out" || fail "filling: $(<"$TMP/out")"
	eq "$(pool_get tank mode)" no-space mode
}

# What cannot be copied out for a snapshot cannot change, and all else goes on, until there is space again:
# because another volume goes, and because the pool is extended.
full_pool() {
	local fs=$1 v

	new_pool tank /dev/pmem1 --overcommit 10
	new_volume tank/v 600M
	v=$dev
	mkfs_dax "$fs" "$v"
	mount_dax "$fs" "$v" "$MNT/a"
	pattern write sync "$MNT/a/f" 0 16M 1
	pattern write sync "$MNT/a/g" 0 16M 2
	# What the file system itself will write has to have its copies, too: its log, above all.
	snapshot create tank v s
	pattern write sync "$MNT/a/f" 0 8M 3
	touch "$MNT/a/g"
	sync -f "$MNT/a"
	fill_pool
	full_again "$fs"
	expect 0 pvctl volume delete tank/filler
	erased tank
	wait_for pool_mode_is tank writable
	pattern check mmap "$MNT/a/g" 0 4M 2
	pattern write sync "$MNT/a/g" 0 4M 5
	pattern write buffered "$MNT/a/f" 0 8M 3
	fill_pool
	must_fail pattern write buffered "$MNT/a/g" 8M 4M 5
	expect 0 pvctl pool extend tank /dev/pmem2
	pattern check buffered "$MNT/a/f" 8M 8M 1
	pattern check mmap "$MNT/a/g" 4M 12M 2
	pattern write sync "$MNT/a/g" 4M 12M 6
	pattern write buffered "$MNT/a/h" 0 16M 7
	umount "$MNT/a"
	expect 0 fsck_clean "$fs" "$v"
	snapshot_is "$fs" s 1
	close_snapshot tank v s
	mount_dax "$fs" "$v" "$MNT/a"
	pattern check mmap "$MNT/a/f" 0 8M 3
	pattern check mmap "$MNT/a/f" 8M 8M 1
	pattern check mmap "$MNT/a/g" 0 4M 5
	pattern check mmap "$MNT/a/g" 4M 12M 6
	pattern check mmap "$MNT/a/h" 0 16M 7
	umount "$MNT/a"
}

test_full_pool_ext4() {
	full_pool ext4
}

test_full_pool_xfs() {
	full_pool xfs
}

ended() {
	! kill -0 "$1" 2>/dev/null
}

# When its log is what cannot be copied out, a file system stops: but all that it has acknowledged is there
# again, once there is space.
full_log() {
	local fs=$1 v last

	# shellcheck disable=SC2034 # for snapshot-lib.sh
	SLOTS=50
	new_pool tank /dev/pmem1 --overcommit 10
	new_volume tank/v 600M
	v=$dev
	mkfs_dax "$fs" "$v"
	mount_dax "$fs" "$v" "$MNT/a"
	pattern write sync "$MNT/a/f" 0 16M 1
	fallocate -l 2M "$MNT/a/log"
	sync -f "$MNT/a"
	snapshot create tank v s
	pattern write sync "$MNT/a/f" 0 16M 2
	writer_start log fsync "$MNT/a/log"
	wait_for acked_further 10 log
	fill_pool
	wait_for ended "$writer"
	must_fail wait "$writer"
	must_fail touch "$MNT/a/new"
	open_snapshot tank v s
	mount_snapshot "$fs" "$snapdev" "$MNT/snap"
	pattern check buffered "$MNT/snap/f" 0 16M 1
	umount "$MNT/snap"
	close_snapshot tank v s
	umount "$MNT/a"
	expect 0 pvctl pool extend tank /dev/pmem2
	mount_dax "$fs" "$v" "$MNT/a"
	pattern check mmap "$MNT/a/f" 0 16M 2
	last=$(tail -n 1 "$TMP/acks-log")
	journal check "$MNT/a/log" "$SLOTS" "${last##* }" 3
	touch "$MNT/a/new"
	umount "$MNT/a"
	# 1: what is noted of the failure is taken back.
	[[ $fs != ext4 ]] || e2fsck -p "$v" || (($? == 1))
	expect 0 fsck_clean "$fs" "$v"
	snapshot_is "$fs" s 1
	close_snapshot tank v s
}

test_full_log_ext4() {
	full_log ext4
}

test_full_log_xfs() {
	full_log xfs
}

# A file system that its owner has frozen already: up to some kernel it cannot be frozen once more.
test_frozen_by_owner() {
	local fs status

	for fs in ext4 xfs; do
		new_pool tank /dev/pmem0 --overcommit 3
		new_volume tank/v 600M
		mkfs_dax "$fs" "$dev"
		mount_dax "$fs" "$dev" "$MNT/a"
		pattern write sync "$MNT/a/f" 0 16M 1
		fsfreeze -f "$MNT/a"
		defer unfreeze "$MNT/a"
		rm -f "$TMP/written"
		(set -e; pattern write buffered "$MNT/a/f" 0 16M 2; touch "$TMP/written") &
		status=0
		pvctl snapshot create tank/v@s >"$TMP/out" 2>"$TMP/err" || status=$?
		if ((status == 0)); then
			note "$fs: frozen by its owner it has a snapshot made"
			[[ ! -e $TMP/written ]] || fail "$fs: the snapshot has thawed it"
		else
			eq "$status" 9 "status of a creation on a frozen $fs"
			says "the file system on the volume cannot be frozen"
			note "$fs: frozen by its owner it is refused"
		fi
		unfreeze "$MNT/a"
		wait_for test -e "$TMP/written"
		((status == 0)) || pvctl snapshot create tank/v@s >"$TMP/out"
		pattern write sync "$MNT/a/f" 0 16M 3
		snapshot_is "$fs" s $((status ? 2 : 1))
		close_snapshot tank v s
		umount "$MNT/a"
		expect 0 fsck_clean "$fs" "$(volume_get tank/v device)"
		expect 0 pvctl pool destroy tank --force
	done
}

# Also after a failure: nothing else ends who waits for that.
unfreeze() {
	! mountpoint -q "$1" || fsfreeze -u "$1" 2>"$TMP/unfreeze" || grep -q "Invalid argument" "$TMP/unfreeze"
}

tap_main grow-mounted full-pool-ext4 full-pool-xfs full-log-ext4 full-log-xfs frozen-by-owner
