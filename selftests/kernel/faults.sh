#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Memory runs out at every point: an operation is refused or works, and leaves nothing behind.
# What leaks is found by kmemleak when the guest ends. Needs a kernel with fault injection.
#
#	qemu/vm run --kernel debug --nvdimm 640M,448M,256M -- selftests/kernel/faults.sh [TEST]...

# shellcheck disable=SC2317 # tests are called by name
# shellcheck source=lib.sh
. "$(dirname "$(readlink -f "$0")")/lib.sh"
require_nvdimms 2
[[ -e /proc/self/fail-nth && -d /sys/kernel/debug/failslab ]] ||
	skip_all "this kernel has no fault injection"

for kind in failslab fail_page_alloc; do
	dir=/sys/kernel/debug/$kind
	[[ -d $dir ]] || continue
	echo 0 >"$dir/verbose"
	[[ ! -e $dir/ignore-gfp-wait ]] || echo N >"$dir/ignore-gfp-wait"
	[[ ! -e $dir/cache-filter ]] || echo N >"$dir/cache-filter"
	[[ ! -e $dir/min-order ]] || echo 0 >"$dir/min-order"
done

# each_point UNDO TOKEN...: the request with the first, second, third ... allocation failing,
# until none fails any more; the first ones each, of the hundreds that follow, which are the block
# layer's own, every so many (FAULTS_STEP, 1 for all). After each UNDO makes the old state again.
each_point() {
	local undo=$1 n out status refused=0 done=0
	shift

	for ((n = 1; n < 4000; n += n < 24 ? 1 : ${FAULTS_STEP:-61})); do
		status=0
		out=$(nlreq --fail-nth "$n" "$@") || status=$?
		((status < 2)) || fail "allocation $n: $out"
		if ((status == 0)); then
			"$undo"
			done=$((done + 1))
		else
			refused=$((refused + 1))
			[[ $out == "ENOMEM "* || $out == "ENOBUFS "* || $out == "EMSGSIZE "* || $out == "EIO "* ||
				$out == "ENOSPC "* || $out == "EMEDIUMTYPE "* ]] || fail "allocation $n: $out"
			# A refusal after the fact: the answer alone could not be sent.
			"$undo"
		fi
		unchanged || fail "allocation $n: the state has changed ($out)"
		[[ $out == *injected* || $out == *send* ]] || break
	done
	((refused > 0)) || fail "no allocation was ever refused"
	note "$n points, $refused refused, $done done in spite of a failed allocation"
}

# The names and sizes as remembered; counted by the kernel, which is quick.
unchanged() {
	[[ $(nlreq --dump VOLUME_GET) == "$before" ]]
}

remember() {
	before=$(nlreq --dump VOLUME_GET)
}

# request COMMAND VOLUME [TOKEN]...: must work, or what it is about is not there
request() {
	local status=0

	nlreq "$1" '{POOL' POOL_NAME:s:tank '}' '{VOLUME' "VOLUME_NAME:s:$2" "${@:3}" '}' >"$TMP/request" || status=$?
	((status == 0)) || grep -q -E '^ENOENT ' "$TMP/request" || fail "$*: $(<"$TMP/request")"
}

setup() {
	new_pool tank /dev/pmem0
	new_volume tank/v 8M
	remember
}

delete_w() { request VOLUME_DELETE w; }

test_create() {
	setup
	each_point delete_w VOLUME_CREATE '{POOL' POOL_NAME:s:tank '}' '{VOLUME' VOLUME_NAME:s:w VOLUME_SIZE:u64:4M '}'
	erased tank
	expect 0 pvctl volume create tank/w --size 4M
}

test_create_thick() {
	local free

	setup
	free=$(pool_get tank free)
	each_point delete_w VOLUME_CREATE '{POOL' POOL_NAME:s:tank '}' '{VOLUME' VOLUME_NAME:s:w VOLUME_SIZE:u64:64M VOLUME_THICK:flag '}'
	erased tank
	eq "$(pool_get tank free)" "$free" "free at the end"
}

again_w() {
	request VOLUME_DELETE w
	request VOLUME_CREATE w VOLUME_SIZE:u64:4M
}

test_resize() {
	setup
	expect 0 pvctl volume create tank/w --size 4M
	remember
	each_point again_w VOLUME_RESIZE '{POOL' POOL_NAME:s:tank '}' '{VOLUME' VOLUME_NAME:s:w VOLUME_SIZE:u64:16M '}'
}

back_to_w() {
	request VOLUME_RENAME x VOLUME_NEW_NAME:s:w
}

