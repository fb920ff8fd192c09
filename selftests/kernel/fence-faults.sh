#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Memory runs out under nvme_fence, at each point where it is asked for, in the caller's task and in
# the works that ask a device: a request is done as a whole or refused, nothing half-made remains,
# and no gate opens but by an acquire that said so. What leaks is found by kmemleak when the
# guest ends. Needs a kernel with fault injection.
#
#	qemu/vm run --kernel debug -- selftests/kernel/fence-faults.sh [TEST]...
#	FAULTS_ALL=1: more requests, and every point, also of the hundreds that are the block layer's own

# shellcheck disable=SC2317 # tests are called by name
# shellcheck source=lib.sh
. "$(dirname "$(readlink -f "$0")")/lib.sh"
# shellcheck source=nvmet.sh
. "$HERE/nvmet.sh"
# shellcheck source=fence-lib.sh
. "$HERE/fence-lib.sh"
require_fence
readonly INJECT=/sys/kernel/debug
[[ -e $INJECT/failslab/require-start ]] ||
	skip_all "this kernel has no fault injection that looks at stacks"
readonly KINDS=(failslab fail_page_alloc)

# ---- injection ----

# in_all SETTING VALUE
in_all() {
	local kind

	for kind in "${KINDS[@]}"; do
		echo "$2" >"$INJECT/$kind/$1"
	done
}

# The module's functions in memory: where each begins, and its name.
functions() {
	awk '$4 == "[nvme_fence]" && tolower($2) == "t" { print $1, $3 }' /proc/kallsyms | sort
}

# only_under FROM TO: what is allocated in functions that were called from there
only_under() {
	in_all require-start "0x$1"
	in_all require-end "0x$2"
}

