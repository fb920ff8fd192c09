#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Pools: their life, what they refuse, and members that are missing, foreign, stale or damaged.
#
#	qemu/vm run --nvdimm 640M,448M,256M -- selftests/kernel/pool.sh [TEST]...

# shellcheck disable=SC2317 # tests are called by name
# shellcheck source=lib.sh
. "$(dirname "$(readlink -f "$0")")/lib.sh"
require_nvdimms 3

# Two copies of the superblock, this far apart.
COPY=$((512 << 10))

head_save() {
	dd if="$1" of="$2" bs=1M count=1 iflag=direct status=none
}

head_restore() {
	dd if="$2" of="$1" bs=1M oflag=direct status=none
}

# damage DEVICE OFFSET: 64 bytes in the middle of a structure
damage() {
	dd if=/dev/urandom of="$1" bs=64 count=1 seek=$((($2 + 128) / 64)) conv=notrunc,fsync status=none
}

test_life() {
	expect 0 pvctl pool create tank /dev/pmem0 /dev/pmem1 --json
	eq "$(jq -r .name "$TMP/out")" tank name
	eq "$(jq -r .mode "$TMP/out")" writable mode
	eq "$(jq '.members | length' "$TMP/out")" 2 members
	eq "$(jq .chunk_size "$TMP/out")" "$CHUNK" "chunk size"
	local sum size
	size=$(jq .size "$TMP/out")
	sum=$(jq '[.members[].size] | add' "$TMP/out")
	eq "$size" "$sum" "the pool is as large as its members"
	((size > 1000 * MIB)) || fail "size $size"
	expect 0 pvctl pool list --json
	eq "$(jq -r '.[] | .name' "$TMP/out")" tank list
	expect 0 pvctl pool list
	grep -q tank "$TMP/out"
	new_volume tank/v 64M
	pattern write direct "$dev" 0 8M 7
	expect 0 pvctl pool deactivate tank
	[[ ! -b $dev || $(cat "/sys/block/${dev##*/}/size" 2>/dev/null) == "" ]]
	expect 0 pvctl pool activate tank
	dev=$(volume_get tank/v device)
	pattern check direct "$dev" 0 8M 7
	pattern zero direct "$dev" 8M 56M
	refused 9 "still has volumes" pvctl pool destroy tank
	expect 0 pvctl pool destroy tank --force
	expect 0 pvctl pool list --json
	eq "$(jq length "$TMP/out")" 0 "pools after destroy"
	expect 5 pvctl pool activate tank
}

test_chunk_sizes() {
	local size bytes

	for size in 2M 8M 64M; do
		bytes=$(numfmt --from=iec "$size")
		new_pool tank /dev/pmem0 /dev/pmem1 --chunk-size "$size" --overcommit 2
		new_volume tank/v 300M
		eq "$(volume_get tank/v size)" $(((bytes - 1 + 300 * MIB) / bytes * bytes)) "rounded to $size"
		pattern write direct "$dev" 61M 8M 3
		expect 0 pvctl pool deactivate tank
		expect 0 pvctl pool activate tank
		dev=$(volume_get tank/v device)
		pattern check direct "$dev" 61M 8M 3
		pattern zero direct "$dev" 57M 4M
		expect 0 pvctl pool destroy tank --force
	done
	refused 3 "" pvctl pool create tank /dev/pmem0 --chunk-size 1M
	refused 3 "" pvctl pool create tank /dev/pmem0 --chunk-size 3M
	refused 3 "" pvctl pool create tank /dev/pmem0 --chunk-size 128M
}

test_extend_online() {
	new_pool tank /dev/pmem0 --overcommit 3
	new_volume tank/v 900M
	local before after
	before=$(pool_get tank size)
	must_fail pattern write direct "$dev" 0 700M 11
	eq "$(pool_get tank mode)" no-space "mode of the full pool"
	expect 0 pvctl pool extend tank /dev/pmem1
	after=$(pool_get tank size)
	((after > before + 400 * MIB)) || fail "$before grew to $after only"
	eq "$(pool_get tank mode)" writable "mode after extending"
	eq "$(pool_get tank 'members | length')" 2 members
	pattern write direct "$dev" 0 700M 11
	pattern check direct "$dev" 0 700M 11
	expect 0 pvctl pool deactivate tank
	expect 0 pvctl pool activate tank
	pattern check direct "$(volume_get tank/v device)" 0 700M 11
	expect 0 pvctl pool extend tank /dev/pmem2
	eq "$(pool_get tank 'members | length')" 3 members
	pattern check direct "$(volume_get tank/v device)" 0 700M 11
}