test_rename() {
	setup
	expect 0 pvctl volume create tank/w --size 4M
	remember
	each_point back_to_w VOLUME_RENAME '{POOL' POOL_NAME:s:tank '}' '{VOLUME' VOLUME_NAME:s:w VOLUME_NEW_NAME:s:x '}'
}

test_delete() {
	setup
	expect 0 pvctl volume create tank/w --size 4M
	remember
	each_point again_w VOLUME_DELETE '{POOL' POOL_NAME:s:tank '}' '{VOLUME' VOLUME_NAME:s:w '}'
}

off_again() {
	nlreq POOL_DEACTIVATE '{POOL' POOL_NAME:s:tank '}' >"$TMP/off" || grep -q '^ENOENT' "$TMP/off"
}

test_activate() {
	setup
	pattern write direct "$dev" 0 8M 3
	pvctl pool deactivate tank
	remember
	each_point off_again POOL_ACTIVATE '{POOL' POOL_NAME:s:tank '{POOL_MEMBER' MEMBER_DEVICE:s:/dev/pmem0 '}' '}'
	expect 0 pvctl pool activate tank
	pattern check direct "$(volume_get tank/v device)" 0 8M 3
}

lake_gone() {
	nlreq POOL_DESTROY '{POOL' POOL_NAME:s:lake '}' >"$TMP/gone" || grep -q '^ENOENT' "$TMP/gone"
}

test_pool_create() {
	setup
	each_point lake_gone POOL_CREATE '{POOL' POOL_NAME:s:lake POOL_FORCE:flag '{POOL_MEMBER' MEMBER_DEVICE:s:/dev/pmem1 '}' '}'
	expect 0 pvctl pool create lake /dev/pmem1 --force
}

test_pool_extend() {
	setup
	pattern write direct "$dev" 0 8M 3
	each_extend
	eq "$(pool_get tank 'members | length')" 2 members
	pattern check direct "$dev" 0 8M 3
	pvctl pool deactivate tank
	expect 0 pvctl pool activate tank
	pattern check direct "$(volume_get tank/v device)" 0 8M 3
}

# Extending cannot be undone: it is tried until it works.
each_extend() {
	local n out status

	for ((n = 1; n < 2000; n++)); do
		status=0
		out=$(nlreq --fail-nth "$n" POOL_EXTEND '{POOL' POOL_NAME:s:tank '{POOL_MEMBER' MEMBER_DEVICE:s:/dev/pmem1 '}' '}') || status=$?
		((status)) || break
		[[ $out != "EBUSY "* ]] || break
		unchanged || fail "allocation $n: the state has changed ($out)"
	done
	note "extended at the ${n}th try: $out"
}

test_dumps() {
	setup
	local n out status

	for ((n = 1; n < 200; n++)); do
		status=0
		out=$(nlreq --fail-nth "$n" --dump VOLUME_GET) || status=$?
		((status < 2)) || fail "allocation $n: $out"
		[[ $out == *injected* || $out == *send* ]] || break
	done
	eq "$out" "OK 1" "the dump that nothing disturbed"
}

# place N: where the N-th write goes, so that it needs a leaf of its own
place() {
	echo $(($1 * 1024 * MIB + 4096))
}

# Memory runs out under a write: it fails, or is there.
test_provision() {
	local n out status written=() failed=()

	new_pool tank /dev/pmem0 --overcommit 200
	new_volume tank/v 64G
	for ((n = 1; n < 64; n++)); do
		status=0
		out=$(FAIL_NTH=$n pattern write direct "$dev" "$(place "$n")" 4096 "$n" 2>"$TMP/failed") || status=$?
		((status < 2)) || fail "allocation $n: $(<"$TMP/failed")"
		if ((status)); then
			failed+=("$n")
		else
			written+=("$n")
		fi
		[[ $out == injected ]] || break
	done
	note "${#failed[@]} of $n writes failed"
	((${#failed[@]})) || fail "no write ever failed"
	((n < 64)) || fail "an allocation still failed"
	expect 0 pvctl pool check tank
	expect 0 pvctl pool deactivate tank
	expect 0 pvctl pool activate tank
	dev=$(volume_get tank/v device)
	for n in "${written[@]}"; do
		pattern check direct "$dev" "$(place "$n")" 4096 "$n"
		pattern zero direct "$dev" $(($(place "$n") - 4096)) 4096
	done
	for n in "${failed[@]}"; do
		pattern zero direct "$dev" $(($(place "$n") - 4096)) 8192
	done
}

tap_main create create-thick resize rename delete activate pool-create pool-extend dumps provision
