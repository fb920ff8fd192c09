# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash disable=SC2154
#
# vm, port, pumps, report_fd and VM_* are init's.
#
# What is taken apart after COMMAND, and what has to be possible then.

# Every process COMMAND left behind: they hold devices and the output pipes.
kill_leftovers() {
	local signal pid keep left

	keep=" $$ ${pumps[*]} "
	for signal in TERM KILL; do
		left=0
		for pid in /proc/[0-9]*; do
			# Kernel threads have no program.
			[[ $keep != *" ${pid##*/} "* ]] || continue
			[[ -e $pid/exe ]] || continue
			left=1
			kill "-$signal" "${pid##*/}" 2>/dev/null
		done
		((left)) || return 0
		sleep 0.3
	done
}

take_apart() {
	unmount_devices
	detach_fences
	leave_exports
	if compgen -G '/sys/block/dm-*' >/dev/null; then
		dmsetup remove_all --force
	fi
	if compgen -G '/sys/block/loop*/loop' >/dev/null; then
		losetup --detach-all
	fi
	deactivate_pools
	loaded_at_end=$(loaded_modules)
	grep -E "\\[(${loaded_at_end//$'\n'/|})\\]" /proc/kallsyms | sort >"$vm/symbols"
	unload_modules
	scan_leaks
}

# Everything mounted from a device, the last mount first.
unmount_devices() {
	local device where i
	local -a mounts=()

	while read -r device where _; do
		[[ $device != /dev/* ]] || mounts+=("$where")
	done </proc/self/mounts
	for ((i = ${#mounts[@]} - 1; i >= 0; i--)); do
		printf -v where '%b' "${mounts[i]}"
		umount "$where" || umount --lazy "$where"
	done
}

# NVMe hosts first, then what this guest offers as a target.
leave_exports() {
	local config=/sys/kernel/config/nvmet path

	if compgen -G '/sys/class/nvme-fabrics/ctl/nvme*' >/dev/null; then
		nvme disconnect-all
	fi
	[[ -d $config ]] || return 0
	for path in "$config"/ports/*/subsystems/*; do
		[[ ! -L $path ]] || rm "$path"
	done
	for path in "$config"/subsystems/*/allowed_hosts/*; do
		[[ ! -L $path ]] || rm "$path"
	done
	for path in "$config"/subsystems/*/namespaces/* "$config"/subsystems/* \
		"$config"/ports/*/ana_groups/[!1]* "$config"/ports/* "$config"/hosts/*; do
		[[ ! -d $path ]] || rmdir "$path"
	done
}

# A test may leave attachments: what is checked is that they can go.
detach_fences() {
	local name

	[[ -d /sys/module/nvme_fence && -x $vm/out/bin/pvctl ]] || return 0
	while read -r name; do
		"$vm/out/bin/pvctl" fence detach "$name"
	done < <("$vm/out/bin/pvctl" fence status --json | jq -r '.[].name')
}

# A test may leave its pools active: what is checked is that they can go.
deactivate_pools() {
	local name

	[[ -d /sys/module/pmemvol && -x $vm/out/bin/pvctl ]] || return 0
	while read -r name; do
		"$vm/out/bin/pvctl" pool deactivate "$name"
	done < <("$vm/out/bin/pvctl" pool list --json | jq -r '.[].name')
}

# loaded_modules: the project's modules in the kernel, users before what they use.
loaded_modules() {
	local name

	while read -r name _; do
		[[ ! -e $vm/out/modules/$name.ko && ! -e $vm/out/modules/${name//_/-}.ko ]] || echo "$name"
	done </proc/modules
}

unload_modules() {
	local name tries

	for name in $loaded_at_end; do
		# The last reference may lie in work that is about to run.
		for ((tries = 0; tries < 20; tries++)); do
			rmmod "$name" && continue 2
			sleep 0.25
		done
		report "failed module $name could not be unloaded: refcount $(<"/sys/module/$name/refcnt")"
	done
}

# What kmemleak finds is known only once the modules are gone: what they alone
# pointed to shows then, and what was lost before is still lost. An object is
# reported when two scans found no pointer to it and it is five seconds old.
scan_leaks() {
	local kmemleak=/sys/kernel/debug/kmemleak start=$EPOCHREALTIME leaks line

	[[ -e $kmemleak && -n $loaded_at_end ]] || return 0
	echo scan >"$kmemleak"
	sleep "$(awk -v start="$start" -v now="$EPOCHREALTIME" 'BEGIN { left = start + 5 - now; print left > 0 ? left : 0 }')"
	echo scan >"$kmemleak"
	leaks=$(awk -v modules="\\\\[(${loaded_at_end//$'\n'/|})\\\\]" -f "$vm/ctl/leaks.awk" "$vm/symbols" "$kmemleak")
	[[ -n $leaks ]] || return 0
	while IFS= read -r line; do
		echo "$line" >/dev/kmsg
	done <<<"$leaks"
	report "failed memory was leaked:"
	while IFS= read -r line; do
		report "note $line"
	done <<<"$leaks"
}
