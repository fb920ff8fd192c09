#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# The netlink interface of nvme_fence against nonsense and against those who may not use it.
#
#	qemu/vm run -- selftests/kernel/fence-netlink.sh [TEST]...

# shellcheck disable=SC2154,SC2317 # variables of nvmet.sh, tests called by name
# shellcheck source=lib.sh
. "$(dirname "$(readlink -f "$0")")/lib.sh"
# shellcheck source=nvmet.sh
. "$HERE/nvmet.sh"
command -v pvctl >/dev/null || skip_all "pvctl is needed"
[[ -d /sys/module/nvme_fence ]] || skip_all "nvme_fence is not loaded"
export PVCTL_STATE_DIR=$TMP/state

# What a request must not change; leases and counters of commands may run.
state() {
	pvctl fence status --json | jq 'map(del(.lease_left, .commands))'
}

# bad ERRNO TEXT TOKEN...: refused with that errno (a pattern) and a text that has TEXT
bad() {
	local status=0 out

	out=$(nlreq --fence "${@:3}" 2>&1) || status=$?
	eq "$status" 1 "status of: ${*:3}: $out"
	[[ ${out%% *} =~ ^($1)$ ]] || fail "${*:3}: '$out', not $1"
	asked=$((asked + 1))
	# Kernels of today hand no text on when a dump is refused before it starts.
	[[ $3 != --dump ]] || return 0
	[[ $out == *"$2"* ]] || fail "${*:3}: '$out' does not say '$2'"
	[[ $out == *" "?* ]] || fail "${*:3}: '$out' has no text"
}

# refusals FUNCTION: nothing of it changes anything
refusals() {
	local before

	null_new fence 16
	expect 0 pvctl fence attach a "$null" --node-id 1 --lease 3600
	expect 0 pvctl fence attach b "$null" --node-id 1
	expect 0 pvctl fence acquire a
	before=$(state)
	asked=0
	"$1"
	eq "$(state)" "$before" "attachments after $asked refusals"
	note "$asked requests refused"
}

ATT=('{ATTACHMENT' ATT_NAME:s:a)
COMMANDS=(GET ATTACH DETACH ACQUIRE RENEW RELEASE)

names() {
	local cmd

	for cmd in "${COMMANDS[@]}"; do
		bad EINVAL "no attachment is named" "$cmd"
		bad EINVAL "no attachment is named" "$cmd" '{ATTACHMENT' '}'
		bad EINVAL "" "$cmd" '{ATTACHMENT' ATT_NAME:r:a '}'
		bad EINVAL "not a name" "$cmd" '{ATTACHMENT' ATT_NAME:s: '}'
		bad 'EINVAL|ERANGE' "" "$cmd" '{ATTACHMENT' ATT_NAME:flag '}'
		bad 'EINVAL|ERANGE' "" "$cmd" '{ATTACHMENT' ATT_NAME:n:129 '}'
		bad 'EINVAL|ERANGE' "" "$cmd" '{ATTACHMENT' ATT_NAME:n:60000 '}'
		bad EINVAL "not a name" "$cmd" '{ATTACHMENT' ATT_NAME:s:-x '}'
		bad EINVAL "not a name" "$cmd" '{ATTACHMENT' ATT_NAME:s:.. '}'
		bad EINVAL "not a name" "$cmd" '{ATTACHMENT' ATT_NAME:s:a/b '}'
		bad EINVAL "not a name" "$cmd" '{ATTACHMENT' "ATT_NAME:s:a b" '}'
		bad EINVAL "" "$cmd" '{ATTACHMENT' ATT_NAME:x:ff00 '}'
		bad EINVAL "" "$cmd" '{-ATTACHMENT' ATT_NAME:s:a '}'
		bad EINVAL "" "$cmd" ATTACHMENT:u32:1
		bad EINVAL "" "$cmd" ATTACHMENT:x:ffffffff
		bad EINVAL "" "$cmd" ATTACHMENT:len:60000
		bad EINVAL "" "$cmd" ATTACHMENT:len:1
		bad EINVAL "" "$cmd" ATTACHMENT:len:0
		[[ $cmd == ATTACH ]] ||
			bad ENOENT "no such attachment" "$cmd" '{ATTACHMENT' ATT_NAME:s:none '}'
	done
}

test_names() { refusals names; }

