#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# How long a take-over takes in the kernel, when nothing is in flight, from the request to its answer: on one
# node, and between two over NVMe/TCP, where the kernel's target has reservations.
#
#	qemu/vm run --append nvme_core.multipath=N -- selftests/bench/fence-takeover-cost.sh
#
# With --icount the guest's clock counts instructions of its one processor, for which a grace
# period is none; it says nothing about two nodes then.
# shellcheck source-path=SCRIPTDIR disable=SC2154 # $null, $a and $b are set by nvmet.sh and fence-lib.sh
# shellcheck source=../kernel/lib.sh
. "$(dirname "$(readlink -f "$0")")/../kernel/lib.sh"
# shellcheck source=../kernel/nvmet.sh
. "$HERE/nvmet.sh"
# shellcheck source=../kernel/fence-lib.sh
. "$HERE/fence-lib.sh"
set -e

count=${TAKEOVERS:-200}

# ask COMMAND NAME COUNT [TOKEN]...: sets $us, the mean
ask() {
	us=$(nlreq --fence --repeat "$3" "$1" '{ATTACHMENT' "ATT_NAME:s:$2" "${@:4}" '}')
	us=${us#OK }
	us=${us% *}
}

one_node() {
	local round

	null_new disk 64
	ask ATTACH pod% "$count" "ATT_DEVICE:s:$null" ATT_NODE_ID:u32:1
	for round in 1 2 3; do
		ask ACQUIRE pod% "$count"
		echo "take-over on one node, mean of $count, round $round: $us us"
	done
	ask DETACH pod% "$count"
	null_gone disk
}

two_nodes() {
	local i name sum=0

	two_hosts tcp
	ask ATTACH a 1 "ATT_DEVICE:s:$a" ATT_NODE_ID:u32:1
	ask ATTACH b 1 "ATT_DEVICE:s:$b" ATT_NODE_ID:u32:2
	for ((i = 0; i < count; i++)); do
		name=a
		((i % 2)) || name=b
		ask ACQUIRE "$name" 1
		((i == 0)) || sum=$((sum + us))
	done
	echo "take-over between nodes over NVMe/TCP, mean of $((count - 1)): $((sum / (count - 1))) us"
}

one_node
if has_nvmet_reservations && ! is_multipath; then
	two_nodes
fi
clean_targets
