#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Errors of the medium reach the volume they are in, and no other: bad blocks known beforehand,
# and memory failures the kernel reports while pages are mapped.
#
#	qemu/vm run --nvdimm 640M,448M,256M -- selftests/kernel/media.sh [TEST]...

# shellcheck disable=SC2317 # tests are called by name
# shellcheck source=lib.sh
. "$(dirname "$(readlink -f "$0")")/lib.sh"
require_nvdimms 3

readonly MEMBER=pmem2 MARK="where is this chunk"

# No sysfs attribute takes a bad block back: the device is made anew.
forget_bad_blocks() {
	local name

	name=$(basename "$(readlink -f "/sys/block/$MEMBER/device")")
	pvctl pool list --json | jq -r '.[] | select(.state == "active") | .name' | while read -r pool; do
		pvctl pool deactivate "$pool"
	done
	echo "$name" >/sys/bus/nd/drivers/nd_pmem/unbind
	echo "$name" >/sys/bus/nd/drivers/nd_pmem/bind
	wait_for test -b "/dev/$MEMBER"
}

# make_bad BYTE-OFFSET: one page of the member
make_bad() {
	defer forget_bad_blocks
	echo "$(($1 / 512)) 8" >"/sys/block/$MEMBER/badblocks"
}

# Where the chunk that begins with MARK lies on the member.
find_mark() {
	local at

	for ((at = 0; at < 256 * MIB; at += CHUNK)); do
		if dd if="/dev/$MEMBER" bs=4096 count=1 skip=$((at / 4096)) iflag=direct status=none 2>/dev/null |
			grep -a -q -F "$MARK"; then
			echo "$at"
			return
		fi
	done
	fail "no chunk begins with the mark"
}

mark() {
	{
		echo "$MARK"
		head -c 4080 /dev/zero
	} | dd of="$1" bs=4096 count=1 seek="${2:-0}" oflag=direct iflag=fullblock conv=notrunc status=none
}

# page DEVICE NUMBER: read it
page() {
	dd if="$1" of=/dev/null bs=4096 skip="$2" count=1 iflag=direct status=none
}

test_bad_block_raw() {
	local first at

	new_pool tank "/dev/$MEMBER"
	new_volume tank/v 16M
	# shellcheck disable=SC2154 # new_volume sets it
	first=$dev
	pattern write direct "$first" 0 16M 1
	mark "$first" 512
	at=$(find_mark)
	new_volume tank/w 16M
	pattern write direct "$dev" 0 16M 2
	make_bad $((at + 3 * 4096))
	eq "$(pool_get tank 'members[0].bad_blocks')" 1 "bad blocks told"
	# The page is in the second chunk; all others are as before.
	must_fail page "$first" $((512 + 3))
	must_fail dd if=/dev/zero of="$first" bs=512 seek=$(((512 + 3) * 8 + 1)) count=1 oflag=direct status=none
	expect 0 page "$first" $((512 + 2))
	expect 0 page "$first" $((512 + 4))
	pattern check direct "$first" 0 2M 1
	pattern check direct "$dev" 0 16M 2
	pattern write direct "$dev" 0 16M 3
	pattern check direct "$dev" 0 16M 3
	eq "$(pool_get tank mode)" writable "mode of the pool"
	expect 0 pvctl pool deactivate tank
	expect 0 pvctl pool activate tank
	must_fail page "$(volume_get tank/v device)" $((512 + 3))
	pattern check direct "$(volume_get tank/w device)" 0 16M 3
}

# media KEY...: the places told of, one a line
media() {
	local keys

	printf -v keys ', .%s' "$@"
	pvctl pool media tank --json | jq -c "sort_by(.offset) | .[] | [${keys#, }]"
}

test_told() {
	local at

	new_pool tank "/dev/$MEMBER"
	new_volume tank/v 16M
	pattern write direct "$dev" 0 16M 1
	mark "$dev" 512
	at=$(find_mark)
	new_volume tank/w 16M
	eq "$(media kind)" "" "bad places of a good medium"
	make_bad 4096
	# From one chunk into the next.
	make_bad $((at + CHUNK - 4096))
	make_bad $((at + CHUNK))
	eq "$(media kind owner offset length device volume | tr -d '\n')" \
		"[\"bad-block\",\"header\",4096,4096,\"/dev/$MEMBER\",null]$(
		)[\"bad-block\",\"data\",$((at + CHUNK - 4096)),4096,\"/dev/$MEMBER\",\"v\"]$(
		)[\"bad-block\",\"data\",$((at + CHUNK)),4096,\"/dev/$MEMBER\",\"v\"]" "places told of"
	eq "$(media volume_offset | sed -n 2p)" "[$((2 * CHUNK - 4096))]" "place in the volume"
	expect 0 pvctl volume stats tank/v --json
	eq "$(jq -c '[.condition.abnormal, (.bad | length)]' "$TMP/out")" "[true,2]" "stats of the one"
	expect 0 pvctl volume stats tank/w --json
	eq "$(jq -c '[.condition.abnormal, (.bad | length)]' "$TMP/out")" "[false,0]" "stats of the other"
	expect 0 pvctl volume delete tank/v --wait
	eq "$(media owner volume | sort -u | tr -d '\n')" '["free",null]["header",null]' "owners after delete"
	refused 5 "no pool sea" pvctl pool media sea
	expect 0 pvctl pool deactivate tank
	refused 9 "not active" pvctl pool media tank
}

