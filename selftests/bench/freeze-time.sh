#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# How long a file system stands still while its volume gets a snapshot, beyond its own sync: from the
# moment it is frozen until it is thawed, with a file mapped and stored to. And what a snapshot costs of a
# small volume and of a large one.
#
#	qemu/vm run --icount --nvdimm 640M -- selftests/bench/freeze-time.sh
#
# With --icount the guest's clock counts instructions, so the load of the machine does not matter. With
# --limit MS it is a test, in KTAP: freeze and thaw together take less, and a snapshot of a volume a
# thousand times as large less than twice the work.
set -euo pipefail

limit='' number=0 failures=0
[[ ${1-} != --limit ]] || limit=$2

PATH=$(dirname "$(readlink -f "$0")")/../kernel/bin:$PATH
trace=/sys/kernel/tracing
work=$(mktemp -d)
mount -t tracefs none $trace 2>/dev/null || [[ -e $trace/trace ]]

frozen=freeze_bdev thawed=thaw_bdev
if grep -qw bdev_freeze $trace/available_filter_functions; then
	frozen=bdev_freeze thawed=bdev_thaw
fi

# report WHAT FROZEN THAW
report() {
	local line="$1: frozen for $2 ms, and the thaw $3 ms"

	[[ -n $limit ]] || {
		echo "$line"
		return
	}
	verdict "${1// /-}" "$line" "$2 + $3 < $limit"
}

# verdict NAME LINE CONDITION
verdict() {
	number=$((number + 1))
	echo "# $2"
	if awk "BEGIN { exit !($3) }"; then
		echo "ok $number $1"
	else
		echo "not ok $number $1"
		failures=1
	fi
}

# one FS OPTION-OF-MAPPED...: milliseconds
one() {
	local times

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
	times=$(awk '
		{ for (i = 1; i <= NF; i++) if ($i ~ /^[0-9]+\.[0-9]+:$/) { at = $i; sub(":", "", at); name = $(i + 1) } }
		name == "frozen:" { frozen = at }
		name == "thawing:" { thawing = at }
		name == "thawed:" { thawed = at }
		END {
			if (!frozen || !thawing || !thawed)
				exit 1
			printf "%.3f %.3f\n", (thawing - frozen) * 1000, (thawed - thawing) * 1000
		}' $trace/trace)
	# shellcheck disable=SC2086 # two of them
	report "$*" $times
	echo >$trace/kprobe_events
	exec 8>&-
	wait
	umount "$work/mnt"
	pvctl pool destroy bench --force >"$work/out"
}

# work_of SIZE: microseconds for one of 20 snapshots of a volume with 64 MiB in it
work_of() {
	local device answer

	device=$(pvctl volume create "bench/v$1" --size "$1" --json | jq -r .device)
	pattern write direct "$device" 0 64M 1
	answer=$(nlreq --repeat 20 SNAPSHOT_CREATE '{POOL' POOL_NAME:s:bench '}' '{VOLUME' "VOLUME_NAME:s:v$1" '}' \
		'{SNAPSHOT' SNAPSHOT_NAME:s:s% '}')
	[[ $answer == "OK "* ]] || {
		echo "$answer" >&2
		exit 1
	}
	echo "${answer##* }"
}

cost() {
	local small large line

	pvctl pool create bench /dev/pmem0 --overcommit 10000 --json >"$work/out"
	small=$(work_of 1G)
	large=$(work_of 1T)
	line="a snapshot of 1 GiB is $small us of work, of 1 TiB $large us"
	if [[ -n $limit ]]; then
		verdict cost "$line" "$large < 2 * $small"
	else
		echo "$line"
	fi
	pvctl pool destroy bench --force >"$work/out"
}

[[ -z $limit ]] || printf 'TAP version 13\n1..5\n'
for fs in ext4 xfs; do
	one $fs
	one $fs sync
done
cost
exit $failures