numbers() {
	local n cmd new=('{ATTACHMENT' ATT_NAME:s:c "ATT_DEVICE:s:$null")

	bad EINVAL "no device" ATTACH '{ATTACHMENT' ATT_NAME:s:c ATT_NODE_ID:u32:1 '}'
	bad EINVAL "no node" ATTACH "${new[@]}" '}'
	for n in 0 65536 0xffffffff; do
		bad 'EINVAL|ERANGE' "" ATTACH "${new[@]}" ATT_NODE_ID:u32:"$n" '}'
	done
	bad 'EINVAL|ERANGE' "" ATTACH "${new[@]}" ATT_NODE_ID:u64:1 '}'
	bad 'EINVAL|ERANGE' "" ATTACH "${new[@]}" ATT_NODE_ID:flag '}'
	new+=(ATT_NODE_ID:u32:1)
	for n in 2 0xffffffff; do
		bad 'EINVAL|ERANGE' "" ATTACH "${new[@]}" ATT_GRADE:u32:"$n" '}'
	done
	for n in 1 99 86400001 0xffffffff; do
		bad 'EINVAL|ERANGE' "" ATTACH "${new[@]}" ATT_LEASE:u32:"$n" '}'
		bad 'EINVAL|ERANGE' "" RENEW "${ATT[@]}" ATT_LEASE:u32:"$n" '}'
		bad 'EINVAL|ERANGE' "" ACQUIRE "${ATT[@]}" ATT_LEASE:u32:"$n" '}'
	done
	for n in 0x10000000000 0x7fffffffffffffff 0xffffffffffffffff; do
		bad 'EINVAL|ERANGE' "" ATTACH "${new[@]}" ATT_RECORD_EPOCH:u64:"$n" '}'
		bad 'EINVAL|ERANGE' "" ACQUIRE "${ATT[@]}" ATT_RECORD_EPOCH:u64:"$n" '}'
		bad 'EINVAL|ERANGE' "" ACQUIRE "${ATT[@]}" ATT_EPOCH:u64:"$n" '}'
	done
	bad 'EINVAL|ERANGE' "" ACQUIRE "${ATT[@]}" ATT_EPOCH:u64:0 '}'
	bad 'EINVAL|ERANGE' "" ACQUIRE "${ATT[@]}" ATT_EPOCH:u32:9 '}'
	bad 'ESTALE' "not newer" ACQUIRE "${ATT[@]}" ATT_EPOCH:u64:1 '}'
	for n in 000102030405060708090a0b0c0d0e 000102030405060708090a0b0c0d0e0f10 00; do
		bad 'EINVAL|ERANGE' "" ATTACH "${new[@]}" ATT_HOST_ID:x:"$n" '}'
	done
	for cmd in GET ACQUIRE RELEASE; do
		for n in 0 3600001 0xffffffff; do
			bad 'EINVAL|ERANGE' "" "$cmd" "${ATT[@]}" '}' TIMEOUT:u32:"$n"
		done
		bad 'EINVAL|ERANGE' "" "$cmd" "${ATT[@]}" '}' TIMEOUT:u64:5
	done
	bad 'EINVAL|ERANGE' "" ACQUIRE "${ATT[@]}" '}' PREEMPT_FOREIGN:u32:1
	bad 'EINVAL|ERANGE' "" ACQUIRE "${ATT[@]}" '}' CONTINUE:u32:1
	bad EINVAL "no acquire to go on with" ACQUIRE "${ATT[@]}" '}' CONTINUE:flag
}

test_numbers() { refusals numbers; }

devices() {
	local new=('{ATTACHMENT' ATT_NAME:s:c ATT_NODE_ID:u32:1)

	bad 'EINVAL|ENODEV|ENOENT' "" ATTACH "${new[@]}" ATT_DEVICE:s: '}'
	bad EINVAL "" ATTACH "${new[@]}" ATT_DEVICE:r:/dev/zero '}'
	bad 'EINVAL|ERANGE' "" ATTACH "${new[@]}" ATT_DEVICE:n:4096 '}'
	bad 'EINVAL|ERANGE' "" ATTACH "${new[@]}" ATT_DEVICE:n:50000 '}'
	bad 'ENODEV|ENAMETOOLONG|EINVAL' "" ATTACH "${new[@]}" ATT_DEVICE:n:4095 '}'
	bad ENODEV "" ATTACH "${new[@]}" ATT_DEVICE:s:/dev/none '}'
	bad ENOTBLK "not a block device" ATTACH "${new[@]}" ATT_DEVICE:s:/dev/zero '}'
	bad ENOTBLK "not a block device" ATTACH "${new[@]}" ATT_DEVICE:s:/ '}'
	# On itself, by another name, for another node.
	bad 'EBUSY|EMEDIUMTYPE|EINVAL|ELOOP' "" ATTACH "${new[@]}" ATT_DEVICE:s:/dev/nvf0 '}'
	bad 'EINVAL|EBUSY|EEXIST' "" ATTACH '{ATTACHMENT' ATT_NAME:s:c ATT_NODE_ID:u32:2 \
		"ATT_DEVICE:s:$null" '}'
	bad EEXIST "exists" ATTACH '{ATTACHMENT' ATT_NAME:s:a ATT_NODE_ID:u32:1 "ATT_DEVICE:s:$null" '}'
	bad 'EOPNOTSUPP|EMEDIUMTYPE' "" ATTACH "${new[@]}" "ATT_DEVICE:s:$null" ATT_GRADE:u32:1 '}'
}

