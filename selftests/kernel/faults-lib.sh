# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# A request with each of its allocations failing in turn, for faults.sh and faults-snapshot.sh.
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

# on_medium N: there are so many volumes and snapshots, which the next activation would take
on_medium() {
	pvctl pool check tank --json >"$TMP/medium" || fail "not clean: $(<"$TMP/medium")"
	[[ $(jq .volumes "$TMP/medium") == "$1" ]]
}

# place N: where the N-th write goes, so that it needs a leaf of its own
place() {
	echo $(($1 * 1024 * MIB + 4096))
}
