#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# pvctl snapshot, clone and volume rollback: what they say, what may be repeated, what is refused and
# leaves all as it was. What the snapshots hold is snapshot.sh's matter.
#
#	qemu/vm run --nvdimm 640M,448M,256M -- selftests/kernel/snapshot-pvctl.sh [TEST]...

# shellcheck disable=SC2154,SC2317 # variables of lib.sh, tests called by name
# shellcheck source=lib.sh
. "$(dirname "$(readlink -f "$0")")/lib.sh"
require_nvdimms 1

# shows COMMAND...: it succeeds; what it prints is for is()
shows() {
	expect 0 pvctl "$@" --json
	cp "$TMP/out" "$TMP/shown"
}

# is FILTER VALUE: of what the last shows() printed
is() {
	eq "$(jq -r "$1" "$TMP/shown")" "$2" "$1"
}

# snapshot_get POOL/VOLUME@SNAPSHOT KEY
snapshot_get() {
	pvctl snapshot show "$1" --json | jq -r ".$2"
}

# pool_with VOLUME: tank with a volume of 16 MiB, 8 of them written; sets $dev
pool_with() {
	new_pool tank /dev/pmem0 --overcommit 10
	new_volume "tank/$1" 16M
	pattern write direct "$dev" 0 8M 1
}

test_create() {
	local before uuid

	pool_with v
	before=$(date +%s)
	shows snapshot create tank/v@s1
	is '"\(.pool)/\(.volume)@\(.name)"' tank/v@s1
	is .size $((16 * MIB))
	is .exclusive 0
	is .clones 0
	is .state inactive
	is .device null
	is .link null
	is ".created | fromdate | . >= $before - 1 and . <= now + 1" true
	uuid=$(jq -r .uuid "$TMP/shown")
	shows snapshot create tank/v@s1
	is .uuid "$uuid"
	eq "$(volume_get tank/v snapshots)" 1 "snapshots of the volume"
	eq "$(volume_get tank/v origin)" null "origin of what is no clone"
	# What is written again has to be kept.
	pattern write direct "$dev" 0 4M 2
	eq "$(snapshot_get tank/v@s1 exclusive)" $((4 * MIB)) "kept for the snapshot"
	refused 5 "there is no snapshot s2 of volume v in pool tank" pvctl snapshot show tank/v@s2
	refused 5 "there is no volume w in pool tank" pvctl snapshot create tank/w@s1
	refused 5 "there is no pool sea" pvctl snapshot create sea/v@s1
	refused 3 "is not a name" pvctl snapshot create tank/v@s@t
}

clock_beyond() {
	(($(date +%s) > $1 + 1))
}

test_list() {
	pool_with v
	new_volume tank/w 4M
	new_pool lake /dev/pmem1
	new_volume lake/v 4M
	shows snapshot list
	is length 0
	expect 0 pvctl snapshot create tank/w@b
	expect 0 pvctl snapshot create tank/v@x
	# The clock's next second: by age, not by name.
	wait_for clock_beyond "$(snapshot_get tank/v@x 'created | fromdate')"
	expect 0 pvctl snapshot create tank/v@a
	expect 0 pvctl snapshot create lake/v@x
	shows snapshot list
	is 'map("\(.pool)/\(.volume)@\(.name)") | join(" ")' "lake/v@x tank/v@x tank/v@a tank/w@b"
	shows snapshot list tank
	is length 3
	shows snapshot list tank/v
	is 'map(.name) | join(" ")' "x a"
	expect 0 pvctl snapshot list tank/w
	eq "$(awk 'NR == 2 { print $1, $3, $4, $5 $6 }' "$TMP/out")" "tank/w@b inactive - 4.0MiB" "the table"
	refused 5 "there is no volume u in pool tank" pvctl snapshot list tank/u
	refused 5 "there is no pool sea" pvctl snapshot list sea
	refused 5 "there is no pool sea" pvctl snapshot list sea/v
	shows volume list
	is 'map(.snapshots) | add' 4
}

