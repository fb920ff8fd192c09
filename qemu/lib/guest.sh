# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# One guest: QEMU's command line, the streams out of it, its end.

# What a guest writes, each into the file of this name.
STREAMS=(stdout stderr report kmsg)

# What killed runs left. Each run holds the lock in its folder while it lives.
run_dirs_sweep() {
	local old fd

	lock run -x
	for old in "$CACHE"/run/*/; do
		[[ -d $old ]] || continue
		exec {fd}>>"$old/lock"
		! flock -n -x "$fd" || rm -rf "$old"
		exec {fd}>&-
	done
	unlock run
}

run_dir_create() {
	run_dirs_sweep
	lock run -x
	RUN_DIR=$(mktemp -d "$CACHE/run/XXXXXXXX")
	exec {run_dir_fd}>>"$RUN_DIR/lock"
	flock -x "$run_dir_fd"
	unlock run
}

# What the guest's init reads.
guest_config() {
	mkdir -p "$RUN_DIR/ctl"
	# shellcheck disable=SC2153 # not QEMU_PID
	cp "$QEMU_DIR"/guest/* "$RUN_DIR/ctl/"
	cat >"$RUN_DIR/ctl/config" <<-EOF
		VM_COMMAND=(${COMMAND[*]@Q})
		VM_CWD=${PWD@Q}
		VM_TREE=${TREE@Q}
		VM_SHARES=(${SHARES[*]@Q})
		VM_NVDIMM_SLOTS=(${NVDIMM_SLOTS[*]})
		VM_NVMES=${#NVME_SIZES[@]}
		VM_KERNEL_DIR=${KERNEL_DIR@Q}
		VM_OUT=$OPT_MODULES
		VM_UNLOADED=$OPT_UNLOADED
		VM_UDEV=$OPT_UDEV
		VM_SYSTEMD=${OPT_SYSTEMD@Q}
		VM_ADDRESS=${OPT_NET:+10.78.0.${OPT_NET##*:}}
	EOF
}

# guest_share TAG DIR read-only|read-write
guest_share() {
	local readonly=off

	[[ $3 != read-only ]] || readonly=on
	QEMU_ARGS+=(
		-fsdev "local,id=fs-$1,path=$2,security_model=none,multidevs=remap,readonly=$readonly"
		-device "virtio-9p-pci,fsdev=fs-$1,mount_tag=$1"
	)
}

guest_arguments() {
	local memory i stream

	memory=$(size_bytes "$OPT_MEMORY")
	((memory > 0)) || die "$EXIT_USAGE" "--memory takes a size, not '$OPT_MEMORY'"
	QEMU_ARGS=(
		-nodefaults -no-user-config -display none -no-reboot
		-machine 'q35,nvdimm=on' -cpu max
		-kernel "$KERNEL_IMAGE" -initrd "$INITRAMFS"
		-device virtio-rng-pci
		-serial "file:$RUN_DIR/serial"
		-device virtio-serial-pci
	)
	# With icount the guest's clock counts instructions: 1 ns each.
	if ((OPT_ICOUNT)); then
		QEMU_ARGS+=(-accel 'tcg,thread=single' -smp 1 -icount 'shift=0,sleep=off')
	else
		QEMU_ARGS+=(-accel 'tcg,thread=multi' -smp "$OPT_SMP")
	fi
	# An oops ends the guest at once; the lock-up detectors, and the check whether
	# timer interrupts come in time, have to bear a busy host under an emulated
	# processor. QEMU translates a program anew for each address it runs at, so they
	# stay the same: starting one takes a third of the time.
	QEMU_ARGS+=(-append "console=ttyS0 norandmaps loglevel=8 log_buf_len=4M panic=-1 oops=panic no_timer_check watchdog_thresh=60 workqueue.watchdog_thresh=120 rcupdate.rcu_cpu_stall_timeout=120${OPT_APPEND:+ $OPT_APPEND}")
	devices_arguments "$DEVICES_DIR" "$memory"

	for stream in "${STREAMS[@]}"; do
		QEMU_ARGS+=(
			-chardev "file,id=$stream,path=$RUN_DIR/$stream"
			-device "virtserialport,chardev=$stream,name=$stream"
		)
	done

	guest_share root "$(root_path "$OPT_RELEASE")" read-only
	guest_share ctl "$RUN_DIR/ctl" read-only
	guest_share tree "$TREE" read-only
	if ((OPT_MODULES)); then
		guest_share out "$BUILD_OUT" read-only
	fi
	if [[ -n $KERNEL_DIR ]]; then
		guest_share kernel "$KERNEL_DIR/lib" read-only
	fi
	for i in "${!SHARES[@]}"; do
		guest_share "share$i" "${SHARES[i]}" read-write
	done
}

# follow FILE: its contents as they come, until QEMU has ended. QEMU writes to a
# file, not to a pipe: a reader that stops never stops the guest, and nothing is
# lost when QEMU is killed.
follow() {
	tail -q -c +1 -f -s 0.05 --pid="$QEMU_PID" "$1"
}

# The simulated power cut.
kill_when_seen() {
	# No pipe: the follower ends with QEMU only.
	grep -a -E -m 1 -q -e "$OPT_KILL_AFTER" < <(follow "$RUN_DIR/stdout") || return 0
	sleep "$((OPT_KILL_DELAY / 1000)).$(printf '%03d' $((OPT_KILL_DELAY % 1000)))"
	: >"$RUN_DIR/cut"
	kill -KILL "$QEMU_PID" 2>/dev/null || true
}

# The kernel died before init could report, so with nothing of the project in it. It
# was seen to meet a breakpoint ("Oops: int3") that it had removed while it patched
# itself: probably QEMU went on with an instruction that it had translated before
# another processor replaced it.
guest_died_at_boot() {
	[[ ! -e $RUN_DIR/timed-out ]] &&
		! grep -q '^booted$' "$RUN_DIR/report" &&
		log_hits "$RUN_DIR/serial" >"$RUN_DIR/died"
}

# guest_run: afterwards RUN_DIR holds serial, kmsg, report and, for what happened
# from outside, the marks "cut" and "timed-out".
guest_run() {
	local boots=1

	guest_boot
	while guest_died_at_boot && ((boots++ < 3)); do
		say "the kernel died as it booted, and is booted again: $(sed -n '1s/^[0-9]*://p' "$RUN_DIR/died" | tr -d '\r')"
		guest_boot
	done
}

guest_boot() {
	local watchdog ended stream
	local -a followers=()

	for stream in "${STREAMS[@]}"; do
		: >"$RUN_DIR/$stream"
	done
	# The parent's death ends QEMU: a killed runner leaves no guest.
	setpriv --pdeathsig KILL qemu-system-x86_64 "${QEMU_ARGS[@]}" \
		</dev/null >"$RUN_DIR/qemu.log" 2>&1 &
	QEMU_PID=$!
	setpriv --pdeathsig KILL sleep "$OPT_TIMEOUT" &
	watchdog=$!
	follow "$RUN_DIR/stdout" &
	followers+=($!)
	follow "$RUN_DIR/stderr" >&2 &
	followers+=($!)
	if [[ -n $OPT_KILL_AFTER ]]; then
		kill_when_seen &
		followers+=($!)
	fi

	# The shell's word about a killed job is no news.
	wait -n -p ended "$QEMU_PID" "$watchdog" 2>/dev/null || true
	if [[ $ended == "$watchdog" ]]; then
		: >"$RUN_DIR/timed-out"
		kill -KILL "$QEMU_PID" 2>/dev/null || true
	else
		kill "$watchdog" 2>/dev/null || true
	fi
	wait "$QEMU_PID" "$watchdog" 2>/dev/null || true
	wait "${followers[@]}" 2>/dev/null || true
	QEMU_PID=
}

guest_cleanup() {
	if [[ -n ${QEMU_PID-} ]]; then
		kill -KILL "$QEMU_PID" 2>/dev/null || true
		wait "$QEMU_PID" 2>/dev/null || true
	fi
	[[ -z ${RUN_DIR-} ]] || rm -rf "$RUN_DIR"
}
