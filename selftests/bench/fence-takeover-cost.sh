#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# How long a take-over on one node takes in the kernel, when nothing is in flight: from the request to
# its answer. qemu/vm run -- selftests/bench/fence-takeover-cost.sh; with --icount the guest's clock
# counts instructions of its one processor, for which a grace period is none.
set -euo pipefail

PATH=$(dirname "$(readlink -f "$0")")/../kernel/bin:$PATH
lower=/dev/nullb0
count=${TAKEOVERS:-200}

modprobe null_blk nr_devices=1 memory_backed=1 irqmode=0 gb=1
nlreq --fence --repeat "$count" ATTACH '{ATTACHMENT' ATT_NAME:s:pod% ATT_DEVICE:s:$lower ATT_NODE_ID:u32:1 '}' >/dev/null
for round in 1 2 3; do
	answer=$(nlreq --fence --repeat "$count" ACQUIRE '{ATTACHMENT' ATT_NAME:s:pod% '}')
	echo "take-over, mean of $count, round $round: ${answer#OK } us"
done
nlreq --fence --repeat "$count" DETACH '{ATTACHMENT' ATT_NAME:s:pod% '}' >/dev/null
