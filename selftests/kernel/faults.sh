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
# shellcheck source=faults-lib.sh
. "$(dirname "$(readlink -f "$0")")/faults-lib.sh"

# What was refused is not on the medium either; what was made goes from there in the background.
delete_w() {
	request VOLUME_DELETE w
	wait_for on_medium 1
}

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

# Extending cannot be undone: after one that worked, the pool is made anew.
test_pool_extend() {
	local n out status refused=0 done=0

	setup
	for ((n = 1; n < 2000; n += n < 24 ? 1 : ${FAULTS_STEP:-61})); do
		status=0
		out=$(nlreq --fail-nth "$n" POOL_EXTEND '{POOL' POOL_NAME:s:tank '{POOL_MEMBER' MEMBER_DEVICE:s:/dev/pmem1 '}' '}') || status=$?
		((status < 2)) || fail "allocation $n: $out"
		unchanged || fail "allocation $n: the state has changed ($out)"
		[[ $out == *injected* || $out == *send* ]] || break
		if ((status)) && [[ $(pool_get tank 'members | length') == 1 ]]; then
			refused=$((refused + 1))
			continue
		fi
		done=$((done + 1))
		expect 0 nlreq POOL_DESTROY '{POOL' POOL_NAME:s:tank POOL_FORCE:flag '}'
		new_pool tank /dev/pmem0
		remember
	done
	((status == 0)) || fail "extending is refused still: $out"
	((refused > 0)) || fail "no allocation was ever refused"
	note "$n points, $refused refused, $done done in spite of a failed allocation"
	eq "$(pool_get tank 'members | length')" 2 members
	((done)) || fail "the pool was never made anew"
	new_volume tank/v 8M
	pattern write direct "$dev" 0 8M 3
	expect 0 pvctl pool deactivate tank
	expect 0 pvctl pool activate tank
	pattern check direct "$(volume_get tank/v device)" 0 8M 3
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
