#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# pvctl fence: what it says, what it remembers, what may be repeated; and with a target that has
# reservations, what it reads of them.
#
#	qemu/vm run -- selftests/kernel/fence-pvctl.sh [TEST]...
#	qemu/vm run --release trixie-backports --append nvme_core.multipath=N -- \
#		selftests/kernel/fence-pvctl.sh

# shellcheck disable=SC2154,SC2317 # variables of nvmet.sh, tests called by name
# shellcheck source=lib.sh
. "$(dirname "$(readlink -f "$0")")/lib.sh"
# shellcheck source=nvmet.sh
. "$HERE/nvmet.sh"
command -v pvctl >/dev/null || skip_all "pvctl is needed"
[[ -d /sys/module/nvme_fence ]] || skip_all "nvme_fence is not loaded"
export PVCTL_STATE_DIR=$TMP/state

# Each test begins with an empty record.
fresh() {
	rm -rf "$PVCTL_STATE_DIR"
	null_new fence 16
	device=$null
}

# attach NAME [OPTION]...: to $device; sets $dev
attach() {
	expect 0 pvctl fence attach "$1" "$device" --node-id 1 "${@:2}" --json
	dev=$(jq -r .device "$TMP/out")
	[[ -b $dev ]] || fail "$1 has no device: '$dev'"
}

# acquire NAME EPOCH [OPTION]...: is granted just this
acquire() {
	expect 0 pvctl fence acquire "$1" "${@:3}" --json
	eq "$(jq -r '"\(.state) \(.epoch)"' "$TMP/out")" "granted $2" "acquire $1"
}

# is NAME FILTER VALUE: in its status
is() {
	eq "$(pvctl fence status "$1" --json | jq -r "$2")" "$3" "$2 of $1"
}

writes() {
	dd if=/dev/urandom of="$1" bs=4k count=4 oflag=direct status=none
}

# refused_write DEVICE: with EBADE
refused_write() {
	expect 1 dd if=/dev/zero of="$1" bs=4k count=1 oflag=direct status=none
	grep -q 'Invalid exchange' "$TMP/err" || fail "another error: $(<"$TMP/err")"
}

record() {
	echo "$PVCTL_STATE_DIR/fence/name.${device#/dev/}"
}

recorded() {
	awk '$1 == "epoch" { print $2 }' "$(record)"
}

test_attach() {
	fresh
	attach a
	local first=$dev
	eq "$(readlink -f /dev/nvme_fence/a)" "$first" "the link"
	jq -e --arg lower "$device" '.name == "a" and .lower == $lower and .grade == "local" and
		.state == "fenced" and .reason == "new" and .epoch == 0 and .node_id == 1 and
		.lease == 0 and .openers == 0 and .in_flight == 0 and (.sticky | not) and
		.link == "/dev/nvme_fence/a"' "$TMP/out" >"$TMP/jq" || fail "$(<"$TMP/out")"
	eq "$(blockdev --getsize64 "$first")" $((16 * MIB)) "the size"
	# The same again, and others.
	attach a
	eq "$dev" "$first" "the device of the same attachment"
	attach a --require local
	refused 6 "exists for node 1, not 2" pvctl fence attach a "$device" --node-id 2
	refused 6 "grade local, not device" pvctl fence attach a "$device" --node-id 1 --require device
	refused 6 "lease of 0 ms, not 5000 ms" pvctl fence attach a "$device" --node-id 1 --lease 5
	null_new other 16
	refused 6 "exists on ${device}" pvctl fence attach a "$null" --node-id 1
	attach b --lease 2.5
	[[ $dev != "$first" ]] || fail "two attachments are one device"
	is b .lease 2.5
	expect 0 pvctl fence status --json
	eq "$(jq -r '[.[].name] | join(" ")' "$TMP/out")" "a b" "the list"
	expect 0 pvctl fence status
	eq "$(head -n 1 "$TMP/out" | tr -s ' ')" \
		"NAME DEVICE LOWER GRADE STATE REASON EPOCH NEWEST NODE OPENERS IN FLIGHT" "the table"
	expect 0 pvctl fence detach a --json
	eq "$(jq -r .detached "$TMP/out")" true "detached"
	[[ ! -e /dev/nvme_fence/a && ! -L /dev/nvme_fence/a ]] || fail "the link is left"
	expect 0 pvctl fence detach a --json
	eq "$(jq -r .detached "$TMP/out")" false "detached again"
	refused 5 "there is no attachment a" pvctl fence status a
	refused 5 "there is no attachment a" pvctl fence acquire a
	refused 5 "there is no attachment a" pvctl fence renew a
	refused 5 "there is no attachment a" pvctl fence release a
	exec {fd}<"/dev/nvme_fence/b"
	refused 9 "is open" pvctl fence detach b
	exec {fd}<&-
}

