#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Snapshots of volumes whose files are mapped: what is stored through mappings that were there before
# does not reach the snapshot.
#
#	qemu/vm run --nvdimm 640M,448M,256M -- selftests/kernel/snapshot-dax.sh [TEST]...

# shellcheck disable=SC2317 # tests are called by name
# shellcheck source=lib.sh
. "$(dirname "$(readlink -f "$0")")/lib.sh"
# shellcheck source=snapshot-lib.sh
. "$(dirname "$(readlink -f "$0")")/snapshot-lib.sh"
require_nvdimms 3

# A random history of a file that is mapped, with snapshots now and then, against a model byte by byte.
test_model_file() {
	local fs seed=$RANDOM

	note "seed $seed"
	for fs in ext4 xfs; do
		new_pool tank /dev/pmem0 --overcommit 3
		new_volume tank/v 600M
		mkfs_dax "$fs" "$dev"
		mount_dax "$fs" "$dev" "$MNT/a"
		MODEL_SNAPSHOTS="$HERE/snapshot-model $fs tank v $MNT/snap" \
			model file "$MNT/a/model" 12M "$(by_kernel 48 32)" "$seed"
		umount "$MNT/a"
		fsck_clean "$fs" "$dev"
		expect 0 pvctl pool destroy tank --force
	done
}

# stir_start FILE LEN [sync]: a program that has it mapped and stores 1 everywhere
stir_start() {
	rm -f "$TMP/go" "$TMP/stirred"
	mkfifo "$TMP/go"
	mapped stir "$@" <"$TMP/go" >"$TMP/stirred" &
	exec 8>"$TMP/go"
	stirring=1
	wait_for stirred
}

stirred() {
	[[ $(tail -n 1 "$TMP/stirred") == "$stirring" ]]
}

# The same mapping stores the next number everywhere.
stir() {
	stirring=$((stirring + 1))
	echo >&8
	wait_for stirred
}

stir_end() {
	exec 8>&-
	wait
}

# A mapping that was made, and stored through, before the snapshot.
mapped_stores() {
	local fs=$1 i

	new_pool tank /dev/pmem0 --overcommit 3
	new_volume tank/v 600M
	mkfs_dax "$fs" "$dev"
	mount_dax "$fs" "$dev" "$MNT/a"
	fallocate -l 16M "$MNT/a/f"
	# With MAP_SYNC the first stores are changes of the file system's: XFS does not count pages as
	# dirty that such a fault has mapped, and freezing leaves them writable. Without it they are
	# written before, so that there are no such changes.
	if [[ ${2-} != sync ]]; then
		pattern write buffered "$MNT/a/f" 0 16M 1
		sync -f "$MNT/a"
	fi
	stir_start "$MNT/a/f" 16M "${@:2}"
	for i in 1 2 3; do
		snapshot create tank v "s$i"
		stir
	done
	for i in 2 3 1; do
		open_snapshot tank v "s$i"
		mount_snapshot "$fs" "$snapdev" "$MNT/snap"
		mapped holds "$MNT/snap/f" 16M "$i"
		umount "$MNT/snap"
		close_snapshot tank v "s$i"
	done
	mapped holds "$MNT/a/f" 16M 4
	stir_end
	# What was frozen is a whole file system.
	clone tank v s2 c
	mount_clone "$fs" "$dev" "$MNT/c"
	mapped holds "$MNT/c/f" 16M 2
	umount "$MNT/c"
	fsck_clean "$fs" "$dev"
	umount "$MNT/a"
	fsck_clean "$fs" "$(volume_get tank/v device)"
	expect 0 pvctl pool destroy tank --force
}

test_mapped_ext4() {
	mapped_stores ext4
}

test_mapped_ext4_sync() {
	mapped_stores ext4 sync
}

test_mapped_xfs() {
	mapped_stores xfs
}

test_mapped_xfs_sync() {
	mapped_stores xfs sync
}

pinned_is() {
	[[ $(tail -n 1 "$TMP/pin") == "$1" ]]
}

