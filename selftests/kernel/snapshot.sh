#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Snapshots, clones and rollback: what was there at the moment stays, whatever happens to the
# volume, and comes back.
#
#	qemu/vm run --nvdimm 640M,448M,256M -- selftests/kernel/snapshot.sh [TEST]...

# shellcheck disable=SC2317 # tests are called by name
# shellcheck source=lib.sh
. "$(dirname "$(readlink -f "$0")")/lib.sh"
# shellcheck source=snapshot-lib.sh
. "$(dirname "$(readlink -f "$0")")/snapshot-lib.sh"
require_nvdimms 3

# Every way in which raw block I/O changes a volume.
test_block_frozen() {
	local snap

	new_pool tank /dev/pmem0
	new_volume tank/v 64M
	pattern write direct "$dev" 0 40M 1
	snapshot create tank v s
	eq "$(volume_get tank/v provisioned)" $((40 * MIB)) "provisioned by a snapshot"
	open_snapshot tank v s
	snap=$snapdev
	pattern check direct "$snap" 0 40M 1
	pattern zero direct "$snap" 40M 24M
	# A sector, across a border, buffered, and where there was nothing.
	pattern write direct "$dev" $((3 * CHUNK + 4096)) 512 2
	pattern write direct "$dev" $((6 * CHUNK - 512)) 1024 2
	pattern write buffered "$dev" $((8 * CHUNK)) 8192 2
	pattern write direct "$dev" 50M 4M 2
	blkdiscard -o $((10 * CHUNK)) -l $((2 * CHUNK)) "$dev"
	blkdiscard -z -o $((12 * CHUNK)) -l $((2 * CHUNK)) "$dev"
	blkdiscard -z -o $((14 * CHUNK + 4096)) -l 8192 "$dev"
	pattern check direct "$snap" 0 40M 1
	pattern zero direct "$snap" 40M 24M
	pattern check direct "$dev" $((6 * CHUNK - 512)) 1024 2
	pattern zero direct "$dev" $((12 * CHUNK)) $((2 * CHUNK))
	pattern zero direct "$dev" $((14 * CHUNK + 4096)) 8192
	# As it was after the power went, too.
	close_snapshot tank v s
	expect 0 pvctl pool deactivate tank
	expect 0 pvctl pool activate tank
	dev=$(volume_get tank/v device)
	open_snapshot tank v s
	pattern check direct "$snapdev" 0 40M 1
	pattern zero direct "$snapdev" 40M 24M
	pattern write direct "$dev" 0 64M 3
	pattern check direct "$snapdev" 0 40M 1
	pattern zero direct "$snapdev" 40M 24M
	close_snapshot tank v s
	snapshot delete tank v s
	erased tank
	eq "$(pool_get tank provisioned)" $((64 * MIB)) "provisioned after the deletion"
	pattern check direct "$dev" 0 64M 3
}

# Random operations on the device and a snapshot every few, each compared with what was then.
test_model_block() {
	local seed=$RANDOM

	new_pool tank /dev/pmem0 --overcommit 3
	new_volume tank/v 64M
	note "seed $seed"
	MODEL_SNAPSHOTS="$HERE/snapshot-model block tank v -" \
		model block "$dev" 24M "$(by_kernel 160 96)" "$seed"
	erased tank
}

test_out_of_space() {
	new_pool tank /dev/pmem2 --overcommit 10
	new_volume tank/v 160M
	pattern write direct "$dev" 0 160M 1
	snapshot create tank v s
	monitor_start "$TMP/events"
	expect 0 pattern fill "$dev" 0x33
	grep -q '^ENOSPC ' "$TMP/out" || fail "filling: $(<"$TMP/out")"
	wait_for has_event "$TMP/events" low-water
	wait_for has_event "$TMP/events" no-space
	open_snapshot tank v s
	pattern check direct "$snapdev" 0 160M 1
	# What the snapshot has already may be written on.
	pattern write direct "$dev" 0 8M 2
	expect 0 pvctl pool extend tank /dev/pmem1
	pattern write direct "$dev" 0 160M 3
	pattern check direct "$snapdev" 0 160M 1
	close_snapshot tank v s
	snapshot delete tank v s
	erased tank
	eq "$(pool_get tank provisioned)" $((160 * MIB)) "provisioned at the end"
}