test_refused_devices() {
	fresh
	refused 5 "/dev/nothing" pvctl fence attach a /dev/nothing --node-id 1
	refused 9 "/dev/zero: is not a block device" pvctl fence attach a /dev/zero --node-id 1
	mkfs.ext4 -q "$device"
	mount "$device" "$MNT"
	refused 9 "in use" pvctl fence attach a "$device" --node-id 1
	umount "$MNT"
	blockdev --setro "$device"
	refused 9 "read-only" pvctl fence attach a "$device" --node-id 1
	blockdev --setrw "$device"
	expect 9 pvctl fence attach a "$device" --node-id 1 --require device
	expect 0 pvctl fence status --json
	eq "$(jq length "$TMP/out")" 0 "attachments after refusals"
	refused 7 "CAP_SYS_ADMIN" setpriv --bounding-set=-sys_admin --inh-caps=-sys_admin \
		pvctl fence status
	[[ ! -e $PVCTL_STATE_DIR ]] || fail "a record of nothing"
}

test_acquire() {
	fresh
	attach a
	refused_write "$dev"
	acquire a 1
	writes "$dev"
	eq "$(recorded)" 1 "the record"
	# An answer that was lost is asked for again.
	acquire a 1
	acquire a 1 --epoch 1
	acquire a 5 --epoch 5
	refused 9 "not newer" pvctl fence acquire a --epoch 4
	is a .state granted
	expect 0 pvctl fence release a --json
	eq "$(jq -r '"\(.state) \(.reason)"' "$TMP/out")" "fenced released" "released"
	refused_write "$dev"
	expect 0 pvctl fence release a
	refused 9 "not newer" pvctl fence acquire a --epoch 5
	acquire a 6
	expect 0 pvctl fence detach a
	# The module forgets the device, the record does not.
	attach a
	is a .device_epoch 6
	acquire a 7
}

test_take_over() {
	local first second

	fresh
	attach a
	first=$dev
	attach b
	second=$dev
	acquire a 1
	exec {fd}<>"$first"
	acquire b 2
	is a '"\(.state) \(.reason) \(.sticky) \(.device_epoch)"' "stale taken-over true 2"
	refused_write "$first"
	writes "$second"
	# Sticky until the file from before is closed.
	refused 9 "close them first" pvctl fence acquire a
	is b .state granted
	exec {fd}>&-
	is a .sticky false
	acquire a 3
	is b .state stale
	# Who repeats an old acquire with its epoch takes nothing back.
	refused 9 "not newer" pvctl fence acquire b --epoch 2
	is a .state granted
	writes "$first"
}

test_record() {
	local file before

	fresh
	attach a
	acquire a 1
	file=$(record)
	eq "$(head -n 3 "$file" | tr '\n' ' ')" \
		"pvctl fence record 1 device name.${device#/dev/} epoch 1 " "the record's content"
	expect 0 pvctl fence detach a
	# It knows of more than the module does.
	PVCTL_STATE_DIR=$TMP/elsewhere
	attach a
	acquire a 100 --epoch 100
	expect 0 pvctl fence detach a
	cp "$TMP/elsewhere/fence/${file##*/}" "$file"
	PVCTL_STATE_DIR=$TMP/state
	attach a --state-dir "$TMP/state"
	acquire a 101
	# Damaged, it is no record, and nobody writes over it.
	expect 0 pvctl fence release a
	sed -i 's/^epoch 101/epoch 100/' "$file"
	before=$(<"$file")
	refused 15 "${file}" pvctl fence acquire a
	is a .state fenced
	expect 0 pvctl fence detach a
	grep -q 'warning:.*is damaged' "$TMP/err" || fail "no warning: $(<"$TMP/err")"
	refused 15 "is damaged" pvctl fence attach a "$device" --node-id 1
	eq "$(<"$file")" "$before" "the damaged record"
	rm "$file"
	attach a
	acquire a 200 --epoch 200
	eq "$(recorded)" 200 "the record made anew"
}