test_activate() {
	local snap

	pool_with v
	expect 0 pvctl snapshot create tank/v@s
	pattern write direct "$dev" 0 8M 2
	shows snapshot activate tank/v@s
	is .state active
	is .link /dev/pmemvol/tank/v@s
	snap=$(jq -r .device "$TMP/shown")
	eq "$(readlink -f /dev/pmemvol/tank/v@s)" "$snap" "the link"
	eq "$(blockdev --getro --getsize64 "$snap" | tr '\n' ' ')" "1 $((16 * MIB)) " "read-only, size"
	must_fail dd if=/dev/zero of="$snap" bs=4k count=1 oflag=direct status=none
	pattern check direct "$snap" 0 8M 1
	pattern zero direct "$snap" 8M 8M
	shows snapshot activate tank/v@s
	is .device "$snap"
	exec 7<"$snap"
	eq "$(snapshot_get tank/v@s openers)" 1 "openers"
	refused 9 "open or mounted" pvctl snapshot deactivate tank/v@s
	refused 9 "open or mounted" pvctl snapshot delete tank/v@s
	exec 7<&-
	# Another name of the volume is another name of the snapshot.
	expect 0 pvctl volume rename tank/v w
	eq "$(readlink -f /dev/pmemvol/tank/w@s)" "$snap" "the link after a rename"
	[[ ! -L /dev/pmemvol/tank/v@s ]] || fail "the old link is still there"
	shows snapshot deactivate tank/w@s
	is .state inactive
	[[ ! -L /dev/pmemvol/tank/w@s ]] || fail "the link is still there"
	expect 0 pvctl snapshot deactivate tank/w@s
	refused 5 "there is no snapshot t of volume w" pvctl snapshot activate tank/w@t
	refused 5 "there is no snapshot t of volume w" pvctl snapshot deactivate tank/w@t
	# With the pool its device goes, too, and the link; the snapshot stays.
	expect 0 pvctl snapshot activate tank/w@s
	expect 0 pvctl pool deactivate tank
	[[ ! -e /dev/pmemvol/tank ]] || fail "links are left of an inactive pool"
	expect 0 pvctl pool activate tank
	eq "$(snapshot_get tank/w@s state)" inactive "state after activation"
}

test_clone() {
	pool_with v
	expect 0 pvctl snapshot create tank/v@s
	expect 0 pvctl snapshot create tank/v@t
	pattern write direct "$dev" 0 8M 2
	shows clone tank/v@s tank/c
	is '"\(.origin.volume)@\(.origin.snapshot)"' v@s
	is .size $((16 * MIB))
	is .thick false
	is .link /dev/pmemvol/tank/c
	dev=$(readlink -f /dev/pmemvol/tank/c)
	pattern check direct "$dev" 0 8M 1
	pattern write direct "$dev" 2M 2M 3
	pattern check direct "$dev" 0 2M 1
	pattern check direct /dev/pmemvol/tank/v 0 8M 2
	eq "$(snapshot_get tank/v@s clones)" 1 "clones"
	# Again; also when it has grown.
	expect 0 pvctl volume resize tank/c --size 20M
	shows clone tank/v@s tank/c
	is .size $((20 * MIB))
	refused 6 "is a clone of v@s" pvctl clone tank/v@t tank/c
	refused 6 "is thin, not thick" pvctl clone tank/v@s tank/c --thick
	refused 6 "is not a clone" pvctl clone tank/v@s tank/v
	refused 5 "there is no snapshot u of volume v" pvctl clone tank/v@u tank/d
	refused 5 "there is no volume w in pool tank" pvctl clone tank/w@s tank/d
	refused 3 "in another pool" pvctl clone tank/v@s lake/d
	shows clone tank/v@s tank/d --thick
	is .thick true
	refused 9 "the snapshot has clones: " pvctl snapshot delete tank/v@s
	refused 9 "the volume has snapshots: " pvctl volume delete tank/v
	# Of a clone, a snapshot and a clone.
	expect 0 pvctl snapshot create tank/c@s
	shows clone tank/c@s tank/e
	is '"\(.origin.volume)@\(.origin.snapshot)"' c@s
	expect 0 pvctl volume rename tank/c cc
	eq "$(volume_get tank/e 'origin.volume')" cc "origin after a rename"
	pattern check direct /dev/pmemvol/tank/e 2M 2M 3
	for name in tank/e tank/d; do
		expect 0 pvctl volume delete "$name"
	done
	expect 0 pvctl snapshot delete tank/cc@s
	expect 0 pvctl volume delete tank/cc
	shows snapshot delete tank/v@s
	is .deleted true
}

test_rollback() {
	pool_with v
	expect 0 pvctl snapshot create tank/v@s
	pattern write direct "$dev" 4M 8M 2
	expect 0 pvctl snapshot create tank/v@t
	exec 7<"$dev"
	refused 9 "open or mounted" pvctl volume rollback tank/v@s
	exec 7<&-
	pattern check direct "$dev" 4M 8M 2
	refused 5 "there is no snapshot u of volume v" pvctl volume rollback tank/v@u
	shows volume rollback tank/v@s
	is .name v
	is .snapshots 2
	dev=$(readlink -f /dev/pmemvol/tank/v)
	pattern check direct "$dev" 0 8M 1
	pattern zero direct "$dev" 8M 8M
	expect 0 pvctl volume rollback tank/v@s
	# The younger one is still what it was.
	expect 0 pvctl volume rollback tank/v@t
	pattern check direct "$dev" 4M 8M 2
}

