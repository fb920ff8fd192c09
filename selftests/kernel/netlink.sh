#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# The netlink interface against nonsense and against those who may not use it.
#
#	qemu/vm run --nvdimm 640M,448M,256M -- selftests/kernel/netlink.sh [TEST]...

# shellcheck disable=SC2317 # tests are called by name
# shellcheck source=lib.sh
. "$(dirname "$(readlink -f "$0")")/lib.sh"
require_nvdimms 2

# What a request must not change.
state() {
	pvctl pool list --json
	pvctl volume list --json
}

# bad ERRNO TEXT TOKEN...: refused with that errno (a pattern) and a text that has TEXT
bad() {
	local status=0 out

	out=$(nlreq "${@:3}" 2>&1) || status=$?
	eq "$status" 1 "status of: ${*:3}: $out"
	[[ ${out%% *} =~ ^($1)$ ]] || fail "${*:3}: '$out', not $1"
	asked=$((asked + 1))
	# Kernels of today hand no text on when a dump is refused before it starts.
	[[ $3 != --dump ]] || return 0
	[[ $out == *"$2"* ]] || fail "${*:3}: '$out' does not say '$2'"
	[[ $out == *" "?* ]] || fail "${*:3}: '$out' has no text"
}

# refusals FUNCTION: nothing of it changes anything
refusals() {
	local before

	new_pool tank /dev/pmem0
	new_volume tank/v 4M
	before=$(state)
	asked=0
	"$1"
	eq "$(state)" "$before" "pools and volumes after $asked refusals"
	note "$asked requests refused"
}

POOL=('{POOL' POOL_NAME:s:tank '}')
MEMBER=('{POOL_MEMBER' MEMBER_DEVICE:s:/dev/pmem1 '}')
WITH_POOL=(POOL_CREATE POOL_ACTIVATE POOL_DEACTIVATE POOL_EXTEND POOL_DESTROY POOL_SET POOL_GET
	VOLUME_GET VOLUME_CREATE VOLUME_RESIZE VOLUME_RENAME VOLUME_DELETE SNAPSHOT_GET SNAPSHOT_CREATE)
WITH_VOLUME=(VOLUME_GET VOLUME_CREATE VOLUME_RESIZE VOLUME_RENAME VOLUME_DELETE)
WITH_SNAPSHOT=(SNAPSHOT_GET SNAPSHOT_CREATE SNAPSHOT_DELETE SNAPSHOT_ACTIVATE SNAPSHOT_DEACTIVATE VOLUME_CLONE
	VOLUME_ROLLBACK)

pool_names() {
	local cmd

	for cmd in "${WITH_POOL[@]}"; do
		bad EINVAL "no pool is named" "$cmd"
		bad EINVAL "no pool is named" "$cmd" '{POOL' '}'
		bad EINVAL "" "$cmd" '{POOL' POOL_NAME:r:tank '}'
		bad EINVAL "not a name" "$cmd" '{POOL' POOL_NAME:s: '}'
		bad 'EINVAL|ERANGE' "" "$cmd" '{POOL' POOL_NAME:flag '}'
		bad 'EINVAL|ERANGE' "" "$cmd" '{POOL' POOL_NAME:n:129 '}'
		bad 'EINVAL|ERANGE' "" "$cmd" '{POOL' POOL_NAME:n:60000 '}'
		bad EINVAL "not a name" "$cmd" '{POOL' POOL_NAME:s:-x '}'
		bad EINVAL "not a name" "$cmd" '{POOL' "POOL_NAME:s:a b" '}'
		bad EINVAL "not a name" "$cmd" '{POOL' POOL_NAME:x:ff00 '}'
		# The nests themselves.
		bad EINVAL "" "$cmd" '{-POOL' POOL_NAME:s:tank '}'
		bad EINVAL "" "$cmd" POOL:u32:1
		bad EINVAL "" "$cmd" POOL:x:ffffffff
		bad EINVAL "" "$cmd" POOL:len:60000
		bad EINVAL "" "$cmd" POOL:len:1
		bad EINVAL "" "$cmd" POOL:len:0
	done
}

test_pool_names() { refusals pool_names; }

