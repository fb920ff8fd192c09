#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# A volume that other nodes use: over NVMe/TCP and NVMe/RDMA (Soft RoCE). Home, node 1 and node 2
# are this guest, under host identities of their own.
set -euo pipefail

here=$(dirname "$(readlink -f "$0")")
# shellcheck source=selftests/demo/lib.sh
. "$here/lib.sh"
# shellcheck source=selftests/demo/nodes.sh
. "$here/nodes.sh"
readonly ADDRESS=10.77.0.1

# Soft RoCE needs a device with an address; loopback is none.
make_network() {
	modprobe -a rdma_rxe nvme-tcp nvme-rdma
	ip link set lo up
	ip link add eth0 type veth peer name eth1
	ip address add "$ADDRESS/24" dev eth0
	ip link set eth0 up
	ip link set eth1 up
	rdma link add rxe0 type rxe netdev eth0
}

# on NODE COMMAND...: show the command, then what it prints
on() {
	printf '%s$ %s\n' "$1" "${*:2}" >&3
	"${@:2}"
}

size_is() {
	[[ $(blockdev --getsize64 "$1") -eq $2 ]]
}

make_network
pvctl pool create tank /dev/pmem0 >/dev/null

step "A thin volume, offered to other nodes over TCP and over RDMA"
on home pvctl volume create tank/shared --size 256M >/dev/null
on home pvctl export tank/shared --transport tcp --address "$ADDRESS" --port 4420 >/dev/null
on home pvctl export tank/shared --transport rdma --address "$ADDRESS" --port 4420 >/dev/null
on home pvctl export list
nqn=$(pvctl export list --json | jq -r '.[0].nqn')

step "Node 1 connects over TCP and makes a file system"
first=$(connect 1 tcp "$ADDRESS" "$nqn")
on node1 mkfs.ext4 -q "$first"
mkdir -p /mnt/shared /mnt/nightly
on node1 mount "$first" /mnt/shared
dd if=/dev/urandom of=/mnt/shared/data bs=1M count=64 conv=fsync status=none
on home pvctl volume list

step "It grows at home, and with it the mounted file system of node 1"
on home pvctl volume resize tank/shared --size 512M >/dev/null
wait_for size_is "$first" $((512 << 20))
on node1 resize2fs "$first" 2>&1 | grep -v '^$'
df -h --output=target,size /mnt/shared

step "A snapshot at home of what node 1 has on its disk"
sum=$(md5sum </mnt/shared/data)
sync -f /mnt/shared
on home pvctl snapshot create tank/shared@nightly >/dev/null
rm /mnt/shared/data
sync -f /mnt/shared
on home pvctl snapshot activate tank/shared@nightly >/dev/null
on home mount -o ro,noload /dev/pmemvol/tank/shared@nightly /mnt/nightly
[[ $(md5sum </mnt/nightly/data) == "$sum" ]]
echo "node 1 has deleted its data since; the snapshot has it, md5 ${sum%% *}"
umount /mnt/nightly /mnt/shared

step "Node 2 connects over RDMA; a pod on each node gets a fenced device"
second=$(connect 2 rdma "$ADDRESS" "$nqn")
fence 1 attach pod-a "$first" --node-id 1 --require device >/dev/null
fence 2 attach pod-b "$second" --node-id 2 --require device >/dev/null
fence 1 acquire pod-a | grep -E '^(state|epoch)'
printf '%-4095s\n' "pod a was here" |
	dd of=/dev/nvme_fence/pod-a bs=4k count=1 oflag=direct status=none

step "Pod b takes over: persistent memory, thin volume, NVMe-oF, fenced attachment"
fence 2 acquire pod-b | grep -E '^(state|epoch)'
printf '%-4095s\n' "pod b was here" |
	dd of=/dev/nvme_fence/pod-b bs=4k count=1 oflag=direct status=none
refused_write /dev/nvme_fence/pod-a
echo "on the volume: $(head -c 4095 "$second" | tr -s ' ')"
[[ $(head -c 14 "$second") == "pod b was here" ]]

step "Everything goes back"
for pod in pod-a pod-b; do
	pvctl fence detach "$pod"
done
nvme disconnect -n "$nqn" >/dev/null
on home pvctl unexport tank/shared
on home pvctl snapshot delete tank/shared@nightly
on home pvctl volume delete tank/shared
wait_for nothing_to_erase
on home pvctl pool destroy tank
