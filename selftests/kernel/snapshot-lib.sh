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

# ---- a writer that goes on all the time (journal.c) ----

# writer_start TAG METHOD FILE: the number of the process is $writer
writer_start() {
	echo "ACK $1 0" >"$TMP/acks-$1"
	nice -n 19 journal write "$2" "$1" "$3" "$SLOTS" 1 >>"$TMP/acks-$1" &
	# shellcheck disable=SC2034 # for the tests
	writer=$!
}

# writer_end PROCESS...
writer_end() {
	kill "$@"
	wait "$@" || [[ $? == 143 ]]
}

# acked TAG: a number that was acknowledged, and not two before the last one: that line may not be whole
acked() {
	tail -n 2 "$TMP/acks-$1" | awk 'NR == 1 { print $3 }'
}

# acked_further NUMBER TAG
acked_further() {
	(($(acked "$2") > $1))
}

# shows_prefix FILE TAG BEFORE AFTER: every record up to one of those that were written while the snapshot was
# made, which is the last, and of the next a part at most; $prefix is its number
shows_prefix() {
	prefix=$(journal last "$1" "$SLOTS" "$3" $(($4 + 3)))
	journal check "$1" "$SLOTS" "$prefix" 1 || fail "not what was written up to record $prefix of $2"
}
