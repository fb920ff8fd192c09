#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Take-overs, many of them, under writers that stamp every block with their epoch: running, paused
# with writes under way, killed, reconnected. After acquire(e) has answered no block may change
# to a stamp of an epoch before e; and nothing that was acknowledged may be lost.
#
#	qemu/vm run --release trixie-backports --append nvme_core.multipath=N -- \
#		selftests/kernel/fence-takeover.sh [TEST]...
#	TAKEOVERS=500: so many on one node and over TCP, fewer elsewhere

# shellcheck disable=SC2317 # tests are called by name
# shellcheck source=lib.sh
. "$(dirname "$(readlink -f "$0")")/lib.sh"
# shellcheck source=nvmet.sh
. "$HERE/nvmet.sh"
# shellcheck source=fence-lib.sh
. "$HERE/fence-lib.sh"
require_fence
TAKEOVERS=${TAKEOVERS:-$(by_kernel 24 8)}

# node_of NAME: a1 and a2 are of node a
node_of() {
	[[ $1 == a* ]] && echo 1 || echo 2
}

# on NAME COMMAND...: with the record of that attachment's node
on() {
	PVCTL_STATE_DIR=$TMP/state/$(node_of "$1") "${@:2}"
}

# attach_all NAME...: those of node a over $a, the others over $b
attach_all() {
	local name

	declare -gA device=() writer=()
	defer stamps_kill
	for name; do
		if [[ $(node_of "$name") == 1 ]]; then
			on "$name" attach "$name" "$a" 1
		else
			on "$name" attach "$name" "$b" 2
		fi
		device[$name]=$dev
	done
}

# connection_of NAME: the controller below
connection_of() {
	if [[ $(node_of "$1") == 1 ]]; then
		echo "$ctrl_a"
	else
		echo "$ctrl_b"
	fi
}