test_exclusive_claim() {
	new_pool tank /dev/pmem0
	refused 9 "is a member of pool tank" pvctl pool create lake /dev/pmem0
	refused 9 "is a member of pool tank" pvctl pool create lake /dev/pmem0 --force
	refused 9 "is a member of pool tank" pvctl pool create lake /dev/pmem1 /dev/pmem0 --force
	# The kernel refuses too, whoever asks.
	expect 1 nlreq POOL_CREATE '{POOL' POOL_NAME:s:lake POOL_FORCE:flag '{POOL_MEMBER' MEMBER_DEVICE:s:/dev/pmem0 '}' '}'
	grep -q '^EBUSY the device is in use' "$TMP/out" || fail "the kernel said $(<"$TMP/out")"
	must_fail mkfs.ext4 -q -F -b 4096 /dev/pmem0
	must_fail mkfs.xfs -q -f /dev/pmem0
	must_fail wipefs -a /dev/pmem0
	mkdir -p "$MNT/a"
	must_fail mount -t ext4 /dev/pmem0 "$MNT/a"
	must_fail pvcreate -ff -y /dev/pmem0
	expect 0 pvctl pool deactivate tank
	refused 9 "carries a superblock of pool tank" pvctl pool create lake /dev/pmem0
	expect 0 pvctl pool activate tank
}

test_not_dax_capable() {
	require_module loop
	local file=$MNT/plain device

	truncate -s 64M "$file"
	device=$(losetup -f --show "$file")
	defer losetup -d "$device"
	refused 9 "cannot be mapped directly" pvctl pool create tank "$device"
	expect 1 nlreq POOL_CREATE '{POOL' POOL_NAME:s:tank '{POOL_MEMBER' "MEMBER_DEVICE:s:$device" '}' '}'
	grep -q '^EMEDIUMTYPE .*not DAX-capable' "$TMP/out" || fail "the kernel said $(<"$TMP/out")"
	if modprobe null_blk nr_devices=1 memory_backed=1 2>/dev/null; then
		defer rmmod null_blk
		refused 9 "cannot be mapped directly" pvctl pool create tank /dev/nullb0
	else
		note "this kernel has no null_blk"
	fi
	refused 9 "is not a block device" pvctl pool create tank /dev/null
	refused 5 "/dev/none" pvctl pool create tank /dev/none
	expect 1 nlreq POOL_CREATE '{POOL' POOL_NAME:s:tank '{POOL_MEMBER' MEMBER_DEVICE:s:/dev/null '}' '}'
	grep -q '^ENOTBLK not a block device' "$TMP/out" || fail "the kernel said $(<"$TMP/out")"
	expect 1 nlreq POOL_CREATE '{POOL' POOL_NAME:s:tank '{POOL_MEMBER' MEMBER_DEVICE:s:/dev/none '}' '}'
	grep -q '^ENODEV no such device' "$TMP/out" || fail "the kernel said $(<"$TMP/out")"
}

# A namespace in sector mode goes through the BTT: no direct access.
test_sector_mode() {
	local old name

	old=$(ndctl list -n namespace2.0 | jq -r '.[0].mode // .mode')
	eq "$old" fsdax "mode of the third NVDIMM"
	ndctl create-namespace -f -e namespace2.0 -m sector >"$TMP/ndctl" ||
		skip "ndctl cannot make a sector namespace here"
	defer ndctl create-namespace -f -e namespace2.0 -m fsdax --map=mem
	name=$(jq -r .blockdev "$TMP/ndctl")
	wait_for test -b "/dev/$name"
	refused 9 "cannot be mapped directly" pvctl pool create tank "/dev/$name"
	expect 1 nlreq POOL_CREATE '{POOL' POOL_NAME:s:tank '{POOL_MEMBER' "MEMBER_DEVICE:s:/dev/$name" '}' '}'
	grep -q '^EMEDIUMTYPE ' "$TMP/out" || fail "the kernel said $(<"$TMP/out")"
}

