#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# A day of a cluster as a kubelet and a provisioner make it: everything is tried again, at any
# point, by several at a time, and what is told of capacity holds after each step.
#
#	qemu/vm run --nvdimm 640M,448M -- selftests/kernel/csi-day.sh [TEST]...

# shellcheck disable=SC2317 # tests are called by name
# shellcheck source=lib.sh
. "$(dirname "$(readlink -f "$0")")/lib.sh"
# shellcheck source=csi-plugin.sh
. "$HERE/csi-plugin.sh"
require_nvdimms 2

readonly TWENTY=20

# A node in the morning: a pool, and what is there before any pod.
node() {
	new_pool tank /dev/pmem0 /dev/pmem1 --overcommit 2
	free=$(($(pool_get tank free) + $(pool_get tank metadata)))
	defer nothing_left
}

# And in the evening: as if nothing had been.
nothing_left() {
	local now

	eq "$(pvctl volume list tank --json | jq length)" 0 "volumes left"
	eq "$(awk -v mnt="$MNT/" '/^\/dev\/(pmv|pmemvol)/ || index($2, mnt) == 1 { print $2 }' /proc/self/mounts)" "" \
		"mounts left"
	erased tank
	# Segments of metadata stay the pool's.
	now=$(($(pool_get tank free) + $(pool_get tank metadata)))
	eq "$now" "$free" "free at the end"
	eq "$(find /dev/pmemvol -mindepth 1 2>/dev/null)" "" "links left"
}

# twice CALL...: a reply may be lost, so the same call comes again and has the same answer
twice() {
	local first lasting='del(.deleted, .openers, .provisioned, .metadata, .exclusive)'

	first=$("$@" | jq -c "$lasting" 2>/dev/null)
	expect 0 "$@"
	eq "$(jq -c "$lasting" "$TMP/out" 2>/dev/null)" "$first" "second answer to $1"
}

# What is told to fit does, and not a chunk more.
capacity_true() {
	local kind most

	for kind in thin lvm; do
		most=$(csi_get_capacity "$kind" | jq .maximum_volume_size)
		eq $((most % CHUNK)) 0 "a whole number of chunks"
		((most)) || continue
		refused 8 "pool" csi_create_volume probe $((most + 1)) 0 "$kind"
		expect 0 csi_create_volume probe "$most" "$most" "$kind"
		expect 0 csi_delete_volume tank/probe
	done
	most=$(csi_get_capacity lvm | jq .available_capacity)
	((most <= $(pool_get tank free))) || fail "$most to guarantee, $(pool_get tank free) free"
}

test_limits() {
	local most

	node
	capacity_true
	expect 0 csi_create_volume exact $((10 * MIB)) $((10 * MIB))
	eq "$(jq .size "$TMP/out")" $((10 * MIB)) "size of required_bytes = limit_bytes"
	refused 11 "more than the limit" csi_create_volume odd $((9 * MIB)) $((10 * MIB - 1))
	refused 11 "more than the limit" csi_create_volume odd 1 $((CHUNK - 1))
	expect 5 pvctl volume show tank/odd
	expect 0 csi_create_volume odd $((9 * MIB)) $((10 * MIB))
	expect 3 csi_create_volume none 10M 9M
	# Created with a size in between: any of these is the same volume.
	expect 0 csi_create_volume exact $((9 * MIB + 1)) $((20 * MIB))
	expect 0 csi_create_volume exact 1 $((10 * MIB))
	expect 6 csi_create_volume exact $((12 * MIB)) $((20 * MIB))
	expect 6 csi_create_volume exact 1 $((8 * MIB))
	expect 6 csi_create_volume exact 10Mi 0 thin
	expect 0 csi_create_volume exact 10Mi 0
	# Expanded already, and a limit that is too low for what it has.
	expect 11 csi_controller_expand tank/exact $((11 * MIB)) $((12 * MIB - 1))
	eq "$(volume_get tank/exact size)" $((10 * MIB)) "size after a refusal"
	twice csi_controller_expand tank/exact $((11 * MIB)) $((12 * MIB))
	expect 0 csi_controller_expand tank/exact 1
	eq "$(jq .size "$TMP/out")" $((12 * MIB)) "size of one that is large enough"
	expect 11 csi_controller_expand tank/exact 1 $((10 * MIB))
	most=$(csi_get_capacity lvm | jq .maximum_volume_size)
	expect 8 csi_controller_expand tank/exact $((12 * MIB + most + 1))
	capacity_true
	expect 3 csi_create_volume "$(printf 'x%.0s' {1..129})" 10Mi 0
	expect 0 csi_delete_volume tank/exact
	expect 0 csi_delete_volume tank/odd
}

