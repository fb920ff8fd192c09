#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Damaged metadata: checking and repairing pools, offline and online, and what activation makes
# of it. What has one good copy is repaired and told; what has none costs its own volume only.
#	qemu/vm run --nvdimm 640M,448M,256M -- selftests/kernel/check.sh [TEST]...

# shellcheck disable=SC2317,SC2154 # tests are called by name; lib.sh sets dev
# shellcheck source=lib.sh
. "$(dirname "$(readlink -f "$0")")/lib.sh"
require_nvdimms 3

readonly COPY=$((512 << 10)) SEGTAB=$((64 << 10)) PAGE=4096

# spoil DEVICE OFFSET: eight bytes there are others
spoil() {
	printf '\xa5\x5a\x99\x66\x3c\xc3\x81\x18' |
		dd of="$1" bs=8 seek=$(($2 / 8)) conv=notrunc,fsync status=none
}

# Where chunks begin on an inactive pool's members.
data_off() {
	od -A n -t u8 -j 88 -N 8 "$1" | tr -d ' '
}

# place PAGE COPY: sets $device and $offset of a page of the first segment
place() {
	# On two members: the first chunk of each.
	device=/dev/pmem$2
	offset=$(($(data_off "$device") + $1 * PAGE))
}

# spoil_page PAGE COPY OFFSET-IN-PAGE
spoil_page() {
	local device offset

	place "$1" "$2"
	spoil "$device" $((offset + $3))
}

# Descriptors of slots 0 to 7 stand behind the 16 pages of the directory, each of 512 bytes; the
# maps of volumes that small are one page each, taken in turn.
readonly DESCS=16
map_page() {
	echo $((DESCS + 1 + $1))
}

# Three volumes with data on two members; the pool is taken down.
three_volumes() {
	local v

	new_pool tank /dev/pmem0 /dev/pmem1
	for v in a b c; do
		new_volume "tank/$v" 16M
		pattern write direct "$dev" 0 16M "$(pattern_of "$v")"
	done
	expect 0 pvctl pool deactivate tank
}

# The seed of what is written to a volume.
pattern_of() {
	case $1 in
	a) echo 11 ;;
	b) echo 12 ;;
	c) echo 13 ;;
	esac
}

# intact VOLUME...
intact() {
	local v

	for v; do
		pattern check direct "$(volume_get "tank/$v" device)" 0 16M "$(pattern_of "$v")"
	done
}

# check_get KEY: of the JSON that the last command printed
check_get() {
	jq -r "$1" "$TMP/out"
}

test_clean() {
	three_volumes
	expect 0 pvctl pool check tank --json
	eq "$(check_get '.clean, .online, .volumes, .chunks, (.findings | length)' | xargs)" "true false 3 26 0" offline
	expect 0 pvctl pool check /dev/pmem1 /dev/pmem0 --json
	eq "$(check_get .pool)" tank "name found on devices"
	expect 0 pvctl pool check tank --repair
	expect 0 pvctl pool activate tank
	expect 0 pvctl pool check tank --json
	eq "$(check_get '.clean, .online, .volumes, .chunks, (.findings | length)' | xargs)" "true true 3 26 0" online
	intact a b c
	refused 9 "the pool is active" pvctl pool check tank --repair
	refused 9 "is in use" pvctl pool check /dev/pmem0 /dev/pmem1
	refused 5 "no device carries a pool lake" pvctl pool check lake
	refused 3 "by path" pvctl pool check tank /dev/pmem0
	expect 1 nlreq --dump POOL_CHECK
	grep -q '^EINVAL' "$TMP/out" || fail "the kernel said $(<"$TMP/out")"
	expect 1 nlreq --dump POOL_CHECK '{POOL' POOL_NAME:s:lake '}'
	grep -q '^ENOENT' "$TMP/out" || fail "the kernel said $(<"$TMP/out")"
}

