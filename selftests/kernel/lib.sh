# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# What the tests in the guest share. A test file sources this, says what it needs with
# require_*, defines its tests as functions and ends with
#
#	tap_main name-of-a-test another-test ...
#
# Test "grow-online" is the function test_grow_online. Each runs in a subshell where every
# failing command fails the test ("set -e"), with its output shown as KTAP diagnostics. What a
# test changes it undoes with "defer COMMAND", run in reverse order at its end, whatever that
# end is. Afterwards all pools are gone and the NVDIMMs are blank again.
#
# Tests wait for conditions with wait_for, never for time.
set -uo pipefail

HERE=$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")
BIN=$HERE/bin
TMP=$(mktemp -d)
MNT=$TMP/mnt
# Room for a slow machine: emulated, with the checkers of a debug kernel.
WAIT=${WAIT:-60}
MIB=$((1 << 20))
# shellcheck disable=SC2034 # for the tests
CHUNK=$((2 * MIB))
# Single tests may be named on the command line, or those that are left out: -NAME.
ONLY=("$@")
export PATH=$BIN:$PATH
mkdir "$MNT"
exec 3>&1

is_debug_kernel() {
	[[ -e /sys/kernel/debug/failslab ]]
}

# by_kernel STOCK DEBUG: a size that fits the kernel's speed
by_kernel() {
	if is_debug_kernel; then
		echo "$2"
	else
		echo "$1"
	fi
}

# ---- KTAP ----

note() {
	echo "# $*" >&3
}

fail() {
	echo "FAIL: $*"
	exit 1
}

skip() {
	echo "$*" >"$TMP/skip"
	exit 4
}

# The whole file is skipped.
skip_all() {
	echo "TAP version 13"
	echo "1..0 # SKIP $*"
	rm -rf "$TMP"
	exit 0
}

require_nvdimms() {
	[[ -b /dev/pmem$(($1 - 1)) ]] || skip_all "$1 NVDIMMs are needed"
	command -v pvctl >/dev/null || skip_all "pvctl is needed"
}

require_command() {
	command -v "$1" >/dev/null || skip "$1 is not installed"
}

require_module() {
	modprobe "$1" 2>/dev/null || skip "this kernel has no module $1"
}

# defer COMMAND...: at the end of the test
defer() {
	deferred=("$(printf '%q ' "$@")" "${deferred[@]}")
}

on_exit() {
	local status=$? command

	set +eE
	trap - ERR
	for command in "${deferred[@]}"; do
		eval "$command" || echo "cleanup failed: $command"
	done
	exit "$status"
}

on_error() {
	echo "FAIL: ${BASH_SOURCE[1]##*/}:${BASH_LINENO[0]}: '$BASH_COMMAND' ended with $1" >&2
}

run_one() {
	deferred=()
	set -eEuo pipefail
	trap on_exit EXIT
	trap 'on_error $?' ERR
	"$1"
}

wanted() {
	local name left=1

	for name in "${ONLY[@]}"; do
		case $name in
		"$1") return 0 ;;
		"-$1") return 1 ;;
		-*) ;;
		*) left=0 ;;
		esac
	done
	((left))
}

# finish GROUP: whatever a test has started and not ended holds no mount for the next one
finish() {
	local end=$((SECONDS + WAIT))

	while kill -KILL -- "-$1" 2>/dev/null; do
		((SECONDS < end)) || {
			echo "FAIL: a process of the test cannot be killed"
			return 1
		}
		sleep 0.1
	done
}

# told_of FILE...: the last events a test that failed has seen
told_of() {
	local file

	for file; do
		[[ ! -s $file ]] || { echo "${file##*/}:" && tail -n 20 "$file"; }
	done
}

tap_main() {
	local name number=0 failures=0 status start job
	local -a names=()

	for name in "$@"; do
		! wanted "$name" || names+=("$name")
	done
	echo "TAP version 13"
	echo "1..${#names[@]}"
	for name in "${names[@]}"; do
		number=$((number + 1))
		rm -f "$TMP/skip" "$TMP"/events*
		start=$SECONDS
		# With job control the test is a process group.
		set -m
		(run_one "test_${name//-/_}") >"$TMP/log" 2>&1 </dev/null &
		job=$!
		set +m
		status=0
		wait "$job" || status=$?
		{ finish "$job" && clean_up; } >>"$TMP/log" 2>&1 || {
			echo "FAIL: something is left behind" >>"$TMP/log"
			((status != 0 && status != 4)) || status=1
		}
		((SECONDS - start < 10)) || note "$name took $((SECONDS - start)) s"
		if ((status == 4)) && [[ -e $TMP/skip ]]; then
			echo "ok $number $name # SKIP $(<"$TMP/skip")"
		elif ((status == 0)); then
			echo "ok $number $name"
		else
			tail -n 60 "$TMP/log" | sed 's/^/# /'
			told_of "$TMP"/events* | sed 's/^/# /'
			echo "not ok $number $name"
			failures=$((failures + 1))
		fi
	done
	rm -rf "$TMP"
	((failures == 0))
	exit
}

# ---- assertions ----

# eq GOT WANTED WHAT...
eq() {
	[[ $1 == "$2" ]] || fail "${*:3}: '$1', not '$2'"
}

# expect STATUS COMMAND...: its output goes to $TMP/out and $TMP/err
expect() {
	local want=$1 status=0
	shift

	"$@" >"$TMP/out" 2>"$TMP/err" || status=$?
	((status == want)) && return
	cat "$TMP/out" "$TMP/err"
	fail "'$*' ended with $status, not $want"
}

