#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Volumes: names, sizes, growth, thousands of them, and what they refuse.
#
#	qemu/vm run --nvdimm 640M,448M,256M -- selftests/kernel/volume.sh [TEST]...

# shellcheck disable=SC2317 # tests are called by name
# shellcheck source=lib.sh
. "$(dirname "$(readlink -f "$0")")/lib.sh"
require_nvdimms 3

test_life() {
	new_pool tank /dev/pmem0 /dev/pmem1
	expect 0 pvctl volume create tank/v --size 63M --json
	local key
	for key in pool name uuid size provisioned thick device state snapshots; do
		jq -e "has(\"$key\")" "$TMP/out" >/dev/null || fail "no key $key: $(<"$TMP/out")"
	done
	eq "$(jq .size "$TMP/out")" $((64 * MIB)) "size rounded up to chunks"
	eq "$(jq .provisioned "$TMP/out")" 0 provisioned
	dev=$(jq -r .device "$TMP/out")
	eq "$(blockdev --getsize64 "$dev")" $((64 * MIB)) "size of $dev"
	# Blocks as the raw device has them, so that images move between the two.
	eq "$(blockdev --getss "$dev")" "$(blockdev --getss /dev/pmem0)" "logical block"
	eq "$(cat "/sys/block/${dev##*/}/queue/dax")" 1 "queue/dax"
	eq "$(readlink -f /dev/pmemvol/tank/v)" "$dev" link
	eq "$(cat "/sys/block/${dev##*/}/pmemvol/pool")" tank "pool in sysfs"
	eq "$(cat "/sys/block/${dev##*/}/pmemvol/volume")" v "name in sysfs"
	eq "$(cat "/sys/block/${dev##*/}/pmemvol/uuid")" "$(volume_get tank/v uuid)" "UUID in sysfs"
	expect 0 pvctl volume list tank --json
	eq "$(jq -r '.[].name' "$TMP/out")" v list
	expect 0 pvctl volume delete tank/v
	[[ ! -e $dev ]] || fail "$dev is still there"
	expect 0 pvctl volume list tank --json
	eq "$(jq length "$TMP/out")" 0 "volumes after delete"
}

test_idempotence() {
	new_pool tank /dev/pmem0
	new_volume tank/v 16M
	local first=$dev
	new_volume tank/v 16M
	eq "$dev" "$first" "device of the same volume"
	refused 6 "exists with a size" pvctl volume create tank/v --size 32M
	refused 6 "thin, not thick" pvctl volume create tank/v --size 16M --thick
	expect 0 pvctl volume resize tank/v --size 32M
	expect 0 pvctl volume resize tank/v --size 32M
	refused 11 "smaller" pvctl volume resize tank/v --size 16M
	expect 0 pvctl volume rename tank/v w
	refused 5 "no volume v" pvctl volume rename tank/v w2
	expect 0 pvctl volume rename tank/w w
	new_volume tank/x 2M
	refused 6 "" pvctl volume rename tank/w x
	expect 0 pvctl volume delete tank/x
	expect 0 pvctl volume delete tank/x
	expect 0 pvctl volume delete nothing/x
	expect 5 pvctl volume show tank/x
	expect 5 pvctl volume resize tank/x --size 2M
	expect 5 pvctl volume create nothing/x --size 2M
}

test_names() {
	local long name

	printf -v long '%0128d' 7
	new_pool tank /dev/pmem0
	for name in a "$long" disk-334cb6fa-fabd-4687-96dc-0d2b15564822 _x A.b+c-1 +; do
		new_volume "tank/$name" 2M
		eq "$(volume_get "tank/$name" name)" "$name" "name"
		eq "$(cat "/sys/block/${dev##*/}/pmemvol/volume")" "$name" "name in sysfs"
	done
	expect 0 pvctl pool deactivate tank
	expect 0 pvctl pool activate tank
	eq "$(pvctl volume list tank --json | jq length)" 6 "volumes after activation"
	expect 0 pvctl volume rename tank/a "${long/7/8}"
	expect 0 pvctl volume delete "tank/$long"
	for name in "" -a .a "0$long" 'a b' 'a/b' $'a\nb' ä '*'; do
		expect 3 pvctl volume create "tank/$name" --size 2M
	done
	for name in -a .a "0$long" 'a b' ä ''; do
		expect 1 nlreq VOLUME_CREATE '{POOL' POOL_NAME:s:tank '}' '{VOLUME' "VOLUME_NAME:s:$name" VOLUME_SIZE:u64:2M '}'
		grep -q -E '^(EINVAL|ERANGE) ' "$TMP/out" || fail "'$name': the kernel said $(<"$TMP/out")"
	done
	eq "$(pvctl volume list tank --json | jq length)" 5 "volumes after refusals"
	printf -v long '%0129d' 7
	expect 3 pvctl pool create "$long" /dev/pmem1
	expect 3 pvctl pool create .a /dev/pmem1
	printf -v long '%0128d' 7
	expect 0 pvctl pool create "$long" /dev/pmem1
	new_volume "$long/$long" 2M
	eq "$(readlink -f "/dev/pmemvol/$long/$long")" "$dev" "link of long names"
}

test_sizes() {
	new_pool tank /dev/pmem0 --overcommit 1000
	local size
	for size in 0 -1 x 1X ''; do
		expect 3 pvctl volume create tank/v --size "$size"
	done
	expect 1 nlreq VOLUME_CREATE '{POOL' POOL_NAME:s:tank '}' '{VOLUME' VOLUME_NAME:s:v VOLUME_SIZE:u64:0 '}'
	grep -q '^ERANGE a volume of no size' "$TMP/out"
	for size in 0xffffffffffffffff 0x8000000000000000 0x7fffffffffffffff 0x7fffffffffe00000; do
		expect 1 nlreq VOLUME_CREATE '{POOL' POOL_NAME:s:tank '}' '{VOLUME' VOLUME_NAME:s:v "VOLUME_SIZE:u64:$size" '}'
		grep -q -E '^(ERANGE|ENOSPC) ' "$TMP/out" || fail "$size: the kernel said $(<"$TMP/out")"
	done
	new_volume tank/v 1
	eq "$(volume_get tank/v size)" "$CHUNK" "the smallest"
	new_volume tank/big 500G
	eq "$(blockdev --getsize64 "$dev")" $((500 << 30)) "a large one"
	pattern write direct "$dev" 499G 4M 3
	pattern check direct "$dev" 499G 4M 3
	pattern write direct "$dev" $(((500 << 30) - 4096)) 4096 4
	eq "$(volume_get tank/big provisioned)" $((3 * CHUNK)) "provisioned"
	expect 1 nlreq VOLUME_RESIZE '{POOL' POOL_NAME:s:tank '}' '{VOLUME' VOLUME_NAME:s:v VOLUME_SIZE:u64:0xffffffffffffffff '}'
	grep -q '^ERANGE ' "$TMP/out"
	refused 8 overcommit pvctl volume resize tank/v --size 100T
	expect 0 pvctl pool deactivate tank
	expect 0 pvctl pool activate tank
	dev=$(volume_get tank/big device)
	pattern check direct "$dev" 499G 4M 3
	pattern check direct "$dev" $(((500 << 30) - 4096)) 4096 4
}

# Metadata on the medium, of both copies: at most 0.01 % of a volume of 64 GiB. One chunk touched
# in every GiB has all the pages of its map.
test_metadata() {
	local size=$((64 << 30)) metadata

	new_pool tank /dev/pmem0 --overcommit 200
	new_volume tank/v "$size"
	pattern touch "$dev" 0 1G
	eq "$(volume_get tank/v provisioned)" $((64 * CHUNK)) provisioned
	metadata=$(volume_get tank/v metadata)
	note "$metadata bytes of metadata for $size"
	# The figure is of something: each of its chunks has an entry of 8 bytes in two copies.
	((metadata >= size * 16 / CHUNK)) || fail "$metadata bytes cannot be all"
	((metadata * 10000 <= size)) || fail "$metadata bytes are more than 0.01 %"
}

test_grow_online() {
	new_pool tank /dev/pmem0 /dev/pmem1 --overcommit 3000
	new_volume tank/v 4M
	local size step=0 openers
	exec 9<"$dev"
	# Through every height of the map: 512 chunks, 512 * 512 chunks.
	for size in 6M 1022M 1024M 1026M 511G 600G 1500G; do
		expect 0 pvctl volume resize tank/v --size "$size"
		eq "$(blockdev --getsize64 "$dev")" "$(numfmt --from=iec "$size")" "size of $dev"
		step=$((step + 1))
		pattern write direct "$dev" $(($(numfmt --from=iec "$size") - 8192)) 8192 "$step"
	done
	step=0
	for size in 6M 1022M 1024M 1026M 511G 600G 1500G; do
		step=$((step + 1))
		pattern check direct "$dev" $(($(numfmt --from=iec "$size") - 8192)) 8192 "$step"
	done
	openers=$(volume_get tank/v openers)
	[[ $openers == null || $openers -ge 1 ]] || fail "openers $openers"
	exec 9<&-
	expect 0 pvctl pool deactivate tank
	expect 0 pvctl pool activate tank
	dev=$(volume_get tank/v device)
	pattern check direct "$dev" $(((1500 << 30) - 8192)) 8192 7
	pattern check direct "$dev" $(((6 << 20) - 8192)) 8192 1
}

test_rename() {
	new_pool tank /dev/pmem0
	new_volume tank/v 16M
	pattern write direct "$dev" 0 16M 2
	# In use too.
	exec 9<"$dev"
	expect 0 pvctl volume rename tank/v other
	exec 9<&-
	eq "$(volume_get tank/other device)" "$dev" "device after rename"
	eq "$(cat "/sys/block/${dev##*/}/pmemvol/volume")" other "name in sysfs"
	[[ ! -e /dev/pmemvol/tank/v ]] || fail "the old link is still there"
	eq "$(readlink -f /dev/pmemvol/tank/other)" "$dev" link
	expect 0 pvctl pool deactivate tank
	expect 0 pvctl pool activate tank
	pattern check direct "$(volume_get tank/other device)" 0 16M 2
	expect 5 pvctl volume show tank/v
}

# timed WHAT COMMAND...: must work; says how long it took
timed() {
	local what=$1 start=$EPOCHREALTIME
	shift

	expect 0 "$@"
	note "$what in $(awk -v a="$start" -v b="$EPOCHREALTIME" 'BEGIN { printf "%.1f", b - a }') s"
}

# VOLUMES=10000 for many; the time of each step must grow with their number and no faster.
test_thousands() {
	local n free

	n=${VOLUMES:-$(by_kernel 1000 200)}
	new_pool tank /dev/pmem0 /dev/pmem1 --overcommit 100
	free=$(pool_get tank free)
	timed "$n volumes created" nlreq --repeat "$n" VOLUME_CREATE '{POOL' POOL_NAME:s:tank '}' '{VOLUME' VOLUME_NAME:s:volume-% VOLUME_SIZE:u64:4M '}'
	timed "listed by the kernel" nlreq --dump VOLUME_GET
	timed "listed" pvctl volume list tank --json
	eq "$(jq length "$TMP/out")" "$n" "volumes listed"
	eq "$(jq '[.[].name] | unique | length' "$TMP/out")" "$n" "different names"
	eq "$(jq '[.[].device] | unique | length' "$TMP/out")" "$n" "different devices"
	timed "one of them shown" pvctl volume show "tank/volume-$((n - 1))" --json
	dev=$(jq -r .device "$TMP/out")
	pattern write direct "$dev" 0 4M 77
	timed "pools listed" pvctl pool list
	timed "checked online" pvctl pool check tank
	timed "deactivated" pvctl pool deactivate tank
	timed "checked offline" pvctl pool check tank
	timed "activated" pvctl pool activate tank
	eq "$(pvctl volume list tank --json | jq length)" "$n" "volumes after activation"
	pattern check direct "$(volume_get "tank/volume-$((n - 1))" device)" 0 4M 77
	timed "all deleted" nlreq --repeat "$n" VOLUME_DELETE '{POOL' POOL_NAME:s:tank '}' '{VOLUME' VOLUME_NAME:s:volume-% '}'
	eq "$(pvctl volume list tank --json | jq length)" 0 "volumes after delete"
	erased tank
	# Metadata segments stay the pool's: all else is free again.
	eq $(($(pool_get tank free) + $(pool_get tank metadata))) $((free + $(pool_first_metadata))) "free after all is deleted"
}

# Metadata of a fresh pool: one segment in two copies.
pool_first_metadata() {
	echo $((2 * CHUNK))
}

test_busy() {
	new_pool tank /dev/pmem0
	new_volume tank/v 64M
	exec 9<"$dev"
	refused 9 "open or mounted" pvctl volume delete tank/v
	must_fail rmmod pmemvol
	exec 9<&-
	mkfs_dax ext4 "$dev"
	mount_dax ext4 "$dev" "$MNT/a"
	pattern write buffered "$MNT/a/file" 0 4M 6
	refused 9 "open or mounted" pvctl volume delete tank/v
	# Refused is refused: it goes on as before.
	pattern check buffered "$MNT/a/file" 0 4M 6
	umount "$MNT/a"
	expect 0 pvctl volume delete tank/v
}

test_thick() {
	new_pool tank /dev/pmem0 --overcommit 2
	local free before
	before=$(pool_get tank free)
	new_volume tank/thick 300M --thick
	eq "$(volume_get tank/thick thick)" true thick
	free=$(pool_get tank free)
	eq $((before - free)) $((300 * MIB)) "reserved"
	eq "$(volume_get tank/thick provisioned)" 0 "provisioned at once"
	refused 8 "" pvctl volume create tank/two --size 400M --thick
	refused 8 "overcommit" pvctl volume create tank/thin --size 1200M
	new_volume tank/thin 600M
	eq "$(volume_get tank/thin thick)" false thin
	# Space the thin volume takes cannot be guaranteed any more.
	expect 0 pattern fill "$dev" 0x11
	grep -q '^ENOSPC ' "$TMP/out" || fail "filling: $(<"$TMP/out")"
	refused 8 "" pvctl volume create tank/two --size 4M --thick
	refused 8 "" pvctl volume resize tank/thick --size 400M
	# The guaranteed one is written to its end, though the pool is full.
	dev=$(volume_get tank/thick device)
	pattern write direct "$dev" 0 300M 8
	pattern check direct "$dev" 0 300M 8
	expect 0 pvctl volume delete tank/thin
	erased tank
	expect 0 pvctl volume resize tank/thick --size 400M
	pattern write direct "$dev" 300M 100M 9
	expect 0 pvctl pool deactivate tank
	expect 0 pvctl pool activate tank
	eq "$(volume_get tank/thick thick)" true "thick after activation"
	dev=$(volume_get tank/thick device)
	pattern check direct "$dev" 0 300M 8
	expect 0 pvctl volume delete tank/thick
	erased tank
	eq "$(pool_get tank free)" "$before" "free at the end"
}

test_spans_members() {
	new_pool tank /dev/pmem0 /dev/pmem1
	# Larger than either member.
	new_volume tank/v 1000M
	pattern write direct "$dev" 0 1000M 21
	pattern check direct "$dev" 0 1000M 21
	expect 0 pvctl pool deactivate tank
	expect 0 pvctl pool activate tank
	dev=$(volume_get tank/v device)
	pattern check direct "$dev" 0 1000M 21
	eq "$(cat "/sys/block/${dev##*/}/device/numa_node" 2>/dev/null || echo none)" none "no parent device"
}

test_overcommit() {
	new_pool tank /dev/pmem0
	local size
	size=$(pool_get tank size)
	refused 8 overcommit pvctl volume create tank/v --size "$size"
	expect 0 pvctl pool set tank --overcommit 1.5
	new_volume tank/v "$size"
	refused 8 overcommit pvctl volume create tank/w --size $((size * 6 / 10))
	eq "$(pool_get tank promised)" "$((size / CHUNK * CHUNK))" promised
}

tap_main life idempotence names sizes metadata grow-online rename busy thick spans-members overcommit \
	thousands