# Nobody but the kernel orders them.
test_twenty_at_once() {
	local i
	local -a job=()

	node
	for ((i = 0; i < TWENTY; i++)); do
		csi_create_volume same 8Mi 8Mi >"$TMP/same$i" &
		job+=($!)
		csi_create_volume "own-$i" 4Mi 0 thin >"$TMP/own$i" &
		job+=($!)
	done
	for i in "${job[@]}"; do
		wait "$i" || fail "a create ended with $?"
	done
	eq "$(jq -s -c 'map(.uuid) | unique | length' "$TMP"/same*)" 1 "volumes of one name"
	eq "$(jq -s -c 'map(.uuid) | unique | length' "$TMP"/own*)" "$TWENTY" "volumes of different names"
	eq "$(pvctl volume list tank --json | jq length)" $((TWENTY + 1)) "volumes"
	capacity_true
	# One name with two sizes has one winner, whom all of them then see.
	job=()
	for ((i = 0; i < TWENTY; i++)); do
		csi_create_volume two "$((4 + 4 * (i % 2)))Mi" 0 thin >"$TMP/two$i" 2>/dev/null &
		job+=($!)
	done
	for ((i = 0; i < TWENTY; i++)); do
		status=0
		wait "${job[i]}" || status=$?
		((status == 0 || status == 6)) || fail "a create of another size ended with $status"
		echo "$((i % 2)) $status" >>"$TMP/two"
	done
	eq "$(sort -u "$TMP/two" | wc -l)" 2 "answers to two sizes"
	# Made and deleted all the time: in the end its name leads to it, or to nothing.
	job=()
	for ((i = 0; i < TWENTY; i++)); do
		if ((i % 2)); then
			csi_delete_volume tank/same >"$TMP/flicker" &
		else
			csi_create_volume same 8Mi 8Mi >"$TMP/flicker" &
		fi
		job+=($!)
	done
	for i in "${job[@]}"; do
		wait "$i" || fail "a create or delete ended with $?"
	done
	if pvctl volume show tank/same --json >"$TMP/out" 2>&1; then
		eq "$(readlink -f /dev/pmemvol/tank/same)" "$(jq -r .device "$TMP/out")" "where its name leads"
	else
		[[ ! -L /dev/pmemvol/tank/same ]] || fail "the name of a deleted volume is left"
	fi
	for i in $(pvctl volume list tank --json | jq -r '.[].name'); do
		csi_delete_volume "tank/$i" >"$TMP/out" &
	done
	wait
}

# killed_after MS CALL...: unless it has answered by then
killed_after() {
	local job

	"${@:2}" >"$TMP/lost" 2>&1 &
	job=$!
	sleep "0.$(printf %03d "$1")"
	if pkill -KILL -P "$job"; then
		killed=$((killed + 1))
	fi
	wait "$job" || true
}

# The plugin dies after it has called, and before it has heard; it is called again.
test_killed_between() {
	local i before killed=0

	node
	for ((i = 0; i < 6; i++)); do
		killed_after $((i * 30)) csi_create_volume "v$i" 6Mi 6Mi
		before=$(pvctl volume list tank --json | jq -r ".[] | select(.name == \"v$i\").uuid")
		twice csi_create_volume "v$i" 6Mi 6Mi
		[[ -z $before ]] || eq "$(jq -r .uuid "$TMP/out")" "$before" "the volume made before the plugin died"
		eq "$(pvctl volume list tank --json | jq length)" $((i + 1)) "volumes after retry $i"
		eq "$(readlink -f "/dev/pmemvol/tank/v$i")" "$(jq -r .device "$TMP/out")" "where its name leads"
	done
	for ((i = 0; i < 6; i++)); do
		killed_after $((i * 20)) csi_delete_volume "tank/v$i"
		twice csi_delete_volume "tank/v$i"
		expect 5 csi_validate_volume "tank/v$i"
	done
	note "killed $killed of 12 calls"
	((killed)) || skip "no call was slow enough to be killed before it had answered"
}