volume_names() {
	local cmd

	for cmd in "${WITH_VOLUME[@]}"; do
		bad EINVAL "no volume is named" "$cmd" "${POOL[@]}"
		bad EINVAL "no volume is named" "$cmd" "${POOL[@]}" '{VOLUME' VOLUME_SIZE:u64:4M '}'
		bad EINVAL "" "$cmd" "${POOL[@]}" '{VOLUME' VOLUME_NAME:r:v VOLUME_SIZE:u64:4M '}'
		bad EINVAL "not a name" "$cmd" "${POOL[@]}" '{VOLUME' VOLUME_NAME:s: VOLUME_SIZE:u64:4M '}'
		bad 'EINVAL|ERANGE' "" "$cmd" "${POOL[@]}" '{VOLUME' VOLUME_NAME:n:129 VOLUME_SIZE:u64:4M '}'
		bad EINVAL "not a name" "$cmd" "${POOL[@]}" '{VOLUME' VOLUME_NAME:s:.. VOLUME_SIZE:u64:4M '}'
		bad EINVAL "not a name" "$cmd" "${POOL[@]}" '{VOLUME' VOLUME_NAME:s:a/b VOLUME_SIZE:u64:4M '}'
		bad EINVAL "" "$cmd" "${POOL[@]}" '{-VOLUME' VOLUME_NAME:s:v '}'
		bad EINVAL "" "$cmd" "${POOL[@]}" VOLUME:u64:1
		bad ENOENT "no such pool" "$cmd" '{POOL' POOL_NAME:s:none '}' '{VOLUME' VOLUME_NAME:s:v VOLUME_SIZE:u64:4M VOLUME_NEW_NAME:s:w '}'
	done
	for cmd in VOLUME_GET VOLUME_RESIZE VOLUME_RENAME VOLUME_DELETE; do
		bad ENOENT "no such volume" "$cmd" "${POOL[@]}" '{VOLUME' VOLUME_NAME:s:none VOLUME_SIZE:u64:4M VOLUME_NEW_NAME:s:w '}'
	done
	bad EINVAL "no new name" VOLUME_RENAME "${POOL[@]}" '{VOLUME' VOLUME_NAME:s:v '}'
	bad EINVAL "not a name" VOLUME_RENAME "${POOL[@]}" '{VOLUME' VOLUME_NAME:s:v VOLUME_NEW_NAME:s:-w '}'
	bad EINVAL "" VOLUME_RENAME "${POOL[@]}" '{VOLUME' VOLUME_NAME:s:v VOLUME_NEW_NAME:r:w '}'
	bad 'EINVAL|ERANGE' "" VOLUME_RENAME "${POOL[@]}" '{VOLUME' VOLUME_NAME:s:v VOLUME_NEW_NAME:n:129 '}'
}

test_volume_names() { refusals volume_names; }