test_in_use() {
	mkfs.ext4 -q -F -b 4096 /dev/pmem2
	mkdir -p "$MNT/a"
	mount /dev/pmem2 "$MNT/a"
	refused 9 "is mounted at $MNT/a" pvctl pool create tank /dev/pmem2 --force
	expect 1 nlreq POOL_CREATE '{POOL' POOL_NAME:s:tank POOL_FORCE:flag '{POOL_MEMBER' MEMBER_DEVICE:s:/dev/pmem2 '}' '}'
	grep -q '^EBUSY the device is in use' "$TMP/out" || fail "the kernel said $(<"$TMP/out")"
	umount "$MNT/a"
	wipefs -q -a /dev/pmem2
	local lvm=(--config 'activation{udev_sync=0 udev_rules=0} devices{use_devicesfile=0}')
	vgcreate -q "${lvm[@]}" vg /dev/pmem2
	defer vgremove -q -ff -y "${lvm[@]}" vg
	lvcreate -q "${lvm[@]}" -Zn -Wn -n lv -L 64M vg
	refused 9 "is in use" pvctl pool create tank /dev/pmem2 --force
	expect 0 dmsetup mknodes
	# A device-mapper device offers DAX, but not its medium as one range.
	expect 1 nlreq POOL_CREATE '{POOL' POOL_NAME:s:tank POOL_FORCE:flag '{POOL_MEMBER' MEMBER_DEVICE:s:/dev/pmem2 '}' '}'
	grep -q '^EBUSY the device is in use' "$TMP/out" || fail "the kernel said $(<"$TMP/out")"
}

# foreign TEXT COMMAND...: what COMMAND puts on /dev/pmem1 is refused by name, and forced
foreign() {
	local text=$1
	shift

	"$@"
	refused 9 "$text" pvctl pool create tank /dev/pmem1
	says "use --force"
	expect 1 nlreq POOL_CREATE '{POOL' POOL_NAME:s:tank '{POOL_MEMBER' MEMBER_DEVICE:s:/dev/pmem1 '}' '}'
	grep -q '^EMEDIUMTYPE the device carries a foreign signature' "$TMP/out" || fail "the kernel said $(<"$TMP/out")"
	refused 9 "$text" pvctl pool extend other /dev/pmem1
	expect 0 pvctl pool create tank /dev/pmem1 --force
	expect 0 pvctl pool destroy tank
	# Nothing of it is left for others to recognise.
	expect 2 blkid -p /dev/pmem1
}

gpt() {
	printf 'label: gpt\n,,\n' | sfdisk -q --no-reread --no-tell-kernel "$1"
}

test_foreign_signatures() {
	new_pool other /dev/pmem0
	foreign "ext4 file system" mkfs.ext4 -q -F -b 4096 /dev/pmem1
	foreign "xfs file system" mkfs.xfs -q -f /dev/pmem1
	foreign "swap" mkswap -q /dev/pmem1
	foreign "LVM2" pvcreate -q -y --config 'devices{use_devicesfile=0}' /dev/pmem1
	foreign "gpt" gpt /dev/pmem1
}

test_too_small() {
	local sectors whole

	require_module loop
	sectors=$(blockdev --getsz /dev/pmem2)
	# Without a size it would stay as small as it is.
	whole=$(ndctl list -R -r region2 | jq -r '.[0].size // .size')
	ndctl create-namespace -f -e namespace2.0 -m fsdax --map=mem --size=16M >"$TMP/ndctl" 2>&1 ||
		skip "no namespace of 16 MiB: $(tail -n 1 "$TMP/ndctl")"
	defer ndctl create-namespace -f -e namespace2.0 -m fsdax --map=mem "--size=$whole"
	refused 9 "smaller than 16 MiB" pvctl pool create tank /dev/pmem2
	expect 1 nlreq POOL_CREATE '{POOL' POOL_NAME:s:tank '{POOL_MEMBER' MEMBER_DEVICE:s:/dev/pmem2 '}' '}'
	grep -q '^EMEDIUMTYPE the device is too small' "$TMP/out" || fail "the kernel said $(<"$TMP/out")"
	expect 0 ndctl create-namespace -f -e namespace2.0 -m fsdax --map=mem "--size=$whole"
	eq "$(blockdev --getsz /dev/pmem2)" "$sectors" "sectors for the tests that follow"
}

