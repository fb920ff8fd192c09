#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# An NVMe namespace that two nodes share, over NVMe/TCP. Both nodes are this guest,
# under two host identities; the target with reservations is in it too. A writer is paused, another
# takes over, and the first one wakes up.
set -euo pipefail

here=$(dirname "$(readlink -f "$0")")
# shellcheck source=selftests/demo/lib.sh
. "$here/lib.sh"
# shellcheck source=selftests/demo/nodes.sh
. "$here/nodes.sh"
target=/sys/kernel/config/nvmet
share_a_namespace() {
	local subsystem=$target/subsystems/shared port=$target/ports/1

	modprobe -a nvmet nvmet-tcp nvme-tcp
	modprobe null_blk nr_devices=1 memory_backed=1 gb=1
	ip link set lo up
	mkdir "$subsystem" "$subsystem/namespaces/1" "$port"
	echo 1 >"$subsystem/attr_allow_any_host"
	echo -n /dev/nullb0 >"$subsystem/namespaces/1/device_path"
	echo 1 >"$subsystem/namespaces/1/resv_enable"
	echo 1 >"$subsystem/namespaces/1/enable"
	echo tcp >"$port/addr_trtype"
	echo ipv4 >"$port/addr_adrfam"
	echo 127.0.0.1 >"$port/addr_traddr"
	echo 4420 >"$port/addr_trsvcid"
	ln -s "$subsystem" "$port/subsystems/shared"
}

# Writes a numbered record every tenth of a second, until it is told that it may not.
writer() {
	local n

	for ((n = 1; ; n++)); do
		printf '%-511s\n' "record $n of the first pod" | dd of="$1" bs=512 count=1 oflag=direct \
			conv=notrunc status=none || {
			echo "the first pod could not write record $n and ends"
			return 1
		}
		echo "$n" >/tmp/demo/written
		sleep 0.1
	done
}

records_written() {
	[[ -e /tmp/demo/written && $(</tmp/demo/written) -ge $1 ]]
}

step "A namespace that two nodes share; the target has reservations"
share_a_namespace
first=$(connect 1 tcp 127.0.0.1 shared)
second=$(connect 2 tcp 127.0.0.1 shared)
echo "node 1 has it as $first, node 2 as $second"

step "A pod on each node gets a device of its own. Neither writes before it has an epoch"
fence 1 attach pod-a "$first" --node-id 1 --require device >/dev/null
fence 2 attach pod-b "$second" --node-id 2 --require device >/dev/null
fence 1 status
refused_write /dev/nvme_fence/pod-a

step "Pod a acquires epoch 1 and writes"
fence 1 acquire pod-a | grep -E '^(state|epoch)'
set -m
writer /dev/nvme_fence/pod-a >/tmp/demo/writer 2>&1 &
pod=$!
set +m
wait_for records_written 10
echo "record $(</tmp/demo/written) is written"

step "Pod a hangs (SIGSTOP). Pod b takes over: the answer means that nothing older lands any more"
kill -STOP "-$pod"
fence 2 acquire pod-b | grep -E '^(state|epoch)'
printf '%-511s\n' "pod b was here" |
	dd of=/dev/nvme_fence/pod-b bs=512 count=1 oflag=direct conv=notrunc status=none
fence 2 status pod-b | grep -E '^(reservation|registrant)'

step "Pod a wakes up, and knows nothing of it"
kill -CONT "-$pod"
if wait "$pod"; then
	exit 1
fi
cat /tmp/demo/writer
fence 1 status
echo "on the namespace: $(head -c 511 "$first" | tr -s ' ')"
[[ $(head -c 14 "$first") == "pod b was here" ]]

step "Repeating an old acquire with its epoch takes nothing back"
if fence 1 acquire pod-a --epoch 1; then
	exit 1
fi

step "Two pods of one node, which a reservation cannot tell apart"
fence 2 attach pod-c "$second" --node-id 2 >/dev/null
fence 2 acquire pod-c | grep -E '^(state|epoch)'
refused_write /dev/nvme_fence/pod-b
fence 2 status