# take_overs COUNT MEDIUM HOW... -- NAME...: each attachment in turn takes over from the one
# before, whose writer is treated in one of the ways in turn. MEDIUM is what all writes reach.
take_overs() {
	local count=$1 medium=$2 i way name last='' start=$SECONDS
	local -a ways=() names

	shift 2
	while [[ $1 != -- ]]; do
		ways+=("$1")
		shift
	done
	shift
	names=("$@")
	attach_all "${names[@]}"
	for ((i = 0; i < count; i++)); do
		name=${names[i % ${#names[@]}]}
		way=${ways[i % ${#ways[@]}]}
		[[ -z $last ]] || before_take_over "$way" "$last"
		on "$name" acquire "$name"
		watch_start "$medium" "$epoch"
		stamps_start "$name" "${device[$name]}" "$epoch" $((i + 1))
		[[ -z $last ]] || after_take_over "$way" "$last"
		watch_end
		last=$name
	done
	note "$count take-overs in $((SECONDS - start)) s; the last: $(tail -n 1 "$TMP/watch")"
}

before_take_over() {
	case $1 in
	paused | reconnected) kill -STOP "${writer[$2]}" ;;
	killed)
		kill -KILL "${writer[$2]}"
		stamps_end "$2" 137
		;;
	esac
}

# Who was fenced ends with EBADE, also if it is woken only now.
after_take_over() {
	case $1 in
	killed) return 0 ;;
	reconnected)
		echo 1 >"/sys/class/nvme/$(connection_of "$2")/reset_controller"
		wait_for is_live "$(connection_of "$2")"
		kill -CONT "${writer[$2]}"
		;;
	paused) kill -CONT "${writer[$2]}" ;;
	esac
	stamps_end "$2"
}

test_one_node() {
	require_module dm-delay
	null_new disk 64
	slow_new late "$null" 20
	a=$slow
	take_overs "$TAKEOVERS" "$null" running paused killed -- a1 a2 a3
}

# Writes that are provably under way while their writer is paused: the take-over waits for them.
test_one_node_in_flight() {
	local start

	require_module dm-delay
	null_new disk 64
	slow_new late "$null" 3000
	a=$slow
	attach_all a1 a2
	BLOCKS=16
	acquire a1
	fence-stamp write "${device[a1]}" 16 "$epoch" 1 8 "$TMP/log-a1" 2 >"$TMP/writer-a1" 2>&1 &
	writer[a1]=$!
	wait_for fence_becomes a1 writes_in_flight 8
	kill -STOP "${writer[a1]}"
	start=$EPOCHREALTIME
	acquire a2
	note "acquire took $(awk -v a="$start" -v b="$EPOCHREALTIME" 'BEGIN { print b - a }') s with 8 writes under way"
	watch_start "$null" "$epoch"
	fence_is a1 writes_in_flight 0
	kill -CONT "${writer[a1]}"
	stamps_end a1
	watch_end
}

# late_target TRANSPORT MS: two hosts over a medium that writes reach late
late_target() {
	require_module dm-delay
	null_new disk 64
	slow_new late "$null" "$2"
	two_hosts "$1" "$slow"
}

test_nodes_tcp() {
	late_target tcp 15
	take_overs "$TAKEOVERS" "$null" running paused killed reconnected -- a1 b1
}

# Two attachments on each of two nodes.
test_nodes_and_pods() {
	late_target tcp 15
	take_overs $((TAKEOVERS / 2)) "$null" paused running killed -- a1 a2 b1 b2
}

test_nodes_loop() {
	late_target loop 15
	take_overs $((TAKEOVERS / 4)) "$null" running paused killed -- a1 b1
}

test_nodes_rdma() {
	late_target rdma 15
	take_overs $((TAKEOVERS / 4)) "$null" running paused killed -- a1 b1
}

# One node's attachments over a SCSI device with reservations.
test_pods_scsi() {
	two_initiators
	take_overs $((TAKEOVERS / 4)) "$null" running paused killed -- a1 a2
}

# What there is without reservations, with a driver that completes from interrupts.
test_local_nvme() {
	[[ -b /dev/nvme0n1 ]] || skip "no NVMe namespace of the machine's"
	a=/dev/nvme0n1
	take_overs $((TAKEOVERS / 4)) "$a" running paused killed -- a1 a2
}

# The device waits for what it has accepted from a host that is paused.
test_nodes_in_flight() {
	late_target tcp 3000
	BLOCKS=16
	attach_all a1 b1
	on a1 acquire a1
	fence-stamp write "${device[a1]}" 16 "$epoch" 1 8 "$TMP/log-a1" 2 >"$TMP/writer-a1" 2>&1 &
	writer[a1]=$!
	wait_for fence_becomes a1 writes_in_flight 8
	kill -STOP "${writer[a1]}"
	on b1 acquire b1
	watch_start "$null" "$epoch"
	kill -CONT "${writer[a1]}"
	stamps_end a1
	watch_end
}

# The target restarts under a paused writer; whoever acquires next shuts it out for good.
test_target_restart() {
	local i last=0

	two_hosts tcp
	attach_all a1 b1
	for ((i = 0; i < $(by_kernel 3 2); i++)); do
		on a1 acquire a1
		((epoch > last)) || fail "epoch $epoch after $last"
		stamps_start a1 "${device[a1]}" "$epoch" 1
		kill -STOP "${writer[a1]}"
		target_restart shared 1
		wait_for is_live "$ctrl_a"
		wait_for is_live "$ctrl_b"
		last=$epoch
		on b1 acquire b1 --epoch $((last + 1))
		watch_start "$null" "$epoch"
		kill -CONT "${writer[a1]}"
		stamps_end a1
		stamps_start b1 "${device[b1]}" "$epoch" 2
		watch_end
		kill -KILL "${writer[b1]}"
		stamps_end b1 137
		last=$epoch
	done
}

tap_main one-node one-node-in-flight nodes-tcp nodes-and-pods nodes-in-flight nodes-loop nodes-rdma \
	pods-scsi local-nvme target-restart
