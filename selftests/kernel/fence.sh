#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Attachments: what each command does, what is refused and why, what is below.
#
#	qemu/vm run --release trixie-backports --append nvme_core.multipath=N --nvdimm 64M \
#		--nvme 64M -- selftests/kernel/fence.sh [TEST]...

# shellcheck disable=SC2317 # tests are called by name
# shellcheck source=lib.sh
. "$(dirname "$(readlink -f "$0")")/lib.sh"
# shellcheck source=nvmet.sh
. "$HERE/nvmet.sh"
# shellcheck source=fence-lib.sh
. "$HERE/fence-lib.sh"
require_fence

# Every operation that changes something, through one file each.
test_starts_fenced() {
	local refused

	null_new disk 64 cache_size=4
	attach pod "$null" 1
	fence_is pod state fenced
	fence_is pod reason new
	fence_is pod epoch 0
	refuses_writes "$dev"
	get_block "$dev"
	must_fail blkdiscard "$dev" 2>"$TMP/err"
	grep 'Invalid exchange' "$TMP/err"
	must_fail blkdiscard -z "$dev" 2>"$TMP/err"
	grep 'Invalid exchange' "$TMP/err"
	# A flush alone. Of buffered writes the kernel tells no more than that they failed.
	must_fail sync "$dev" 2>"$TMP/err"
	grep 'Invalid exchange' "$TMP/err"
	must_fail dd if=/dev/zero of="$dev" bs=4096 count=1 conv=notrunc,fsync status=none
	refused=$(fence_get pod refused)
	((refused >= 5)) || fail "$refused writes refused, by its own account"
	acquire pod
	put "$dev"
	blkdiscard "$dev"
	blkdiscard -z "$dev"
	dd if=/dev/zero of="$dev" bs=4096 count=1 conv=notrunc,fsync status=none
	fence_is pod reason null
	fence_is pod writes_in_flight 0
	fence_is pod refused "$refused"
}

test_release_and_repeat() {
	local first

	null_new disk 64
	attach pod "$null" 1
	attach pod "$null" 1
	expect 6 pvctl fence attach pod "$null" --node-id 2
	expect 5 pvctl fence acquire other
	expect 5 pvctl fence attach x /dev/none --node-id 1
	expect 9 pvctl fence renew pod
	acquire pod
	first=$epoch
	# An answer that was lost.
	acquire pod
	eq "$epoch" "$first" "the epoch, asked for again"
	expect 0 pvctl fence release pod
	expect 0 pvctl fence release pod
	fence_is pod state fenced
	fence_is pod reason released
	refuses_writes "$dev"
	acquire pod
	((epoch > first)) || fail "epoch $epoch after $first"
	expect 0 pvctl fence detach pod
	expect 0 pvctl fence detach pod
	[[ ! -e $dev ]] || fail "$dev is still there"
}

test_epoch_given() {
	null_new disk 64
	attach one "$null" 1
	attach two "$null" 1
	acquire one --epoch 10
	eq "$epoch" 10 "epoch"
	acquire one --epoch 10
	refused 9 "" pvctl fence acquire two --epoch 10
	refused 9 "" pvctl fence acquire two --epoch 9
	fence_is one state granted
	acquire two
	eq "$epoch" 11 "epoch"
	refused 9 "" pvctl fence acquire one --epoch 11
	acquire one --epoch $(((1 << 40) - 1))
	must_fail pvctl fence acquire two
	expect 3 pvctl fence acquire two --epoch $((1 << 40))
	expect 3 pvctl fence attach three "$null" --node-id 0
	expect 3 pvctl fence attach three "$null" --node-id 65536
}

# What is remembered outlives the attachments, and the module's memory of the device.
test_epochs_never_go_back() {
	local last=0 i

	null_new disk 64
	for ((i = 0; i < 3; i++)); do
		attach "pod$i" "$null" 1
		acquire "pod$i" --epoch $((last + 100))
		last=$epoch
		pvctl fence detach "pod$i"
	done
	attach again "$null" 1
	refused 9 "" pvctl fence acquire again --epoch $((last - 1))
	acquire again
	((epoch > last)) || fail "epoch $epoch after $last"
}