test_devices() { refusals devices; }

reports() {
	local cmd many=() i

	for cmd in GET ACQUIRE ATTACH; do
		bad EINVAL "" "$cmd" "${ATT[@]}" '}' REPORT:u32:1
		bad EINVAL "" "$cmd" "${ATT[@]}" '}' REPORT:len:60000
		bad EINVAL "" "$cmd" "${ATT[@]}" '}' '{-REPORT' REPORT_TYPE:u32:1 '}'
		bad EINVAL "" "$cmd" "${ATT[@]}" '}' '{REPORT' '}'
		bad 'EINVAL|ERANGE' "" "$cmd" "${ATT[@]}" '}' '{REPORT' REPORT_TYPE:u32:0x100 '}'
		bad 'EINVAL|ERANGE' "" "$cmd" "${ATT[@]}" '}' '{REPORT' REPORT_TYPE:u64:1 '}'
		bad 'EINVAL|ERANGE' "" "$cmd" "${ATT[@]}" '}' '{REPORT' REPORT_TYPE:u32:1 REPORT_GENERATION:u64:1 '}'
		bad 'EINVAL|ERANGE' "" "$cmd" "${ATT[@]}" '}' '{REPORT' REPORT_TYPE:u32:1 REPORT_GRANTS:u32:1 '}'
		bad EINVAL "" "$cmd" "${ATT[@]}" '}' '{REPORT' REPORT_TYPE:u32:1 REPORT_REGISTRANT:u32:1 '}'
		bad EINVAL "without key" "$cmd" "${ATT[@]}" '}' '{REPORT' REPORT_TYPE:u32:1 \
			'{REPORT_REGISTRANT' REG_HOLDER:flag '}' '}'
		bad 'EINVAL|ERANGE' "" "$cmd" "${ATT[@]}" '}' '{REPORT' REPORT_TYPE:u32:1 \
			'{REPORT_REGISTRANT' REG_KEY:u32:1 '}' '}'
		bad 'EINVAL|ERANGE' "" "$cmd" "${ATT[@]}" '}' '{REPORT' REPORT_TYPE:u32:1 \
			'{REPORT_REGISTRANT' REG_KEY:u64:1 REG_HOST_ID:x:00 '}' '}'
		bad EINVAL "" "$cmd" "${ATT[@]}" '}' '{REPORT' REPORT_TYPE:u32:1 \
			'{REPORT_REGISTRANT' REG_KEY:u64:1 REG_EPOCH:u64:1 '}' '}'
		bad EINVAL "" "$cmd" "${ATT[@]}" '}' '{REPORT' REPORT_TYPE:u32:1 \
			'{-REPORT_REGISTRANT' REG_KEY:u64:1 '}' '}'
	done
	for ((i = 0; i < 257; i++)); do
		many+=('{REPORT_REGISTRANT' "REG_KEY:u64:$i" '}')
	done
	for cmd in GET ACQUIRE ATTACH; do
		bad 'ERANGE|EINVAL' "at most 256" "$cmd" "${ATT[@]}" '}' '{REPORT' REPORT_TYPE:u32:1 "${many[@]}" '}'
	done
	# The most there can be is no nonsense, and a device of grade local takes none of it.
	expect 0 nlreq --fence GET "${ATT[@]}" '}' '{REPORT' REPORT_TYPE:u32:1 "${many[@]:0:768}" '}'
}

test_reports() { refusals reports; }

