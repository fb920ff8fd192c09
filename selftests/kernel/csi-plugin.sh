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

# csi_create_volume NAME REQUIRED LIMIT [PMEMTYPE [SOURCE]]; LIMIT 0: none; SOURCE: the ID of a
# snapshot or a volume
csi_create_volume() {
	local kind
	local -a options=(--size "$2")

	kind=$(csi_kind "${4:-lvm}") || return 3
	[[ $3 == 0 ]] || options+=(--limit "$3")
	[[ -z $kind ]] || options+=("$kind")
	case ${5-} in
	"") pvctl volume create "$CSI_POOL/$1" "${options[@]}" --timeout 60 --json ;;
	*@*) pvctl clone "$5" "$CSI_POOL/$1" "${options[@]}" --timeout 60 --json ;;
	*)
		# By its name it is known whose it is, and it goes with that volume.
		take_snapshot "$5@$1" >"$TMP/source" || return
		pvctl clone "$5@$1" "$CSI_POOL/$1" "${options[@]}" --timeout 60 --json
		;;
	esac
}

csi_delete_volume() {
	local source

	pvctl volume delete "$1" --timeout 60 --json || return
	for source in $(snapshots_named "${1#*/}"); do
		pvctl snapshot delete "$source" --timeout 60 || return
	done
}

# take_snapshot ID: 10 means that pages of files are pinned just now
take_snapshot() {
	local status tries

	for ((tries = 0; tries < 10; tries++)); do
		status=0
		pvctl snapshot create "$1" --timeout 60 --json || status=$?
		((status == 10)) || return "$status"
	done
	return 10
}

# snapshots_named NAME: their IDs
snapshots_named() {
	pvctl snapshot list "$CSI_POOL" --timeout 60 --json |
		jq -r --arg n "$1" '.[] | select(.name == $n) | "\(.pool)/\(.volume)@\(.name)"'
}

# csi_create_snapshot NAME SOURCE: CSI has one name for a snapshot, whatever volume it is of
csi_create_snapshot() {
	local have

	for have in $(snapshots_named "$1"); do
		[[ $have == "$2@$1" ]] || return 6
	done
	take_snapshot "$2@$1"
}

csi_delete_snapshot() {
	pvctl snapshot delete "$1" --timeout 60 --json
}

# csi_list_snapshots ID
csi_list_snapshots() {
	local status=0

	pvctl snapshot show "$1" --timeout 60 --json >"$TMP/list" || status=$?
	case $status in
	0) jq -c '[.]' "$TMP/list" ;;
	5) echo '[]' ;;
	*) return "$status" ;;
	esac
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

# csi_node_publish_fenced ID POD TARGET: a device that writes when the pod is the one who is to
csi_node_publish_fenced() {
	local device

	! mountpoint -q "$3" || return 0
	device=$(pvctl volume show "$1" --timeout 60 --json | jq -r .device)
	[[ -n $device ]] || return 5
	pvctl fence attach "$2" "$device" --node-id 1 --state-dir "$TMP/epochs" --timeout 60 --json >"$TMP/attached" ||
		return
	mkdir -p "$(dirname "$3")"
	touch "$3"
	mount --bind "$(jq -r .device "$TMP/attached")" "$3" || return 13
}

# csi_node_unpublish_fenced POD TARGET
csi_node_unpublish_fenced() {
	csi_node_unpublish "$2" || return
	pvctl fence detach "$1" --state-dir "$TMP/epochs" --timeout 60
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