test_take_over_on_one_node() {
	local one two fd

	null_new disk 64
	attach one "$null" 1
	one=$dev
	attach two "$null" 1
	two=$dev
	acquire one
	exec {fd}>"$one"
	acquire two
	fence_is one state stale
	fence_is one reason taken-over
	refuses_writes "$one"
	put "$two"
	# Sticky until the file from before is closed.
	fence_is one sticky true
	refused 9 "" pvctl fence acquire one
	put "$two"
	exec {fd}>&-
	fence_is one sticky false
	acquire one
	refuses_writes "$two"
	put "$one"
}

same_limit() {
	eq "$(cat "/sys/block/${2##*/}/queue/$1")" "$(cat "/sys/block/${3##*/}/queue/$1")" "$1"
}

test_limits() {
	local -a settings=(blocksize=4096 cache_size=4)
	local limit limits="logical_block_size physical_block_size discard_granularity write_cache minimum_io_size"

	modprobe null_blk nr_devices=0
	# Linux 5.10's cannot be made with a limit of its own, and what it has is no multiple of its blocks.
	if grep -q max_sectors "$NULLB/features"; then
		settings+=(max_sectors=64)
		limits+=" max_sectors_kb"
	fi
	null_new disk 64 "${settings[@]}"
	attach pod "$null" 1
	for limit in $limits; do
		same_limit "$limit" "$dev" "$null"
	done
	eq "$(blockdev --getsize64 "$dev")" "$(blockdev --getsize64 "$null")" "the size"
	acquire pod
	must_fail dd if=/dev/zero of="$dev" bs=512 count=1 oflag=direct conv=notrunc status=none
	dd if=/dev/urandom of="$TMP/data" bs=1M count=4 status=none
	dd if="$TMP/data" of="$dev" bs=1M oflag=direct conv=notrunc status=none
	cmp -n $((4 * MIB)) "$TMP/data" "$null"
	# Sectors written, by its own statistics.
	eq "$(awk '{ print $7 }' "/sys/block/${dev##*/}/stat")" $((4 * MIB / 512)) "sectors written"
}

# What a program asks for that does not want to wait comes to the gate as well.
test_nowait() {
	null_new disk 64
	attach pod "$null" 1
	eq "$(nowait write "$dev" 0 4096)" EBADE "a write through a shut gate"
	eq "$(nowait read "$dev" 0 4096)" 4096 "a read beside it"
	acquire pod
	eq "$(nowait write "$dev" 4096 4096)" 4096 "a write"
	eq "$(nowait read "$dev" 4096 4096)" 4096 "a read"
	fence_is pod writes_in_flight 0
}

# polled_io DEVICE: how often the driver below was polled for it
polled_io() {
	local trace=/sys/kernel/tracing

	[[ -e $trace/kprobe_events ]] || mount -t tracefs none "$trace"
	echo 'p:nvf_polled null_blk:null_poll' >"$trace/kprobe_events"
	echo >"$trace/trace"
	echo 1 >"$trace/events/kprobes/nvf_polled/enable"
	fio --name=polled --filename="$1" --rw=randrw --bs=4k --ioengine=io_uring --hipri --direct=1 \
		--size=16M --number_ios=200 --output="$TMP/fio" || cat "$TMP/fio"
	echo 0 >"$trace/events/kprobes/nvf_polled/enable"
	polled=$(grep -c nvf_polled "$trace/trace") || :
	echo >"$trace/kprobe_events"
}

# What completes such I/O is the poll alone: it would hang otherwise, or not be polled at all.
test_polled() {
	local polled

	modprobe null_blk nr_devices=0
	grep -q poll_queues "$NULLB/features" || skip "this kernel's null_blk cannot be polled"
	grep -q ' null_poll' /proc/kallsyms || skip "it is not told whether null_blk is polled"
	[[ -e /sys/kernel/tracing ]] || skip "this kernel has no kprobes"
	grep -q '^null_blk ' /proc/modules || skip "null_blk is no module here, and so not to be probed by that name"
	null_new disk 64 poll_queues=1
	attach pod "$null" 1
	same_limit io_poll "$dev" "$null"
	acquire pod
	polled_io "$dev"
	((polled > 100)) || fail "polled $polled times"
	fence_is pod in_flight 0
	note "polled $polled times"
}

scsi_debug_disk() {
	compgen -G '/sys/bus/pseudo/drivers/scsi_debug/adapter0/host*/target*/*/block/sd*/size'
}

# Checksums that a writer has put beside its data would not be the device's to judge any more.
test_integrity() {
	local path

	require_module sd_mod
	modprobe scsi_debug dif=1 dix=1 dev_size_mb=8 || skip "this kernel has no scsi_debug"
	defer wait_for modprobe -r scsi_debug
	wait_for scsi_debug_disk >"$TMP/disk"
	path=$(scsi_debug_disk)
	path=${path%/size}
	[[ -e $path/integrity/format && $(<"$path/integrity/format") != none ]] || skip "no integrity profile"
	wait_for test -b "/dev/${path##*/}"
	refused 9 "integrity profile" pvctl fence attach pod "/dev/${path##*/}" --node-id 1
}

test_refused_devices() {
	if grep -q -w blk_revalidate_disk_zones /proc/kallsyms; then
		null_new zoned 64 zoned=1 zone_size=4
		expect 9 pvctl fence attach pod "$null" --node-id 1
	else
		note "this kernel has no zoned devices"
	fi
	null_new disk 64
	attach pod "$null" 1
	# What it stands on is taken.
	must_fail mkfs.ext4 -q "$null"
	must_fail dmsetup create --noudevsync grab --table "0 8 linear $null 0"
	expect 9 pvctl fence attach nested "$dev" --node-id 1
	pvctl fence detach pod
	mkfs.ext4 -q "$null"
	mount "$null" "$MNT"
	defer umount "$MNT"
	expect 9 pvctl fence attach pod "$null" --node-id 1
	expect 9 pvctl fence attach pod /dev/null --node-id 1
}

test_busy_detach() {
	local fd

	null_new disk 64
	attach pod "$null" 1
	exec {fd}<"$dev"
	refused 9 "" pvctl fence detach pod
	exec {fd}<&-
	pvctl fence detach pod
}

test_file_system() {
	null_new disk 64
	attach pod "$null" 1
	acquire pod
	mkfs.ext4 -q "$dev"
	mount "$dev" "$MNT"
	dd if=/dev/urandom of="$MNT/file" bs=64K count=64 conv=fsync status=none
	umount "$MNT"
	fsck_clean ext4 "$dev"
}

test_lease() {
	null_new disk 64
	attach pod "$null" 1
	# Longer than a slow machine takes for what comes before the renewal.
	acquire pod --lease "$(by_kernel 5 20)"
	put "$dev"
	pvctl fence renew pod
	fence_is pod state granted
	wait_for fence_becomes pod reason lease
	refuses_writes "$dev"
	# It never grants.
	must_fail pvctl fence renew pod
	acquire pod --lease 0
	put "$dev"
}

# Grades of what has no reservations.
test_local_grade() {
	local device loop

	null_new disk 64
	truncate -s 64M "$TMP/file"
	loop=$(losetup --find --show "$TMP/file")
	defer losetup --detach "$loop"
	for device in "$null" "$loop" /dev/pmem0 /dev/nvme0n1; do
		[[ -b $device ]] || continue
		must_fail pvctl fence attach pod "$device" --node-id 1 --require device 2>"$TMP/err"
		says "no reservations"
		attach pod "$device" 1
		fence_is pod grade local
		acquire pod
		put "$dev"
		pvctl fence detach pod
		note "local grade on $device"
	done
	# One whose reservation the caller has read, and the kernel cannot, is not taken for one without.
	[[ -b /dev/nvme0n1 ]] || return 0
	nlreq --fence ATTACH '{ATTACHMENT' ATT_NAME:s:pod ATT_DEVICE:s:/dev/nvme0n1 ATT_NODE_ID:u32:1 '}' \
		'{REPORT' REPORT_TYPE:u32:0 '}' >"$TMP/said" || grep ^EIO "$TMP/said"
	! grep ^OK "$TMP/said" || fence_is pod grade device
}

# between_nodes: $a and $b are one device as two nodes see it
between_nodes() {
	local a_dev b_dev first

	attach a "$a" 1
	a_dev=$dev
	fence_is a grade device
	attach b "$b" 2
	b_dev=$dev
	acquire a
	first=$epoch
	note "first acquire: $(jq -r .commands "$TMP/acquire") commands"
	put "$a_dev"
	refuses_writes "$b_dev"
	acquire b
	note "take-over: $(jq -r .commands "$TMP/acquire") commands"
	((epoch > first)) || fail "epoch $epoch after $first"
	put "$b_dev"
	# The loser's first write finds out, and so would its status.
	refuses_writes "$a_dev"
	fence_is a state stale
	fence_is a refused 1
	get_block "$a_dev"
	refused 9 "" pvctl fence acquire a --epoch "$epoch"
	acquire a
	refuses_writes "$b_dev"
	put "$a_dev"
	fence_is a report.type write-exclusive
}

test_nodes_tcp() {
	two_hosts tcp
	between_nodes
}

test_nodes_loop() {
	two_hosts loop
	between_nodes
}

test_nodes_rdma() {
	two_hosts rdma
	between_nodes
}

# SCSI tells no host identifiers, so two paths here could be one host's: the module refuses the
# second one. The other host is one without the module then.
test_nodes_scsi() {
	two_initiators
	attach a "$a" 1
	fence_is a grade device
	if [[ $(fence_get a unique_id) == null ]]; then
		note "this kernel does not tell what identifies a disk: two paths are two devices"
	else
		refused 9 "path" pvctl fence attach b "$b" --node-id 2
	fi
	acquire a
	note "first acquire: $(jq -r .commands "$TMP/acquire") commands"
	put "$dev"
	refuses_writes "$b"
	pr "$b" register 0 0xb ignore
	conflicts_with "$b" reserve 0xb 1
	pr "$b" preempt-abort 0xb "$(jq -r '.report.registrants[] | select(.holder) | .key' <(pvctl fence status a --json))" 1
	put "$b"
	refuses_writes "$dev"
	fence_is a state stale
	# By the device, not by the gate.
	fence_is a refused 1
	expect 9 pvctl fence acquire a
	acquire a --preempt-foreign
	put "$dev"
	refuses_writes "$b"
	expect 0 pvctl fence release a
	refuses_writes "$b"
}

# Two nodes at the same time: one is granted, the other was told who won or took over later.
test_lost_race() {
	local i states lost=0 sa sb

	two_hosts tcp
	attach a "$a" 1
	local a_dev=$dev
	attach b "$b" 2
	local b_dev=$dev
	for ((i = 0; i < $(by_kernel 8 3); i++)); do
		sa=0 sb=0
		pvctl fence acquire a --json >"$TMP/a" 2>"$TMP/a.err" &
		pvctl fence acquire b --json >"$TMP/b" 2>"$TMP/b.err" || sb=$?
		wait $! || sa=$?
		[[ $sa$sb =~ ^(0|10)(0|10)$ && $sa$sb != 1010 ]] ||
			fail "both at once: $sa, $sb: $(cat "$TMP/a.err" "$TMP/b.err")"
		((sa == 0 && sb == 0)) || lost=$((lost + 1))
		((sa == 0 && sb == 0)) || grep -q winner "$TMP/a.err" "$TMP/b.err"
		# Exactly one can write.
		states=
		! put "$a_dev" 2>/dev/null || states+=a
		! put "$b_dev" 2>/dev/null || states+=b
		[[ $states == a || $states == b ]] || fail "who can write: '$states'"
	done
	note "$lost of $i races had a loser"
}

# claimed NAME NODE: in the report of that attachment's device
claimed() {
	pvctl fence status "$1" --json |
		jq -e --argjson n "$2" '.report.registrants | any(.holder and .form == "claim" and .node_id == $n)' >"$TMP/claimed"
}

# A race that has one end only. Node 2's preempt waits in the device for a write of node 1, and while
# it does, node 3 takes a newer epoch: its registration is in front of what node 2 has to send yet.
test_lost_race_told() {
	local status=0 one two three late

	require_module dm-delay
	null_new disk 64
	slow_new late "$null" 8000
	two_hosts tcp "$slow"
	connect shared tcp 3
	attach a "$a" 1
	one=$dev
	attach b "$b" 2
	two=$dev
	attach c "$nvme" 3
	three=$dev
	acquire a
	put "$one" &
	late=$!
	wait_for fence_becomes a writes_in_flight 1
	monitor_start "$TMP/events"
	pvctl fence acquire b --json >"$TMP/b" 2>"$TMP/b.err" &
	wait_for claimed c 2
	acquire c --preempt-foreign
	wait $! || status=$?
	eq "$status" 10 "status of the one that lost: $(<"$TMP/b.err")"
	jq -e --argjson e "$epoch" '.error | .status == "ABORTED" and .winner.epoch == $e and
		.winner.node_id == 3' "$TMP/b.err" >"$TMP/jq" || fail "$(<"$TMP/b.err")"
	wait_for has_event "$TMP/events" fence-lost
	fence_is b state fenced
	refuses_writes "$two"
	refuses_writes "$one"
	slow_set late "$null" 0
	put "$three"
	# The device had accepted it, and its epoch was the newest one then.
	wait "$late"
}

test_foreign_reservation() {
	two_hosts tcp
	fence-pr "$b" register 0 0xb ignore
	fence-pr "$b" reserve 0xb 1
	attach a "$a" 1
	expect 9 pvctl fence acquire a --json
	jq -e '.error.report.registrants | any(.holder and (.key | test("^0x0*b$")))' "$TMP/err"
	refuses_writes "$dev"
	acquire a --preempt-foreign
	put "$dev"
	must_fail put "$b"
}

# What an administrator sees and does with nvme-cli, on the devices below: the attachments' disks have no
# passthrough.
test_nvme_cli() {
	local key

	two_hosts tcp
	attach a "$a" 1
	acquire a
	must_fail nvme resv-report "$dev" -n 1 2>"$TMP/err"
	nvme resv-report "$a" -n 1 --eds -o json >"$TMP/report"
	eq "$(jq -r '"\(.rtype) \(.regctl)"' "$TMP/report")" "1 1" "type and number of registrants"
	key=$(pvctl fence status a --json | jq -r '.report.registrants[0].key')
	# Larger than numbers that jq keeps whole.
	grep -q "\"rkey\" *: *$(printf %u "$key")\b" "$TMP/report" || fail "no key $key: $(<"$TMP/report")"
	nvme resv-register "$b" -n 1 --nrkey=0xb --rrega=0 --iekey
	must_fail nvme resv-acquire "$b" -n 1 --crkey=0xb --rtype=1 --racqa=0
	refuses_writes "$b"
	put "$dev"
	nvme resv-acquire "$b" -n 1 --crkey=0xb --prkey="$key" --rtype=1 --racqa=2
	put "$b"
	refuses_writes "$dev"
	fence_is a reason conflict
}

# Another type of reservation, in which it could not trust.
test_foreign_type() {
	two_hosts tcp
	fence-pr "$b" register 0 0xb ignore
	fence-pr "$b" reserve 0xb 3
	attach a "$a" 1
	expect 9 pvctl fence acquire a
	acquire a --preempt-foreign
	fence_is a report.type write-exclusive
	put "$dev"
}

test_target_restart() {
	local first

	two_hosts tcp
	attach a "$a" 1
	local a_dev=$dev
	acquire a
	first=$epoch
	target_restart shared 1
	wait_for is_live "$ctrl_a"
	wait_for fence_becomes a state stale
	fence_is a reason forgotten
	refuses_writes "$a_dev"
	acquire a
	((epoch > first)) || fail "epoch $epoch after $first: the restart took it back"
	put "$a_dev"
}

# The device below goes while writes are under way.
test_hot_removal() {
	null_new disk 64
	attach pod "$null" 1
	acquire pod
	stamps_start gone "$dev" "$epoch" 1
	defer stamps_kill
	null_gone disk
	wait "${writer[gone]}" || status=$?
	unset "writer[gone]"
	note "the writer ended with ${status-0}: $(tail -n 1 "$TMP/writer-gone")"
	((${status-0})) || fail "writes went on"
	wait_for fence_becomes pod reason gone
	must_fail pvctl fence acquire pod
	pvctl fence detach pod
}

test_hot_removal_nvme() {
	local status=0

	two_hosts tcp
	attach a "$a" 1
	acquire a
	stamps_start gone "$dev" "$epoch" 1
	defer stamps_kill
	disconnect "$ctrl_a"
	wait "${writer[gone]}" || status=$?
	unset "writer[gone]"
	((status)) || fail "writes went on"
	wait_for fence_becomes a reason gone
	pvctl fence detach a
}

# What a crash leaves behind: this host's registration, which holds, and nobody here who knows of it.
# It is known by its node's number, for the kernel's own reading tells no hosts, and replaced by the
# next acquire.
test_left_behind() {
	local first key

	two_hosts tcp
	attach a "$a" 1
	acquire a
	first=$epoch
	key=$(pvctl fence status a --json | jq -r '.report.registrants[0].key')
	disconnect "$ctrl_a"
	wait_for fence_becomes a reason gone
	pvctl fence detach a
	connect shared tcp 1
	attach a "$nvme" 1
	fence_is a state fenced
	refuses_writes "$dev"
	pvctl fence status a --json >"$TMP/left"
	jq -e --arg k "$key" '.report.registrants | length == 1 and .[0].holder and .[0].key == $k' "$TMP/left" ||
		fail "not what it left: $(<"$TMP/left")"
	acquire a
	((epoch > first)) || fail "epoch $epoch after $first"
	pvctl fence status a --json >"$TMP/left"
	jq -e --argjson e "$epoch" '.report.registrants | length == 1 and .[0].holder and .[0].epoch == $e' "$TMP/left" ||
		fail "not what it has now: $(<"$TMP/left")"
	put "$dev"
	refuses_writes "$b"
}

# vacant NAME: the device knows that its epoch was given back
vacant() {
	pvctl fence status "$1" --json | jq -e '.report.registrants | any(.holder and .form == "vacant")' >"$TMP/vacant"
}

# A host whose number is another one now: its own key is known by the host's name, which the kernel's
# reading does not tell and pvctl's does.
test_other_node_id() {
	local last

	two_hosts tcp
	attach a "$a" 1
	acquire a
	last=$epoch
	pvctl fence detach a
	attach a "$a" 3
	acquire a
	((epoch > last)) || fail "epoch $epoch after $last"
	put "$dev"
	fence_is a report.type write-exclusive
	eq "$(fence_get a 'report.registrants | length')" 1 "registrations left"
}

# What this host did itself without the module, with a key that another host uses as well.
test_own_foreign_key() {
	two_hosts tcp
	fence-pr "$a" register 0 0x123 ignore
	fence-pr "$a" reserve 0x123 1
	attach a "$a" 1
	expect 9 pvctl fence acquire a
	acquire a --preempt-foreign
	put "$dev"
	pvctl fence detach a
	# The other one holds now.
	fence-pr "$a" clear "$(reported_key)"
	fence-pr "$a" register 0 0x123 ignore
	fence-pr "$b" register 0 0x123 ignore
	fence-pr "$b" reserve 0x123 1
	attach a "$a" 1
	expect 9 pvctl fence acquire a
	acquire a --preempt-foreign
	put "$dev"
	refuses_writes "$b"
}

# Of the one registration there is.
reported_key() {
	nvme resv-report "$a" -n 1 --eds -o json >"$TMP/report"
	grep -o '"rkey" *: *[0-9]*' "$TMP/report" | head -n 1 | grep -o '[0-9]*$'
}

# A release that ended before the device was told is not over: the next one tells it.
test_release_again() {
	local late

	require_module dm-delay
	null_new disk 64
	slow_new late "$null" 8000
	two_hosts tcp "$slow"
	attach a "$a" 1
	acquire a
	put "$dev" &
	late=$!
	wait_for fence_becomes a writes_in_flight 1
	monitor_start "$TMP/events"
	expect 4 pvctl fence release a --timeout 1
	fence_is a state fenced
	must_fail vacant a
	slow_set late "$null" 0
	wait "$late"
	expect 0 pvctl fence release a
	vacant a
	wait_for has_event "$TMP/events" fence-released
}

# A reservation that a caller has read before a grant says nothing of that grant.
test_old_report() {
	local old=(GET '{ATTACHMENT' ATT_NAME:s:a '}' '{REPORT' REPORT_TYPE:u32:0)

	require_module sd_mod
	! grep -q -w sd_pr_read_keys /proc/kallsyms || skip "this kernel reads reservations itself"
	two_initiators
	attach a "$a" 1
	acquire a
	nlreq --fence "${old[@]}" '}'
	nlreq --fence "${old[@]}" REPORT_GRANTS:u64:0 '}'
	fence_is a state granted
	put "$dev"
	nlreq --fence "${old[@]}" REPORT_GRANTS:u64:1 '}'
	fence_is a reason forgotten
	refuses_writes "$dev"
}

# A device that does not answer: in time, and fenced.
test_timeout() {
	local start

	require_module dm-delay
	null_new disk 64
	slow_new stuck "$null" 8000
	attach one "$slow" 1
	local one=$dev
	attach two "$slow" 1
	acquire one
	put "$one" &
	wait_for fence_becomes one writes_in_flight 1
	start=$SECONDS
	expect 4 pvctl fence acquire two --timeout 1
	((SECONDS - start < 6)) || fail "it took $((SECONDS - start)) s"
	fence_is two state fenced
	# Whoever was fenced for it stays so.
	refuses_writes "$one"
	wait
	acquire two
}

test_events() {
	null_new disk 64
	monitor_start "$TMP/events"
	attach one "$null" 1
	attach two "$null" 1
	acquire one
	acquire two
	pvctl fence release two
	pvctl fence detach one
	pvctl fence detach two
	wait_for events_end
	jq -c . "$TMP/events"
	# The one that lost and the one that won are told of by two tasks, in either order.
	eq "$(jq -r '"\(.attachment.name) \(.event)"' "$TMP/events" | sort -s -k 1,1 | tr '\n' ';')" \
		"one fence-attached;one fence-granted;one fence-stale;one fence-detached;two fence-attached;two fence-granted;two fence-released;two fence-detached;" \
		"events"
	jq -s -e '[.[].seq] | . == [range(.[0]; .[0] + length)]' "$TMP/events"
}

events_end() {
	(($(grep -c detached "$TMP/events") == 2))
}

tap_main starts-fenced release-and-repeat epoch-given epochs-never-go-back take-over-on-one-node \
	limits nowait polled integrity refused-devices busy-detach file-system lease local-grade timeout events hot-removal \
	nodes-tcp nodes-loop nodes-rdma nodes-scsi lost-race lost-race-told nvme-cli foreign-reservation foreign-type \
	target-restart hot-removal-nvme left-behind other-node-id own-foreign-key release-again old-report