# What a snapshot keeps by itself is not the volume's any more.
test_told_snapshot() {
	new_pool tank "/dev/$MEMBER"
	new_volume tank/v 16M
	pattern write direct "$dev" 0 16M 1
	mark "$dev" 512
	expect 0 pvctl snapshot create tank/v@s
	pattern write direct "$dev" 2M 2M 2
	make_bad $(($(find_mark) + 4096))
	eq "$(media owner volume snapshot volume_offset)" "[\"data\",\"v\",\"s\",$((CHUNK + 4096))]" "place told of"
	expect 0 pvctl volume stats tank/v --json
	eq "$(jq -c '[.condition.abnormal, (.bad | length)]' "$TMP/out")" "[false,0]" "stats of the volume"
	pattern check direct "$dev" 2M 2M 2
	must_fail page "$(pvctl snapshot activate tank/v@s --json | jq -r .device)" $((512 + 1))
	expect 0 pvctl snapshot deactivate tank/v@s
}

# put DEVICE PAGE: write it
put() {
	dd if=/dev/zero of="$1" bs=4096 seek="$2" count=1 oflag=direct conv=notrunc status=none
}

# A copy of a chunk with a bad page would lack that page, and nothing could tell: the volume waits,
# whole pages or not, until the last snapshot that shows the chunk is gone. All else goes on.
test_bad_in_snapshot() {
	local device

	new_pool tank "/dev/$MEMBER"
	new_volume tank/v 16M
	device=$dev
	pattern write direct "$device" 0 16M 1
	mark "$device" 512
	expect 0 pvctl snapshot create tank/v@s1
	expect 0 pvctl snapshot create tank/v@s2
	expect 0 pvctl clone tank/v@s2 tank/c
	make_bad $(($(find_mark) + 3 * 4096))
	dmesg -C
	must_fail put "$device" $((512 + 3))
	must_fail put "$device" $((512 + 4))
	dmesg | grep -q 'pmemvol: tank: the medium is bad in chunk 1 of v, .* before snapshot s2 is deleted' ||
		fail "the log says: $(dmesg)"
	must_fail put "$(volume_get tank/c device)" $((512 + 4))
	for dev in "$device" "$(volume_get tank/c device)" "$(pvctl snapshot activate tank/v@s1 --json | jq -r .device)"; do
		expect 0 page "$dev" $((512 + 4))
		must_fail page "$dev" $((512 + 3))
		pattern check direct "$dev" 0 2M 1
		pattern check direct "$dev" 4M 12M 1
	done
	expect 0 pvctl snapshot deactivate tank/v@s1
	pattern write direct "$device" 4M 12M 2
	# The volume has the bad page in any case: that is no reason to refuse.
	expect 0 pvctl volume rollback tank/v@s2
	pattern check direct "$device" 4M 12M 1
	expect 0 pvctl volume delete tank/c
	expect 0 pvctl snapshot delete tank/v@s2
	must_fail put "$device" $((512 + 4))
	expect 0 pvctl snapshot delete tank/v@s1
	erased tank
	expect 0 put "$device" $((512 + 4))
	must_fail page "$device" $((512 + 3))
	eq "$(pool_get tank mode)" writable "mode of the pool"
}

# Half way a volume is of no use: what is known to fail is not begun.
test_bad_in_rollback() {
	new_pool tank "/dev/$MEMBER"
	new_volume tank/v 16M
	pattern write direct "$dev" 0 16M 1
	mark "$dev" 512
	expect 0 pvctl snapshot create tank/v@s1
	pattern write direct "$dev" 0 16M 2
	expect 0 pvctl snapshot create tank/v@s2
	make_bad $(($(find_mark) + 4096))
	refused 15 "the medium is bad" pvctl volume rollback tank/v@s1
	eq "$(volume_get tank/v state)" active "state after the refusal"
	pattern check direct "$dev" 0 16M 2
	pattern write direct "$dev" 0 2M 3
	expect 0 pvctl volume rollback tank/v@s2
	pattern check direct "$dev" 0 16M 2
}