test_too_few_chunks() {
	expect 11 pvctl pool create tank /dev/pmem2 --chunk-size 64M
	says "too small for this chunk size"
}

test_twice() {
	refused 3 "given twice" pvctl pool create tank /dev/pmem0 /dev/pmem0
	ln -s /dev/pmem0 "$MNT/link"
	refused 3 "given twice" pvctl pool create tank /dev/pmem0 "$MNT/link"
	expect 1 nlreq POOL_CREATE '{POOL' POOL_NAME:s:tank '{POOL_MEMBER' MEMBER_DEVICE:s:/dev/pmem0 '}' \
		'{POOL_MEMBER' MEMBER_DEVICE:s:/dev/pmem0 '}' '}'
	grep -q '^EBUSY the device is in use' "$TMP/out" || fail "the kernel said $(<"$TMP/out")"
}

test_member_missing() {
	new_pool tank /dev/pmem0 /dev/pmem1
	expect 0 pvctl pool deactivate tank
	head_save /dev/pmem1 "$TMP/head"
	blank /dev/pmem1
	refused 9 "pool tank is incomplete: no device found for member 1" pvctl pool activate tank
	head_restore /dev/pmem1 "$TMP/head"
	expect 1 nlreq POOL_ACTIVATE '{POOL' POOL_NAME:s:tank '{POOL_MEMBER' MEMBER_DEVICE:s:/dev/pmem0 '}' '}'
	grep -q '^ESTALE a member of the pool is missing' "$TMP/out" || fail "the kernel said $(<"$TMP/out")"
	expect 1 nlreq POOL_ACTIVATE '{POOL' POOL_NAME:s:tank '{POOL_MEMBER' MEMBER_DEVICE:s:/dev/pmem1 '}' '}'
	grep -q '^ESTALE the first member of the pool is missing' "$TMP/out" || fail "the kernel said $(<"$TMP/out")"
	expect 0 pvctl pool activate tank
}

test_member_foreign() {
	new_pool tank /dev/pmem0
	new_pool lake /dev/pmem1
	expect 0 pvctl pool deactivate tank
	expect 0 pvctl pool deactivate lake
	expect 1 nlreq POOL_ACTIVATE '{POOL' POOL_NAME:s:tank '{POOL_MEMBER' MEMBER_DEVICE:s:/dev/pmem0 '}' \
		'{POOL_MEMBER' MEMBER_DEVICE:s:/dev/pmem1 '}' '}'
	grep -q '^ESTALE the device is a member of another pool' "$TMP/out" || fail "the kernel said $(<"$TMP/out")"
	expect 1 nlreq POOL_ACTIVATE '{POOL' POOL_NAME:s:tank '{POOL_MEMBER' MEMBER_DEVICE:s:/dev/pmem1 '}' '}'
	grep -q '^ESTALE the devices are members of a pool of another name' "$TMP/out" || fail "the kernel said $(<"$TMP/out")"
	expect 1 nlreq POOL_ACTIVATE '{POOL' POOL_NAME:s:tank '{POOL_MEMBER' MEMBER_DEVICE:s:/dev/pmem2 '}' '}'
	grep -q '^ESTALE ' "$TMP/out" || fail "the kernel said $(<"$TMP/out")"
	expect 0 pvctl pool activate --all
	eq "$(pvctl pool list --json | jq '[.[] | select(.state == "active")] | length')" 2 "active pools"
}

