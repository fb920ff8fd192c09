# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# Guests that see each other, and a guest that others can pause.

network_check() {
	[[ -z $1 || $1 =~ ^[A-Za-z0-9_.-]+:[1-9][0-9]?$ ]] ||
		die "$EXIT_USAGE" "--net takes NAME:N with N from 1 to 99, not '$1'"
}

# network_arguments NAME:N: adds to the array QEMU_ARGS. The network is a multicast group on the
# host's loopback: guests come and go in any order, and one that is paused holds up nobody. Its
# address is made from the cache's path too, so that two users do not meet.
network_arguments() {
	local name=${1%:*} number=${1##*:} hash

	[[ -n $1 ]] || return 0
	hash=$(sha256sum <<<"$CACHE $name")
	hash=$((16#${hash:0:8}))
	QEMU_ARGS+=(
		-netdev "socket,id=net0,localaddr=127.0.0.1,mcast=239.78.$((hash & 255)).$((hash >> 8 & 255)):$((20000 + (hash >> 16) % 10000))"
		-device "virtio-net-pci,netdev=net0,romfile=,mac=52:54:00:78:00:$(printf '%02d' "$number")"
	)
}

# control_arguments DIR: QEMU's monitor, as two FIFOs in DIR
control_arguments() {
	[[ -n $1 ]] || return 0
	mkdir -p "$1" || die "$EXIT_USAGE" "--control $1: cannot be created"
	rm -f "$1/qmp.in" "$1/qmp.out"
	mkfifo "$1/qmp.in" "$1/qmp.out" || die "$EXIT_USAGE" "--control $1: cannot make FIFOs"
	QEMU_ARGS+=(-chardev "pipe,id=qmp,path=$1/qmp" -mon 'chardev=qmp,mode=control')
}

# control_execute COMMAND: in the guest of OPT_CONTROL; returns when it was obeyed
control_execute() {
	local command=$1 id=$$-$RANDOM line requests answers lock

	[[ -p $OPT_CONTROL/qmp.in ]] || die "$EXIT_USAGE" "no guest runs with --control '$OPT_CONTROL'"
	# One at a time; for reading and writing, so that opening does not wait for QEMU.
	exec {lock}>"$OPT_CONTROL/lock" {requests}<>"$OPT_CONTROL/qmp.in" {answers}<>"$OPT_CONTROL/qmp.out"
	flock "$lock"
	# Every but the first request for capabilities is refused, which does no harm.
	printf '{"execute": "%s", "id": "%s"}\n' qmp_capabilities first "$command" "$id" >&"$requests"
	while IFS= read -r -t 30 line <&"$answers"; do
		[[ $line == *"\"id\": \"$id\""* ]] || continue
		[[ $line == *'"return"'* ]] || die "$EXIT_GUEST" "$command: $line"
		return 0
	done
	die "$EXIT_GUEST" "the guest of --control $OPT_CONTROL does not answer"
}