unknown() {
	local cmd type

	for cmd in "${COMMANDS[@]}"; do
		bad EINVAL "" "$cmd" "${ATT[@]}" '}' 99:u32:1
		bad EINVAL "" "$cmd" "${ATT[@]}" 99:u32:1 '}'
		bad EINVAL "" "$cmd" '{EVENT' 1:u32:1 '}'
		bad EINVAL "" "$cmd" "${ATT[@]}" '}' '{EVENT' 1:u32:1 '}'
		bad EINVAL "" "$cmd" "${ATT[@]}" '}' '{WINNER' REG_KEY:u64:1 '}'
		bad EINVAL "" "$cmd" "${ATT[@]}" '}' REPORT_WANTED:flag
		for type in ATT_DEVICE_DEVNUM ATT_DEVNUM ATT_SIZE ATT_DEVICE_EPOCH ATT_IN_FLIGHT ATT_WRITES_IN_FLIGHT ATT_REFUSED ATT_GRANTS; do
			bad EINVAL "" "$cmd" "${ATT[@]}" "$type:u64:1" '}'
		done
		for type in ATT_UNIQUE_ID ATT_DISK ATT_STATE ATT_REASON ATT_OPENERS ATT_LEASE_LEFT ATT_COMMANDS ATT_STICKY ATT_PAD; do
			bad EINVAL "" "$cmd" "${ATT[@]}" "$type:u32:1" '}'
		done
	done
}

test_unknown_attributes() { refusals unknown; }

# refused_command ERRNO COMMAND...: without the need for a text
refused_command() {
	expect 1 nlreq --fence "${@:2}"
	grep -q -E "^$1" "$TMP/out" || fail "${*:2}: $(<"$TMP/out")"
}

shape() {
	local n

	bad EINVAL "" GET '{ATTACHMENT' '{ATTACHMENT' '{ATTACHMENT' ATT_NAME:s:a '}' '}' '}'
	bad EINVAL "" GET '{ATTACHMENT' '{ATT_NAME' '{1' '{1' '}' '}' '}' '}'
	bad EINVAL "" GET '{ATTACHMENT' ATT_NAME:len:400 '}'
	bad EINVAL "" GET '{ATTACHMENT' ATT_NAME:len:3 '}'
	for n in 8 99 255; do
		refused_command EOPNOTSUPP "$n" "${ATT[@]}" '}'
	done
	refused_command . EVENT "${ATT[@]}" '}'
	refused_command . --dump ACQUIRE "${ATT[@]}" '}'
	refused_command . --length 18 GET "${ATT[@]}" '}'
	expect 0 nlreq --fence GET "${ATT[@]}" '}'
	expect 0 nlreq --fence --dump GET
	eq "$(<"$TMP/out")" "OK 2" "dump of attachments"
}

test_shape() { refusals shape; }

# As root, with every capability but the one.
without_sys_admin() {
	setpriv --bounding-set=-sys_admin --inh-caps=-sys_admin "$@"
}

in_user_namespace() {
	unshare --user --map-root-user "$@"
}

denied() {
	local how=$1 cmd out status

	for cmd in "${COMMANDS[@]}"; do
		status=0
		out=$("$how" nlreq --fence "$cmd" "${ATT[@]}" "ATT_DEVICE:s:$null" ATT_NODE_ID:u32:1 '}') || status=$?
		eq "$status ${out%% *}" "1 EPERM" "$how $cmd"
	done
	status=0
	out=$("$how" nlreq --fence --dump GET) || status=$?
	eq "$status ${out%% *}" "1 EPERM" "$how dump"
	status=0
	out=$("$how" nlreq --fence --join) || status=$?
	eq "$status $out" "1 EPERM" "$how joining the group"
	expect 7 "$how" pvctl fence status
	expect 7 "$how" pvctl fence acquire b
	expect 7 "$how" pvctl fence detach b
	asked=$((asked + 11))
}

without_capability() {
	# The rest is there: what is refused is refused for this capability.
	without_sys_admin setpriv --dump | grep -q 'net_admin' || fail "CAP_NET_ADMIN is gone too"
	denied without_sys_admin
}

test_without_capability() { refusals without_capability; }

user_namespace() {
	[[ ! -e /proc/sys/kernel/unprivileged_userns_clone ]] || echo 1 >/proc/sys/kernel/unprivileged_userns_clone
	in_user_namespace true || skip "no user namespaces here"
	denied in_user_namespace
}

test_user_namespace() { refusals user_namespace; }

test_with_capability() {
	null_new fence 16
	expect 0 pvctl fence attach a "$null" --node-id 1
	expect 0 nlreq --fence --join
	expect 0 nlreq --fence GET "${ATT[@]}" '}'
	# Not in another network namespace: there is no such family.
	must_fail unshare --net nlreq --fence GET "${ATT[@]}" '}'
}

tap_main names numbers devices reports unknown-attributes shape without-capability \
	user-namespace with-capability