# A pod's life with a file system, every call made twice; the name is as long as can be.
pod_with() {
	local fs=$1 size=$2 name id

	printf -v name 'pvc-%0124d' 7
	id=tank/$name
	node
	twice csi_create_volume "$name" "${size}Mi" "${size}Mi"
	twice csi_node_stage "$id" "$MNT/stage" "$fs" dax
	twice csi_node_publish "$id" "$MNT/stage" "$MNT/pod"
	grep -q "$MNT/pod .*dax=always" /proc/self/mounts || fail "not mounted with dax"
	twice csi_node_publish "$id" "$MNT/stage" "$MNT/reader" ro
	must_fail touch "$MNT/reader/file"
	pattern write buffered "$MNT/pod/data" 0 16M 7
	# What is staged elsewhere is not this volume.
	expect 0 csi_create_volume other 300Mi 0 thin
	expect 6 csi_node_stage tank/other "$MNT/stage" "$fs" dax
	expect 5 csi_node_stats tank/other "$MNT/pod"
	expect 5 csi_node_stats "$id" "$MNT/nowhere"
	expect 0 csi_delete_volume tank/other
	expect 0 csi_node_stats "$id" "$MNT/pod"
	eq "$(jq -r '.fs_type, .condition.abnormal, .path' "$TMP/out" | paste -sd' ')" \
		"$fs false $MNT/pod" "stats"
	eq "$(jq '.usage[] | select(.unit == "bytes").total' "$TMP/out")" \
		"$(df -B1 --output=size "$MNT/pod" | tail -n 1 | tr -d ' ')" "bytes in all, as df has them"
	eq "$(jq '.usage[] | select(.unit == "inodes").used' "$TMP/out")" \
		"$(df --output=iused "$MNT/pod" | tail -n 1 | tr -d ' ')" "inodes used, as df has them"
	refused 9 "open or mounted" csi_delete_volume "$id"
	capacity_true
	# Grown while it is mapped.
	twice csi_controller_expand "$id" $(((size + 100) * MIB))
	twice csi_node_expand "$id" "$MNT/pod"
	(($(df -B1 --output=size "$MNT/pod" | tail -n 1) > (size + 20) * MIB)) || fail "$(df "$MNT/pod")"
	pattern check buffered "$MNT/pod/data" 0 16M 7
	twice csi_node_unpublish "$MNT/reader"
	twice csi_node_unpublish "$MNT/pod"
	twice csi_node_unstage "$MNT/stage"
	expect 0 csi_node_stats "$id" "/dev/pmemvol/$id"
	eq "$(jq -r '.usage[0].total' "$TMP/out")" $(((size + 100) * MIB)) "size of a device"
	# Staged again elsewhere, it has what was written.
	expect 0 csi_node_stage "$id" "$MNT/again" "$fs" dax
	pattern check buffered "$MNT/again/data" 0 16M 7
	expect 0 csi_node_unstage "$MNT/again"
	expect 9 csi_node_stage "$id" "$MNT/again" "$([[ $fs == xfs ]] && echo ext4 || echo xfs)"
	rm -rf "$MNT/again"
	expect 0 fsck_clean "$fs" "/dev/pmemvol/$id"
	twice csi_delete_volume "$id"
	expect 5 csi_node_stage "$id" "$MNT/stage" "$fs"
}

test_pod_ext4() { pod_with ext4 300; }
test_pod_xfs() { pod_with xfs 520; }

test_raw_block() {
	node
	twice csi_create_volume raw 64Mi 64Mi thin
	twice csi_node_stage tank/raw "$MNT/stage" block
	twice csi_node_publish tank/raw "$MNT/stage" "$MNT/pod/device"
	[[ -b $MNT/pod/device ]] || fail "no device in the pod"
	pattern write direct "$MNT/pod/device" 0 64M 3
	twice csi_controller_expand tank/raw 96Mi 96Mi
	twice csi_node_expand tank/raw "$MNT/pod/device"
	eq "$(blockdev --getsize64 "$MNT/pod/device")" $((96 * MIB)) "size in the pod"
	expect 0 csi_node_stats tank/raw "$MNT/pod/device"
	eq "$(jq -c '[.usage[] | .unit, .total, .used]' "$TMP/out")" \
		"[\"bytes\",$((96 * MIB)),$((64 * MIB))]" "usage"
	pattern check direct "$MNT/pod/device" 0 64M 3
	twice csi_node_unpublish "$MNT/pod/device"
	rmdir "$MNT/pod"
	twice csi_node_unstage "$MNT/stage"
	# Erasing takes its time: who does not wait for it is told, and may ask again.
	refused 4 "not done within" pvctl volume delete tank/raw --wait --timeout 0.01
	expect 0 pvctl volume delete tank/raw --wait
	eq "$(pool_get tank erasing)" 0 "left to erase"
}

# Two pods of a node with one device: the newest who asked writes, and nobody before.
test_fenced() {
	local pod

	node
	expect 0 csi_create_volume shared 16Mi 0
	for pod in a b; do
		twice csi_node_publish_fenced tank/shared "pod-$pod" "$MNT/$pod/device"
		must_fail pattern write direct "$MNT/$pod/device" 0 2M 1
	done
	expect 0 pvctl fence acquire pod-a --state-dir "$TMP/epochs"
	pattern write direct "$MNT/a/device" 0 4M 1
	expect 0 pvctl fence acquire pod-b --state-dir "$TMP/epochs"
	must_fail pattern write direct "$MNT/a/device" 0 4M 3
	pattern check direct "$MNT/b/device" 0 4M 1
	pattern write direct "$MNT/b/device" 0 4M 2
	refused 9 "open or mounted" csi_delete_volume tank/shared
	for pod in a b; do
		twice csi_node_unpublish_fenced "pod-$pod" "$MNT/$pod/device"
		rmdir "$MNT/$pod"
	done
	eq "$(pvctl fence status --json | jq length)" 0 "attachments left"
	pattern check direct "$(volume_get tank/shared device)" 0 4M 2
	twice csi_delete_volume tank/shared
}