# An epoch that cannot be recorded is not kept.
test_record_not_writable() {
	fresh
	attach a
	mkdir -p "$PVCTL_STATE_DIR"
	mount -t tmpfs -o ro none "$PVCTL_STATE_DIR"
	defer umount "$PVCTL_STATE_DIR"
	expect 9 pvctl fence acquire a
	says "the record of epochs in $PVCTL_STATE_DIR/fence"
	is a .state fenced
	refused_write "$dev"
	mount -o remount,rw "$PVCTL_STATE_DIR"
	acquire a 2
	# One that was granted before is not taken from its consumer for that.
	rm -r "$PVCTL_STATE_DIR/fence"
	mount -o remount,ro "$PVCTL_STATE_DIR"
	expect 9 pvctl fence acquire a
	expect 0 pvctl fence status a --json
	eq "$(jq -r .state "$TMP/out")" granted "the state of the one that had an epoch"
	grep -q warning "$TMP/err" || fail "status does not warn"
	writes "$dev"
}

# An acquire waits for the writes of others, and not for ever.
test_deadline() {
	local first writer

	fresh
	require_command dmsetup
	require_module dm-delay
	slow_new slow "$device" 12000
	device=$slow
	attach a
	first=$dev
	attach b
	acquire a 1
	exec {fd}<>"$first"
	dd if=/dev/urandom of="$first" bs=4k count=1 oflag=direct status=none &
	writer=$!
	in_flight() {
		[[ $(pvctl fence status a --json | jq .writes_in_flight) == 1 ]]
	}
	wait_for in_flight
	# Who waits and who works both keep the time.
	refused 4 "time" pvctl fence acquire b --timeout 0.3
	is b '"\(.state) \(.reason)"' "fenced acquiring"
	# It was fenced before it was waited for.
	is a '"\(.state) \(.sticky)"' "stale true"
	expect 0 pvctl fence acquire b --json
	eq "$(jq .epoch "$TMP/out")" 3 "the epoch after the one that nobody got"
	is a .writes_in_flight 0
	wait "$writer"
	exec {fd}>&-
}

lease_is_over() {
	[[ $(pvctl fence status "$1" --json | jq -r .reason) == lease ]]
}

test_lease() {
	fresh
	attach a --lease 30
	acquire a 1
	is a '.lease == 30 and .lease_left > 0 and .lease_left <= 30' true
	expect 0 pvctl fence renew a --lease 60 --json
	eq "$(jq '.lease == 60 and .lease_left > 30' "$TMP/out")" true "the longer lease"
	# A repeated acquire renews.
	acquire a 1 --lease 0.5
	wait_for lease_is_over a
	refused_write "$dev"
	expect 9 pvctl fence renew a
	acquire a 2 --lease 0
	is a .lease 0
	writes "$dev"
	expect 3 pvctl fence renew a --lease 0.05
}

test_events() {
	local want

	fresh
	monitor_start "$TMP/events"
	attach a
	attach b
	acquire a 1
	acquire b 2
	expect 0 pvctl fence release b
	expect 0 pvctl fence detach a
	expect 0 pvctl fence detach b
	# The one that lost and the one that won are told of by two tasks, in either order.
	want="a fence-attached,a fence-granted,a fence-stale,a fence-detached,"
	want+="b fence-attached,b fence-granted,b fence-released,b fence-detached,"
	events_are() {
		[[ $(jq -r '"\(.attachment.name) \(.event)"' "$TMP/events" | sort -s -k 1,1 |
			tr '\n' ,) == "$want" ]]
	}
	wait_for events_are
	jq -s -e '[.[].seq] | . == [range(.[0]; .[0] + length)]' "$TMP/events" >"$TMP/jq" ||
		fail "numbers: $(jq -c .seq "$TMP/events" | tr '\n' ' ')"
	[[ ! -s $TMP/events.err ]] || fail "the monitor said $(<"$TMP/events.err")"
}

# Both modules' events in one stream, each with numbers of its own.
test_events_of_both() {
	[[ -b /dev/pmem0 ]] || skip "an NVDIMM is needed"
	fresh
	monitor_start "$TMP/events"
	attach a
	new_pool tank /dev/pmem0
	acquire a 1
	expect 0 pvctl pool destroy tank
	both_there() {
		[[ $(jq -r .event "$TMP/events" | tr '\n' ' ') == "fence-attached pool-created fence-granted pool-destroyed " ]]
	}
	wait_for both_there
	must_fail has_event "$TMP/events" overrun
}

