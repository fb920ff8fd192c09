#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Direct access: file systems with -o dax=always, MAP_SYNC, 2 MiB mappings.
#
#	qemu/vm run --nvdimm 640M,448M,256M -- selftests/kernel/dax.sh [TEST]...

# shellcheck disable=SC2317 # tests are called by name
# shellcheck source=lib.sh
. "$(dirname "$(readlink -f "$0")")/lib.sh"
require_nvdimms 2

# Page faults that touching 64 MiB takes when all mappings are of 2 MiB: 32, and one the
# program needs itself.
FAULTS_MAX=33

# setup TYPE: a DAX file system on a volume that spans both members
setup() {
	new_pool tank /dev/pmem0 /dev/pmem1
	new_volume tank/v 1000M
	mkfs_dax "$1" "$dev"
	mount_dax "$1" "$dev" "$MNT/a"
}

# faults_of FILE: aligned 64 MiB, fallocated
faults_of() {
	fallocate -l 64M "$1"
	mapped faults "$1" 64M "${@:2}"
}

raw_faults() {
	local fs=$1 n

	mkfs_dax "$fs" /dev/pmem0
	mount_dax "$fs" /dev/pmem0 "$MNT/raw"
	n=$(faults_of "$MNT/raw/file")
	umount "$MNT/raw"
	blank /dev/pmem0
	echo "$n"
}

page_faults() {
	local fs=$1 raw volume sync

	raw=$(raw_faults "$fs")
	setup "$fs"
	volume=$(faults_of "$MNT/a/file")
	sync=$(faults_of "$MNT/a/file-sync" sync)
	note "$fs: faults for 64 MiB: raw $raw, volume $volume, with MAP_SYNC $sync"
	eq "$volume" "$raw" "faults on a volume and on the raw device"
	((volume <= FAULTS_MAX && sync <= FAULTS_MAX)) || fail "mappings are smaller than 2 MiB"
	# A file that is there already: its clean pages are mapped alike.
	umount "$MNT/a"
	mount_dax "$fs" "$dev" "$MNT/a"
	volume=$(mapped faults "$MNT/a/file" 64M)
	((volume <= FAULTS_MAX)) || fail "$volume faults after mounting again"
}

test_faults_ext4() { page_faults ext4; }
test_faults_xfs() { page_faults xfs; }

# Mapped stores are on the device after unmounting, and the other way round.
mapped_data() {
	local fs=$1

	setup "$fs"
	grep -q " $MNT/a $fs .*dax=always" /proc/self/mounts || fail "not mounted with dax=always"
	: >"$MNT/a/file"
	truncate -s 1M "$MNT/a/file"
	eq "$(mapped support "$MNT/a/file")" sync MAP_SYNC
	rm "$MNT/a/file"
	pattern write sync "$MNT/a/sync" 0 100M 31
	pattern write mmap "$MNT/a/mmap" 0 100M 32
	pattern write buffered "$MNT/a/buffered" 0 100M 33
	pattern write direct "$MNT/a/direct" 0 100M 34
	pattern check direct "$MNT/a/sync" 0 100M 31
	pattern check buffered "$MNT/a/mmap" 0 100M 32
	pattern check sync "$MNT/a/buffered" 0 100M 33
	pattern check mmap "$MNT/a/direct" 0 100M 34
	umount "$MNT/a"
	fsck_clean "$fs" "$dev"
	# Without DAX: what the block path reads is what the mappings wrote.
	mkdir -p "$MNT/b"
	mount -t "$fs" -o dax=never "$dev" "$MNT/b"
	pattern check direct "$MNT/b/sync" 0 100M 31
	pattern check buffered "$MNT/b/mmap" 0 100M 32
	pattern write direct "$MNT/b/back" 0 50M 35
	umount "$MNT/b"
	mount_dax "$fs" "$dev" "$MNT/a"
	pattern check sync "$MNT/a/back" 0 50M 35
	pattern check mmap "$MNT/a/buffered" 0 100M 33
	umount "$MNT/a"
	expect 0 pvctl pool deactivate tank
	expect 0 pvctl pool activate tank
	dev=$(volume_get tank/v device)
	mount_dax "$fs" "$dev" "$MNT/a"
	pattern check mmap "$MNT/a/sync" 0 100M 31
	pattern check mmap "$MNT/a/direct" 0 100M 34
}

