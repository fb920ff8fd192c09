#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Third guest: an NVMe namespace that two nodes share, over NVMe/TCP. Both nodes are this guest,
# under two host identities; the target with reservations is in it too. A writer is paused, another
# takes over, and the first one wakes up.
set -euo pipefail

here=$(dirname "$(readlink -f "$0")")
# shellcheck source=selftests/demo/lib.sh
. "$here/lib.sh"
target=/sys/kernel/config/nvmet
mkdir -p /tmp/demo
# Commands are shown whatever becomes of their output.
exec 3>&1

# fence NODE COMMAND...: pvctl fence as on that node, with its own record of epochs
fence() {
	local node=$1
	shift

	printf 'node%s$ pvctl fence %s\n' "$node" "$*" >&3
	PVCTL_STATE_DIR=/tmp/demo/node$node pvctl fence "$@"
}

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

# connect NODE: prints the namespace as that node sees it
connect() {
	local uuid=00000000-0000-4000-8000-00000000000$1 controller

	controller=$(nvme connect -t tcp -a 127.0.0.1 -s 4420 -n shared -o json \
		--hostnqn "nqn.2014-08.org.nvmexpress:uuid:$uuid" --hostid "$uuid" | jq -r .device)
	wait_for test -b "/dev/${controller}n1"
	echo "/dev/${controller}n1"
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

# A write that has to fail, and says why.
refused_write() {
	if dd if=/dev/zero of="$1" bs=512 count=1 oflag=direct status=none 2>/tmp/demo/refused; then
		echo "demo: $1 was written to" >&2
		exit 1
	fi
	cat /tmp/demo/refused
}

records_written() {
	[[ -e /tmp/demo/written && $(</tmp/demo/written) -ge $1 ]]
}

step "A namespace that two nodes share; the target has reservations"
share_a_namespace
first=$(connect 1)
second=$(connect 2)
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
