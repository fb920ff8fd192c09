#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Many at once: creating and deleting, growing under I/O, discarding against I/O, snapshots of all
# kinds under writers, modules that come and go.
#
#	qemu/vm run --nvdimm 640M,448M,256M -- selftests/kernel/concurrency.sh [TEST]...

# shellcheck disable=SC2317 # tests are called by name
# shellcheck source=lib.sh
. "$(dirname "$(readlink -f "$0")")/lib.sh"
# shellcheck source=snapshot-lib.sh
. "$(dirname "$(readlink -f "$0")")/snapshot-lib.sh"
require_nvdimms 3

# all_succeed PID...: wait for jobs; a failure of any is a failure
all_succeed() {
	local pid status=0

	for pid; do
		wait "$pid" || status=1
	done
	return "$status"
}

create_delete_loop() {
	local i

	for ((i = 0; i < $2; i++)); do
		pvctl volume create "tank/w$1-$i" --size 8M >/dev/null
		dd if=/dev/zero of="/dev/pmemvol/tank/w$1-$i" bs=64k count=1 oflag=direct status=none
		((i % 3)) || pvctl volume rename "tank/w$1-$i" "x$1-$i" >/dev/null
		((i % 3 == 0)) || pvctl volume delete "tank/w$1-$i" >/dev/null
		((i % 3)) || pvctl volume delete "tank/x$1-$i" >/dev/null
	done
}

test_create_and_delete() {
	local free i pids=()

	new_pool tank /dev/pmem0 /dev/pmem1
	free=$(pool_get tank free)
	for ((i = 0; i < 4; i++)); do
		(set -e; create_delete_loop "$i" "$(by_kernel 8 4)") &
		pids+=($!)
	done
	all_succeed "${pids[@]}"
	eq "$(pvctl volume list tank --json | jq length)" 0 "volumes left"
	erased tank
	eq "$(pool_get tank free)" "$free" "free at the end"
}

# Without the tool, as fast as the kernel answers.
test_create_and_delete_dense() {
	local free i pids=()

	new_pool tank /dev/pmem0 /dev/pmem1 --overcommit 20
	free=$(pool_get tank free)
	for ((i = 0; i < 4; i++)); do
		(
			set -e
			for n in 1 2 3; do
				nlreq --repeat "$(by_kernel 60 15)" VOLUME_CREATE '{POOL' POOL_NAME:s:tank '}' '{VOLUME' "VOLUME_NAME:s:w$i-%" VOLUME_SIZE:u64:8M '}'
				nlreq --repeat "$(by_kernel 60 15)" VOLUME_RESIZE '{POOL' POOL_NAME:s:tank '}' '{VOLUME' "VOLUME_NAME:s:w$i-%" VOLUME_SIZE:u64:12M '}'
				nlreq --repeat "$(by_kernel 60 15)" VOLUME_DELETE '{POOL' POOL_NAME:s:tank '}' '{VOLUME' "VOLUME_NAME:s:w$i-%" '}'
			done
			echo "round $n"
		) &
		pids+=($!)
	done
	all_succeed "${pids[@]}"
	eq "$(pvctl volume list tank --json | jq length)" 0 "volumes left"
	erased tank
	eq $(($(pool_get tank free) + $(pool_get tank metadata))) $((free + 2 * CHUNK)) "free at the end"
}

# The same requests from many sides: everybody is told yes, and it was done once.
test_same_names() {
	local i n pids=()

	new_pool tank /dev/pmem0
	for ((n = 0; n < 2; n++)); do
		pids=()
		for ((i = 0; i < 6; i++)); do
			pvctl volume create tank/v --size 8M --json >"$TMP/create$i" &
			pids+=($!)
		done
		all_succeed "${pids[@]}"
		eq "$(jq -s '[.[].uuid] | unique | length' "$TMP"/create?)" 1 "different volumes of one name"
		pids=()
		for ((i = 0; i < 6; i++)); do
			pvctl volume resize tank/v --size 16M >"$TMP/resize$i" &
			pids+=($!)
		done
		all_succeed "${pids[@]}"
		pids=()
		for ((i = 0; i < 6; i++)); do
			pvctl volume delete tank/v >"$TMP/delete$i" &
			pids+=($!)
		done
		all_succeed "${pids[@]}"
	done
	eq "$(pvctl volume list tank --json | jq length)" 0 "volumes left"
}

