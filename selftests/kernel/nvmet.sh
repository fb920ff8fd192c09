# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash disable=SC2034
#
# What tests of fencing stand on: block devices made to measure, targets in this guest that offer
# them (NVMe over TCP, RDMA and loop, SCSI over iSCSI), and connections to them
# under chosen host identities. A test file sources this after lib.sh; clean_targets() takes
# everything away after each test.

NVMET=/sys/kernel/config/nvmet
LIO=/sys/kernel/config/target
NULLB=/sys/kernel/config/nullb
RDMA_ADDRESS=10.77.0.1
# Where targets over TCP are; another guest's, where there is one.
TARGET=127.0.0.1
IQN=iqn.2026-01.test.pmemvol

# ---- block devices ----

# null_new NAME MIB [ATTRIBUTE=VALUE]...: keeps what is written; sets $null
null_new() {
	local name=$1 dir=$NULLB/$1 setting

	modprobe null_blk nr_devices=0
	mkdir "$dir"
	echo "$2" >"$dir/size"
	echo 1 >"$dir/memory_backed"
	# A device without a volatile cache and with discard, unless the test wants it otherwise.
	echo 0 >"$dir/irqmode"
	echo 1 >"$dir/discard"
	for setting in "${@:3}"; do
		echo "${setting#*=}" >"$dir/${setting%%=*}"
	done
	echo 1 >"$dir/power"
	# Older kernels number their devices, newer ones name them as they were named here.
	null=/dev/$name
	[[ -b $null ]] || null=/dev/nullb$(<"$dir/index")
	[[ -b $null ]] || fail "no null_blk device $name"
}

null_gone() {
	rmdir "$NULLB/$1"
}

# slow_new NAME DEVICE MS: writes to $slow reach DEVICE so much later; reads do not wait
slow_new() {
	dmsetup create --noudevsync "$1" --table \
		"0 $(blockdev --getsz "$2") delay $2 0 0 $2 0 $3"
	dmsetup mknodes "$1"
	slow=/dev/mapper/$1
}

# slow_set NAME DEVICE MS: another delay for writes from now on
slow_set() {
	dmsetup reload "$1" --table "0 $(blockdev --getsz "$2") delay $2 0 0 $2 0 $3"
	# What waits goes down first.
	dmsetup suspend --noflush "$1"
	dmsetup resume --noudevsync "$1"
}

# ---- NVMe targets ----

# require_target TRANSPORT [reservations]
require_target() {
	require_module nvmet
	case $1 in
	loop) require_module nvme-loop ;;
	tcp | rdma)
		require_module "nvmet-$1"
		require_module "nvme-$1"
		;;
	esac
	[[ ${2-} != reservations ]] || has_nvmet_reservations || skip "this kernel's nvmet has no reservations"
	if [[ $1 == rdma ]]; then
		require_module rdma_rxe
		require_command rdma
		rdma_net
	fi
}

has_nvmet_reservations() {
	local dir=$NVMET/subsystems/probe status=1

	modprobe nvmet
	mkdir "$dir" "$dir/namespaces/1"
	[[ ! -e $dir/namespaces/1/resv_enable ]] || status=0
	rmdir "$dir/namespaces/1" "$dir"
	return $status
}

# Soft RoCE needs a device with an address; loopback is none.
rdma_net() {
	[[ ! -e /sys/class/infiniband/rxe0 ]] || return 0
	ip link add fence0 type veth peer name fence1
	ip address add "$RDMA_ADDRESS/24" dev fence0
	ip link set fence0 up
	ip link set fence1 up
	rdma link add rxe0 type rxe netdev fence0
}

# target_new NAME DEVICE [noresv]: a subsystem with the device as namespace 1. Its UUID is fixed,
# so that a host recognises it after the target was restarted.
target_new() {
	local dir=$NVMET/subsystems/$1 ns=$NVMET/subsystems/$1/namespaces/1

	mkdir "$dir" "$ns"
	echo 1 >"$dir/attr_allow_any_host"
	echo -n "$2" >"$ns/device_path"
	if [[ -e $ns/resv_enable && ${3-} != noresv ]]; then
		echo 1 >"$ns/resv_enable"
	fi
	echo 1 >"$ns/enable"
}