test_thick() {
	local free

	new_pool tank /dev/pmem2 --overcommit 10
	new_volume tank/v 100M --thick
	pattern write direct "$dev" 0 100M 1
	free=$(pool_get tank free)
	snapshot create tank v s
	eq $((free - $(pool_get tank free))) $((100 * MIB)) "held for the snapshot"
	nl_refused ENOSPC "guarantee" SNAPSHOT_CREATE tank v s2
	# Others take the rest; what is promised is there.
	new_volume tank/filler 200M
	expect 0 pattern fill "$dev" 0x33
	grep -q '^ENOSPC ' "$TMP/out" || fail "filling: $(<"$TMP/out")"
	dev=$(volume_get tank/v device)
	pattern write direct "$dev" 0 100M 2
	open_snapshot tank v s
	pattern check direct "$snapdev" 0 100M 1
	close_snapshot tank v s
	expect 0 pvctl volume delete tank/filler
	snapshot delete tank v s
	erased tank
	eq "$(pool_get tank free)" "$free" "free at the end"
}

# generations N: snapshot sI shows seed I everywhere, but for what later ones alone changed
generations() {
	local i

	for ((i = 1; i <= $1; i++)); do
		pattern write direct "$dev" 0 4M "$i"
		pattern write direct "$dev" $(((2 + i) * 4))M 4M "$i"
		snapshot create tank v "s$i"
	done
	pattern write direct "$dev" 0 4M 99
}