# ---- with reservations ----

# two_hosts: one namespace as two hosts of this guest see it: $one and $two
two_hosts() {
	rm -rf "$PVCTL_STATE_DIR"
	! is_multipath || skip "two hosts in one guest need nvme_core.multipath=N"
	null_new fence 16
	target fence "$null" tcp
	connect fence tcp 1
	one=$nvme
	connect fence tcp 2
	two=$nvme
}

# node N DEVICE NAME: attached as on a node of its own; sets $dev
node() {
	expect 0 pvctl fence attach "$3" "$2" --node-id "$1" --state-dir "$TMP/node$1" --json
	dev=$(jq -r .device "$TMP/out")
	jq -e --arg host "$(host_uuid "$1")" '.grade == "device" and .host_id == $host' "$TMP/out" \
		>"$TMP/jq" || fail "$(<"$TMP/out")"
}

test_device_grade() {
	local first second

	require_target tcp reservations
	two_hosts
	expect 0 pvctl fence attach r "$one" --node-id 1 --require device
	expect 0 pvctl fence detach r
	node 1 "$one" a
	first=$dev
	node 2 "$two" b
	second=$dev
	refused_write "$first"
	acquire a 1 --state-dir "$TMP/node1"
	writes "$first"
	expect 0 pvctl fence status a --json --state-dir "$TMP/node1"
	jq -e --arg host "$(host_uuid 1)" '.report | .type == "write-exclusive" and
		(.registrants | length == 1) and (.registrants[0] | .holder and .epoch == 1 and
		.node_id == 1 and .form == "grant" and .host_id == $host)' "$TMP/out" >"$TMP/jq" ||
		fail "$(<"$TMP/out")"
	# The record of node 2 knows nothing, the device does.
	acquire b 2 --state-dir "$TMP/node2"
	writes "$second"
	refused_write "$first"
	is a '"\(.state) \(.reason) \(.device_epoch)"' "stale conflict 2"
	eq "$(awk '$1 == "epoch" { print $2 }' "$TMP"/node2/fence/uuid.*)" 2 "the record of node 2"
	expect 0 pvctl fence status a --state-dir "$TMP/node1"
	grep -q '^registrant: epoch 2 of node 2 on host .*, holds$' "$TMP/out" || fail "$(<"$TMP/out")"
	eq "$(awk '$1 == "epoch" { print $2 }' "$TMP"/node1/fence/uuid.*)" 2 "what node 1 has learnt"
	refused 9 "not newer" pvctl fence acquire a --epoch 2 --state-dir "$TMP/node1"
	acquire a 3 --state-dir "$TMP/node1"
	refused_write "$second"
}

test_foreign_reservation() {
	require_target tcp reservations
	two_hosts
	node 1 "$one" a
	nvme resv-register "$two" --nrkey=0xbeef --rrega=0
	nvme resv-acquire "$two" --crkey=0xbeef --rtype=1 --racqa=0
	expect 9 pvctl fence acquire a --json
	jq -e --arg host "$(host_uuid 2)" '.error | .code == 9 and
		(.message | contains("foreign key 0xbeef on host \($host) (holds)")) and
		(.report.registrants[0] | .key == "0x000000000000beef" and .epoch == null)' \
		"$TMP/err" >"$TMP/jq" || fail "$(<"$TMP/err")"
	refused_write "$dev"
	expect 0 pvctl fence acquire a --preempt-foreign
	writes "$dev"
	expect 1 dd if=/dev/zero of="$two" bs=4k count=1 oflag=direct status=none
}

test_device_that_forgets() {
	require_target tcp reservations
	two_hosts
	node 1 "$one" a
	acquire a 1 --state-dir "$TMP/node1"
	acquire a 7 --epoch 7 --state-dir "$TMP/node1"
	target_restart fence 1
	forgotten() {
		[[ $(pvctl fence status a --state-dir "$TMP/node1" --json | jq -r .reason) == forgotten ]]
	}
	wait_for is_live "$ctrl"
	wait_for forgotten
	refused_write "$dev"
	expect 0 pvctl fence detach a --state-dir "$TMP/node1"
	node 1 "$one" a
	acquire a 8 --state-dir "$TMP/node1"
	writes "$dev"
}

# sg OPTION...: sg_persist, once more where the first one is told that something has changed
sg() {
	sg_persist --out "$@" || sg_persist --out "$@"
}