snapshot_names() {
	local v=('{VOLUME' VOLUME_NAME:s:v VOLUME_ORIGIN:s:v '}') cmd type

	for cmd in "${WITH_SNAPSHOT[@]}"; do
		bad EINVAL "no volume is named" "$cmd" "${POOL[@]}" '{SNAPSHOT' SNAPSHOT_NAME:s:s '}'
		bad EINVAL "no snapshot is named" "$cmd" "${POOL[@]}" "${v[@]}"
		bad EINVAL "no snapshot is named" "$cmd" "${POOL[@]}" "${v[@]}" '{SNAPSHOT' '}'
		bad EINVAL "not a name" "$cmd" "${POOL[@]}" "${v[@]}" '{SNAPSHOT' SNAPSHOT_NAME:s: '}'
		bad EINVAL "not a name" "$cmd" "${POOL[@]}" "${v[@]}" '{SNAPSHOT' SNAPSHOT_NAME:s:a@b '}'
		bad EINVAL "" "$cmd" "${POOL[@]}" "${v[@]}" '{SNAPSHOT' SNAPSHOT_NAME:r:s '}'
		bad 'EINVAL|ERANGE' "" "$cmd" "${POOL[@]}" "${v[@]}" '{SNAPSHOT' SNAPSHOT_NAME:n:129 '}'
		bad 'EINVAL|ERANGE' "" "$cmd" "${POOL[@]}" "${v[@]}" '{SNAPSHOT' SNAPSHOT_NAME:s:s SNAPSHOT_UUID:x:00 '}'
		bad EINVAL "" "$cmd" "${POOL[@]}" "${v[@]}" '{-SNAPSHOT' SNAPSHOT_NAME:s:s '}'
		bad EINVAL "" "$cmd" "${POOL[@]}" "${v[@]}" SNAPSHOT:u64:1
		bad ENOENT "no such pool" "$cmd" '{POOL' POOL_NAME:s:none '}' "${v[@]}" '{SNAPSHOT' SNAPSHOT_NAME:s:s '}'
		bad ENOENT "no such volume" "$cmd" "${POOL[@]}" '{VOLUME' VOLUME_NAME:s:none VOLUME_ORIGIN:s:none '}' \
			'{SNAPSHOT' SNAPSHOT_NAME:s:s '}'
		for type in SNAPSHOT_CREATED SNAPSHOT_SIZE SNAPSHOT_EXCLUSIVE SNAPSHOT_METADATA SNAPSHOT_DEVNUM 99; do
			bad EINVAL "" "$cmd" "${POOL[@]}" "${v[@]}" '{SNAPSHOT' SNAPSHOT_NAME:s:s "$type:u64:1" '}'
		done
		for type in SNAPSHOT_CLONES SNAPSHOT_OPENERS SNAPSHOT_STATE SNAPSHOT_PAD; do
			bad EINVAL "" "$cmd" "${POOL[@]}" "${v[@]}" '{SNAPSHOT' SNAPSHOT_NAME:s:s "$type:u32:1" '}'
		done
	done
	bad EINVAL "no origin is named" VOLUME_CLONE "${POOL[@]}" '{VOLUME' VOLUME_NAME:s:w '}' '{SNAPSHOT' SNAPSHOT_NAME:s:s '}'
	bad EINVAL "" VOLUME_CLONE "${POOL[@]}" '{VOLUME' VOLUME_NAME:s:w VOLUME_ORIGIN:r:v '}' '{SNAPSHOT' SNAPSHOT_NAME:s:s '}'
	bad EINVAL "" --dump SNAPSHOT_GET
	bad ENOENT "no such pool" --dump SNAPSHOT_GET '{POOL' POOL_NAME:s:none '}'
	bad ENOENT "no such volume" --dump SNAPSHOT_GET "${POOL[@]}" '{VOLUME' VOLUME_NAME:s:none '}'
}

test_snapshot_names() { refusals snapshot_names; }