# Only the file with the bad page notices; a load gets SIGBUS there.
bad_block_under() {
	local fs=$1 at

	new_pool tank "/dev/$MEMBER" --overcommit 3
	new_volume tank/v 520M
	mkfs_dax "$fs" "$dev"
	mount_dax "$fs" "$dev" "$MNT/v"
	pattern write buffered "$MNT/v/good" 0 8M 1
	fallocate -l 8M "$MNT/v/bad"
	pattern write buffered "$MNT/v/bad" 0 8M 2
	mark "$MNT/v/bad" 512
	sync -f "$MNT/v"
	at=$(find_mark)
	umount "$MNT/v"
	make_bad $((at + 4096))
	mount_dax "$fs" "$dev" "$MNT/v"
	pattern check buffered "$MNT/v/good" 0 8M 1
	must_fail page "$MNT/v/bad" 513
	expect 0 mapped sigbus "$MNT/v/bad" 8M
	grep -q '^SIGBUS ' "$TMP/out" || fail "a mapped store met no error: $(<"$TMP/out")"
	expect 0 mapped sigbus "$MNT/v/good" 8M
	grep -q '^none ' "$TMP/out" || fail "a mapped store to another file: $(<"$TMP/out")"
	umount "$MNT/v"
	expect 0 fsck_clean "$fs" "$dev"
}

test_bad_block_ext4() { bad_block_under ext4; }
test_bad_block_xfs() { bad_block_under xfs; }

# The second copy of the superblock is taken.
test_bad_superblock() {
	new_pool tank "/dev/$MEMBER"
	new_volume tank/v 16M
	pattern write direct "$dev" 0 16M 1
	pvctl pool deactivate tank
	make_bad 0
	expect 0 pvctl pool activate tank
	pattern check direct "$(volume_get tank/v device)" 0 16M 1
}

poisoned_under() {
	local fs=$1 other at

	new_pool tank /dev/pmem0 /dev/pmem1
	new_volume tank/other 64M
	other=$dev
	pattern write direct "$other" 0 64M 5
	new_volume tank/v 520M
	mkfs_dax "$fs" "$dev"
	mount_dax "$fs" "$dev" "$MNT/v"
	pattern write buffered "$MNT/v/good" 0 8M 1
	pattern write buffered "$MNT/v/bad" 0 8M 2
	sync -f "$MNT/v"
	monitor_start "$TMP/events"
	expect 0 mapped poison "$MNT/v/bad" 8M $((3 * MIB + 8192)) || skip "$(<"$TMP/out") from MADV_HWPOISON"
	eq "$(<"$TMP/out")" SIGBUS "whoever has the page mapped gets"
	wait_for has_event "$TMP/events" media-error
	eq "$(jq -r 'select(.event == "media-error") | "\(.pool.name)/\(.volume.name)"' "$TMP/events" | sort -u)" \
		tank/v "volumes told of"
	# Where it is in the volume, as the file system has it.
	at=$(filefrag -v -b4096 "$MNT/v/bad" | tr -d ':.' | awk -v page=$((768 + 2)) \
		'$1 ~ /^[0-9]+$/ && $2 <= page && page <= $3 { print ($4 + page - $2) * 4096 }')
	eq "$(media kind owner volume volume_offset length)" "[\"poison\",\"data\",\"v\",$at,4096]" "place told of"
	pvctl metrics >"$TMP/metrics"
	eq "$(awk '/^pmemvol_member_failed_memory_bytes/ { n += $NF } END { print n }' "$TMP/metrics")" 4096 \
		"failed memory among the figures"
	eq "$(sed -n 's/^pmemvol_volume_bad_bytes{pool="tank",volume="v"} //p' "$TMP/metrics")" 4096 "figure of the volume"
	pattern check buffered "$MNT/v/good" 0 8M 1
	pattern check direct "$other" 0 64M 5
	pattern write direct "$other" 0 64M 6
	pattern check direct "$other" 0 64M 6
	eq "$(pool_get tank mode)" writable "mode of the pool"
	# Overwritten, it is as good as any other.
	pattern write buffered "$MNT/v/bad" 0 8M 3
	pattern check buffered "$MNT/v/bad" 0 8M 3
	umount "$MNT/v"
	expect 0 fsck_clean "$fs" "$dev"
}

test_poison_ext4() { poisoned_under ext4; }
test_poison_xfs() { poisoned_under xfs; }

tap_main bad-block-raw told told-snapshot bad-in-snapshot bad-in-rollback bad-block-ext4 bad-block-xfs bad-superblock poison-ext4 poison-xfs