# Volumes from snapshots and from volumes: what they begin as, how large, and what goes first.
test_snapshots() {
	local i killed=0

	node
	expect 0 csi_create_volume src 100Mi 0 thin
	expect 0 csi_node_stage tank/src "$MNT/src" ext4 dax
	pattern write buffered "$MNT/src/data" 0 8M 1
	twice csi_create_snapshot snap tank/src
	eq "$(jq .size "$TMP/out")" $((100 * MIB)) "size of the snapshot"
	expect 6 csi_create_snapshot snap tank/other
	pattern write buffered "$MNT/src/data" 0 8M 2
	expect 11 csi_create_volume new 10Mi 50Mi thin tank/src@snap
	expect 11 csi_create_volume new $((110 * MIB + 1)) $((110 * MIB + 2)) thin tank/src@snap
	expect 8 csi_create_volume new 100Gi 0 thin tank/src@snap
	expect 5 csi_create_volume new 100Mi 0 thin tank/src@none
	expect 5 pvctl volume show tank/new
	# Larger than the snapshot, wherever the plugin dies.
	for ((i = 0; i < 3; i++)); do
		killed_after $((i * 30)) csi_create_volume new 120Mi 120Mi thin tank/src@snap
	done
	twice csi_create_volume new 120Mi 120Mi thin tank/src@snap
	eq "$(jq .size "$TMP/out")" $((120 * MIB)) "size of a volume from a snapshot"
	expect 6 csi_create_volume new 120Mi 120Mi thin
	expect 6 csi_create_volume new 120Mi 120Mi lvm tank/src@snap
	expect 6 csi_create_volume new 130Mi 0 thin tank/src@snap
	expect 6 csi_create_volume src 100Mi 0 thin tank/src@snap
	expect 0 csi_node_stage tank/new "$MNT/new" ext4 dax
	pattern check buffered "$MNT/new/data" 0 8M 1
	twice csi_node_expand tank/new "$MNT/new"
	pattern write buffered "$MNT/new/data" 0 100M 3
	# A copy of a volume that is mounted.
	twice csi_create_volume copy 100Mi 0 lvm tank/src
	expect 0 csi_node_stage tank/copy "$MNT/copy" ext4 dax
	pattern check buffered "$MNT/copy/data" 0 8M 2
	refused 9 "has snapshots" csi_delete_volume tank/src
	refused 9 "has clones" csi_delete_snapshot tank/src@snap
	eq "$(csi_list_snapshots tank/src@snap | jq length)" 1 "snapshots of that ID"
	eq "$(csi_list_snapshots tank/src@none)" "[]" "snapshots of another"
	for i in src new copy; do
		twice csi_node_unstage "$MNT/$i"
	done
	# Not before: a file system that is mounted takes chunks when it likes.
	capacity_true
	twice csi_delete_volume tank/new
	twice csi_delete_snapshot tank/src@snap
	refused 9 "has snapshots" csi_delete_volume tank/src
	# Died between the volume and its source.
	expect 0 pvctl volume delete tank/copy
	twice csi_delete_volume tank/copy
	twice csi_delete_volume tank/src
}

# The medium is full of thin volumes; what was guaranteed stays, and what is told is true.
test_full() {
	node
	expect 0 csi_create_volume safe 100Mi 0
	expect 0 csi_create_volume greedy 1200Mi 0 thin
	capacity_true
	expect 0 pattern fill "$(volume_get tank/greedy device)" 0x11
	grep -q '^ENOSPC ' "$TMP/out" || fail "filling: $(<"$TMP/out")"
	expect 0 csi_node_stats tank/greedy /dev/pmemvol/tank/greedy
	eq "$(jq -r '.condition.abnormal' "$TMP/out")" true "condition of a volume that cannot grow"
	expect 0 csi_node_stats tank/safe /dev/pmemvol/tank/safe
	eq "$(jq -r '.condition.abnormal' "$TMP/out")" false "condition of one that can"
	eq "$(csi_get_capacity lvm | jq .available_capacity)" 0 "nothing left to guarantee"
	capacity_true
	expect 0 pvctl volume delete tank/greedy --wait
	capacity_true
	expect 0 csi_delete_volume tank/safe
}

tap_main limits twenty-at-once killed-between pod-ext4 pod-xfs raw-block fenced snapshots full