test_member_stale() {
	local which

	for which in 0 1; do
		new_pool tank /dev/pmem0 /dev/pmem1
		expect 0 pvctl pool deactivate tank
		head_save "/dev/pmem$which" "$TMP/head"
		# Two changes that this member then has missed.
		expect 0 pvctl pool activate tank
		expect 0 pvctl pool set tank --low-water 33
		expect 0 pvctl pool deactivate tank
		head_save "/dev/pmem$which" "$TMP/new-head"
		head_restore "/dev/pmem$which" "$TMP/head"
		expect 1 nlreq POOL_ACTIVATE '{POOL' POOL_NAME:s:tank '{POOL_MEMBER' MEMBER_DEVICE:s:/dev/pmem0 '}' \
			'{POOL_MEMBER' MEMBER_DEVICE:s:/dev/pmem1 '}' '}'
		grep -q -E '^ESTALE (the device|the first member) is stale: it missed a change' "$TMP/out" ||
			fail "the kernel said $(<"$TMP/out")"
		refused 9 stale pvctl pool activate tank
		head_restore "/dev/pmem$which" "$TMP/new-head"
		expect 0 pvctl pool activate tank
		expect 0 pvctl pool destroy tank
	done
}

test_superblock_damaged() {
	local copy device

	new_pool tank /dev/pmem0 /dev/pmem1
	new_volume tank/v 16M
	pattern write direct "$dev" 0 16M 5
	for device in /dev/pmem0 /dev/pmem1; do
		for copy in 0 "$COPY"; do
			expect 0 pvctl pool deactivate tank
			damage "$device" "$copy"
			expect 0 pvctl pool activate tank
			pattern check direct "$(volume_get tank/v device)" 0 16M 5
			# Repaired: the other copy may go now.
			expect 0 pvctl pool deactivate tank
			damage "$device" $((COPY - copy))
			expect 0 pvctl pool activate tank
			pattern check direct "$(volume_get tank/v device)" 0 16M 5
		done
	done
	expect 0 pvctl pool deactivate tank
	damage /dev/pmem1 0
	damage /dev/pmem1 "$COPY"
	must_fail pvctl pool activate tank
	expect 1 nlreq POOL_ACTIVATE '{POOL' POOL_NAME:s:tank '{POOL_MEMBER' MEMBER_DEVICE:s:/dev/pmem0 '}' \
		'{POOL_MEMBER' MEMBER_DEVICE:s:/dev/pmem1 '}' '}'
	grep -q '^EUCLEAN ' "$TMP/out" || fail "the kernel said $(<"$TMP/out")"
}

# What a pool has that this module lacks is refused, and stays as it is; a check of snapshots is possible.
test_features() {
	new_pool tank /dev/pmem0 /dev/pmem1
	new_volume tank/v 16M
	pattern write direct "$dev" 0 16M 5
	expect 0 pvctl pool deactivate tank
	head_save /dev/pmem0 "$TMP/head0"
	head_save /dev/pmem1 "$TMP/head1"
	feature /dev/pmem0 1
	feature /dev/pmem1 1
	# That of snapshots is known: such a pool is as good as any.
	expect 0 pvctl pool check /dev/pmem0 /dev/pmem1
	expect 0 pvctl pool activate tank
	pattern check direct "$(volume_get tank/v device)" 0 16M 5
	expect 0 pvctl pool deactivate tank
	feature /dev/pmem0 2
	feature /dev/pmem1 2
	must_fail pvctl pool activate tank
	expect 1 nlreq POOL_ACTIVATE '{POOL' POOL_NAME:s:tank '{POOL_MEMBER' MEMBER_DEVICE:s:/dev/pmem0 '}' \
		'{POOL_MEMBER' MEMBER_DEVICE:s:/dev/pmem1 '}' '}'
	grep -q 'feature this version lacks' "$TMP/out" || fail "the kernel said $(<"$TMP/out")"
	head_restore /dev/pmem0 "$TMP/head0"
	head_restore /dev/pmem1 "$TMP/head1"
	expect 0 pvctl pool activate tank
	pattern check direct "$(volume_get tank/v device)" 0 16M 5
}

