# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# A CSI plugin in shell: each call is what Documentation/csi.md says of it, with pvctl doing the
# work. The exit status is the gRPC code, the reply goes to standard output as JSON, a failure to
# standard error. It keeps no state: whatever it needs to know it asks pvctl, so it may be killed
# anywhere. A volume's ID is POOL/NAME.

CSI_POOL=${CSI_POOL:-tank}

# csi_kind PMEMTYPE: options for the kind of volume
csi_kind() {
	case $1 in
	lvm | direct) echo --thick ;;
	thin) ;;
	*) return 3 ;;
	esac
}

# csi_create_volume NAME REQUIRED LIMIT [PMEMTYPE]; LIMIT 0: none
csi_create_volume() {
	local kind
	local -a options=(--size "$2")

	kind=$(csi_kind "${4:-lvm}") || return 3
	[[ $3 == 0 ]] || options+=(--limit "$3")
	[[ -z $kind ]] || options+=("$kind")
	pvctl volume create "$CSI_POOL/$1" "${options[@]}" --timeout 60 --json
}

csi_delete_volume() {
	pvctl volume delete "$1" --timeout 60 --json
}

# csi_get_capacity [PMEMTYPE]: available_capacity, maximum_volume_size and minimum_volume_size
csi_get_capacity() {
	local kind

	kind=$(csi_kind "${1:-lvm}") || return 3
	pvctl capacity "$CSI_POOL" --timeout 60 --json >"$TMP/capacity" || return
	jq -c --arg k "${kind:+thick}" \
		'.[if $k == "" then "thin" else $k end] + { minimum_volume_size }' "$TMP/capacity"
}

csi_validate_volume() {
	pvctl volume show "$1" --timeout 60 --json
}

# csi_controller_expand ID REQUIRED LIMIT
csi_controller_expand() {
	# Without a limit any volume that is large enough will do.
	pvctl volume resize "$1" --size "$2" --limit "${3:-8191T}" --timeout 60 --json
}

# csi_node_stage ID STAGING FSTYPE [MOUNTFLAG]...: FSTYPE "block" for a raw volume
csi_node_stage() {
	local device have

	device=$(pvctl volume show "$1" --timeout 60 --json | jq -r .link)
	[[ -n $device ]] || return 5
	[[ $3 != block ]] || return 0
	if mountpoint -q "$2"; then
		pvctl volume stats "$1" --path "$2" --timeout 60 --json >"$TMP/stage" && return 0
		return 6
	fi
	have=$(blkid -p -s TYPE -o value "$device") || have=
	case $have in
	"") mkfs_dax "$3" "$device" || return 13 ;;
	"$3") ;;
	*) return 9 ;;
	esac
	mkdir -p "$2"
	mount -t "$3" -o "$(csi_mount_flags "${@:4}")" "$device" "$2" || return 13
}

# "dax", as storage classes have it, is "dax=always" to the file systems.
csi_mount_flags() {
	local flag flags=defaults

	for flag; do
		[[ $flag != dax ]] || flag=dax=always
		flags+=,$flag
	done
	echo "$flags"
}

csi_node_unstage() {
	! mountpoint -q "$1" || umount "$1" || return 13
	[[ ! -d $1 ]] || rmdir "$1"
}

# csi_node_publish ID STAGING TARGET [ro]: a file as TARGET for a raw volume
csi_node_publish() {
	local device

	! mountpoint -q "$3" || return 0
	if mountpoint -q "$2"; then
		mkdir -p "$3"
		mount --bind "$2" "$3" || return 13
		[[ ${4-} != ro ]] || mount -o remount,bind,ro "$3" || return 13
		return 0
	fi
	device=$(pvctl volume show "$1" --timeout 60 --json | jq -r .device)
	[[ -n $device ]] || return 5
	# The node of the device itself, so that its number is right in a container, too.
	mkdir -p "$(dirname "$3")"
	touch "$3"
	mount --bind "$device" "$3" || return 13
}

csi_node_unpublish() {
	! mountpoint -q "$1" || umount "$1" || return 13
	if [[ -d $1 ]]; then
		rmdir "$1"
	else
		rm -f "$1"
	fi
}

# csi_node_expand ID PATH: nothing to do for a raw volume
csi_node_expand() {
	local stats

	stats=$(pvctl volume stats "$1" --path "$2" --timeout 60 --json) || return
	case $(jq -r .fs_type <<<"$stats") in
	ext4) resize2fs "$(jq -r .device <<<"$stats")" >"$TMP/expand" 2>&1 || return 13 ;;
	xfs) xfs_growfs "$2" >"$TMP/expand" 2>&1 || return 13 ;;
	esac
}

# csi_node_stats ID PATH
csi_node_stats() {
	pvctl volume stats "$1" --path "$2" --timeout 60 --json
}