# Calls as deep as device_add_disk()'s are still told to be the module's.
prepare() {
	local -a text

	in_all verbose 0
	in_all ignore-gfp-wait N
	in_all stacktrace-depth 32
	echo N >"$INJECT/failslab/cache-filter"
	echo 0 >"$INJECT/fail_page_alloc/min-order"
	mapfile -t text < <(functions | cut -d ' ' -f 1)
	((${#text[@]} > 50)) || skip_all "the module's functions are not told"
	only_under "${text[0]}" "$(printf '%x' $((0x${text[-1]} + 4096)))"
}
prepare

# The kernel counts for as long as it runs, through all tests, and says nothing: but where it failed
# one it was at a multiple of the interval. One that is greater than the count so far is hit once.
for kind in "${KINDS[@]}"; do
	echo 0 >"$TMP/counted-$kind"
done

# arm KIND N: of the allocations from now on the N-th fails
arm() {
	interval=$(($(<"$TMP/counted-$1") + $2))
	echo "$interval" >"$INJECT/$1/interval"
	echo 1 >"$INJECT/$1/times"
	echo 100 >"$INJECT/$1/probability"
}

disarm() {
	in_all probability 0
}

# hit KIND: has it failed?
hit() {
	(($(<"$INJECT/$1/times") == 0)) || return
	# An interval of 1 is not counted.
	((interval == 1)) || echo "$interval" >"$TMP/counted-$1"
}

# once TRY JUDGE: TRY with what is armed. JUDGE STATUS looks what has become of it, and makes the old
# state again.
once() {
	local status=0

	"$1" >"$TMP/said" 2>&1 || status=$?
	disarm
	((status < 2)) || fail "status $status: $(<"$TMP/said")"
	"$2" "$status"
}

# each_point TRY JUDGE: with the first, second, third ... allocation failing, until none fails; the
# later ones, which are the block layer's own, at growing distances
each_point() {
	local kind n every=${FAULTS_ALL:-2} refused=0 points=0

	defer disarm
	for kind in "${KINDS[@]}"; do
		for ((n = 1; n < 4000; n += every == 1 || n < 4 ? 1 : 1 + n / every)); do
			arm "$kind" "$n"
			once "$1" "$2"
			hit "$kind" || break
			points=$((points + 1))
			grep -q '^\(OK\|ok\)' "$TMP/said" || refused=$((refused + 1))
		done
		# Until the count is known again; where the first one did not come, none was counted.
		until ((n == 1)) || hit "$kind"; do
			echo 100 >"$INJECT/$kind/probability"
			once "$1" "$2"
		done
	done
	((points > 0)) || fail "nothing was ever allocated"
	note "$points points, refused at $refused"
}

# ---- requests ----

# ask COMMAND NAME [TOKEN]...: TOKENs of the attachment, and after "--" others
ask() {
	local command=$1 name=$2
	local -a inner=()

	shift 2
	while (($#)) && [[ $1 != -- ]]; do
		inner+=("$1")
		shift
	done
	nlreq --fence "$command" '{ATTACHMENT' "ATT_NAME:s:$name" "${inner[@]}" '}' "${@:2}"
}

must() {
	"$@" >"$TMP/must" || fail "$*: $(<"$TMP/must")"
}

out_of_memory() {
	grep -q -E '^(ENOMEM|EIO) ' "$TMP/said" || fail "refused with another reason: $(<"$TMP/said")"
}

attachments() {
	nlreq --fence --dump GET
}

# disk_of NAME: sets $disk
disk_of() {
	local path

	for path in /sys/block/nvf*/nvme_fence/name; do
		[[ -e $path && $(<"$path") == "$1" ]] || continue
		path=${path%/nvme_fence/name} disk=/dev/${path##*/}
	done
}

# Whose gate is open is who can write: asked in this way, for a program takes its time here.
writes() {
	disk_of "$1"
	put "$disk"
}

shut() {
	disk_of "$1"
	refuses_writes "$disk"
}

no_disk() {
	! compgen -G '/sys/block/nvf*' >/dev/null || fail "a disk is left: $(<"$TMP/said")"
}

# ---- attach and detach ----

node=1
lower=
grade=

try_attach() {
	ask ATTACH pod "ATT_DEVICE:s:$lower" "ATT_NODE_ID:u32:$node"
}

# A device that stayed open would refuse the next number.
judge_attach() {
	if (($1)); then
		out_of_memory
		eq "$(attachments)" "OK 0" "attachments after a refusal"
	else
		shut pod
		# Memory that was short is no reason for another grade.
		[[ $grade == local ]] || fence_is pod grade "$grade"
		must ask DETACH pod
	fi
	no_disk
	! compgen -G "/sys/block/${lower##*/}/holders/*" >/dev/null || fail "a holder is left"
	node=$((node + 1))
}

test_attach() {
	null_new disk 64
	lower=$null grade=local
	each_point try_attach judge_attach
}

try_detach() {
	ask DETACH pod
}

judge_detach() {
	if (($1)); then
		out_of_memory
		writes pod
		return
	fi
	no_disk
	granted_pod
}

granted_pod() {
	must try_attach
	must ask ACQUIRE pod
	writes pod
}

test_detach() {
	null_new disk 64
	lower=$null
	granted_pod
	each_point try_detach judge_detach
}

# ---- acquire and release ----

try_acquire() {
	ask ACQUIRE pod
}

# Of two attachments the other one has the epoch: until now, or nobody any more.
judge_acquire() {
	if (($1)); then
		out_of_memory
		shut pod
		disk_of other
		put "$disk" 2>"$TMP/put" || grep -q 'Invalid exchange' "$TMP/put" || fail "$(<"$TMP/put")"
	else
		writes pod
		shut other
	fi
	must ask ACQUIRE other
	writes other
	granted=$((granted + 1 + !$1))
}

# two_pods: over $lower
two_pods() {
	granted=1
	must try_attach
	must ask ATTACH other "ATT_DEVICE:s:$lower" ATT_NODE_ID:u32:1
	must ask ACQUIRE other
}

test_acquire() {
	null_new disk 64
	lower=$null
	two_pods
	each_point try_acquire judge_acquire
	(($(fence_get other epoch) >= granted)) || fail "$granted grants, epoch $(fence_get other epoch)"
}

try_release() {
	ask RELEASE pod
}

# Refused before anything was done, or, with a device that is to be told, after the gate was shut.
judge_release() {
	if ((!$1)); then
		shut pod
	else
		out_of_memory
		[[ $grade == device ]] || writes pod
	fi
	must ask ACQUIRE pod
	writes pod
}

test_release() {
	null_new disk 64
	lower=$null grade=local
	granted_pod
	each_point try_release judge_release
}

try_get() {
	ask GET pod
}

judge_get() {
	((!$1)) || out_of_memory
	writes pod
}

try_renew() {
	ask RENEW pod ATT_LEASE:u32:600000
}

test_status_and_renew() {
	null_new disk 64
	lower=$null
	granted_pod
	each_point try_get judge_get
	each_point try_renew judge_get
}

# ---- a device with reservations ----

on_device() {
	two_initiators
	lower=$a grade=device
}

test_device_attach() {
	on_device
	each_point try_attach judge_attach
}

test_device_acquire() {
	on_device
	two_pods
	each_point try_acquire judge_acquire
	(($(fence_get other epoch) >= granted)) || fail "$granted grants, epoch $(fence_get other epoch)"
	refuses_writes "$b"
}

test_device_release() {
	on_device
	granted_pod
	each_point try_release judge_release
	refuses_writes "$b"
}

# Another host holds: what is left half-way is an operator's to judge, and nobody's gate opens.
try_preempt() {
	ask ACQUIRE pod -- PREEMPT_FOREIGN:flag
}

foreign_holds() {
	pr "$b" register 0 0xb ignore
	pr "$b" clear 0xb
	pr "$b" register 0 0xb ignore
	pr "$b" reserve 0xb 1
	put "$b"
}

judge_preempt() {
	if (($1)); then
		out_of_memory
		shut pod
	else
		writes pod
		refuses_writes "$b"
	fi
	foreign_holds
}

test_device_preempt() {
	on_device
	foreign_holds
	must try_attach
	each_point try_preempt judge_preempt
}

# ---- consumers' ioctls ----

consumers() {
	null_new disk 64
	lower=$null
	two_pods
	disk_of pod
	one=$disk
	disk_of other
	two=$disk
	must ask RELEASE other
}

try_register() {
	fence-pr "$one" register 0 0xa
}

judge_register() {
	((!$1)) || pr_refused
	pr "$one" register 0xa 0 ignore
	refuses_writes "$one"
}

pr_refused() {
	grep -q -E '^(ENOMEM|EIO)$' "$TMP/said" || fail "refused with another reason: $(<"$TMP/said")"
}

try_reserve() {
	fence-pr "$one" reserve 0xa 1
}

judge_reserve() {
	if (($1)); then
		pr_refused
		refuses_writes "$one"
	else
		put "$one"
		pr "$one" release 0xa 1
	fi
}

try_pr_release() {
	fence-pr "$one" release 0xa 1
}

judge_pr_release() {
	if (($1)); then
		pr_refused
		put "$one"
	else
		refuses_writes "$one"
		pr "$one" reserve 0xa 1
	fi
}

try_pr_preempt() {
	fence-pr "$two" preempt-abort 0xb 0xa 1
}

# One of the two can write, or after a preempt that came to nothing none.
judge_pr_preempt() {
	if (($1)); then
		pr_refused
		refuses_writes "$two"
	else
		put "$two"
		refuses_writes "$one"
		pr "$two" release 0xb 1
	fi
	pr "$one" register 0 0xa ignore
	put "$one" 2>"$TMP/put" || pr "$one" reserve 0xa 1
	put "$one"
}

try_clear() {
	fence-pr "$one" clear 0xa
}

judge_clear() {
	if (($1)); then
		pr_refused
		put "$one"
	else
		refuses_writes "$one"
		pr "$one" register 0 0xa
		pr "$two" register 0 0xb
		pr "$one" reserve 0xa 1
	fi
}

try_read() {
	fence-pr "$one" read-reservation
}

judge_read() {
	((!$1)) || pr_refused
	put "$one"
}

test_ioctls() {
	consumers
	each_point try_register judge_register
	pr "$one" register 0 0xa
	pr "$two" register 0 0xb
	each_point try_reserve judge_reserve
	pr "$one" reserve 0xa 1
	each_point try_pr_release judge_pr_release
	# Linux 6.12 has no such ioctl.
	if try_read >"$TMP/pr"; then
		each_point try_read judge_read
	else
		eq "$(<"$TMP/pr")" ENOTTY "answer to read-reservation"
	fi
	each_point try_pr_preempt judge_pr_preempt
	pr "$two" register 0 0xb ignore
	each_point try_clear judge_clear
}

# ---- not one allocation, but all ----

# starve FROM TO
starve() {
	in_all interval 1
	in_all times -1
	only_under "$1" "$2"
	in_all probability 100
}

fed() {
	disarm
	prepare
}

# Every allocation of one function, and of what it calls: a life of an attachment, of which each step
# may be refused. So what has a second way to its memory, as big allocations have, does without too.
test_functions() {
	local -a starts names
	local i step lives=0 refusals=0 status

	null_new disk 64
	lower=$null
	defer fed
	mapfile -t starts < <(functions | cut -d ' ' -f 1)
	mapfile -t names < <(functions | cut -d ' ' -f 2)
	for ((i = 0; i + 1 < ${#starts[@]}; i++)); do
		[[ ${names[i]} =~ alloc|make|open|answer|parse|nvf_disk_add|reserve_memory ]] || continue
		starve "${starts[i]}" "${starts[i + 1]}"
		for step in ATTACH ACQUIRE GET RELEASE DETACH; do
			status=0
			if [[ $step == ATTACH ]]; then
				try_attach >"$TMP/said" 2>&1 || status=$?
			else
				ask "$step" pod >"$TMP/said" 2>&1 || status=$?
			fi
			((status < 2)) || fail "$step: $(<"$TMP/said")"
			((status)) || continue
			refusals=$((refusals + 1))
			grep -q -E '^(ENOMEM|EIO|ENOENT) ' "$TMP/said" || fail "${names[i]}: $step: $(<"$TMP/said")"
		done
		disarm
		! compgen -G '/sys/block/nvf*' >/dev/null || must ask DETACH pod
		eq "$(attachments)" "OK 0" "attachments"
		lives=$((lives + 1))
	done
	((refusals > 10)) || fail "$refusals refusals only"
	note "$lives functions, $refusals refusals"
}

# I/O goes on: a context for each bio is kept in store, more than a CPU has at hand.
test_io() {
	local -a range
	local name

	null_new disk 64
	require_module dm-delay
	slow_new late "$null" 40
	attach pod "$slow" 1
	acquire pod
	defer fed
	for name in nvf_submit_bio io_alloc; do
		mapfile -t range < <(functions | grep -A 1 " $name\$" | cut -d ' ' -f 1)
		((${#range[@]} == 2)) || continue
		starve "${range[@]}"
		BLOCKS=256 stamps_start pod "$dev" "$epoch" 1 48
		wait_for fence_becomes pod writes_in_flight 48
		disarm
		kill -TERM "${writer[pod]}"
		stamps_end pod 0
	done
}

names=(attach acquire functions detach io device-acquire ioctls status-and-renew)
[[ -z ${FAULTS_ALL-} ]] || names+=(release device-attach device-preempt device-release)
tap_main "${names[@]}"
