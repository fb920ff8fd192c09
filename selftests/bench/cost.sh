#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Cost of 4 KiB random I/O on a provisioned volume as a ratio to the raw device, both in this
# guest: qemu/vm run --icount --nvdimm 2:512M -- selftests/bench/cost.sh
# With --icount the guest's clock counts instructions, so the load of the machine does not matter.
set -euo pipefail

# mean_ns DEVICE MODE: completion latency
mean_ns() {
	fio --name=cost --filename="$1" --rw="$2" --bs=4k --ioengine=psync --direct=1 --size=256M \
		--number_ios=20000 --randrepeat=1 --output-format=json |
		jq '.jobs[0] | .read.clat_ns.mean + .write.clat_ns.mean'
}

pvctl pool create bench /dev/pmem0 --json >/dev/null
device=$(pvctl volume create bench/volume --size 300M --json | jq -r .device)
dd if=/dev/zero of="$device" bs=2M oflag=direct status=none conv=notrunc count=150
for mode in randread randwrite; do
	raw=$(mean_ns /dev/pmem1 "$mode")
	with=$(mean_ns "$device" "$mode")
	stat=$(basename "$device")
	echo 0 >"/sys/block/$stat/queue/iostats"
	without=$(mean_ns "$device" "$mode")
	echo 1 >"/sys/block/$stat/queue/iostats"
	awk -v m="$mode" -v r="$raw" -v w="$with" -v o="$without" 'BEGIN {
		printf "%s: raw %.0f, pmemvol %.0f (%.3f of raw), without I/O statistics %.0f (%.3f)\n",
			m, r, w, w / r, o, o / r }'
done
pvctl pool destroy bench --force