test_grow_under_io() {
	local writer size

	new_pool tank /dev/pmem0 /dev/pmem1 --overcommit 20
	new_volume tank/v 32M
	race io "$dev" 32M - "$TMP/enough" >"$TMP/rounds" &
	writer=$!
	for ((size = 40; size <= $(by_kernel 160 96); size += 8)); do
		expect 0 pvctl volume resize tank/v --size "${size}M"
		kill -0 "$writer" || break
	done
	# Through a growth of the map's height as well.
	expect 0 pvctl volume resize tank/v --size 1100M
	pattern write direct "$dev" 1090M 4M 5
	touch "$TMP/enough"
	wait "$writer"
	note "$(<"$TMP/rounds") rounds of I/O while growing"
	pattern check direct "$dev" 1090M 4M 5
}

test_grow_mounted_under_io() {
	local fs writer size

	for fs in ext4 xfs; do
		new_pool tank /dev/pmem0 /dev/pmem1 --overcommit 2
		new_volume tank/v 520M
		mkfs_dax "$fs" "$dev"
		mount_dax "$fs" "$dev" "$MNT/a"
		rm -f "$TMP/enough"
		touch "$MNT/a/f"
		race io "$MNT/a/f" 16M - "$TMP/enough" >"$TMP/rounds" &
		writer=$!
		for size in 600M 700M 800M 1000M; do
			expect 0 pvctl volume resize tank/v --size "$size"
			if [[ $fs == ext4 ]]; then
				expect 0 resize2fs "$dev"
			else
				expect 0 xfs_growfs "$MNT/a"
			fi
		done
		touch "$TMP/enough"
		wait "$writer"
		umount "$MNT/a"
		fsck_clean "$fs" "$dev"
		expect 0 pvctl pool destroy tank --force
	done
}

test_discard_against_io() {
	local free

	new_pool tank /dev/pmem0
	free=$(pool_get tank free)
	new_volume tank/v 100M
	race discard "$dev" 33 4 "$(by_kernel 10 15)"
	blkdiscard "$dev"
	erased tank
	eq "$(pool_get tank free)" "$free" "free at the end"
	eq "$(volume_get tank/v provisioned)" 0 provisioned
}

test_discard_in_full_pool() {
	new_pool tank /dev/pmem2 --overcommit 3
	new_volume tank/filler 300M
	expect 0 pattern fill "$dev" 0x77
	blkdiscard -l 100M "$dev"
	new_volume tank/v 80M
	# Chunks go round between the two all the time, with hardly any left.
	race discard "$dev" 33 4 "$(by_kernel 8 10)"
	pattern find direct "$dev" 0 80M 0x77 || fail "the other volume's data shows"
}

restore_stock() {
	echo 64 >/sys/module/pmemvol/parameters/stock
}

test_provisioning_races() {
	local n free

	new_pool tank /dev/pmem0
	free=$(pool_get tank free)
	n=$(by_kernel 60 16)
	new_volume tank/v 200M
	# Without a stock a chunk is zeroed between the look at the map and its change: all race.
	echo 0 >/sys/module/pmemvol/parameters/stock
	defer restore_stock
	race provision direct "$dev" "$n" 8
	# Each chunk was provisioned once, however many wanted it.
	eq "$(volume_get tank/v provisioned)" $((n * CHUNK)) provisioned
	eq $((free - $(pool_get tank free))) $((n * CHUNK)) "taken from the pool"
	blkdiscard "$dev"
	mkfs_dax ext4 "$dev"
	mount_dax ext4 "$dev" "$MNT/a"
	truncate -s $((n * CHUNK)) "$MNT/a/f"
	race provision mmap "$MNT/a/f" "$n" 8
	umount "$MNT/a"
	fsck_clean ext4 "$dev"
}

test_activation_loop() {
	local i

	new_pool tank /dev/pmem0 /dev/pmem1
	new_volume tank/v 64M
	pattern write direct "$dev" 0 8M 9
	for ((i = 0; i < $(by_kernel 8 4); i++)); do
		expect 0 pvctl volume create "tank/n$i" --size 4M
		expect 0 pvctl volume delete "tank/n$((i - 1))"
		expect 0 pvctl pool deactivate tank
		expect 0 pvctl pool activate tank
	done
	pattern check direct "$(volume_get tank/v device)" 0 8M 9
	eq "$(pvctl volume list tank --json | jq length)" 2 volumes
}