test_delete() {
	pool_with v
	expect 0 pvctl snapshot create tank/v@s
	expect 0 pvctl snapshot activate tank/v@s
	shows snapshot delete tank/v@s
	is .deleted true
	[[ ! -L /dev/pmemvol/tank/v@s ]] || fail "the link is still there"
	for name in tank/v@s tank/w@s sea/v@s; do
		shows snapshot delete "$name"
		is .deleted false
	done
	# A name is free again at once.
	expect 0 pvctl snapshot create tank/v@s
	expect 0 pvctl pool deactivate tank
	refused 9 "pool tank is not active" pvctl snapshot delete tank/v@s
	refused 9 "pool tank is not active" pvctl snapshot create tank/v@t
	refused 9 "pool tank is not active" pvctl snapshot list tank
	expect 0 pvctl pool activate tank
	expect 0 pvctl snapshot delete tank/v@s
	expect 0 pvctl volume delete tank/v
	erased tank
	eq "$(pool_get tank provisioned)" 0 "provisioned in the end"
}

# Names as long as they may be. A file's name has 255 bytes, and is one byte short of three pairs.
test_long_names() {
	local long

	long=$(printf 'n%.0s' {1..128})
	pool_with "$long"
	expect 0 pvctl snapshot create "tank/$long@$long"
	shows snapshot activate "tank/$long@$long"
	grep -q 'too long for a link' "$TMP/err" || fail "no warning: $(<"$TMP/err")"
	is .link null
	is .volume "$long"
	pattern check direct "$(jq -r .device "$TMP/shown")" 0 8M 1
	expect 0 pvctl snapshot create "tank/$long@${long:2}"
	shows snapshot activate "tank/$long@${long:2}"
	is .link "/dev/pmemvol/tank/$long@${long:2}"
	[[ -b $(readlink -f "/dev/pmemvol/tank/$long@${long:2}") ]] || fail "no link of 255 bytes"
	refused 3 "it is longer than 128" pvctl snapshot create "tank/$long@${long}n"
	refused 3 "is not a name" pvctl snapshot create $'tank/v@\xff\n'
	expect 3 pvctl snapshot create $'tank/v@\xff\n' --json
	eq "$(jq -r '.error.code' "$TMP/err")" 3 "the error as JSON"
	refused 5 "there is no volume v" pvctl snapshot show "tank/v@$long"
	expect 0 pvctl snapshot delete "tank/$long@$long"
	expect 0 pvctl snapshot delete "tank/$long@${long:2}"
}

has_events() {
	[[ $(jq -r 'select(.event | startswith("erased") | not) | .event' "$TMP/events" | tr '\n' ' ') == "$1 " ]]
}

test_events() {
	pool_with v
	monitor_start "$TMP/events"
	expect 0 pvctl snapshot create tank/v@s
	expect 0 pvctl snapshot create tank/v@s
	expect 0 pvctl volume rollback tank/v@s
	expect 0 pvctl snapshot delete tank/v@s
	expect 0 pvctl snapshot delete tank/v@s
	wait_for has_events "snapshot-created volume-rolled-back snapshot-deleted snapshot-erased"
	eq "$(jq -r 'select(.event == "snapshot-created") | "\(.pool.name)/\(.volume.name)@\(.snapshot.name)"' \
		"$TMP/events")" tank/v@s "the snapshot's name"
}

# A file system in use: the snapshot is mounted beside it, as it was.
test_mounted() {
	local fs

	for fs in ext4 xfs; do
		new_pool tank /dev/pmem0 --overcommit 4
		new_volume tank/v 520M
		mkfs_dax "$fs" "$dev"
		mount_dax "$fs" "$dev" "$MNT/live"
		echo before >"$MNT/live/file"
		expect 0 pvctl snapshot create tank/v@s
		echo after >"$MNT/live/file"
		sync -f "$MNT/live"
		expect 0 pvctl snapshot activate tank/v@s
		mkdir -p "$MNT/then" "$MNT/clone"
		if [[ $fs == ext4 ]]; then
			mount -t ext4 -o ro,noload /dev/pmemvol/tank/v@s "$MNT/then"
		else
			mount -t xfs -o ro,norecovery,nouuid /dev/pmemvol/tank/v@s "$MNT/then"
		fi
		eq "$(<"$MNT/then/file")" before "the snapshot's file"
		expect 0 pvctl clone tank/v@s tank/c
		mount_dax "$fs" /dev/pmemvol/tank/c "$MNT/clone" "$([[ $fs == ext4 ]] || echo nouuid)"
		eq "$(<"$MNT/clone/file")" before "the clone's file"
		echo clone >"$MNT/clone/file"
		eq "$(<"$MNT/live/file")" after "the volume's file"
		refused 9 "open or mounted" pvctl volume rollback tank/v@s
		umount "$MNT/live" "$MNT/then" "$MNT/clone"
		expect 0 pvctl volume rollback tank/v@s
		mount_dax "$fs" "$dev" "$MNT/live"
		eq "$(<"$MNT/live/file")" before "the file after a rollback"
		umount "$MNT/live"
		fsck_clean "$fs" "$dev"
		fsck_clean "$fs" /dev/pmemvol/tank/c
		expect 0 pvctl pool destroy tank --force
	done
}

tap_main create list activate clone rollback delete long-names events mounted
