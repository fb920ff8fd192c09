#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# How long a file system stands still while its volume gets a snapshot, beyond its own sync: from the
# moment it is frozen until it is thawed, with a file mapped and stored to.
#
#	qemu/vm run --icount --nvdimm 640M -- selftests/bench/freeze-time.sh
#
# With --icount the guest's clock counts instructions, so the load of the machine does not matter.
set -euo pipefail

PATH=$(dirname "$(readlink -f "$0")")/../kernel/bin:$PATH
trace=/sys/kernel/tracing
work=$(mktemp -d)
mount -t tracefs none $trace 2>/dev/null || [[ -e $trace/trace ]]

frozen=freeze_bdev thawed=thaw_bdev
if grep -qw bdev_freeze $trace/available_filter_functions; then
	frozen=bdev_freeze thawed=bdev_thaw
fi

# one FS OPTION-OF-MAPPED...: milliseconds
one() {
	pvctl pool create bench /dev/pmem0 --overcommit 4 --json >"$work/out"
	device=$(pvctl volume create bench/v --size 600M --json | jq -r .device)
	"mkfs.$1" -q "$device"
	mkdir -p "$work/mnt"
	mount -o dax=always "$device" "$work/mnt"
	fallocate -l 256M "$work/mnt/f"
	rm -f "$work/go" "$work/stirred"
	mkfifo "$work/go"
	mapped stir "$work/mnt/f" 256M "${@:2}" <"$work/go" >"$work/stirred" &
	exec 8>"$work/go"
	until [[ -s $work/stirred ]]; do sleep 0.1; done

	# A line at each return from the one, and at each call of the other.
	echo nop >$trace/current_tracer
	echo "r:frozen $frozen" >$trace/kprobe_events
	echo "p:thawing $thawed" >>$trace/kprobe_events
	echo "r:thawed $thawed" >>$trace/kprobe_events
	echo 1 >$trace/events/kprobes/enable
	echo >$trace/trace
	pvctl snapshot create bench/v@s >"$work/out"
	echo 0 >$trace/events/kprobes/enable
	awk -v what="$*" '
		{ for (i = 1; i <= NF; i++) if ($i ~ /^[0-9]+\.[0-9]+:$/) { at = $i; sub(":", "", at); name = $(i + 1) } }
		name == "frozen:" { frozen = at }
		name == "thawing:" { thawing = at }
		name == "thawed:" { thawed = at }
		END {
			if (!frozen || !thawing || !thawed)
				exit 1
			printf "%s: frozen for %.3f ms, and the thaw %.3f ms\n", what,
				(thawing - frozen) * 1000, (thawed - thawing) * 1000
		}' $trace/trace
	echo >$trace/kprobe_events
	exec 8>&-
	wait
	umount "$work/mnt"
	pvctl pool destroy bench --force >"$work/out"
}

for fs in ext4 xfs; do
	one $fs
	one $fs sync
done