# one_copy PART DEVICE OFFSET: found, repaired offline; found, repaired by activation, told
one_copy() {
	local part=$1 at=$2 offset=$3 log=$TMP/events

	spoil "$at" "$offset"
	expect 15 pvctl pool check tank --json
	eq "$(check_get '.findings[] | .severity + " " + .part + " " + .problem')" \
		"damage $part copy-damaged" "finding about $part"
	eq "$(check_get '.findings[0].device')" "$at" device
	expect 0 pvctl pool check tank --repair --json
	eq "$(check_get '.findings[] | .repaired')" true "$part repaired"
	expect 0 pvctl pool check tank --json
	eq "$(check_get '.findings | length')" 0 "findings after repair of $part"
	spoil "$at" "$offset"
	: >"$log"
	monitor_start "$log"
	dmesg -C
	expect 0 pvctl pool activate tank
	eq "$(pool_get tank mode)" writable "mode after damage to one copy of $part"
	wait_for has_event "$log" metadata-repaired
	monitor_stop
	dmesg | grep -q "pmemvol: tank: $part .*repaired from the other" || fail "the log says: $(dmesg)"
	intact a b c
	expect 0 pvctl pool check tank --json
	eq "$(check_get '.findings | length')" 0 "findings online after activation"
	expect 0 pvctl pool deactivate tank
	expect 0 pvctl pool check tank
}

test_one_copy() {
	local device offset

	three_volumes
	one_copy superblock /dev/pmem0 "$COPY"
	one_copy superblock /dev/pmem1 0
	one_copy segment-table /dev/pmem0 "$SEGTAB"
	one_copy segment-table /dev/pmem0 $((COPY + SEGTAB + 800))
	place 0 1
	one_copy directory "$device" "$offset"
	place "$DESCS" 0
	one_copy descriptor "$device" $((offset + 512 + 64))
	place "$(map_page 1)" 1
	one_copy map-leaf "$device" $((offset + 8))
}

# What the volumes other than $1 are when its metadata is lost.
others() {
	local lost=$1 v left=()

	eq "$(pool_get tank mode)" read-only mode
	for v in a b c; do
		[[ $v == "$lost" ]] || left+=("$v")
	done
	intact "${left[@]}"
	dev=$(volume_get "tank/${left[0]}" device)
	eq "$(blockdev --getro "$dev")" 1 "read-only disk"
	must_fail dd if=/dev/zero of="$dev" bs=4k count=1 oflag=direct status=none
	# Nothing to write is no write.
	sync "$dev"
	intact "${left[@]}"
	refused 9 "read-only" pvctl volume create tank/new --size 16M
	refused 9 "read-only" pvctl snapshot create "tank/${left[0]}@s"
	refused 9 "read-only" pvctl volume delete "tank/${left[0]}"
	refused 9 "cannot be changed" pvctl pool set tank --low-water 20
}

# The medium is left as it is: nothing of what is lost may be made worse.
heads() {
	dd if=/dev/pmem0 bs=1M count=8 iflag=direct status=none | sha256sum
	dd if=/dev/pmem1 bs=1M count=8 iflag=direct status=none | sha256sum
}

test_leaf_lost() {
	local copy before

	three_volumes
	for copy in 0 1; do
		spoil_page "$(map_page 1)" "$copy" 16
	done
	before=$(heads)
	expect 15 pvctl pool check tank --json
	eq "$(check_get '.lost, .damaged, .findings[0].volume, .findings[0].index' | xargs)" "1 0 b 2" "what is lost"
	expect 15 pvctl pool check tank --repair
	eq "$(heads)" "$before" "after a repair that has nothing to repair"
	dmesg -C
	expect 0 pvctl pool activate tank
	grep -q "read-only: its metadata is damaged" "$TMP/err" || fail "no warning: $(<"$TMP/err")"
	dmesg | grep -q 'pmemvol: tank: map-leaf of b, .*damaged in both copies' || fail "the log says: $(dmesg)"
	others b
	eq "$(volume_get tank/b state)" failed "state of the damaged volume"
	must_fail dd if="$(volume_get tank/b device)" of="$TMP/b" bs=4k count=1 iflag=direct status=none
	expect 15 pvctl pool check tank --json
	eq "$(check_get '.lost, .online' | xargs)" "1 true" online
	expect 0 pvctl pool deactivate tank
	eq "$(heads)" "$before" "after an activation"
}

test_descriptor_lost() {
	local copy

	three_volumes
	for copy in 0 1; do
		spoil_page "$DESCS" "$copy" $((2 * 512 + 80))
	done
	expect 15 pvctl pool check tank --json
	eq "$(check_get '.lost, .findings[0].part, .findings[0].slot' | xargs)" "1 descriptor 2" "what is lost"
	expect 0 pvctl pool activate tank
	others c
	eq "$(pvctl volume list tank --json | jq -r '[.[].name] | join(" ")')" "a b" volumes
	expect 0 pvctl pool deactivate tank
}

