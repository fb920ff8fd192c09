#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Kernel memory that a chunk takes, at most 16 bytes: as told by the trace events of the kernel's
# allocators, with what is freed again taken off. A thick volume has the memory of every chunk
# from the start, so that a large pool needs no large medium behind it.
#
#	qemu/vm run --nvdimm 32G --memory 3G -- selftests/kernel/memory.sh [TEST]...

# shellcheck disable=SC2317 # tests are called by name
# shellcheck source=lib.sh
. "$(dirname "$(readlink -f "$0")")/lib.sh"
require_nvdimms 1

readonly TRACING=/sys/kernel/tracing LIMIT=16

trace_off() {
	echo 0 >"$TRACING/tracing_on"
	echo 0 >"$TRACING/events/kmem/enable"
	echo >"$TRACING/set_event_pid"
}

# Allocations of this process and its children.
trace_on() {
	local event

	[[ -e $TRACING/trace ]] || mount -t tracefs tracefs "$TRACING" || skip "this kernel has no tracing"
	[[ -d $TRACING/events/kmem ]] || skip "this kernel does not trace allocations"
	defer trace_off
	echo 16384 >"$TRACING/buffer_size_kb"
	echo 1 >"$TRACING/options/event-fork"
	echo "$BASHPID" >"$TRACING/set_event_pid"
	for event in kmalloc kmalloc_node kmem_cache_alloc kmem_cache_alloc_node kfree kmem_cache_free; do
		[[ ! -d $TRACING/events/kmem/$event ]] || echo 1 >"$TRACING/events/kmem/$event/enable"
	done
}

vmalloc_bytes() {
	awk '/\[pmemvol\]|kvmalloc/ { sum += $2 } END { print sum + 0 }' /proc/vmallocinfo
}

# taken COMMAND...: sets $bytes to what is allocated while it runs and not freed; processes'
# own memory that is freed later is in it, so only differences are exact
taken() {
	local before slab

	before=$(vmalloc_bytes)
	echo >"$TRACING/trace"
	echo 1 >"$TRACING/tracing_on"
	"$@"
	echo 0 >"$TRACING/tracing_on"
	grep -q -E '^# entries-in-buffer/entries-written: ([0-9]+)/\1 ' "$TRACING/trace" ||
		fail "the trace is not complete: $(grep entries "$TRACING/trace")"
	slab=$(awk '
		match($0, /ptr=[0-9a-fx]+/) {
			ptr = substr($0, RSTART, RLENGTH)
			if (match($0, /bytes_alloc=[0-9]+/))
				live[ptr] = substr($0, RSTART + 12, RLENGTH - 12)
			else
				delete live[ptr]
		}
		END {
			for (ptr in live)
				sum += live[ptr]
			print sum + 0
		}' "$TRACING/trace")
	bytes=$((slab + $(vmalloc_bytes) - before))
}

create_thick() {
	expect 0 nlreq VOLUME_CREATE '{POOL' POOL_NAME:s:tank '}' \
		'{VOLUME' "VOLUME_NAME:s:$1" "VOLUME_SIZE:u64:$2" VOLUME_THICK:flag '}'
}

# create_pool CHUNK-SIZE
create_pool() {
	expect 0 nlreq POOL_CREATE '{POOL' POOL_NAME:s:tank POOL_FORCE:flag POOL_OVERCOMMIT:u32:200 \
		"POOL_CHUNK_SIZE:u32:$1" \
		'{POOL_MEMBER' MEMBER_DEVICE:s:/dev/pmem0 '}' '}'
}

# each BYTES CHUNKS BYTES CHUNKS: both quotients together
each() {
	awk -v a="$1" -v b="$2" -v c="$3" -v d="$4" 'BEGIN { printf "%.2f\n", a / b + c / d }'
}

# What does not depend on the number of chunks is taken off: it is measured with few of them.
test_per_chunk() {
	local bytes fixed few pool chunks small large more sum

	trace_on
	taken create_pool 64M
	fixed=$bytes
	few=$(($(pool_get tank size) / (64 * MIB)))
	expect 0 pvctl pool destroy tank
	taken create_pool 2M
	pool=$bytes
	chunks=$(($(pool_get tank size) / CHUNK))
	((chunks > 4000)) || skip "the NVDIMM is too small for a figure"
	taken create_thick small 2M
	small=$bytes
	# All that can be guaranteed but for a few chunks.
	more=$((chunks - 16))
	taken create_thick large $((more * CHUNK))
	large=$bytes
	note "a pool of $few chunks: $fixed bytes, of $chunks: $pool; a volume of 1: $small, of $more: $large"
	sum=$(each $((pool - fixed)) $((chunks - few)) $((large - small)) $((more - 1)))
	note "$sum bytes for each chunk"
	awk -v sum="$sum" -v limit="$LIMIT" 'BEGIN { exit !(sum <= limit) }' || fail "$sum bytes are more than $LIMIT"
	# The figure is of something: the leaves are in it.
	((large - small >= 6 * more)) || fail "$((large - small)) bytes for $more chunks cannot be all"
}

tap_main per-chunk