numbers() {
	local v=('{VOLUME' VOLUME_NAME:s:w) cmd size

	bad EINVAL "no size" VOLUME_CREATE "${POOL[@]}" "${v[@]}" '}'
	bad EINVAL "no size" VOLUME_RESIZE "${POOL[@]}" '{VOLUME' VOLUME_NAME:s:v '}'
	for cmd in VOLUME_CREATE VOLUME_RESIZE; do
		[[ $cmd == VOLUME_CREATE ]] || v=('{VOLUME' VOLUME_NAME:s:v)
		bad 'EINVAL|ERANGE' "" "$cmd" "${POOL[@]}" "${v[@]}" VOLUME_SIZE:u32:4096 '}'
		bad 'EINVAL|ERANGE' "" "$cmd" "${POOL[@]}" "${v[@]}" VOLUME_SIZE:flag '}'
		bad ERANGE "" "$cmd" "${POOL[@]}" "${v[@]}" VOLUME_SIZE:u64:0 '}'
		for size in 0xffffffffffffffff 0x8000000000000000 0x7fffffffffffffff 0x7fffffffffe00000 0x0400000000000000; do
			bad 'ERANGE|ENOSPC' "" "$cmd" "${POOL[@]}" "${v[@]}" VOLUME_SIZE:u64:"$size" '}'
		done
	done
	bad ERANGE "cannot shrink" VOLUME_RESIZE "${POOL[@]}" '{VOLUME' VOLUME_NAME:s:v VOLUME_SIZE:u64:2M '}'
	bad 'EINVAL|ERANGE' "" VOLUME_CREATE "${POOL[@]}" '{VOLUME' VOLUME_NAME:s:w VOLUME_SIZE:u64:4M VOLUME_UUID:x:00 '}'
	bad 'EINVAL|ERANGE' "" VOLUME_CREATE "${POOL[@]}" '{VOLUME' VOLUME_NAME:s:w VOLUME_SIZE:u64:4M VOLUME_UUID:x:000102030405060708090a0b0c0d0e0f10 '}'
	bad 'EINVAL|ERANGE' "" VOLUME_CREATE "${POOL[@]}" '{VOLUME' VOLUME_NAME:s:w VOLUME_SIZE:u64:4M VOLUME_THICK:u32:1 '}'
	local p=('{POOL' POOL_NAME:s:lake)
	for size in 0 1 4096 1048576 3145728 0x4000001 0x8000000 0x80000000 0xffffffff; do
		bad 'EINVAL|ERANGE' "" POOL_CREATE "${p[@]}" "${MEMBER[@]}" POOL_CHUNK_SIZE:u32:"$size" '}'
	done
	bad 'EINVAL|ERANGE' "" POOL_CREATE "${p[@]}" "${MEMBER[@]}" POOL_CHUNK_SIZE:u64:2M '}'
	bad 'EINVAL|ERANGE' "" POOL_CREATE "${p[@]}" "${MEMBER[@]}" POOL_UUID:x:0001 '}'
	bad 'EINVAL|ERANGE' "" POOL_CREATE "${p[@]}" "${MEMBER[@]}" POOL_FORCE:u32:1 '}'
	for size in 0 1 99 1000001 0xffffffff; do
		bad 'EINVAL|ERANGE' "" POOL_CREATE "${p[@]}" "${MEMBER[@]}" POOL_OVERCOMMIT:u32:"$size" '}'
		bad 'EINVAL|ERANGE' "" POOL_SET '{POOL' POOL_NAME:s:tank POOL_OVERCOMMIT:u32:"$size" '}'
	done
	for size in 100 101 0xffffffff; do
		bad 'EINVAL|ERANGE' "" POOL_CREATE "${p[@]}" "${MEMBER[@]}" POOL_LOW_WATER:u32:"$size" '}'
		bad 'EINVAL|ERANGE' "" POOL_SET '{POOL' POOL_NAME:s:tank POOL_LOW_WATER:u32:"$size" '}'
	done
	bad 'EINVAL|ERANGE' "" POOL_SET '{POOL' POOL_NAME:s:tank POOL_LOW_WATER:x:01 '}'
}

test_numbers() { refusals numbers; }

members() {
	local cmd i many=()

	for cmd in POOL_CREATE POOL_EXTEND POOL_ACTIVATE; do
		local name=lake
		[[ $cmd != POOL_EXTEND ]] || name=tank
		local p=('{POOL' "POOL_NAME:s:$name")
		bad EINVAL "no device is named" "$cmd" "${p[@]}" '}'
		bad EINVAL "a member without device" "$cmd" "${p[@]}" '{POOL_MEMBER' '}' '}'
		bad EINVAL "" "$cmd" "${p[@]}" '{POOL_MEMBER' MEMBER_DEVICE:r:/dev/pmem1 '}' '}'
		bad 'EINVAL|ENODEV' "" "$cmd" "${p[@]}" '{POOL_MEMBER' MEMBER_DEVICE:s: '}' '}'
		bad 'EINVAL|ERANGE' "" "$cmd" "${p[@]}" '{POOL_MEMBER' MEMBER_DEVICE:n:4096 '}' '}'
		bad 'EINVAL|ERANGE' "" "$cmd" "${p[@]}" '{POOL_MEMBER' MEMBER_DEVICE:n:50000 '}' '}'
		bad 'ENODEV|ENAMETOOLONG|EINVAL' "" "$cmd" "${p[@]}" '{POOL_MEMBER' MEMBER_DEVICE:n:4095 '}' '}'
		bad ENODEV "no such device" "$cmd" "${p[@]}" '{POOL_MEMBER' MEMBER_DEVICE:s:/dev/none '}' '}'
		bad ENOTBLK "not a block device" "$cmd" "${p[@]}" '{POOL_MEMBER' MEMBER_DEVICE:s:/dev/zero '}' '}'
		bad 'ENOTBLK' "not a block device" "$cmd" "${p[@]}" '{POOL_MEMBER' MEMBER_DEVICE:s:/ '}' '}'
		bad EBUSY "in use" "$cmd" "${p[@]}" '{POOL_MEMBER' MEMBER_DEVICE:s:/dev/pmem0 '}' '}'
		bad EINVAL "" "$cmd" "${p[@]}" POOL_MEMBER:u32:1 '}'
		bad EINVAL "" "$cmd" "${p[@]}" '{-POOL_MEMBER' MEMBER_DEVICE:s:/dev/pmem1 '}' '}'
		# One good and one bad: none is taken.
		bad ENODEV "no such device" "$cmd" "${p[@]}" "${MEMBER[@]}" '{POOL_MEMBER' MEMBER_DEVICE:s:/dev/none '}' '}'
		many=()
		for ((i = 0; i < 65; i++)); do
			many+=("${MEMBER[@]}")
		done
		bad ERANGE "at most 64" "$cmd" "${p[@]}" "${many[@]}" '}'
		bad 'EBUSY|ERANGE' "" "$cmd" "${p[@]}" "${many[@]:0:192}" '}'
		for ((i = 0; i < 1000; i++)); do
			many+=("${MEMBER[@]}")
		done
		bad ERANGE "at most 64" "$cmd" "${p[@]}" "${many[@]}" '}'
	done
	bad ESTALE "" POOL_ACTIVATE '{POOL' POOL_NAME:s:lake "${MEMBER[@]}" '}'
	bad EEXIST "active" POOL_ACTIVATE '{POOL' POOL_NAME:s:tank "${MEMBER[@]}" '}'
	bad EEXIST "active" POOL_CREATE '{POOL' POOL_NAME:s:tank "${MEMBER[@]}" '}'
	bad ENOENT "no such pool" POOL_EXTEND '{POOL' POOL_NAME:s:lake "${MEMBER[@]}" '}'
	bad ENOTEMPTY "still has volumes" POOL_DESTROY '{POOL' POOL_NAME:s:tank '}'
}