test_data_ext4() { mapped_data ext4; }
test_data_xfs() { mapped_data xfs; }

# A file whose only block group is known: its blocks through the block device.
test_mapped_store_on_raw_device() {
	setup ext4
	local block
	fallocate -l 4M "$MNT/a/file"
	pattern write sync "$MNT/a/file" 0 4M 41
	block=$(filefrag -e "$MNT/a/file" | awk '$1 == "0:" { sub(/\.\..*/, "", $4); print $4 }')
	umount "$MNT/a"
	dd if="$dev" of="$TMP/raw" bs=4096 skip="$block" count=16 iflag=direct status=none
	pattern check buffered "$TMP/raw" 0 64K 41
}

holes() {
	local fs=$1 before

	setup "$fs"
	truncate -s 300M "$MNT/a/sparse"
	sync -f "$MNT/a"
	before=$(volume_get tank/v provisioned)
	pattern zero mmap "$MNT/a/sparse" 0 300M
	pattern zero buffered "$MNT/a/sparse" 0 300M
	eq "$(volume_get tank/v provisioned)" "$before" "provisioned by reading a hole"
	pattern write mmap "$MNT/a/sparse" 100M 1M 5
	pattern zero mmap "$MNT/a/sparse" 0 100M
	pattern zero mmap "$MNT/a/sparse" 101M 199M
	# A hole punched is zero again.
	fallocate -p -o 100M -l 1M "$MNT/a/sparse"
	pattern zero mmap "$MNT/a/sparse" 0 300M
}

test_holes_ext4() { holes ext4; }
test_holes_xfs() { holes xfs; }

# Random stores, loads, writes, reads, truncates, holes: against a model, on DAX and without.
exercised() {
	local fs=$1 seed

	setup "$fs"
	for seed in 1 2; do
		model file "$MNT/a/model$seed" 24M "$(by_kernel 3000 600)" "$seed"
	done
	umount "$MNT/a"
	fsck_clean "$fs" "$dev"
}

test_model_ext4() { exercised ext4; }
test_model_xfs() { exercised xfs; }

test_two_volumes_at_once() {
	new_pool tank /dev/pmem0 /dev/pmem1
	local one two
	new_volume tank/one 400M
	one=$dev
	new_volume tank/two 520M
	two=$dev
	mkfs_dax ext4 "$one"
	mkfs_dax xfs "$two"
	mount_dax ext4 "$one" "$MNT/one"
	mount_dax xfs "$two" "$MNT/two"
	pattern write sync "$MNT/one/f" 0 150M 51 &
	local first=$!
	pattern write sync "$MNT/two/f" 0 150M 52
	wait "$first"
	pattern check mmap "$MNT/one/f" 0 150M 51
	pattern check mmap "$MNT/two/f" 0 150M 52
	rm "$MNT/one/f"
	fstrim "$MNT/one"
	erased tank
	pattern check mmap "$MNT/two/f" 0 150M 52
}

# Reading through a mapping while the file system trims what is beside it.
test_grow_mounted() {
	local fs

	for fs in ext4 xfs; do
		new_pool tank /dev/pmem0 /dev/pmem1
		new_volume tank/v 520M
		mkfs_dax "$fs" "$dev"
		mount_dax "$fs" "$dev" "$MNT/a"
		pattern write sync "$MNT/a/before" 0 200M 61
		expect 0 pvctl volume resize tank/v --size 1000M
		if [[ $fs == ext4 ]]; then
			expect 0 resize2fs "$dev"
		else
			expect 0 xfs_growfs "$MNT/a"
		fi
		pattern write sync "$MNT/a/after" 0 500M 62
		pattern check mmap "$MNT/a/before" 0 200M 61
		pattern check mmap "$MNT/a/after" 0 500M 62
		umount "$MNT/a"
		fsck_clean "$fs" "$dev"
		expect 0 pvctl pool destroy tank --force
	done
}

tap_main faults-ext4 faults-xfs data-ext4 data-xfs mapped-store-on-raw-device holes-ext4 holes-xfs \
	model-ext4 model-xfs two-volumes-at-once grow-mounted
