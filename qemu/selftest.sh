#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Tests of the runner itself, in KTAP. Arguments are passed on to every
# "vm run", such as --release trixie. With "--kernel debug" they are others: that
# what this kernel finds fails a run.
set -uo pipefail

vm=$(dirname "$(readlink -f "$0")")/vm
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
options=(--no-modules "$@")
build_options=("$@")
number=0 failures=0

run() {
	"$vm" run "${options[@]}" "$@"
}

# expect STATUS [ARGUMENT]...: a run that ends so; output goes to $dir/out, err.
expect() {
	local want=$1 status
	shift

	run "$@" >"$dir/out" 2>"$dir/err"
	status=$?
	((status == want)) || {
		echo "# status $status, not $want" >>"$dir/err"
		return 1
	}
}

check() {
	number=$((number + 1))
	: >"$dir/err"
	if "$1"; then
		echo "ok $number $1"
	else
		failures=$((failures + 1))
		sed 's/^/# /' "$dir/err"
		echo "not ok $number $1"
	fi
}

status_passes_through() {
	expect 42 -- sh -c 'exit 42'
}

unknown_command_is_127() {
	expect 127 -- /nonexistent/command && grep -q nonexistent "$dir/err"
}

wrong_option_is_120() {
	expect 120 --nvdimm 2:17M -- true
}

stdout_is_exact() {
	head -c 1M /dev/urandom >"$dir/random"
	expect 0 --share "$dir" -- cat "$dir/random" && cmp "$dir/out" "$dir/random" 2>>"$dir/err"
}

stderr_is_separate() {
	expect 0 -- sh -c 'echo one; echo two >&2' &&
		[[ $(<"$dir/out") == one && $(<"$dir/err") == two ]]
}

stdout_streams() {
	local line time
	local -A seen=()

	while IFS=' ' read -r line; do
		printf -v time '%(%s)T' -1
		seen[$line]=$time
	done < <(run -- sh -c 'echo first; sleep 6; echo last')
	((seen[last] - seen[first] >= 4))
}

warning_fails_the_run() {
	expect 125 -- sh -c 'echo "<4>WARNING: CPU: 0 PID: 1 at fake" >/dev/kmsg' &&
		grep -q 'at fake' "$dir/err"
}

allowed_warning_passes() {
	expect 0 --allow-log 'CPU: 0 PID: 1 at fake$' -- \
		sh -c 'echo "<4>WARNING: CPU: 0 PID: 1 at fake" >/dev/kmsg'
}

cleared_log_is_read() {
	expect 125 -- sh -c 'dmesg -n 1; echo "<4>BUG: fake" >/dev/kmsg; dmesg -C'
}

panic_fails_the_run() {
	expect 125 -- sh -c 'echo c >/proc/sysrq-trigger' && grep -q 'Kernel panic' "$dir/err" &&
		! grep 'booted again' "$dir/err"
}

# A QEMU whose first FAILURES kernels find no first process, which is a panic.
failing_boots() {
	local real

	real=$(command -v qemu-system-x86_64)
	mkdir -p "$dir/bin"
	cat >"$dir/bin/qemu-system-x86_64" <<-EOF
		#!/bin/bash
		[[ " \$* " != *" -kernel "* ]] || echo >>"$dir/boots"
		((\$(wc -l <"$dir/boots") > $1)) || set -- "\${@/#console=/rdinit=/none console=}"
		exec "$real" "\$@"
	EOF
	chmod +x "$dir/bin/qemu-system-x86_64"
	: >"$dir/boots"
}

kernel_that_dies_at_boot_is_booted_again() {
	failing_boots 1
	PATH=$dir/bin:$PATH expect 7 --nvdimm 32M -- sh -c 'exit 7' &&
		grep -q 'booted again: .*Kernel panic' "$dir/err" && (($(wc -l <"$dir/boots") == 2))
}

kernel_that_always_dies_fails_the_run() {
	failing_boots 9
	PATH=$dir/bin:$PATH expect 125 -- true &&
		grep -q 'fail the run' "$dir/err" && (($(wc -l <"$dir/boots") == 3))
}

hang_is_ended() {
	expect 124 --timeout 20 -- sleep 1000 && grep -q 'ended after 20 s' "$dir/err"
}

left_process_does_not_hang() {
	expect 0 -- sh -c 'sleep 1000 & echo started' && [[ $(<"$dir/out") == started ]]
}