# generation_is I [DEVICE]
generation_is() {
	local i

	[[ $# == 2 ]] || open_snapshot tank v "s$1"
	pattern check direct "${2-$snapdev}" 0 4M "$1"
	for ((i = 1; i <= 6; i++)); do
		if ((i <= $1)); then
			pattern check direct "${2-$snapdev}" $(((2 + i) * 4))M 4M "$i"
		else
			pattern zero direct "${2-$snapdev}" $(((2 + i) * 4))M 4M
		fi
	done
	[[ $# == 2 ]] || close_snapshot tank v "s$1"
}

test_delete_in_any_order() {
	local order i k free
	local -a left

	for order in "1 2 3 4 5 6" "3 5 1 6 2 4"; do
		new_pool tank /dev/pmem0 --overcommit 3
		free=$(pool_get tank free)
		new_volume tank/v 64M
		generations 6
		for i in $order; do
			snapshot delete tank v "s$i"
			# At once, and when nothing is under way any more.
			left=()
			for ((k = 1; k <= 6; k++)); do
				nl_snapshot SNAPSHOT_GET tank v "s$k" >"$TMP/get" || continue
				left+=("$k")
				generation_is "$k"
			done
			erased tank
			for k in "${left[@]}"; do
				generation_is "$k"
			done
		done
		eq "$(volume_get tank/v provisioned)" "$(pool_get tank provisioned)" "provisioned without snapshots"
		expect 0 pvctl volume delete tank/v
		erased tank
		wait_for pool_free_is tank "$free"
		expect 0 pvctl pool destroy tank --force
	done
}

# What is not merged when the pool goes away is merged when it comes back.
test_merge_goes_on() {
	new_pool tank /dev/pmem0 --overcommit 3
	new_volume tank/v 200M
	pattern write direct "$dev" 0 160M 1
	snapshot create tank v s1
	snapshot create tank v s2
	snapshot create tank v s3
	pattern write direct "$dev" 0 160M 2
	monitor_start "$TMP/events"
	snapshot delete tank v s2
	snapshot delete tank v s3
	expect 0 pvctl pool deactivate tank
	expect 0 pvctl pool activate tank
	open_snapshot tank v s1
	pattern check direct "$snapdev" 0 160M 1
	erased tank
	wait_for has_event "$TMP/events" snapshot-erased
	pattern check direct "$snapdev" 0 160M 1
	close_snapshot tank v s1
	expect 0 pvctl pool check tank
	snapshot delete tank v s1
	erased tank
	eq "$(pool_get tank provisioned)" $((160 * MIB)) "provisioned at the end"
}

# What the worker had not begun when the pool went away, it does when the pool comes back: it erases a
# volume first, and the snapshot that was deleted after that waits.
test_merge_never_begun() {
	local try

	new_pool tank /dev/pmem0 /dev/pmem1 --overcommit 3
	new_volume tank/v 32M
	for ((try = 1; try <= 10; try++)); do
		pattern write direct "$(volume_get tank/v device)" 0 32M 1
		snapshot create tank v s
		pattern write direct "$(volume_get tank/v device)" 0 32M 2
		new_volume tank/w 400M
		pattern write direct "$dev" 0 400M 3
		nlreq VOLUME_DELETE '{POOL' POOL_NAME:s:tank '}' '{VOLUME' VOLUME_NAME:s:w '}' >/dev/null
		snapshot delete tank v s
		nlreq POOL_DEACTIVATE '{POOL' POOL_NAME:s:tank '}' >/dev/null
		pvctl pool check /dev/pmem0 /dev/pmem1 --json >"$TMP/check"
		expect 0 pvctl pool activate tank
		erased tank
		eq "$(pool_get tank provisioned)" $((32 * MIB)) "provisioned"
		pattern check direct "$(volume_get tank/v device)" 0 32M 2
		# The volume, the other one and the snapshot: neither was done with.
		(($(jq -r .volumes "$TMP/check") < 3)) || break
	done
	((try <= 10)) || fail "the worker was always faster"
	note "interrupted at try $try"
	expect 0 pvctl pool deactivate tank
	pvctl pool check /dev/pmem0 /dev/pmem1 --json >"$TMP/check"
	eq "$(jq -r '"\(.volumes) \(.clean)"' "$TMP/check")" "1 true" "volumes, and whether all is clean"
}

test_clones() {
	local free v held

	new_pool tank /dev/pmem0 --overcommit 10
	free=$(pool_get tank free)
	new_volume tank/v 64M
	v=$dev
	generations 4
	clone tank v s3 c
	generation_is 3 "$dev"
	eq "$(volume_get tank/c provisioned)" 0 "provisioned by a clone that was read"
	nl_refused EBUSY "the snapshot has clones: c" SNAPSHOT_DELETE tank v s3
	# Its first change of a chunk keeps the rest of it.
	pattern write direct "$dev" 4096 4096 50
	pattern check direct "$dev" 0 4096 3
	pattern check direct "$dev" 8192 $((CHUNK - 8192)) 3
	pattern check direct "$dev" 4096 4096 50
	blkdiscard -z -o 8192 -l 4096 "$dev"
	blkdiscard -z -o 4M -l 4M "$dev"
	blkdiscard -o 8M -l 8M "$dev"
	# Zeroes where nothing is shown take nothing.
	held=$(volume_get tank/c provisioned)
	blkdiscard -z -o 32M -l 16M "$dev"
	eq "$(volume_get tank/c provisioned)" "$held" "provisioned by zeroes where a clone shows nothing"
	pattern zero direct "$dev" 8192 4096
	pattern check direct "$dev" 12288 $((CHUNK - 12288)) 3
	generation_is 3
	# Of the clone a snapshot, and of that a clone.
	snapshot create tank c t
	pattern write direct "$dev" 0 16M 60
	clone tank c t d
	pattern check direct "$dev" 4096 4096 50
	pattern zero direct "$dev" 8192 4096
	pattern check direct "$dev" 12288 $((CHUNK - 12288)) 3
	pattern check direct "$dev" 16M 4M 2
	pattern check direct "$dev" 20M 4M 3
	pattern zero direct "$dev" 24M 40M
	pattern write direct "$v" 0 64M 70
	pattern check direct "$dev" 16M 4M 2
	# As before when the pool comes back, and good to the check.
	expect 0 pvctl pool check tank
	expect 0 pvctl pool deactivate tank
	expect 0 pvctl pool activate tank
	dev=$(volume_get tank/d device)
	pattern check direct "$dev" 4096 4096 50
	pattern check direct "$dev" 16M 4M 2
	generation_is 3
	eq "$(volume_get tank/v snapshots)" 4 "snapshots of v"
	nl_refused EBUSY "the snapshot has clones: d" SNAPSHOT_DELETE tank c t
	refused 9 "the volume has snapshots: t" pvctl volume delete tank/c
	refused 9 "the volume has snapshots: s4, s3, s2, s1" pvctl volume delete tank/v
	expect 0 pvctl volume delete tank/d
	snapshot delete tank c t
	expect 0 pvctl volume delete tank/c
	for v in s1 s2 s3 s4; do
		snapshot delete tank v "$v"
	done
	expect 0 pvctl volume delete tank/v
	erased tank
	wait_for pool_free_is tank "$free"
}

test_rollback() {
	local i

	new_pool tank /dev/pmem0 --overcommit 10
	new_volume tank/v 64M
	generations 5
	pattern write direct "$dev" 60M 4M 77
	exec 9<"$dev"
	nl_refused EBUSY "open or mounted" VOLUME_ROLLBACK tank v s3
	exec 9<&-
	rollback tank v s3
	generation_is 3 "$dev"
	pattern zero direct "$dev" 60M 4M
	for i in 1 2 3 4 5; do
		generation_is "$i"
	done
	pattern write direct "$dev" 0 64M 80
	# Forward again, and as the pool comes back.
	rollback tank v s5
	generation_is 5 "$dev"
	expect 0 pvctl pool deactivate tank
	expect 0 pvctl pool activate tank
	dev=$(volume_get tank/v device)
	generation_is 5 "$dev"
	for i in 5 3 1 2 4; do
		generation_is "$i"
		snapshot delete tank v "s$i"
	done
	erased tank
	generation_is 5 "$dev"
	eq "$(volume_get tank/v provisioned)" "$(pool_get tank provisioned)" "provisioned without snapshots"
}

test_rollback_file_system() {
	local fs

	for fs in ext4 xfs; do
		new_pool tank /dev/pmem0 --overcommit 3
		new_volume tank/v 600M
		mkfs_dax "$fs" "$dev"
		mount_dax "$fs" "$dev" "$MNT/a"
		pattern write sync "$MNT/a/f" 0 8M 1
		snapshot create tank v s
		pattern write sync "$MNT/a/f" 0 8M 2
		pattern write sync "$MNT/a/g" 0 50M 3
		nl_refused EBUSY "open or mounted" VOLUME_ROLLBACK tank v s
		umount "$MNT/a"
		rollback tank v s
		mount_dax "$fs" "$dev" "$MNT/a"
		pattern check mmap "$MNT/a/f" 0 8M 1
		[[ ! -e $MNT/a/g ]] || fail "$fs: what came later is there"
		umount "$MNT/a"
		fsck_clean "$fs" "$dev"
		expect 0 pvctl pool destroy tank --force
	done
}

test_growth() {
	new_pool tank /dev/pmem0 --overcommit 10
	new_volume tank/v 32M
	pattern write direct "$dev" 0 32M 1
	snapshot create tank v s
	expect 0 pvctl volume resize tank/v --size 3G
	pattern write direct "$dev" 16M 100M 2
	pattern write direct "$dev" 2G 4M 2
	open_snapshot tank v s
	eq "$(blockdev --getsize64 "$snapdev")" $((32 * MIB)) "the snapshot's size"
	pattern check direct "$snapdev" 0 32M 1
	close_snapshot tank v s
	snapshot create tank v s2
	pattern write direct "$dev" 2G 4M 3
	rollback tank v s
	pattern check direct "$dev" 0 32M 1
	pattern zero direct "$dev" 32M 200M
	pattern zero direct "$dev" 2G 8M
	rollback tank v s2
	pattern check direct "$dev" 2G 4M 2
	pattern check direct "$dev" 16M 100M 2
}

test_refusals() {
	local long

	new_pool tank /dev/pmem0 --overcommit 10
	new_volume tank/v 32M
	snapshot create tank v s
	nl_refused EEXIST "the volume has a snapshot of this name" SNAPSHOT_CREATE tank v s
	nl_refused ENOENT "no such volume" SNAPSHOT_CREATE tank w s
	nl_refused ENOENT "no such snapshot" SNAPSHOT_DELETE tank v t
	nl_refused ENOENT "no such snapshot" SNAPSHOT_GET tank v t
	nl_refused ENOENT "no such snapshot" SNAPSHOT_ACTIVATE tank v t
	nl_refused ENOENT "no such snapshot" VOLUME_ROLLBACK tank v t
	nl_refused ENOENT "no such snapshot" VOLUME_CLONE tank c t VOLUME_ORIGIN:s:v
	nl_refused EEXIST "a volume of this name exists" VOLUME_CLONE tank v s VOLUME_ORIGIN:s:v
	nl_refused EINVAL "no origin is named" VOLUME_CLONE tank c s
	nl_refused EINVAL "not a name" SNAPSHOT_CREATE tank v a/b
	# Another volume may have the name for a snapshot, and it is no volume's.
	new_volume tank/w 32M
	snapshot create tank w s
	refused 5 "there is no volume s" pvctl volume show tank/s
	open_snapshot tank v s
	eq "$(blockdev --getro "$snapdev")" 1 "read-only"
	exec 9<"$snapdev"
	nl_refused EBUSY "open or mounted" SNAPSHOT_DELETE tank v s
	nl_refused EBUSY "open or mounted" SNAPSHOT_DEACTIVATE tank v s
	refused 9 "is open or mounted" pvctl pool deactivate tank
	exec 9<&-
	# More of them than fit into a sentence.
	long=$(printf 'x%.0s' {1..120})
	for i in 1 2 3 4 5 6; do
		snapshot create tank v "$long$i"
	done
	refused 9 "and 4 more" pvctl volume delete tank/v
	eq "$(volume_get tank/v snapshots)" 7 "snapshots"
	# With its disk, which nobody has open, it goes.
	snapshot delete tank v s
	[[ ! -b $snapdev ]] || fail "a deleted snapshot has a disk"
}

# A file system on a partition would not be held still: newer kernels make none.
test_partition() {
	local status=0

	new_pool tank /dev/pmem0 --overcommit 10
	new_volume tank/v 64M
	partition add "$dev" 1M 32M >"$TMP/out" || status=$?
	((status < 2)) || fail "a partition could not be asked for"
	if ((status == 0)); then
		note "this kernel makes partitions"
		nl_refused EOPNOTSUPP "cannot be frozen" SNAPSHOT_CREATE tank v s
		expect 0 partition delete "$dev" 1M 32M
	else
		eq "$(<"$TMP/out")" EINVAL "a partition is refused"
	fi
	snapshot create tank v s
}

# Device-mapper maps the volume, and nobody can tell who has mapped what of that.
test_device_mapper() {
	require_command dmsetup
	new_pool tank /dev/pmem0 --overcommit 10
	new_volume tank/v 300M
	dmsetup create over --table "0 $(blockdev --getsz "$dev") linear $dev 0"
	dmsetup mknodes over
	mkfs_dax ext4 /dev/mapper/over
	mount_dax ext4 /dev/mapper/over "$MNT/a"
	pattern write sync "$MNT/a/f" 0 4M 1
	nl_refused EOPNOTSUPP "cannot be taken away" SNAPSHOT_CREATE tank v s
	umount "$MNT/a"
	dmsetup remove over
	snapshot create tank v s
}

tap_main block-frozen model-block out-of-space thick delete-in-any-order merge-goes-on merge-never-begun clones rollback \
	rollback-file-system growth refusals partition device-mapper
