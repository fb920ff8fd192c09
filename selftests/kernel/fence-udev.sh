#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Names of attachments by udev's rule. Asked for by requests to the kernel alone, where pvctl has no
# part in the links, and by pvctl, which has them ready when it answers.
#
#	qemu/vm run --udev -- selftests/kernel/fence-udev.sh [TEST]...

# shellcheck disable=SC2317 # tests are called by name
# shellcheck source=lib.sh
. "$(dirname "$(readlink -f "$0")")/lib.sh"
# shellcheck source=nvmet.sh
. "$HERE/nvmet.sh"
# shellcheck source=fence-lib.sh
. "$HERE/fence-lib.sh"
require_fence
[[ -e /run/udev/control ]] || skip_all "udev does not run"
mkdir -p /run/udev/rules.d
cp "$HERE/../../tools/pvctl/60-nvme_fence.rules" /run/udev/rules.d/
udevadm control --reload

ask() {
	nlreq --fence "$1" '{ATTACHMENT' "ATT_NAME:s:$2" "${@:3}" '}'
}

kernel_attach() {
	ask ATTACH "$1" "ATT_DEVICE:s:$null" ATT_NODE_ID:u32:1
}

# disk_of NAME: as sysfs says
disk_of() {
	local path

	for path in /sys/block/nvf*/nvme_fence/name; do
		[[ $(<"$path") != "$1" ]] || basename "${path%/nvme_fence/name}"
	done
}

leads_to() {
	[[ $(readlink -f "/dev/nvme_fence/$1") == "/dev/$2" ]]
}

no_link() {
	[[ ! -L /dev/nvme_fence/$1 ]]
}

no_folder() {
	[[ ! -e /dev/nvme_fence ]]
}

# /dev/disk is udev's own: no device here is called that.
test_rule() {
	local name

	null_new below 64
	# Every character that a name may have; none is replaced.
	for name in pod-1 A+b_c.d-e; do
		kernel_attach "$name"
		wait_for leads_to "$name" "$(disk_of "$name")"
	done
	ask DETACH pod-1
	wait_for no_link pod-1
	leads_to A+b_c.d-e "$(disk_of A+b_c.d-e)"
	# Another disk of the same name.
	kernel_attach other
	kernel_attach pod-1
	wait_for leads_to pod-1 "$(disk_of pod-1)"
	for name in other pod-1 A+b_c.d-e; do
		ask DETACH "$name"
	done
	wait_for no_folder
}

test_pvctl() {
	null_new below 64
	attach pod "$null" 1
	leads_to pod "${dev#/dev/}" || fail "attached, and no link"
	eq "$(udevadm info --query=symlink "$dev" | tr ' ' '\n' | grep -x nvme_fence/pod)" nvme_fence/pod "udev's link"
	acquire pod
	put /dev/nvme_fence/pod
	pvctl fence detach pod
	wait_for no_folder
}

tap_main rule pvctl