readonly STOCK=/sys/module/pmemvol/parameters/stock

# stock_is CHUNKS
stock_is() {
	echo "$1" >"$STOCK"
}

# first_chunk_to VOLUME: a pool of three; this one has the chunk that is given out first
first_chunk_to() {
	local v

	new_pool tank /dev/pmem0 /dev/pmem1
	for v in a b c; do
		new_volume "tank/$v" 16M
	done
	for v in "$1" c; do
		pattern write direct "$(volume_get "tank/$v" device)" 0 2M "$(pattern_of "$v")"
	done
	expect 0 pvctl pool deactivate tank
}

# leaf_of_b read|write: both copies of it, to or from files
leaf_of_b() {
	local copy device offset

	for copy in 0 1; do
		place "$(map_page 1)" "$copy"
		if [[ $1 == read ]]; then
			dd if="$device" of="$TMP/leaf$copy" bs="$PAGE" skip=$((offset / PAGE)) count=1 status=none
		else
			dd if="$TMP/leaf$copy" of="$device" bs="$PAGE" seek=$((offset / PAGE)) conv=notrunc,fsync status=none
		fi
	done
}

# A chunk that two maps name: neither may read it, for it may be the other's.
test_two_owners() {
	local v

	# Which chunk comes first depends on nothing else then.
	defer stock_is "$(<"$STOCK")"
	stock_is 0
	first_chunk_to b
	leaf_of_b read
	expect 0 pvctl pool activate tank
	expect 0 pvctl pool destroy tank --force
	first_chunk_to a
	leaf_of_b write
	expect 15 pvctl pool check tank --json
	eq "$(check_get '[.findings[] | .volume + " " + .problem] | sort | join(", ")')" \
		"a owned-twice, b owned-twice" "what is lost"
	expect 0 pvctl pool activate tank
	eq "$(pool_get tank mode)" read-only mode
	for v in a b; do
		eq "$(volume_get "tank/$v" state)" failed "state of $v"
		must_fail dd if="$(volume_get "tank/$v" device)" of="$TMP/$v" bs=4k count=1 iflag=direct status=none
	done
	eq "$(volume_get tank/c state)" active "state of c"
	pattern check direct "$(volume_get tank/c device)" 0 2M "$(pattern_of c)"
}

# A file system can be read, mapped too, and fsck agrees, when the pool is read-only; also when
# snapshots show what it has, and nothing can be copied out. What a clone has not got for itself is
# read without DAX.
test_mounted_read_only() {
	new_pool tank /dev/pmem0 /dev/pmem1
	new_volume tank/a 64M
	mkfs_dax ext4 "$dev"
	mount_dax ext4 "$dev" "$MNT/a"
	pattern write buffered "$MNT/a/f" 0 20M 21
	umount "$MNT/a"
	new_volume tank/b 16M
	dd if=/dev/zero of="$dev" bs=4k count=1 oflag=direct status=none
	expect 0 pvctl snapshot create tank/a@s
	expect 0 pvctl clone tank/a@s tank/c
	expect 0 pvctl pool deactivate tank
	spoil_page "$(map_page 1)" 0 0
	spoil_page "$(map_page 1)" 1 0
	expect 0 pvctl pool activate tank
	dev=$(volume_get tank/a device)
	mount_dax ext4 "$dev" "$MNT/a" ro
	pattern check buffered "$MNT/a/f" 0 20M 21
	pattern check mmap "$MNT/a/f" 0 20M 21
	umount "$MNT/a"
	expect 0 fsck_clean ext4 "$dev"
	dev=$(volume_get tank/c device)
	must_fail mount_dax ext4 "$dev" "$MNT/a" ro
	mount -t ext4 -o ro "$dev" "$MNT/a"
	pattern check mmap "$MNT/a/f" 0 20M 21
	umount "$MNT/a"
	expect 0 fsck_clean ext4 "$dev"
	eq "$(volume_get tank/c provisioned)" 0 "provisioned to the clone"
}

# The device of a snapshot of v.
snapshot_device() {
	pvctl snapshot activate "tank/v@$1" --json | jq -r .device
}