# Segment table and directory: in both copies, no guess is made.
test_metadata_damaged() {
	local before

	new_pool tank /dev/pmem0 /dev/pmem1
	new_volume tank/v 16M
	pattern write direct "$dev" 0 16M 5
	expect 0 pvctl pool deactivate tank
	before=$(dd if=/dev/pmem0 bs=64K skip=1 count=1 iflag=direct status=none | sha256sum)
	dd if=/dev/urandom of=/dev/pmem0 bs=8 count=1 seek=$(((64 << 10) / 8)) conv=notrunc,fsync status=none
	expect 0 pvctl pool activate tank
	pattern check direct "$(volume_get tank/v device)" 0 16M 5
	expect 0 pvctl pool deactivate tank
	eq "$(dd if=/dev/pmem0 bs=64K skip=1 count=1 iflag=direct status=none | sha256sum)" "$before" "repaired segment table"
	dd if=/dev/urandom of=/dev/pmem0 bs=8 count=1 seek=$(((64 << 10) / 8)) conv=notrunc,fsync status=none
	dd if=/dev/urandom of=/dev/pmem0 bs=8 count=1 seek=$((((64 << 10) + COPY) / 8)) conv=notrunc,fsync status=none
	refused 15 "damaged" pvctl pool activate tank
}

# A member that was prepared but not yet named by member 0: the pool is what it was before.
test_extend_interrupted() {
	new_pool tank /dev/pmem0
	new_volume tank/v 16M
	pattern write direct "$dev" 0 16M 9
	expect 0 pvctl pool deactivate tank
	head_save /dev/pmem0 "$TMP/head"
	expect 0 pvctl pool activate tank
	expect 0 pvctl pool extend tank /dev/pmem1
	expect 0 pvctl pool deactivate tank
	head_restore /dev/pmem0 "$TMP/head"
	expect 0 pvctl pool activate tank
	eq "$(pool_get tank 'members | length')" 1 "members after the interruption"
	pattern check direct "$(volume_get tank/v device)" 0 16M 9
	# Once more, without force: the device is this pool's own.
	expect 0 pvctl pool extend tank /dev/pmem1
	eq "$(pool_get tank 'members | length')" 2 members
	pattern check direct "$(volume_get tank/v device)" 0 16M 9
}

test_name_taken() {
	new_pool tank /dev/pmem0
	expect 6 pvctl pool create tank /dev/pmem1
	expect 1 nlreq POOL_CREATE '{POOL' POOL_NAME:s:tank '{POOL_MEMBER' MEMBER_DEVICE:s:/dev/pmem1 '}' '}'
	grep -q '^EEXIST ' "$TMP/out" || fail "the kernel said $(<"$TMP/out")"
	expect 0 pvctl pool create tank /dev/pmem0
	expect 0 pvctl pool destroy tank
	expect 0 pvctl pool destroy tank
	expect 5 pvctl pool show tank
	says "tank"
}

test_settings_persist() {
	new_pool tank /dev/pmem0 --overcommit 2 --low-water 20
	expect 0 pvctl pool set tank --overcommit 3.5 --low-water 15
	expect 0 pvctl pool deactivate tank
	expect 0 pvctl pool activate tank
	eq "$(pool_get tank overcommit)" 3.5 overcommit
	eq "$(pool_get tank low_water)" 15 "low water"
	new_volume tank/v 1200M
	refused 8 "overcommit" pvctl volume create tank/w --size 1200M
}

test_busy_pool() {
	new_pool tank /dev/pmem0
	new_volume tank/v 64M
	exec 9<"$dev"
	refused 9 "open or mounted" pvctl pool deactivate tank
	refused 9 "open or mounted" pvctl pool destroy tank --force
	exec 9<&-
	mkfs_dax ext4 "$dev"
	mount_dax ext4 "$dev" "$MNT/a"
	refused 9 "open or mounted" pvctl pool deactivate tank
	must_fail rmmod pmemvol
	umount "$MNT/a"
	must_fail rmmod pmemvol
	expect 0 pvctl pool deactivate tank
}

tap_main life chunk-sizes extend-online exclusive-claim not-dax-capable in-use foreign-signatures \
	too-few-chunks twice member-missing member-foreign member-stale superblock-damaged \
	metadata-damaged features extend-interrupted name-taken settings-persist busy-pool sector-mode too-small
