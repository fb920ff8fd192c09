# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# Two nodes in one guest: host identities, with a record of epochs each.

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

# connect NODE TRANSPORT ADDRESS SUBSYSTEM: prints the namespace as that node sees it
connect() {
	local uuid=00000000-0000-4000-8000-00000000000$1 controller

	controller=$(nvme connect -t "$2" -a "$3" -s 4420 -n "$4" -o json \
		--hostnqn "nqn.2014-08.org.nvmexpress:uuid:$uuid" --hostid "$uuid" | jq -r .device)
	wait_for test -b "/dev/${controller}n1"
	echo "/dev/${controller}n1"
}

# A write that has to fail, and says why.
refused_write() {
	if dd if=/dev/zero of="$1" bs=512 count=1 oflag=direct status=none 2>/tmp/demo/refused; then
		echo "demo: $1 was written to" >&2
		exit 1
	fi
	cat /tmp/demo/refused
}