# says TEXT...: the last command said so, in one line
says() {
	local text

	for text; do
		grep -q -F -- "$text" "$TMP/err" || fail "'$(<"$TMP/err")' does not say '$text'"
	done
	(($(wc -l <"$TMP/err") == 1)) || fail "not one line: $(<"$TMP/err")"
}

# refused STATUS TEXT COMMAND...
refused() {
	expect "$1" "${@:3}"
	says "$2"
}

# must_fail COMMAND...: any status but 0
must_fail() {
	if "$@"; then
		fail "'$*' should have failed"
	fi
}

# wait_for COMMAND...: until it succeeds, at most $WAIT seconds
wait_for() {
	local end=$((SECONDS + WAIT))

	until "$@"; do
		((SECONDS < end)) || fail "waited $WAIT s in vain for: $*"
		sleep 0.1
	done
}

# ---- pools and volumes ----

# new_pool NAME [OPTION]... [DEVICE]...
new_pool() {
	pvctl pool create "$@" >"$TMP/new-pool"
}

# new_volume POOL/NAME SIZE [OPTION]...: sets $dev
new_volume() {
	dev=$(pvctl volume create "$1" --size "$2" "${@:3}" --json | jq -r .device)
	[[ -b $dev ]] || fail "$1 has no device: '$dev'"
}

# pool_get NAME KEY
pool_get() {
	pvctl pool show "$1" --json | jq -r ".$2"
}

# volume_get POOL/NAME KEY
volume_get() {
	pvctl volume show "$1" --json | jq -r ".$2"
}

nothing_erasing() {
	[[ $(pool_get "$1" erasing) == 0 ]]
}

# erased POOL: waits until deleted and discarded chunks are free again
erased() {
	wait_for nothing_erasing "$1"
}

# pool_free_is POOL BYTES
pool_free_is() {
	[[ $(pool_get "$1" free) == "$2" ]]
}

# blank DEVICE...: of everything that looks like content
blank() {
	local device

	for device; do
		# It says each time that it was forced.
		{
			blkdiscard -f -z -l $((4 * MIB)) "$device" &&
				blkdiscard -f -z -o $(($(blockdev --getsize64 "$device") - MIB)) "$device"
		} 2>"$TMP/blank" || {
			cat "$TMP/blank"
			return 1
		}
	done
}

dm_gone() {
	! compgen -G '/sys/block/dm-*' >/dev/null || dmsetup remove_all --force
}

# Attachments of nvme_fence hold what is below them.
detach_all() {
	local name problems=0

	[[ -d /sys/module/nvme_fence ]] || return 0
	for name in $(pvctl fence status --json | jq -r '.[].name'); do
		pvctl fence detach "$name" || problems=1
	done
	return $problems
}

# After every test: nothing is mounted, no pool is active, no NVDIMM has content.
clean_up() {
	local where pool problems=0
	local -a mounts

	while :; do
		mapfile -t mounts < <(awk -v mnt="$MNT" 'index($2, mnt) == 1 { print $2 }' /proc/self/mounts)
		((${#mounts[@]})) || break
		for where in "${mounts[@]}"; do
			umount "$where" || {
				# Out of the way at least, so that later tests are judged by themselves.
				problems=1
				umount --lazy "$where" || return 1
			}
		done
	done
	detach_all || problems=1
	# What nvmet.sh has made, in tests of fencing.
	if declare -F clean_targets >/dev/null; then
		clean_targets || problems=1
	fi
	dm_gone || problems=1
	[[ -d /sys/module/pmemvol ]] || return $problems
	for pool in $(pvctl pool list --json | jq -r '.[] | select(.state == "active") | .name'); do
		# A failed pool can only be deactivated.
		pvctl pool destroy "$pool" --force || pvctl pool deactivate "$pool" || problems=1
	done
	! compgen -G '/dev/pmem[0-9]*' >/dev/null || blank /dev/pmem[0-9]* || problems=1
	find "${MNT:?}" -mindepth 1 -delete
	return $problems
}

# ---- file systems ----

# mkfs_dax TYPE DEVICE: a file system that can be mounted with -o dax and maps 2 MiB at once
mkfs_dax() {
	case $1 in
	ext4) mkfs.ext4 -q -F -b 4096 -E stride=512,stripe_width=512 "$2" ;;
	# A shared extent and DAX exclude each other on kernels up to 6.0; the log stays small.
	xfs) mkfs.xfs -q -f -m reflink=0 -d su=2m,sw=1 "$2" ;;
	*) fail "no file system $1" ;;
	esac
}

# mount_dax TYPE DEVICE WHERE [OPTION]
mount_dax() {
	mkdir -p "$3"
	mount -t "$1" -o "dax=always${4:+,$4}" "$2" "$3"
}

# fsck_clean TYPE DEVICE
fsck_clean() {
	case $1 in
	ext4) e2fsck -f -n "$2" ;;
	xfs) xfs_repair -n "$2" ;;
	esac
}

# ---- events ----

# monitor_start FILE: events go there as JSON, one a line; ended with the test
monitor_start() {
	pvctl monitor --json --ready-file "$TMP/ready" >"$1" 2>"$1.err" &
	monitor=$!
	defer monitor_stop
	wait_for test -e "$TMP/ready"
	rm "$TMP/ready"
}

monitor_stop() {
	[[ -n $monitor ]] || return 0
	kill "$monitor"
	wait "$monitor" || true
	monitor=
}

# has_event FILE EVENT
has_event() {
	grep -q -F "\"event\":\"$2\"" "$1"
}