# port_new NUMBER TRANSPORT: 4420 + NUMBER is its port
port_new() {
	local dir=$NVMET/ports/$1

	mkdir "$dir"
	echo "$2" >"$dir/addr_trtype"
	case $2 in
	loop) return ;;
	tcp) echo "$TARGET" >"$dir/addr_traddr" ;;
	rdma) echo "$RDMA_ADDRESS" >"$dir/addr_traddr" ;;
	esac
	echo ipv4 >"$dir/addr_adrfam"
	echo $((4420 + $1)) >"$dir/addr_trsvcid"
}

# offer NAME PORT
offer() {
	ln -s "$NVMET/subsystems/$1" "$NVMET/ports/$2/subsystems/$1"
}

# withdraw NAME PORT: every connection over the port breaks
withdraw() {
	rm "$NVMET/ports/$2/subsystems/$1"
}

# target NAME DEVICE TRANSPORT [noresv]: all of it, on port 1
target() {
	target_new "$1" "$2" "${@:4}"
	port_new 1 "$3"
	offer "$1" 1
}

# target_restart NAME PORT: what a target without persistence does: connections break, and the
# reservation and all registrations are forgotten. Hosts come back by themselves (not over loop).
target_restart() {
	local ns=$NVMET/subsystems/$1/namespaces/1

	withdraw "$1" "$2"
	echo 0 >"$ns/enable"
	echo 1 >"$ns/enable"
	offer "$1" "$2"
}

# ---- NVMe hosts ----

host_uuid() {
	printf '00000000-0000-4000-8000-%012x' "$1"
}

# connect NAME TRANSPORT HOST [PORT [OPTION,...]]: as the host with that number; a host's NQN and
# its ID go together. Sets $ctrl, such as nvme0, and $nvme, its block device.
connect() {
	local options uuid fd answer

	uuid=$(host_uuid "$3")
	options="transport=$2,nqn=$1,hostnqn=nqn.2014-08.org.nvmexpress:uuid:$uuid,hostid=$uuid"
	case $2 in
	tcp) options+=",traddr=$TARGET,trsvcid=$((4420 + ${4:-1}))" ;;
	rdma) options+=",traddr=$RDMA_ADDRESS,trsvcid=$((4420 + ${4:-1}))" ;;
	esac
	[[ $2 == loop ]] || options+=",reconnect_delay=1,ctrl_loss_tmo=120"
	exec {fd}<>/dev/nvme-fabrics
	echo -n "$options${5:+,$5}" >&"$fd" || fail "$2 connection to $1 refused"
	IFS= read -r answer <&"$fd"
	exec {fd}>&-
	[[ $answer =~ ^instance=([0-9]+) ]] || fail "$2 connection to $1: $answer"
	ctrl=nvme${BASH_REMATCH[1]}
	wait_for has_block_device "$ctrl"
	nvme=$(block_device "$ctrl")
}

is_multipath() {
	[[ $(</sys/module/nvme_core/parameters/multipath) == Y ]]
}