# Listing while everything changes: whole answers or none.
test_lists_while_changing() {
	local i changer

	new_pool tank /dev/pmem0
	expect 0 nlreq --repeat 40 VOLUME_CREATE '{POOL' POOL_NAME:s:tank '}' '{VOLUME' VOLUME_NAME:s:stay% VOLUME_SIZE:u64:2M '}'
	(
		set -e
		while [[ ! -e $TMP/enough ]]; do
			pvctl volume create tank/comes --size 2M >/dev/null
			pvctl volume rename tank/comes goes >/dev/null
			pvctl volume delete tank/goes >/dev/null
		done
	) &
	changer=$!
	for ((i = 0; i < $(by_kernel 10 5); i++)); do
		expect 0 pvctl volume list --json
		eq "$(jq '[.[] | select(.name | startswith("stay"))] | length' "$TMP/out")" 40 "volumes listed"
	done
	touch "$TMP/enough"
	wait "$changer"
}

test_pools_come_and_go() {
	local i j pids=()

	for j in 0 1; do
		(
			set -e
			for ((i = 0; i < $(by_kernel 4 2); i++)); do
				pvctl pool create "p$j" "/dev/pmem$j" >/dev/null
				pvctl volume create "p$j/v" --size 8M >/dev/null
				pattern write direct "/dev/pmemvol/p$j/v" 0 8M "$i"
				pvctl pool deactivate "p$j" >/dev/null
				pvctl pool activate "p$j" >/dev/null
				pattern check direct "/dev/pmemvol/p$j/v" 0 8M "$i"
				pvctl pool destroy "p$j" --force >/dev/null
			done
		) &
		pids+=($!)
	done
	all_succeed "${pids[@]}"
}

# Of the first half of volume $1, which a journal is written to all the time: snapshots that show a prefix of
# it, and clones that do, and go their own way. $2 tells snapshots of the same volume apart; at $3 are 4 MiB
# that change from one snapshot to the next, so that a deleted one leaves something to an older one.
snapshots_of_journal() {
	local i s before after first device

	device=$(volume_get "tank/$1" device)
	pattern write direct "$device" "$3" 4M 1000

	for ((i = 0; i < $(by_kernel 3 2); i++)); do
		s=s$2-$i
		before=$(acked "$1")
		snapshot create tank "$1" "$s"
		after=$(acked "$1")
		((i == 0)) || pattern write direct "$device" "$3" 4M $((1000 + i))
		open_snapshot tank "$1" "$s"
		shows_prefix "$snapdev" "$1" "$before" "$after"
		pattern check direct "$snapdev" "$3" 4M $((i == 0 ? 1000 : 999 + i))
		close_snapshot tank "$1" "$s"
		clone tank "$1" "$s" "$1-$s"
		journal check "$dev" "$SLOTS" "$prefix" 1
		snapshot create tank "$1-$s" t
		pattern write direct "$dev" 0 16M 7
		open_snapshot tank "$1-$s" t
		journal check "$snapdev" "$SLOTS" "$prefix" 1
		close_snapshot tank "$1-$s" t
		snapshot delete tank "$1-$s" t
		pattern check direct "$dev" 0 16M 7
		# The first one stays.
		((i)) || {
			first=$prefix
			continue
		}
		pvctl volume delete "tank/$1-$s" >/dev/null
		snapshot delete tank "$1" "$s"
	done
	s=s$2-0
	open_snapshot tank "$1" "$s"
	journal check "$snapdev" "$SLOTS" "$first" 1
	pattern check direct "$snapdev" "$3" 4M 1000
	close_snapshot tank "$1" "$s"
	pattern check direct "$(volume_get "tank/$1-$s" device)" 0 16M 7
	pvctl volume delete "tank/$1-$s" >/dev/null
	snapshot delete tank "$1" "$s"
}

# The second half: written, zeroed and discarded while snapshots come and go.
changing() {
	local i

	for ((i = 1; ; i++)); do
		pattern write direct "$1" 16M 8M "$i"
		pattern check direct "$1" 16M 8M "$i"
		blkdiscard -z -o 18M -l 4M "$1"
		pattern zero direct "$1" 18M 4M
		blkdiscard -o 17M -l 6M "$1"
		pattern check direct "$1" 16M 1M "$i"
		pattern check direct "$1" 23M 1M "$i"
		[[ ! -e $TMP/enough ]] || break
	done
}

# A volume that is taken back again and again, with others' snapshots of it in between.
rolling() {
	local i device

	device=$(volume_get "tank/$1" device)
	for ((i = 1; ; i++)); do
		pattern write direct "$device" 0 16M "$i"
		snapshot create tank "$1" here
		pattern write direct "$device" 4M 8M $((i + 1000000))
		blkdiscard -o 12M -l 4M "$device"
		rollback tank "$1" here
		pattern check direct "$device" 0 16M "$i"
		snapshot delete tank "$1" here
		[[ ! -e $TMP/enough ]] || break
	done
}

