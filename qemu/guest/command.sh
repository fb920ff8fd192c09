# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash disable=SC2154
#
# vm, port, report_fd and VM_* are the caller's.
#
# COMMAND and what the host is told.

pumps=()

report() {
	echo "$*" >&"$report_fd"
}

# die REASON: the machine could not be made.
die() {
	report "failed $*"
	power_off
}

power_off() {
	send_kernel_log
	report end
	sync
	busybox poweroff -f
	sleep 60
}

run_command() {
	local status

	mkfifo "$vm/stdout" "$vm/stderr"
	cat <"$vm/stdout" >"${port[stdout]}" &
	pumps=($!)
	cat <"$vm/stderr" >"${port[stderr]}" &
	pumps+=($!)

	(
		exec >"$vm/stdout" 2>"$vm/stderr" {report_fd}>&-
		mkdir -p "$VM_CWD"
		cd "$VM_CWD" || exit 126
		ulimit -c 0 -n 65536 -l unlimited
		# A system that started by itself has what is installed in it.
		[[ -n $VM_SYSTEMD ]] || export PATH=$vm/out/bin:$PATH
		export PMEMVOL_MODULES=$vm/out/modules PMEMVOL_TREE=$VM_TREE
		exec setsid --wait -- "${VM_COMMAND[@]}"
	)
	status=$?
	# There systemd has processes, too, and ends COMMAND's by itself.
	[[ -n $VM_SYSTEMD ]] || kill_leftovers
	wait "${pumps[@]}"
	report "status $status"
}

# The whole log, also what a test has cleared; reading ends where it would wait.
send_kernel_log() {
	dd if=/dev/kmsg of="${port[kmsg]}" bs=8192 iflag=nonblock status=none 2>/dev/null
}