nvdimms_come_in_order() {
	expect 0 --nvdimm 32M,64M,96M,128M --nvme 16M,32M -- \
		sh -c 'cat /sys/block/pmem[0-3]/size /sys/block/nvme0n[12]/size' &&
		[[ $(tr '\n' ' ' <"$dir/out") == "61440 126976 192512 258048 32768 65536 " ]]
}

keep_is_a_reboot() {
	expect 0 --keep "$dir/keep" --nvdimm 2:32M --nvme 1:16M -- sh -c '
		echo persistent >/dev/pmem1 && echo stored >/dev/nvme0n1' &&
		expect 0 --keep "$dir/keep" -- sh -c '
			head -n 1 /dev/pmem1; head -n 1 /dev/nvme0n1; ls /dev/pmem*' &&
		[[ $(head -n 2 "$dir/out" | tr '\n' ' ') == "persistent stored " ]]
}

# Its first block says that an NVDIMM has been given a namespace.
kept_data_is_spared() {
	expect 0 --keep "$dir/spared" --nvdimm 32M -- true &&
		printf 'DAMAGED' | dd of="$dir/spared/nvdimm0" bs=1 seek=4096 conv=notrunc status=none &&
		expect 125 --keep "$dir/spared" -- true && grep -q 'NVDIMM 0 holds data' "$dir/err" &&
		[[ $(dd if="$dir/spared/nvdimm0" bs=1 skip=4096 count=7 status=none) == DAMAGED ]]
}

power_cut() {
	expect 137 --keep "$dir/cut" --nvdimm 32M --kill-after '^go [0-9]' -- sh -c '
		echo before >/dev/pmem0; sync; echo go 1; sleep 100; echo after >/dev/pmem0' &&
		expect 0 --keep "$dir/cut" -- head -n 1 /dev/pmem0 &&
		[[ $(<"$dir/out") == before ]]
}

power_cut_that_never_came() {
	expect 125 --kill-after nothing -- true
}

tree_is_read_only_and_shares_are_not() {
	expect 0 --share "$dir" -- sh -c "
		! touch $(printf %q "$(dirname "$vm")")/x 2>/dev/null && echo here >$(printf %q "$dir")/shared" &&
		[[ $(<"$dir/shared") == here ]]
}

udev_makes_links() {
	expect 0 --udev --nvme 16M -- sh -c 'ls /dev/disk/by-id/ | grep -q nvme'
}

guests_in_parallel() {
	local pids=() status=0 i

	for i in 1 2; do
		run --nvdimm 32M -- sh -c "sleep 3; echo guest $i" >"$dir/parallel$i" 2>>"$dir/err" &
		pids+=($!)
	done
	for i in "${pids[@]}"; do
		wait "$i" || status=1
	done
	((status == 0)) && [[ $(<"$dir/parallel1") == "guest 1" && $(<"$dir/parallel2") == "guest 2" ]]
}

# Two guests on one network, each until it has seen the other.
guests_see_each_other() {
	local i pids=() status=0

	for i in 1 2; do
		run --net "selftest-$$:$i" -- sh -c "
			for i in 1 2 3 4 5 6 7 8 9; do
				busybox ping -c 1 -W 10 10.78.0.$((3 - i)) && echo seen && sleep 3 && exit
			done
			exit 1" >"$dir/net$i" 2>>"$dir/err" &
		pids+=($!)
	done
	for i in "${pids[@]}"; do
		wait "$i" || status=1
	done
	((status == 0)) && grep -q seen "$dir/net1" && grep -q seen "$dir/net2"
}

# grown FILE LINES: within a minute it has more lines
grown() {
	local i

	for ((i = 0; i < 600; i++)); do
		[[ ! -e $1 ]] || (($(wc -l <"$1") <= $2)) || return 0
		sleep 0.1
	done
	return 1
}

