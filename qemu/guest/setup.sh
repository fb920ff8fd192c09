# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash disable=SC2034,SC2154
#
# vm, port, pumps, report_fd and VM_* are init's.
#
# What the guest is made of, before COMMAND.

# The first stage has mounted what every guest has.
finish_filesystems() {
	local name number major kernel

	read -r kernel </proc/sys/kernel/osrelease
	if [[ -n $VM_KERNEL_DIR ]]; then
		mkdir -p "/lib/modules/$kernel"
		mount_9p kernel "/lib/modules/$kernel" ro,cache=loose
	fi
	[[ -d /sys/kernel/config ]] || modprobe configfs
	mount -t configfs configfs /sys/kernel/config

	# Nodes that load their module when opened; udev's part otherwise.
	while read -r _ name number; do
		case $name in
		fuse | loop-control | mapper/control)
			[[ ! -e /dev/$name ]] || continue
			major=${number%:*}
			mknod "/dev/$name" c "${major#c}" "${number#*:}"
			;;
		esac
	done <"/lib/modules/$kernel/modules.devname"
}

# Over 9p a program takes a tenth of a second to start, for the files it loads: what tests start all
# the time comes from the tmpfs above the root. Changing an owner, to what it is, puts a file there.
programs_to_memory() {
	local -a files
	local lib=/usr/lib/x86_64-linux-gnu

	shopt -s nullglob
	files=(/etc/ld.so.cache "$lib"/ld-linux-x86-64.so.2
		"$lib"/lib{c,m,dl,pthread,rt,selinux,pcre2-8,pcre,tinfo,acl,attr,cap,z,zstd,lzma,crypto}.so.*
		"$lib"/lib{nl-3,nl-genl-3,ndctl,daxctl,blkid,uuid,json-c,udev,kmod,jq,onig,mount,smartcols}.so.*
		/usr/bin/{bash,grep,sed,mawk,jq,cat,cp,mv,rm,rmdir,mkdir,mkfifo,ls,ln,sort,head,tail,wc,cut,tr,dd,stat,sleep}
		/usr/bin/{date,env,timeout,setsid,seq,touch,sync,readlink,dirname,basename,mount,umount,findmnt,lsblk,tee,uniq}
		/usr/sbin/{blockdev,blkdiscard,mke2fs,mkfs.xfs})
	shopt -u nullglob
	chown 0:0 "${files[@]}"
}

# mount_9p TAG WHERE OPTIONS
mount_9p() {
	mount -t 9p -o "trans=virtio,version=9p2000.L,msize=512000,$3" "$1" "$2"
}

# Without udev a port's node has no name: sysfs knows it.
open_ports() {
	local entry

	[[ -d /sys/class/virtio-ports ]] || modprobe virtio_console
	for entry in /sys/class/virtio-ports/*; do
		port[$(<"$entry/name")]=/dev/${entry##*/}
	done
	exec {report_fd}>"${port[report]}"
}

# wait_until WHAT COMMAND...: devices appear some time after their driver was loaded.
wait_until() {
	local what=$1 end=$((SECONDS + 60))
	shift

	until "$@"; do
		((SECONDS < end)) || die "$what"
		sleep 0.1
	done
}

has_device() {
	[[ -e /sys/class/block/$1 && -b /dev/$1 ]]
}

# has_fsdax NUMBER: the device is over a namespace with a page map, not over a raw one.
has_fsdax() {
	has_device "pmem$1" && compgen -G "/sys/bus/nd/devices/region$1/pfn$1.*/block/pmem$1" >/dev/null
}

# is_blank DEVICE: where the info block of a namespace is there are zeroes only.
is_blank() {
	cmp -s -n 16384 "$1" /dev/zero
}

# A namespace with a page map in RAM over each region that has none yet. The
# region's number is the DIMM's, and so is its block device's. ndctl has to be
# forced, and would not spare what a kept device holds: so the drivers are
# waited for, and then the medium itself has to be blank.
make_nvdimms() {
	local i index region

	((${#VM_NVDIMM_SLOTS[@]})) || return 0
	modprobe -a nfit nd_pmem || die "the NVDIMM drivers do not load"
	wait_until "there is no NVDIMM bus" test -e /sys/bus/nd/devices/ndbus0/wait_probe
	# Reading waits for what is being probed.
	read -r _ </sys/bus/nd/devices/ndbus0/wait_probe
	for i in "${!VM_NVDIMM_SLOTS[@]}"; do
		region=/sys/bus/nd/devices/region$i
		wait_until "there is no region $i" test -e "$region/nfit/range_index"
		read -r index <"$region/nfit/range_index"
		((index == (VM_NVDIMM_SLOTS[i] + 1) * 2)) || die "region $i is not NVDIMM $i"
		wait_until "there is no /dev/pmem$i" has_device "pmem$i"
		! has_fsdax "$i" || continue
		is_blank "/dev/pmem$i" || die "NVDIMM $i holds data, but no fsdax namespace"
		ndctl create-namespace -f -e "namespace$i.0" -m fsdax --map=mem ||
			die "no fsdax namespace on NVDIMM $i"
		wait_until "there is no fsdax namespace on /dev/pmem$i" has_fsdax "$i"
	done
}

make_nvme() {
	local i

	((VM_NVMES)) || return 0
	modprobe nvme || die "the NVMe driver does not load"
	for ((i = 1; i <= VM_NVMES; i++)); do
		wait_until "there is no /dev/nvme0n$i" test -b "/dev/nvme0n$i"
	done
}

make_network() {
	local interface

	[[ -n $VM_ADDRESS ]] || return 0
	[[ -d /sys/module/virtio_net ]] || modprobe virtio_net || die "the network's driver does not load"
	for interface in /sys/class/net/*; do
		[[ -e $interface/device ]] || continue
		ip address add "$VM_ADDRESS/24" dev "${interface##*/}" &&
			ip link set "${interface##*/}" up && return
	done
	die "there is no network card"
}

start_udev() {
	/lib/systemd/systemd-udevd --daemon || die "udev does not start"
	udevadm trigger --action=add
	udevadm settle --timeout=60 || die "udev does not settle"
}

# The tree as the host has it, and over it what was built for this kernel.
mount_tree() {
	mount_9p tree "$vm/tree" ro,cache=mmap || die "the tree could not be mounted"
	mkdir -p "$VM_TREE"
	if ((VM_OUT)); then
		mount_9p out "$vm/out" ro,cache=loose || die "the build could not be mounted"
		mount -t overlay -o "ro,lowerdir=$vm/out/tree:$vm/tree" overlay "$VM_TREE" ||
			die "the tree could not be mounted"
	else
		mount --bind "$vm/tree" "$VM_TREE" || die "the tree could not be mounted"
	fi
}

# mount_shares above|beside: a share that holds the tree goes below its mount.
mount_shares() {
	local i where

	for i in "${!VM_SHARES[@]}"; do
		where=beside
		[[ $VM_TREE/ != "${VM_SHARES[i]%/}"/* ]] || where=above
		[[ $where == "$1" ]] || continue
		mkdir -p "${VM_SHARES[i]}"
		mount_9p "share$i" "${VM_SHARES[i]}" rw,cache=mmap ||
			die "${VM_SHARES[i]} could not be mounted"
	done
}

load_modules() {
	local name file depends

	for name in pmemvol nvme_fence; do
		file=$vm/out/modules/$name.ko
		[[ -e $file ]] || continue
		depends=$(modinfo -F depends "$file")
		# shellcheck disable=SC2086 # a list of names
		[[ -z $depends ]] || modprobe -a ${depends//,/ }
		insmod "$file" || die "module $name does not load"
	done
}