# block_device CONTROLLER: of its namespace 1. With multipath it is the subsystem's, whose paths
# the controllers are.
block_device() {
	local path

	for path in "/sys/class/nvme/$1"/nvme*n1; do
		[[ -e $path ]] || continue
		path=${path##*/}
		if [[ $path =~ ^(nvme[0-9]+)c[0-9]+(n1)$ ]]; then
			path=${BASH_REMATCH[1]}${BASH_REMATCH[2]}
		fi
		echo "/dev/$path"
		return
	done
}

has_block_device() {
	local device

	device=$(block_device "$1")
	# The node may exist before the namespace was read.
	[[ -n $device && -b $device && $(<"/sys/class/block/${device##*/}/size") != 0 ]]
}

# disconnect CONTROLLER
disconnect() {
	echo 1 >"/sys/class/nvme/$1/delete_controller"
}

# is_live CONTROLLER
is_live() {
	[[ $(<"/sys/class/nvme/$1/state") == live ]]
}

# ---- SCSI targets ----

# Over iSCSI, for each session can have an initiator's name of its own. Not over the kernel's own
# loopback: a PREEMPT AND ABORT there waits in a work item for that very work item, in all kernels.
require_scsi_target() {
	require_module target_core_mod
	require_module target_core_iblock
	require_module iscsi_target_mod
	require_module iscsi_tcp
	require_command iscsistart
	modprobe sd_mod
	# Where it keeps reservations through power loss, which Linux asks for.
	mkdir -p /var/target/pr /etc/target/pr
}

# scsi_target NAME DEVICE
scsi_target() {
	local dir=$LIO/core/iblock_0/$1 tpg=$LIO/iscsi/$IQN:$1/tpgt_1

	mkdir -p "$dir"
	echo "udev_path=$2,readonly=0" >"$dir/control"
	echo 1 >"$dir/enable"
	echo "$1" >"$dir/wwn/vpd_unit_serial"
	# The folder of a transport loads it.
	[[ -d $LIO/iscsi ]] || mkdir "$LIO/iscsi"
	mkdir -p "$tpg/np/0.0.0.0:3260" "$tpg/lun/lun_0"
	ln -s "$dir" "$tpg/lun/lun_0/$1"
	echo 0 >"$tpg/attrib/authentication"
	echo 0 >"$tpg/attrib/demo_mode_write_protect"
	echo 1 >"$tpg/attrib/generate_node_acls"
	echo 1 >"$tpg/attrib/cache_dynamic_acls"
	echo 1 >"$tpg/enable"
}

# scsi_connect NAME HOST: as the initiator with that number; sets $scsi. Each has an address that no
# test in this guest had: iscsistart takes sessions to one address for the same, and one whose
# target has gone lives on for two minutes.
scsi_connect() {
	local before after n=0

	before=$(scsi_disks)
	[[ ! -e /run/iscsi-addresses ]] || read -r n </run/iscsi-addresses
	echo $((n + 1)) >/run/iscsi-addresses
	iscsistart -i "$IQN:host$2" -t "$IQN:$1" -g 1 -a "127.1.$((n / 200)).$((n % 200 + 1))" -p 3260
	wait_for one_scsi_disk_more "$before"
	after=$(scsi_disks)
	scsi=/dev/$(comm -13 <(echo "$before") <(echo "$after"))
}

# Disks of sessions that have not ended.
scsi_disks() {
	local path

	for path in /sys/class/iscsi_session/session*/device/target*/*/block/sd*; do
		[[ ! -e $path || ! -b /dev/${path##*/} || $(<"$path/size") == 0 ]] || echo "${path##*/}"
	done | sort
}

one_scsi_disk_more() {
	[[ $(comm -13 <(echo "$1") <(scsi_disks)) == sd* ]]
}

# ---- taking apart ----

no_controllers() {
	! compgen -G '/sys/class/nvme-fabrics/ctl/nvme*' >/dev/null
}

clean_nvme() {
	local path

	for path in /sys/class/nvme-fabrics/ctl/nvme*/delete_controller; do
		[[ ! -e $path ]] || echo 1 >"$path"
	done
	[[ -d $NVMET ]] || return 0
	for path in "$NVMET"/ports/*/subsystems/*; do
		[[ ! -L $path ]] || rm "$path"
	done
	for path in "$NVMET"/subsystems/*/namespaces/* "$NVMET"/subsystems/* "$NVMET"/ports/*; do
		[[ ! -d $path ]] || rmdir "$path"
	done
}

clean_scsi() {
	local path

	for path in /sys/class/iscsi_session/session*/device/target*/*/delete; do
		[[ ! -e $path ]] || echo 1 >"$path"
	done
	[[ -d $LIO ]] || return 0
	for path in "$LIO"/iscsi/iqn.*/tpgt_1/enable; do
		[[ ! -e $path ]] || echo 0 >"$path"
	done
	for path in "$LIO"/iscsi/iqn.*/tpgt_1/lun/lun_0/*; do
		[[ ! -L $path ]] || rm "$path"
	done
	for path in "$LIO"/iscsi/iqn.*/tpgt_1/{np/*,lun/lun_0,acls/*} "$LIO"/iscsi/iqn.*/tpgt_1 \
		"$LIO"/iscsi/iqn.* "$LIO"/core/iblock_0/* "$LIO"/core/iblock_0; do
		[[ ! -d $path ]] || rmdir "$path"
	done
}

clean_null() {
	local path

	for path in "$NULLB"/*/; do
		[[ ! -d $path ]] || rmdir "$path"
	done
}

# Called by clean_up, from the top down.
clean_targets() {
	local problems=0

	if declare -F clean_fences >/dev/null; then
		clean_fences || problems=1
	fi
	clean_nvme || problems=1
	wait_for no_controllers
	clean_scsi || problems=1
	dm_gone || problems=1
	clean_null || problems=1
	return $problems
}
