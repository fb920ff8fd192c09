# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash disable=SC2034,SC2154
#
# What tests of nvme_fence share. A test file sources this after lib.sh and nvmet.sh. After each
# test every attachment is detached, before what is below it goes.

readonly EBADE=52
# Of every test's own: what nodes remember is no part of another test.
export PVCTL_STATE_DIR=$TMP/state

require_fence() {
	command -v pvctl >/dev/null || skip_all "pvctl is needed"
	[[ -d /sys/module/nvme_fence ]] || skip_all "the module nvme_fence is not loaded"
}

# attach NAME DEVICE NODE [OPTION]...: sets $dev
attach() {
	pvctl fence attach "$1" "$2" --node-id "$3" "${@:4}" --json >"$TMP/attach"
	dev=$(jq -r .device "$TMP/attach")
	[[ -b $dev ]] || fail "$1 has no device: '$dev'"
}

# acquire NAME [OPTION]...: sets $epoch
acquire() {
	pvctl fence acquire "$@" --json >"$TMP/acquire"
	epoch=$(jq -r .epoch "$TMP/acquire")
	eq "$(jq -r .state "$TMP/acquire")" granted "state of $1"
}

# fence_get NAME KEY
fence_get() {
	pvctl fence status "$1" --json | jq -r ".$2"
}

# fence_is NAME KEY VALUE
fence_is() {
	eq "$(fence_get "$1" "$2")" "$3" "$2 of $1"
}

# fence_becomes NAME KEY VALUE: for wait_for
fence_becomes() {
	[[ $(fence_get "$1" "$2") == "$3" ]]
}

device_of() {
	fence_get "$1" device
}

# put DEVICE: one block
put() {
	dd if=/dev/zero of="$1" bs=4096 count=1 oflag=direct conv=notrunc status=none
}

# refuses_writes DEVICE: with EBADE, whose text is "Invalid exchange"
refuses_writes() {
	must_fail put "$1" 2>"$TMP/put"
	grep -q 'Invalid exchange' "$TMP/put" || fail "write to $1: $(<"$TMP/put")"
}

get_block() {
	dd if="$1" of=/dev/null bs=4096 count=1 iflag=direct status=none
}

# stamps_start NAME DEVICE EPOCH WRITER [THREADS [INSIST]]: sets writer[NAME]; its output is
# $TMP/writer-NAME, what it had acknowledged $TMP/log-NAME
stamps_start() {
	declare -gA writer
	fence-stamp write "$2" "${BLOCKS:-256}" "$3" "$4" "${5:-4}" "$TMP/log-$1" "${6:-2}" \
		>"$TMP/writer-$1" 2>&1 &
	writer[$1]=$!
	wait_for stamps_ready "$1"
}

stamps_ready() {
	grep -q -s ready "$TMP/writer-$1" || {
		# One that died will never be.
		[[ -d /proc/${writer[$1]} ]] || fail "writer $1 ended: $(<"$TMP/writer-$1")"
		return 1
	}
}

# stamps_end NAME [STATUS]: it has ended, or does now, with EBADE
stamps_end() {
	local status=0

	wait "${writer[$1]}" || status=$?
	unset "writer[$1]"
	((status == ${2:-EBADE})) || fail "writer $1 ended with $status: $(<"$TMP/writer-$1")"
}

stamps_kill() {
	local name

	for name in "${!writer[@]}"; do
		kill -KILL "${writer[$name]}" 2>/dev/null || continue
		wait "${writer[$name]}" || true
	done
}

# watch_start DEVICE EPOCH: from now on no stamp of an older epoch may land
watch_start() {
	local logs=("$TMP"/log-*)

	[[ -e ${logs[0]} ]] || logs=()
	fence-stamp watch "$1" "${BLOCKS:-256}" "$2" "${logs[@]}" >"$TMP/watch" 2>&1 &
	watcher=$!
	wait_for grep -q . "$TMP/watch"
}

watch_end() {
	local status=0

	kill "$watcher" 2>/dev/null || status=0
	wait "$watcher" || status=$?
	((status == 0)) || fail "$(<"$TMP/watch")"
}

# two_hosts TRANSPORT [DEVICE]: $a and $b are one namespace, as two hosts see it. $null is below.
two_hosts() {
	require_target "$1" reservations
	! is_multipath || skip "with multipath two hosts here would be two paths of one device"
	[[ -n ${2-} ]] || null_new disk 64
	target shared "${2-$null}" "$1"
	connect shared "$1" 1
	a=$nvme
	ctrl_a=$ctrl
	connect shared "$1" 2
	b=$nvme
	ctrl_b=$ctrl
	[[ $a != "$b" ]] || fail "one device for two hosts: $a"
}

# The same with SCSI.
two_initiators() {
	require_scsi_target
	null_new disk 64
	scsi_target shared "$null"
	scsi_connect shared 1
	a=$scsi
	scsi_connect shared 2
	b=$scsi
}

# ---- reservations by ioctl ----

pr() {
	fence-pr "$@" >"$TMP/pr" || {
		cat "$TMP/pr"
		return 1
	}
}

# conflicts_with DEVICE COMMAND...
conflicts_with() {
	must_fail fence-pr "$@" >"$TMP/pr"
	grep -q -E '^(status 0x1?18|status 0x83|EBADE)$' "$TMP/pr" || fail "$*: $(<"$TMP/pr")"
}

# ---- the lease program ----

active() {
	grep -q '^active$' "$TMP/lease-$1"
}

# lease_start NODE DEVICE SILENCE
lease_start() {
	fence-lease "$2" "$1" 0x123 100 "$3" >"$TMP/lease-$1" 2>&1 &
	lease[$1]=$!
	defer lease_kill "$1"
}

lease_kill() {
	kill -KILL "${lease[$1]}" 2>/dev/null || return 0
	wait "${lease[$1]}" || true
}

records_grow() {
	[[ $(tail -n 1 "$TMP/lease-$1") == record* && $(grep -c '^record' "$TMP/lease-$1") -gt $2 ]]
}

# lease_fail_over A B: the one on A is paused, the one on B takes over, A's is woken
lease_fail_over() {
	declare -gA lease=()

	lease_start one "$1" 300
	wait_for records_grow one 3
	lease_start two "$2" 1500
	wait_for grep -q standby "$TMP/lease-two"
	kill -STOP "${lease[one]}"
	wait_for active two
	kill -CONT "${lease[one]}"
}

no_attachments() {
	local name

	[[ -d /sys/module/nvme_fence ]] || return 0
	while read -r name; do
		pvctl fence detach "$name" || return 1
	done < <(pvctl fence status --json | jq -r '.[].name')
}

# Called by clean_targets before anything below goes.
clean_fences() {
	wait_for no_attachments
	# Detaching records too.
	rm -rf "$TMP"/state "$TMP"/log-* "$TMP"/writer-*
}