# A rollback that cannot go on, and then damage elsewhere: the snapshots can still be read.
test_half_rolled_back() {
	local copy offset i

	new_pool tank /dev/pmem2 --overcommit 10
	new_volume tank/b 16M
	new_volume tank/v 64M
	for i in 1 2; do
		pattern write direct "$dev" 0 64M "$i"
		expect 0 pvctl snapshot create "tank/v@s$i"
	done
	new_volume tank/filler 250M
	expect 0 pattern fill "$dev" 0x33
	dev=$(volume_get tank/v device)
	# What s2 shows would have to be copied.
	refused 8 "not rolled back completely" pvctl volume rollback tank/v@s1
	eq "$(volume_get tank/v state)" failed "state of a volume half rolled back"
	must_fail dd if="$dev" of="$TMP/v" bs=4k count=1 iflag=direct status=none
	refused 9 "being rolled back to the snapshot" pvctl snapshot delete tank/v@s1
	expect 0 pvctl pool deactivate tank
	expect 0 pvctl pool activate tank
	eq "$(pool_get tank mode), $(volume_get tank/v state)" "no-space, failed" "mode, and state of the volume"
	# The one that needs no space.
	expect 0 pvctl volume rollback tank/v@s2
	dev=$(volume_get tank/v device)
	pattern check direct "$dev" 0 64M 2
	refused 8 "not rolled back completely" pvctl volume rollback tank/v@s1
	expect 0 pvctl pool deactivate tank
	# On one member: its first two chunks.
	offset=$(($(data_off /dev/pmem2) + $(map_page 0) * PAGE))
	for copy in 0 1; do
		spoil /dev/pmem2 $((offset + copy * CHUNK + 8))
	done
	dmesg -C
	expect 0 pvctl pool activate tank
	grep -q "read-only: its metadata is damaged" "$TMP/err" || fail "no warning: $(<"$TMP/err")"
	dmesg | grep -q 'pmemvol: tank: v is not rolled back completely' || fail "the log says: $(dmesg)"
	eq "$(volume_get tank/v state), $(volume_get tank/b state)" "failed, failed" "states"
	refused 9 "read-only" pvctl volume rollback tank/v@s1
	for i in 1 2; do
		pattern check direct "$(snapshot_device "s$i")" 0 64M "$i"
	done
}

# A line known to be bad: read from the other copy. Where the lower driver can clear it, it is.
test_bad_block() {
	local device offset sector

	three_volumes
	place "$(map_page 0)" 0
	sector=$((offset / 512))
	echo "$sector 1" >/sys/block/pmem0/badblocks || skip "bad blocks cannot be set"
	grep -q "^$sector 1" /sys/block/pmem0/badblocks || skip "bad blocks cannot be set"
	expect 15 pvctl pool check tank --json
	eq "$(check_get '.findings[] | .part + " " + .problem')" "map-leaf copy-damaged" finding
	expect 0 pvctl pool activate tank
	eq "$(pool_get tank mode)" writable mode
	intact a b c
	expect 0 pvctl pool deactivate tank
	# What cannot be cleared here would be there for all tests that follow.
	defer renew_namespace
}

renew_namespace() {
	ndctl create-namespace -f -e namespace0.0 -m fsdax --map=mem >"$TMP/ndctl" 2>&1
	wait_for test -b /dev/pmem0
}

# Volumes come, go, get chunks and give them back while the check looks: nothing is half done.
test_online_under_load() {
	local i end=$((SECONDS + $(by_kernel 6 20)))

	new_pool tank /dev/pmem0 /dev/pmem1 --overcommit 10
	new_volume tank/v 400M
	while [[ ! -e $TMP/stop ]]; do
		dd if=/dev/zero of="$dev" bs=1M count=60 oflag=direct conv=notrunc status=none
		blkdiscard "$dev"
	done &
	load=$!
	while [[ ! -e $TMP/stop ]]; do
		pvctl volume create tank/w --size 20M
		pvctl volume resize tank/w --size 1500M
		pvctl volume delete tank/w
	done >"$TMP/changes" &
	changes=$!
	# They end by themselves, and with all they have begun.
	defer rm "$TMP/stop"
	defer wait "$load" "$changes"
	defer touch "$TMP/stop"
	for ((i = 0; SECONDS < end; i++)); do
		expect 0 pvctl pool check tank --json
		eq "$(check_get '.findings | length')" 0 "findings under load"
	done
	note "$i checks"
	touch "$TMP/stop"
	wait "$load"
	wait "$changes"
}

tap_main clean one-copy leaf-lost descriptor-lost two-owners mounted-read-only half-rolled-back \
	online-under-load bad-block
