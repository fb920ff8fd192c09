# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# Snapshots as the kernel offers them, for the tests of snapshots.

# nl_snapshot COMMAND POOL VOLUME SNAPSHOT [TOKEN]...: of nlreq
nl_snapshot() {
	nlreq "$1" '{POOL' "POOL_NAME:s:$2" '}' '{VOLUME' "VOLUME_NAME:s:$3" "${@:5}" '}' \
		'{SNAPSHOT' "SNAPSHOT_NAME:s:$4" '}'
}

# snapshot create|delete POOL VOLUME SNAPSHOT
snapshot() {
	local answer

	answer=$(nl_snapshot "SNAPSHOT_${1^^}" "${@:2}") || fail "snapshot $*: $answer"
}

# clone POOL VOLUME SNAPSHOT NEW [TOKEN]...: sets $dev
clone() {
	local answer

	answer=$(nl_snapshot VOLUME_CLONE "$1" "$4" "$3" "VOLUME_ORIGIN:s:$2" "${@:5}") ||
		fail "clone $*: $answer"
	dev=$(volume_get "$1/$4" device)
	[[ -b $dev ]] || fail "$1/$4 has no device: '$dev'"
}

# rollback POOL VOLUME SNAPSHOT
rollback() {
	local answer

	answer=$(nl_snapshot VOLUME_ROLLBACK "$@") || fail "rollback $*: $answer"
}

# nl_refused ERRNO TEXT COMMAND POOL VOLUME SNAPSHOT [TOKEN]...
nl_refused() {
	local answer

	answer=$(nl_snapshot "${@:3}") && fail "${*:3} should have been refused"
	[[ $answer == "$1 "*"$2"* ]] || fail "${*:3}: '$answer', not '$1' with '$2'"
}

# open_snapshot POOL VOLUME SNAPSHOT: sets $snapdev
open_snapshot() {
	local disk names

	snapshot activate "$@"
	for disk in /sys/block/pmv*; do
		# Another's may go at this moment.
		names=$(cat "$disk/pmemvol/pool" "$disk/pmemvol/volume" 2>&1) || continue
		[[ $names == "$1"$'\n'"$2@$3" ]] || continue
		# shellcheck disable=SC2034 # for the tests
		snapdev=/dev/${disk##*/}
		return
	done
	fail "$1/$2@$3 has no disk"
}

close_snapshot() {
	snapshot deactivate "$@"
}

# mount_snapshot FS DEVICE WHERE: a snapshot is as frozen: XFS leaves something in its log then
mount_snapshot() {
	mkdir -p "$3"
	case $1 in
	ext4) mount -t ext4 -o ro "$2" "$3" ;;
	xfs) mount -t xfs -o ro,norecovery,nouuid "$2" "$3" ;;
	esac
}

# mount_clone FS DEVICE WHERE: beside its origin
mount_clone() {
	mount_dax "$1" "$2" "$3" "$([[ $1 != xfs ]] || echo nouuid)"
}
