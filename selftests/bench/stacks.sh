# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# What is compared: each stack makes a block device of $SIZE over the same two devices, and takes
# itself apart again.
#
#	stack_up NAME	sets $dev; stack_down NAME, also of what stack_up has not finished
#
# DEVICES, SIZE and TMP are the caller's.

readonly MIB=$((1 << 20))
# shellcheck disable=SC2034 # for the caller
readonly STACKS=(raw lvm-linear lvm-striped dm-linear-2m lvm-thin lvm-thin-snapshot
	pmemvol-thick pmemvol-thin pmemvol-span pmemvol-snapshot)
readonly VG=pmemvol_bench POOL=pmemvol-bench

# LVM without udev waits for nobody.
lvm_config=()
[[ -e /run/udev/control ]] || lvm_config=(--config 'activation{udev_sync=0 udev_rules=0}')

# lvm_do COMMAND...: quiet unless it fails
lvm_do() {
	"$1" "${lvm_config[@]}" -y "${@:2}" >"$TMP/lvm" 2>&1 || {
		cat "$TMP/lvm" >&2
		return 1
	}
	dmsetup mknodes
}

stack_up() {
	case $1 in
	raw) dev=${DEVICES[0]} ;;
	lvm-linear)
		lvm_do vgcreate "$VG" "${DEVICES[0]}"
		lvm_do lvcreate -Wn -Zn -L "${SIZE}b" -n volume "$VG"
		dev=/dev/mapper/$VG-volume
		;;
	lvm-striped)
		lvm_do vgcreate "$VG" "${DEVICES[@]}"
		lvm_do lvcreate -Wn -Zn -i 2 -L "${SIZE}b" -n volume "$VG"
		dev=/dev/mapper/$VG-volume
		;;
	dm-linear-2m)
		dmsetup create --noudevsync "$VG" --table \
			"0 $((SIZE / 512)) linear ${DEVICES[0]} $((2 * MIB / 512))"
		dmsetup mknodes "$VG"
		dev=/dev/mapper/$VG
		;;
	lvm-thin | lvm-thin-snapshot)
		lvm_do vgcreate "$VG" "${DEVICES[0]}"
		lvm_do lvcreate --type thin-pool -L "$((SIZE + 64 * MIB))b" -n pool "$VG"
		lvm_do lvcreate --type thin -V "${SIZE}b" --thinpool pool -n volume "$VG"
		dev=/dev/mapper/$VG-volume
		;;
	pmemvol-thick)
		pool_up "${DEVICES[0]}"
		volume_up thick
		;;
	pmemvol-thin | pmemvol-snapshot)
		pool_up "${DEVICES[0]}"
		volume_up thin
		;;
	pmemvol-span)
		pool_up "${DEVICES[@]}"
		fill_first
		volume_up thin
		;;
	esac
	[[ -b $dev ]]
}

stack_down() {
	case $1 in
	raw) ;;
	dm-linear-2m) dmsetup remove --noudevsync "$VG" ;;
	lvm*) lvm_do vgremove -f "$VG" ;;
	pmemvol*) pvctl pool destroy "$POOL" --force >"$TMP/pool" ;;
	esac
	blank "${DEVICES[@]}"
}

pool_up() {
	pvctl pool create "$POOL" "$@" --json >"$TMP/pool"
}

# volume_up thin|thick
volume_up() {
	local thick=()

	[[ $1 != thick ]] || thick=(--thick)
	dev=$(pvctl volume create "$POOL/volume" --size "$SIZE" "${thick[@]}" --json | jq -r .device)
}

# stack_snapshot NAME: of all that is there
stack_snapshot() {
	case $1 in
	lvm*) lvm_do lvcreate -s -n kept "$VG/volume" ;;
	pmemvol*) pvctl snapshot create "$POOL/volume@snapshot" >"$TMP/pool" ;;
	esac
}

# So much of the first member that half of what comes next is on the second.
fill_first() {
	local filler bytes

	bytes=$(($(blockdev --getsize64 "${DEVICES[0]}") - SIZE / 2))
	bytes=$((bytes - bytes % (2 * MIB)))
	filler=$(pvctl volume create "$POOL/filler" --size "$bytes" --json | jq -r .device)
	measure first "$filler" "$bytes" 2M >"$TMP/filler"
}

# blank DEVICE...: nothing is left that looks like content to what comes next
blank() {
	local device end

	for device; do
		end=$(($(blockdev --getsize64 "$device") - MIB))
		dd if=/dev/zero of="$device" bs=1M count=4 oflag=direct status=none
		dd if=/dev/zero of="$device" bs=1M seek=$((end / MIB)) oflag=direct status=none 2>/dev/null ||
			true
	done
}

# is_free DEVICE: nobody uses it and it carries nothing; else says why
is_free() {
	local device=$1 name
	name=$(basename "$(readlink -f "$1")")

	if [[ ! -b $device ]]; then
		echo "$device is no block device"
	elif compgen -G "/sys/class/block/$name/holders/*" >/dev/null; then
		echo "$device is held by $(ls "/sys/class/block/$name/holders")"
	elif compgen -G "/sys/block/$name/$name*" >/dev/null; then
		echo "$device has partitions"
	elif grep -q -E "^$(readlink -f "$device") " /proc/self/mounts /proc/swaps; then
		echo "$device is mounted"
	elif [[ -n $(wipefs -n -i "$device") ]]; then
		echo "$device carries $(wipefs -n -i -O TYPE --noheadings "$device" | sort -u | paste -s -d ' ')"
	elif ! measure blank "$device"; then
		echo "$device is not blank; blkdiscard -z makes it so"
	elif ! measure free "$device" 2>"$TMP/free"; then
		echo "$device is in use: $(<"$TMP/free")"
	else
		return 0
	fi
	return 1
}