test_members() { refusals members; }

unknown() {
	local cmd type

	# Attributes nobody knows, and those that only replies have.
	for cmd in "${WITH_POOL[@]}"; do
		bad EINVAL "" "$cmd" "${POOL[@]}" 99:u32:1
		bad EINVAL "" "$cmd" '{POOL' POOL_NAME:s:tank 99:u32:1 '}'
		bad EINVAL "" "$cmd" '{EVENT' 1:u32:1 '}'
		for type in POOL_SIZE POOL_FREE POOL_PROVISIONED POOL_PROMISED POOL_METADATA POOL_ERASING POOL_GENERATION; do
			bad EINVAL "" "$cmd" '{POOL' POOL_NAME:s:tank "$type:u64:1" '}'
		done
		for type in POOL_VOLUMES POOL_MODE POOL_PAD; do
			bad EINVAL "" "$cmd" '{POOL' POOL_NAME:s:tank "$type:u32:1" '}'
		done
	done
	for cmd in "${WITH_VOLUME[@]}"; do
		bad EINVAL "" "$cmd" "${POOL[@]}" '{VOLUME' VOLUME_NAME:s:v 99:u32:1 '}'
		for type in VOLUME_PROVISIONED VOLUME_DEVNUM VOLUME_METADATA; do
			bad EINVAL "" "$cmd" "${POOL[@]}" '{VOLUME' VOLUME_NAME:s:v "$type:u64:1" '}'
		done
		for type in VOLUME_OPENERS VOLUME_STATE VOLUME_SNAPSHOTS VOLUME_DISK VOLUME_PAD; do
			bad EINVAL "" "$cmd" "${POOL[@]}" '{VOLUME' VOLUME_NAME:s:v "$type:u32:1" '}'
		done
	done
	for type in MEMBER_UUID MEMBER_SIZE MEMBER_NUMA_NODE MEMBER_DEVNUM MEMBER_BAD_BLOCKS MEMBER_PAD 99; do
		bad EINVAL "" POOL_CREATE '{POOL' POOL_NAME:s:lake '{POOL_MEMBER' MEMBER_DEVICE:s:/dev/pmem1 "$type:u64:1" '}' '}'
	done
}

test_unknown_attributes() { refusals unknown; }