# Snapshots of that, of whatever moment: they and their clones stay as they are.
snapshots_of_rolling() {
	local i

	for ((i = 0; ; i++)); do
		snapshot create tank "$1" "x$i"
		open_snapshot tank "$1" "x$i"
		cp "$snapdev" "$TMP/shown"
		clone tank "$1" "x$i" xc
		cmp "$dev" "$TMP/shown"
		pvctl volume delete tank/xc >/dev/null
		cmp "$snapdev" "$TMP/shown"
		close_snapshot tank "$1" "x$i"
		((i == 0)) || snapshot delete tank "$1" "x$((i - 1))"
		[[ ! -e $TMP/enough ]] || break
	done
	snapshot delete tank "$1" "x$i"
}

listing() {
	until [[ -e $TMP/enough ]]; do
		pvctl snapshot list --json >"$TMP/list"
		eq "$(jq '[.[] | select(.pool != "tank")] | length' "$TMP/list")" 0 "snapshots of another pool"
		pvctl volume list tank --json >"$TMP/list"
		eq "$(jq '[.[] | select(.name == "v" or .name == "w" or .name == "r")] | length' "$TMP/list")" 3 volumes
	done
}

# Everything that can be done with snapshots, at once.
test_snapshots() {
	local v free takers=() others=() writers=()

	# shellcheck disable=SC2034 # for snapshot-lib.sh
	SLOTS=300
	new_pool tank /dev/pmem0 /dev/pmem1 --overcommit 10
	free=$(($(pool_get tank free) + $(pool_get tank metadata)))
	new_volume tank/r 16M
	for v in v w; do
		new_volume "tank/$v" 32M
		writer_start "$v" dsync "$dev"
		writers+=("$writer")
		(set -e; changing "$dev") &
		others+=($!)
		wait_for acked_further 0 "$v"
		(set -e; snapshots_of_journal "$v" a 24M) &
		takers+=($!)
	done
	(set -e; snapshots_of_journal v b 28M) &
	takers+=($!)
	for v in "rolling r" "snapshots_of_rolling r" listing; do
		# shellcheck disable=SC2086 # words
		(set -e; $v) &
		others+=($!)
	done
	all_succeed "${takers[@]}" || fail "a snapshot of a journal"
	touch "$TMP/enough"
	all_succeed "${others[@]}" || fail "one of the others"
	writer_end "${writers[@]}"
	for v in v w; do
		journal check "$(volume_get "tank/$v" device)" "$SLOTS" "$(acked "$v")" 3
		note "$(acked "$v") records in $v"
	done
	erased tank
	eq "$(pvctl snapshot list --json | jq length)" 0 "snapshots left"
	eq "$(pvctl volume list tank --json | jq '[.[].provisioned] | add')" "$(pool_get tank provisioned)" provisioned
	expect 0 pvctl pool check tank
	expect 0 pvctl pool deactivate tank
	expect 0 pvctl pool activate tank
	for v in v w; do
		journal check "$(volume_get "tank/$v" device)" "$SLOTS" "$(acked "$v")" 3
	done
	for v in v w r; do
		expect 0 pvctl volume delete "tank/$v"
	done
	erased tank
	eq $(($(pool_get tank free) + $(pool_get tank metadata))) "$free" "free at the end"
}

load_module() {
	insmod "$PMEMVOL_MODULES/pmemvol.ko"
}

test_module_loop() {
	local i

	for ((i = 0; i < $(by_kernel 8 4); i++)); do
		rmmod pmemvol
		[[ ! -d /sys/module/pmemvol ]] || fail "the module is still there"
		expect 14 pvctl pool list
		load_module
		((i % 3)) || {
			new_pool tank /dev/pmem0
			new_volume tank/v 4M
			must_fail rmmod pmemvol
			expect 0 pvctl pool destroy tank --force
		}
	done
}

# Requests while the module goes: answered or refused, nothing hangs.
test_module_against_requests() {
	local i asker

	(
		while [[ ! -e $TMP/enough ]]; do
			pvctl pool list >/dev/null 2>&1 || continue
		done
	) &
	asker=$!
	for ((i = 0; i < $(by_kernel 15 5); i++)); do
		wait_for rmmod pmemvol
		load_module
	done
	touch "$TMP/enough"
	wait "$asker"
}

tap_main create-and-delete create-and-delete-dense same-names grow-under-io grow-mounted-under-io discard-against-io \
	discard-in-full-pool provisioning-races snapshots activation-loop lists-while-changing \
	pools-come-and-go module-loop module-against-requests