# Nothing comes from a guest while it is paused.
pause_and_resume() {
	local guest lines status=0

	run --control "$dir/control" --share "$dir" -- sh -c "
		while [ ! -e '$dir/enough' ]; do echo tick; sleep 0.2; done" >"$dir/ticks" 2>>"$dir/err" &
	guest=$!
	grown "$dir/ticks" 3 && "$vm" pause --control "$dir/control" 2>>"$dir/err" || status=1
	# What QEMU had before may still be on its way through the runner.
	sleep 1
	lines=$(wc -l <"$dir/ticks")
	sleep 3
	(($(wc -l <"$dir/ticks") == lines)) || {
		echo "# it was not paused" >>"$dir/err"
		status=1
	}
	"$vm" resume --control "$dir/control" 2>>"$dir/err" && grown "$dir/ticks" "$lines" || status=1
	touch "$dir/enough"
	wait "$guest" && ((status == 0))
}

# loop_cost NUMBER [OPTION]...: microseconds that a loop takes in the guest, into $dir/costNUMBER
loop_cost() {
	# shellcheck disable=SC2016 # the guest's shell expands it
	expect 0 "${@:2}" -- bash -c '
		start=${EPOCHREALTIME/./}
		for ((i = 0; i < 100000; i++)); do :; done
		echo $((${EPOCHREALTIME/./} - start))' && cp "$dir/out" "$dir/cost$1"
}

# A clock that counts instructions: whatever else this machine does, the same work takes as long.
icount_repeats_a_cost() {
	loop_cost 1 --icount && loop_cost 2 --icount &&
		awk -v a="$(<"$dir/cost1")" -v b="$(<"$dir/cost2")" 'BEGIN {
			print "# cost " a " and " b
			exit !(a > 10000 && a - b < a / 1000 && b - a < a / 1000)
		}' >>"$dir/err"
}

# faulty FAULT STATUS: how a run ends in which a module of the project does that
faulty() {
	local options=(--modules-unloaded "${build_options[@]}")

	# shellcheck disable=SC2016 # the guest's shell expands it
	expect "$2" -- sh -c 'insmod "$PMEMVOL_MODULES/faulty.ko" fault="$1"' sh "$1"
}

faultless_module_passes() {
	faulty none 0
}

lost_memory_fails_the_run() {
	faulty leak 125 && grep -q 'memory was leaked' "$dir/err" && grep -q 'faulty_leak' "$dir/err"
}

bad_access_fails_the_run() {
	faulty access 125 && grep -q 'KASAN: slab-out-of-bounds in faulty_access' "$dir/err"
}

order_of_locks_fails_the_run() {
	faulty locks 125 && grep -q 'possible circular locking dependency' "$dir/err" &&
		grep -q 'faulty_second' "$dir/err"
}

# In a copy of the tree: this one is not touched.
warning_fails_the_build() {
	local status key

	mkdir "$dir/tree" &&
		git -C "$(dirname "$vm")" -c safe.directory='*' ls-files -z --full-name :/ |
		rsync -a --from0 --files-from=- "$(dirname "$vm")/../" "$dir/tree/" &&
		echo 'static int nobody_calls_it(void) { return 0; }' >>"$dir/tree/kernel/pmemvol/main.c"
	"$dir/tree/qemu/vm" build "${build_options[@]}" >"$dir/out" 2>"$dir/err"
	status=$?
	key=$(sha256sum <<<"$dir/tree")
	rm -rf "${PMEMVOL_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/pmemvol}/builds/${key:0:8}"-*
	((status == 121)) && grep -q 'warning: .*nobody_calls_it' "$dir/err"
}

tests=(
	status_passes_through
	unknown_command_is_127
	wrong_option_is_120
	stdout_is_exact
	stderr_is_separate
	stdout_streams
	warning_fails_the_run
	allowed_warning_passes
	cleared_log_is_read
	panic_fails_the_run
	kernel_that_dies_at_boot_is_booted_again
	kernel_that_always_dies_fails_the_run
	hang_is_ended
	left_process_does_not_hang
	nvdimms_come_in_order
	keep_is_a_reboot
	kept_data_is_spared
	power_cut
	power_cut_that_never_came
	tree_is_read_only_and_shares_are_not
	udev_makes_links
	guests_in_parallel
	guests_see_each_other
	pause_and_resume
	icount_repeats_a_cost
	warning_fails_the_build
)
if [[ " $* " == *" --kernel debug "* ]]; then
	tests=(
		faultless_module_passes
		lost_memory_fails_the_run
		bad_access_fails_the_run
		order_of_locks_fails_the_run
	)
fi
echo "TAP version 13"
echo "1..${#tests[@]}"
for name in "${tests[@]}"; do
	check "$name"
done
((failures == 0))