shape() {
	local status=0 out

	# Nests in nests, cut off, far too deep.
	bad EINVAL "" POOL_GET '{POOL' '{POOL' '{POOL' '{POOL' POOL_NAME:s:tank '}' '}' '}' '}'
	bad EINVAL "" POOL_GET '{POOL' '{POOL_NAME' '{1' '{1' '}' '}' '}' '}'
	bad EINVAL "" VOLUME_GET "${POOL[@]}" '{VOLUME' VOLUME_NAME:len:400 '}'
	bad EINVAL "" VOLUME_GET "${POOL[@]}" '{VOLUME' VOLUME_NAME:len:3 '}'
	for out in 14 99 255; do
		status=0
		nlreq "$out" "${POOL[@]}" >"$TMP/out" 2>&1 || status=$?
		eq "$status" 1 "unknown command $out: $(<"$TMP/out")"
		grep -q ^EOPNOTSUPP "$TMP/out" || fail "unknown command $out: $(<"$TMP/out")"
	done
	status=0
	nlreq EVENT "${POOL[@]}" >"$TMP/out" 2>&1 || status=$?
	eq "$status" 1 "the event as a request: $(<"$TMP/out")"
	# No dump of what is none.
	status=0
	nlreq --dump POOL_CREATE "${POOL[@]}" >"$TMP/out" 2>&1 || status=$?
	eq "$status" 1 "dump of a command without: $(<"$TMP/out")"
	bad ENOENT "no such pool" --dump VOLUME_GET '{POOL' POOL_NAME:s:none '}'
	bad EINVAL "" --dump VOLUME_GET '{POOL' POOL_NAME:r:tank '}'
	bad EINVAL "not a name" --dump VOLUME_GET '{POOL' POOL_NAME:s:-x '}'
	# A header that says less than there is.
	expect 1 nlreq --length 18 POOL_GET "${POOL[@]}"
	expect 0 nlreq POOL_GET "${POOL[@]}"
	expect 0 nlreq --dump POOL_GET
	eq "$(<"$TMP/out")" "OK 1" "dump of pools"
	expect 0 nlreq --dump VOLUME_GET "${POOL[@]}"
	eq "$(<"$TMP/out")" "OK 1" "dump of volumes"
}

test_shape() { refusals shape; }

# As root, with every capability but the one.
without_sys_admin() {
	setpriv --bounding-set=-sys_admin --inh-caps=-sys_admin "$@"
}

in_user_namespace() {
	unshare --user --map-root-user "$@"
}

denied() {
	local how=$1 cmd out status

	for cmd in "${WITH_POOL[@]}"; do
		status=0
		out=$("$how" nlreq "$cmd" '{POOL' POOL_NAME:s:tank "${MEMBER[@]}" '}' '{VOLUME' VOLUME_NAME:s:v \
			VOLUME_SIZE:u64:8M VOLUME_NEW_NAME:s:w '}') || status=$?
		eq "$status ${out%% *}" "1 EPERM" "$how $cmd"
	done
	for cmd in POOL_GET VOLUME_GET; do
		status=0
		out=$("$how" nlreq --dump "$cmd") || status=$?
		eq "$status ${out%% *}" "1 EPERM" "$how dump of $cmd"
	done
	status=0
	out=$("$how" nlreq --join) || status=$?
	eq "$status $out" "1 EPERM" "$how joining the group"
	expect 7 "$how" pvctl pool list
	expect 7 "$how" pvctl volume create tank/w --size 2M
	expect 7 "$how" pvctl monitor --count 1
}

without_capability() {
	# The rest is there: what is refused is refused for this capability.
	without_sys_admin setpriv --dump | grep -q 'net_admin' || fail "CAP_NET_ADMIN is gone too"
	without_sys_admin ip link add dummy-nl type dummy 2>/dev/null && ip link del dummy-nl
	denied without_sys_admin
	asked=16
}

test_without_capability() { refusals without_capability; }

user_namespace() {
	[[ ! -e /proc/sys/kernel/unprivileged_userns_clone ]] || echo 1 >/proc/sys/kernel/unprivileged_userns_clone
	in_user_namespace true || skip "no user namespaces here"
	denied in_user_namespace
	asked=16
}

test_user_namespace() { refusals user_namespace; }

test_with_capability() {
	new_pool tank /dev/pmem0
	expect 0 nlreq --join
	expect 0 nlreq POOL_GET "${POOL[@]}"
	# Not in another network namespace: there is no such family.
	must_fail unshare --net nlreq POOL_GET "${POOL[@]}"
}

tap_main pool-names volume-names snapshot-names numbers members unknown-attributes shape without-capability \
	user-namespace with-capability