# SCSI has no names of hosts. Where the kernel cannot read reservations, pvctl does it for it, round
# after round of an acquire.
test_scsi() {
	local one two key

	require_scsi_target
	require_command sg_persist
	rm -rf "$PVCTL_STATE_DIR"
	null_new fence 16
	scsi_target fence "$null"
	scsi_connect fence 1
	one=$scsi
	scsi_connect fence 2
	two=$scsi
	expect 0 pvctl fence attach a "$one" --node-id 1 --require device --json
	dev=$(jq -r .device "$TMP/out")
	acquire a 1
	note "an acquire: $(jq .commands "$TMP/out") commands of the kernel's"
	writes "$dev"
	expect 0 pvctl fence status a --json
	jq -e '.report | .type == "write-exclusive" and (.registrants | length == 1) and
		(.registrants[0] | .holder and .epoch == 1 and .node_id == 1 and .host_id == null)' \
		"$TMP/out" >"$TMP/jq" || fail "$(<"$TMP/out")"
	# Its own epoch is replaced in place.
	acquire a 5 --epoch 5
	expect 1 dd if=/dev/zero of="$two" bs=4k count=1 oflag=direct status=none
	# Another host, by hand, takes it away.
	key=$(pvctl fence status a --json | jq -r '.report.registrants[0].key')
	sg --register --param-sark=0xbeef "$two"
	sg --preempt --param-rk=0xbeef --param-sark="$key" --prout-type=1 "$two"
	refused_write "$dev"
	is a '"\(.state) \(.reason)"' "stale conflict"
	expect 9 pvctl fence acquire a --json
	jq -e '.error | (.message | contains("foreign key 0xbeef (holds)")) and
		.report.registrants[0].key == "0x000000000000beef"' "$TMP/err" >"$TMP/jq" ||
		fail "$(<"$TMP/err")"
	acquire a 6 --preempt-foreign
	writes "$dev"
	expect 1 dd if=/dev/zero of="$two" bs=4k count=1 oflag=direct status=none
}

# outcome STATUS ERROR: of one that raced for an epoch; 9: the other one had it already
outcome() {
	case $1 in
	0) won=$((won + 1)) ;;
	9) grep -q 'not newer' "$2" || fail "$(<"$2")" ;;
	10)
		lost=$((lost + 1))
		jq -e '.error | .status == "ABORTED" and .winner.epoch > 0 and .winner.node_id > 0' \
			"$2" >"$TMP/jq" || fail "$(<"$2")"
		;;
	*) fail "ended with $1: $(<"$2")" ;;
	esac
}

# Both nodes want the same epoch at once, many times: one has it at most, and who lost knows to whom.
# Both lose when each had registered before the other one looked.
test_race() {
	local i status rounds before won=0 lost=0

	require_target tcp reservations
	two_hosts
	node 1 "$one" a
	node 2 "$two" b
	rounds=$(by_kernel 12 4)
	for ((i = 1; i <= rounds; i++)); do
		status=0
		before="$won $lost"
		pvctl fence acquire a --epoch "$i" --json --state-dir "$TMP/node1" >"$TMP/a" 2>"$TMP/a.err" &
		pvctl fence acquire b --epoch "$i" --json --state-dir "$TMP/node2" >"$TMP/b" 2>"$TMP/b.err" ||
			status=$?
		outcome "$status" "$TMP/b.err"
		status=0
		wait $! || status=$?
		outcome "$status" "$TMP/a.err"
		((won <= ${before% *} + 1)) || fail "both have epoch $i"
		((won > ${before% *} || lost == ${before#* } + 2)) || fail "nobody has epoch $i"
	done
	note "$rounds epochs: $won granted, $lost times lost while acquiring"
	((won > 0)) || fail "nobody ever won"
}

# A record that somebody has locked, or a disk that hangs, is waited for no longer than the time limit says.
test_record_locked() {
	local lock

	fresh
	attach a
	acquire a 1
	exec {lock}<"$PVCTL_STATE_DIR/fence"
	flock "$lock"
	refused 4 "not done within" pvctl fence acquire a --epoch 2 --timeout 1
	exec {lock}<&-
	acquire a 3 --epoch 3
	eq "$(recorded)" 3 "the record"
}

tap_main attach refused-devices acquire take-over record record-not-writable record-locked deadline lease events \
	events-of-both device-grade foreign-reservation device-that-forgets scsi race