# A device may store to pages that are pinned, and nobody could tell: no snapshot while that goes on.
test_pinned() {
	local fs

	for fs in ext4 xfs; do
		new_pool tank /dev/pmem0 --overcommit 3
		new_volume tank/v 600M
		mkfs_dax "$fs" "$dev"
		mount_dax "$fs" "$dev" "$MNT/a"
		fallocate -l 16M "$MNT/a/f"
		rm -f "$TMP/go" "$TMP/pin"
		mkfifo "$TMP/go"
		mapped pin "$MNT/a/f" 16M <"$TMP/go" >"$TMP/pin" &
		exec 8>"$TMP/go"
		wait_for pinned_is pinned
		nl_refused EAGAIN "pinned" SNAPSHOT_CREATE tank v s
		eq "$(volume_get tank/v snapshots)" 0 "snapshots after the refusal"
		# Frozen it is not.
		pattern write sync "$MNT/a/g" 0 4M 1
		echo >&8
		wait_for pinned_is free
		snapshot create tank v s
		exec 8>&-
		wait
		umount "$MNT/a"
		fsck_clean "$fs" "$dev"
		expect 0 pvctl pool destroy tank --force
	done
}

test_large_mappings() {
	local before after fs

	for fs in ext4 xfs; do
		new_pool tank /dev/pmem0 --overcommit 3
		new_volume tank/v 600M
		mkfs_dax "$fs" "$dev"
		mount_dax "$fs" "$dev" "$MNT/a"
		fallocate -l 64M "$MNT/a/f"
		mapped faults "$MNT/a/f" 64M >"$TMP/first"
		before=$(mapped faults "$MNT/a/f" 64M)
		snapshot create tank v s
		after=$(mapped faults "$MNT/a/f" 64M)
		((after <= before + 8 && after < 100)) || fail "$fs: $before faults before the snapshot, $after after it"
		# A clone has its own.
		clone tank v s c
		mount_clone "$fs" "$dev" "$MNT/c"
		after=$(mapped faults "$MNT/c/f" 64M)
		((after < 100)) || fail "$fs: $after faults in a clone"
		umount "$MNT/a" "$MNT/c"
		expect 0 pvctl pool destroy tank --force
	done
}

# Snapshots under writers that do not wait for them, by mapped stores alone and by write(2): what each
# snapshot shows is all up to some moment while it was made.
busy() {
	local fs=$1 i tag processes=()
	local -A before=() after=() shown=()

	# shellcheck disable=SC2034 # for snapshot-lib.sh
	SLOTS=300
	new_pool tank /dev/pmem0 --overcommit 3
	new_volume tank/v 600M
	mkfs_dax "$fs" "$dev"
	mount_dax "$fs" "$dev" "$MNT/a"
	for tag in sync fsync; do
		# Chunks of its own, which nothing but its own stores has copied out.
		fallocate -l 12M "$MNT/a/$tag"
		writer_start "$tag" "$tag" "$MNT/a/$tag"
		processes+=("$writer")
	done
	for ((i = 1; i <= 3; i++)); do
		for tag in sync fsync; do
			before[$tag$i]=$(acked "$tag")
			# Chunks are written to that the last snapshot shows.
			wait_for acked_further $((before[$tag$i] + 20)) "$tag"
			before[$tag$i]=$(acked "$tag")
		done
		snapshot create tank v "s$i"
		for tag in sync fsync; do
			after[$tag$i]=$(acked "$tag")
		done
	done
	for i in 2 3 1; do
		open_snapshot tank v "s$i"
		mount_snapshot "$fs" "$snapdev" "$MNT/snap"
		for tag in sync fsync; do
			shows_prefix "$MNT/snap/$tag" "$tag" "${before[$tag$i]}" "${after[$tag$i]}"
			shown[$tag$i]=$prefix
		done
		umount "$MNT/snap"
		close_snapshot tank v "s$i"
		((i != 3)) || snapshot delete tank v s2
	done
	clone tank v s3 c
	mount_clone "$fs" "$dev" "$MNT/c"
	for tag in sync fsync; do
		wait_for acked_further "${after[${tag}3]}" "$tag"
		shows_prefix "$MNT/c/$tag" "$tag" "${shown[${tag}3]}" "${shown[${tag}3]}"
		eq "$prefix" "${shown[${tag}3]}" "last record of $tag in the clone"
	done
	umount "$MNT/c"
	fsck_clean "$fs" "$dev"
	writer_end "${processes[@]}"
	for tag in sync fsync; do
		journal check "$MNT/a/$tag" "$SLOTS" "$(acked "$tag")" 3
	done
	note "$fs: $(acked sync) records by mapped stores, $(acked fsync) by write and fsync"
	umount "$MNT/a"
	fsck_clean "$fs" "$(volume_get tank/v device)"
	expect 0 pvctl pool destroy tank --force
}

test_busy_ext4() {
	busy ext4
}

test_busy_xfs() {
	busy xfs
}

tap_main model-file mapped-ext4 mapped-ext4-sync mapped-xfs mapped-xfs-sync busy-ext4 busy-xfs pinned large-mappings
