#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Volumes as block devices.
#
#	qemu/vm run --nvdimm 640M,448M,256M -- selftests/kernel/block.sh [TEST]...

# shellcheck disable=SC2317 # tests are called by name
# shellcheck source=lib.sh
. "$(dirname "$(readlink -f "$0")")/lib.sh"
require_nvdimms 2

setup() {
	new_pool tank /dev/pmem0 /dev/pmem1 --overcommit 2
	new_volume tank/v "${1:-256M}"
	disk=/sys/block/${dev##*/}
}

# Where the second member begins for a volume that was filled in order.
test_model() {
	local seed

	setup 32M
	for seed in 1 2; do
		blkdiscard "$dev"
		model block "$dev" 32M "$(by_kernel 4000 800)" "$seed"
	done
}

test_member_border() {
	local first border off

	setup 1000M
	first=$(pool_get tank 'members[0].size')
	pattern write direct "$dev" 0 1000M 1
	# Around where the first member was used up, in pieces that cross chunks.
	border=$((first / CHUNK * CHUNK))
	for off in $((border - 8 * CHUNK)) $((border - 4 * CHUNK)) $((border - 2 * CHUNK)) $((border - CHUNK)) "$border"; do
		pattern write direct "$dev" $((off - 512)) 1024 "$((off % 97))"
		pattern check direct "$dev" $((off - 512)) 1024 "$((off % 97))"
		pattern write direct "$dev" $((off - 512)) 1024 1
	done
	pattern check direct "$dev" 0 1000M 1
}

fio_verify() {
	require_command fio
	fio --name=v --filename="$dev" --size=128M --direct=1 --verify=crc32c --verify_fatal=1 \
		--do_verify=1 --randrepeat=1 --io_size="$(by_kernel 96M 24M)" --output="$TMP/fio" "$@" || {
		cat "$TMP/fio"
		return 1
	}
}

test_fio_libaio() {
	setup
	fio_verify --ioengine=libaio --iodepth=16 --rw=randwrite --bs=4k
}

test_fio_io_uring() {
	setup
	require_command fio
	fio --name=probe --filename="$dev" --ioengine=io_uring --rw=read --bs=4k --size=4k --output="$TMP/probe" ||
		skip "io_uring does not work here: $(tail -n 1 "$TMP/probe")"
	fio_verify --ioengine=io_uring --iodepth=16 --rw=randwrite --bs=4k
}

test_fio_mixed_sizes() {
	setup
	fio_verify --ioengine=libaio --iodepth=8 --rw=randwrite --bsrange=512-4m --blockalign=512 --bs_unaligned=0
}

test_fio_fsync() {
	setup
	fio_verify --ioengine=psync --rw=randwrite --bs=512 --fsync=8 --io_size=2M
}

trace_off() {
	echo 0 >"$1/enable"
	echo 0 >"$1/filter"
}

# traced RWBS COUNT: so many bios of that kind came to the driver, or more
traced() {
	local count

	count=$(grep -c -E ": block_bio_queue: [0-9]+,[0-9]+ $1 " "$TMP/trace") || count=0
	((count >= $2)) || { tail -n 40 "$TMP/trace" && fail "$count bios were $1, not $2"; }
}

# The announced write cache; of a volume without one the block layer strips both kinds before the
# driver sees them.
test_flush() {
	local trace=$MNT/trace event number

	setup
	eq "$(<"$disk/queue/write_cache")" "write back" "write cache"
	eq "$(<"$disk/queue/fua")" 1 FUA
	mkdir "$trace"
	mount -t tracefs tracefs "$trace"
	event=$trace/events/block/block_bio_queue
	IFS=: read -ra number <"$disk/dev"
	defer trace_off "$event"
	echo "dev == $((number[0] << 20 | number[1]))" >"$event/filter"
	echo >"$trace/trace"
	echo 1 >"$event/enable"
	head -c 64K /dev/urandom >"$TMP/data"
	# Each write by itself on the medium: forced, and flushed behind it; provisioning and not.
	dd if="$TMP/data" of="$dev" bs=4k oflag=direct,dsync status=none
	dd if="$TMP/data" of="$dev" bs=4k oflag=direct,dsync conv=notrunc status=none
	dd if="$TMP/data" of="$dev" bs=64k seek=1 oflag=direct conv=fsync status=none
	trace_off "$event"
	cat "$trace/trace" >"$TMP/trace"
	traced 'WFS' 32
	traced 'F(W|F)S?' 1
	cmp <(dd if="$dev" bs=64k count=1 iflag=direct status=none) "$TMP/data"
	cmp <(dd if="$dev" bs=64k skip=1 count=1 iflag=direct status=none) "$TMP/data"
	blockdev --flushbufs "$dev"
}

test_discard() {
	local before free

	setup
	free=$(pool_get tank free)
	pattern write direct "$dev" 0 64M 5
	before=$(volume_get tank/v provisioned)
	eq "$before" $((64 * MIB)) provisioned
	# Part of a chunk gives nothing back.
	blkdiscard -o $((CHUNK + 4096)) -l $((CHUNK - 8192)) "$dev"
	eq "$(volume_get tank/v provisioned)" "$before" "provisioned after discarding part of a chunk"
	pattern check direct "$dev" 0 $((CHUNK + 4096)) 5
	blkdiscard -o $((4 * CHUNK - 4096)) -l $((2 * CHUNK + 8192)) "$dev"
	eq "$(volume_get tank/v provisioned)" $((before - 2 * CHUNK)) "provisioned after discarding two chunks"
	pattern zero direct "$dev" $((4 * CHUNK)) $((2 * CHUNK))
	pattern check direct "$dev" $((6 * CHUNK + 4096)) $((8 * CHUNK)) 5
	blkdiscard "$dev"
	eq "$(volume_get tank/v provisioned)" 0 "provisioned after discarding all"
	pattern zero direct "$dev" 0 256M
	erased tank
	eq "$(pool_get tank free)" "$free" "free at the end"
	(($(cat "$disk/queue/discard_granularity") > 0)) || fail "no discard granularity"
}

test_write_zeroes() {
	setup
	pattern write direct "$dev" 0 32M 6
	blkdiscard -z -o 512 -l $((5 * CHUNK)) "$dev"
	pattern check direct "$dev" 0 512 6
	pattern zero direct "$dev" 512 $((5 * CHUNK))
	pattern check direct "$dev" $((5 * CHUNK + 512)) $((32 * MIB - 5 * CHUNK - 512)) 6
	# Zeros on nothing provision nothing.
	local before
	before=$(volume_get tank/v provisioned)
	blkdiscard -z -o 128M -l 64M "$dev"
	eq "$(volume_get tank/v provisioned)" "$before" "provisioned by write-zeroes on nothing"
	fallocate -z -o 4096 -l 8192 "$dev"
	pattern zero direct "$dev" 4096 8192
}

test_nowait() {
	setup
	# Provisioning sleeps; reading nothing, and what is there, does not.
	eq "$(nowait read "$dev" 0 64K)" 65536 "NOWAIT read of nothing"
	eq "$(nowait write "$dev" 0 4096)" EAGAIN "NOWAIT write that has to provision"
	eq "$(volume_get tank/v provisioned)" 0 "provisioned by that"
	pattern write direct "$dev" 0 4M 2
	eq "$(nowait write "$dev" 0 4096)" 4096 "NOWAIT write"
	eq "$(nowait read "$dev" 4096 64K)" 65536 "NOWAIT read"
	pattern check direct "$dev" 0 4096 1
}

# count_small FIELD DD...: until it has taken time
count_small() {
	local before after rounds=0

	read -ra before <"$disk/stat"
	while :; do
		dd bs=4k count=2048 status=none "${@:2}"
		((++rounds))
		read -ra after <"$disk/stat"
		eq $((after[$1] - before[$1])) $((rounds * 2048)) "small ones ($2)"
		eq $((after[$1 + 2] - before[$1 + 2])) $((rounds * 16384)) "sectors of them"
		eq "${after[8]}" 0 "of them in flight"
		((after[9] == before[9] || after[$1 + 3] == before[$1 + 3])) || break
		((rounds < 500)) || fail "$((rounds * 2048)) of $2 took no time"
	done
	note "$2: ${after[9]} ms after $rounds rounds"
}

test_statistics() {
	local before after

	setup
	read -ra before <"$disk/stat"
	pattern write direct "$dev" 0 8M 3
	pattern check direct "$dev" 0 8M 3
	read -ra after <"$disk/stat"
	eq $(((after[2] - before[2]) * 512)) $((8 * MIB)) "bytes read"
	eq $(((after[6] - before[6]) * 512)) $((8 * MIB)) "bytes written"
	# The program looks for signatures first: reads are not counted here.
	blkdiscard -f -o 8M -l 8M "$dev"
	read -ra after <"$disk/stat"
	eq $(((after[13] - before[13]) * 512)) $((8 * MIB)) "bytes discarded"
	eq "${after[8]}" 0 "in flight"
	grep -q " ${dev##*/} " /proc/diskstats
	# Small ones: nearly all of them begin and end between two ticks of the kernel's clock.
	count_small 0 if="$dev" iflag=direct of=/dev/null
	count_small 4 if=/dev/zero of="$dev" oflag=direct conv=notrunc
	pattern write direct "$dev" 0 8M 3
	echo 0 >"$disk/queue/iostats"
	pattern check direct "$dev" 0 4M 3
	echo 1 >"$disk/queue/iostats"
}

test_reading_nothing() {
	local free

	setup
	free=$(pool_get tank free)
	pattern zero direct "$dev" 0 256M
	pattern zero buffered "$dev" 0 256M
	eq "$(volume_get tank/v provisioned)" 0 provisioned
	eq "$(pool_get tank free)" "$free" free
}

test_end_of_device() {
	setup 2M
	must_fail dd if=/dev/zero of="$dev" bs=4096 seek=512 count=1 oflag=direct
	eq "$(dd if="$dev" bs=4096 skip=512 count=1 iflag=direct status=none | wc -c)" 0 "read behind the end"
	pattern write direct "$dev" $((2 * MIB - 512)) 512 3
	pattern check direct "$dev" $((2 * MIB - 512)) 512 3
	must_fail dd if=/dev/zero of="$dev" bs=511 count=1 oflag=direct
}

test_read_only() {
	setup
	pattern write direct "$dev" 0 4M 3
	blockdev --setro "$dev"
	must_fail dd if=/dev/zero of="$dev" bs=4096 count=1 oflag=direct
	pattern check direct "$dev" 0 4M 3
	blockdev --setrw "$dev"
	pattern write direct "$dev" 0 4M 4
}

# Without DAX: the page cache over the volume.
test_buffered() {
	setup
	pattern write buffered "$dev" 0 64M 7
	pattern check direct "$dev" 0 64M 7
	pattern write direct "$dev" 0 8M 8
	pattern check buffered "$dev" 0 8M 8
}

tap_main model member-border fio-libaio fio-io-uring fio-mixed-sizes fio-fsync flush discard \
	write-zeroes nowait statistics reading-nothing end-of-device read-only buffered
