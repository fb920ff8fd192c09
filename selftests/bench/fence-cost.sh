#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Cost of 4 KiB random I/O through an open gate as a ratio to the device below, with dm-linear over
# the same device for comparison: qemu/vm run --icount -- selftests/bench/fence-cost.sh
# With --icount the guest's clock counts instructions, so the load of the machine does not matter.
set -euo pipefail

lower=/dev/nullb0

# mean_ns DEVICE MODE: completion latency
mean_ns() {
	fio --name=cost --filename="$1" --rw="$2" --bs=4k --ioengine=psync --direct=1 --size=256M \
		--number_ios=20000 --randrepeat=1 --output-format=json |
		jq '.jobs[0] | .read.clat_ns.mean + .write.clat_ns.mean'
}

# iostats DEVICE 0|1
iostats() {
	echo "$2" >"/sys/block/$(basename "$(readlink -f "$1")")/queue/iostats"
}

# ratio WHAT NS RAW
ratio() {
	awk -v w="$1" -v n="$2" -v r="$3" 'BEGIN { printf ", %s %.0f (%.3f)", w, n, n / r }'
}

modprobe null_blk nr_devices=1 memory_backed=1 irqmode=0 gb=1
modprobe dm-mod
dd if=/dev/zero of="$lower" bs=2M count=128 oflag=direct status=none

declare -A raw linear
for mode in randread randwrite; do
	raw[$mode]=$(mean_ns "$lower" "$mode")
done
dmsetup create --noudevsync linear --table "0 $(blockdev --getsz "$lower") linear $lower 0"
dmsetup mknodes linear
for mode in randread randwrite; do
	linear[$mode]=$(mean_ns /dev/mapper/linear "$mode")
done
dmsetup remove --noudevsync linear

device=$(pvctl fence attach bench "$lower" --node-id 1 --json | jq -r .device)
pvctl fence acquire bench --json >/dev/null
for mode in randread randwrite; do
	with=$(mean_ns "$device" "$mode")
	iostats "$device" 0
	without=$(mean_ns "$device" "$mode")
	iostats "$device" 1
	printf '%s: raw %.0f' "$mode" "${raw[$mode]}"
	ratio dm-linear "${linear[$mode]}" "${raw[$mode]}"
	ratio nvme_fence "$with" "${raw[$mode]}"
	ratio 'without I/O statistics' "$without" "${raw[$mode]}"
	echo
done
pvctl fence detach bench >/dev/null
