# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash disable=SC2154
#
# vm, port, report_fd and VM_* are init's.
#
# A guest that starts as a machine does: systemd is its first process and COMMAND a service.

# boot_systemd: does not return. Of the units those up to basic.target are started, and what
# these want; VM_SYSTEMD has made the root what is to be started.
boot_systemd() {
	local units=/run/systemd/system

	# No wizard asks anything, and no index is made anew.
	echo 6f1d7a4e0b5c4e7f9a3b2c1d0e9f8a7b >/etc/machine-id
	touch /etc/.updated /var/.updated
	mkdir -p "$units" "$vm/late" "$VM_CWD"
	(cd "$VM_CWD" && "$VM_SYSTEMD") >"${port[stderr]}" 2>&1 || die "$VM_SYSTEMD has failed"

	# Nothing is mounted any more when these are needed.
	cp "$vm"/ctl/* "$vm/late/"
	declare -p port >"$vm/late/ports"
	install -D "$vm/ctl/systemd-end" /usr/lib/systemd/system-shutdown/vm-end
	cat >"$units/vm.target" <<-EOF
		[Unit]
		Requires=basic.target vm-command.service
		After=basic.target vm-command.service
		AllowIsolate=yes
	EOF
	cat >"$units/vm-command.service" <<-EOF
		[Service]
		Type=oneshot
		ExecStart=$vm/late/systemd-command
		TimeoutStartSec=infinity
	EOF
	cat >"$units/emergency.service" <<-EOF
		[Unit]
		DefaultDependencies=no
		[Service]
		Type=oneshot
		ExecStart=$vm/late/systemd-command emergency
	EOF
	exec {report_fd}>&-
	exec /lib/systemd/systemd --unit=vm.target
}
