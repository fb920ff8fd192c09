#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# A guest of its own: a snapshot of a database that is written all the time, by mapped stores; the snapshot
# and a clone of it beside the volume, each right; and the volume taken back.
set -euo pipefail

here=$(dirname "$(readlink -f "$0")")
# shellcheck source=selftests/demo/lib.sh
. "$here/lib.sh"
export PATH=$here/../kernel/bin:$PATH
records=2000
mkdir -p /mnt/db /mnt/noon /mnt/trial

# The database: records in a file that is mapped with MAP_SYNC. Each is told when it is persistent.
# acked NAME: the last one
acked() {
	tail -n 1 "/tmp/acks-$1" | cut -d ' ' -f 3
}

# further NAME COUNT: waits until so many more are
further() {
	local until=$(($(acked "$1") + $2))

	while (($(acked "$1") < until)); do
		kill -0 "${writer[$1]}"
		sleep 0.1
	done
}

declare -A writer

# begin NAME FIRST
begin() {
	echo "ACK $1 $(($2 - 1))" >"/tmp/acks-$1"
	journal write sync "$1" "/mnt/$1/table" "$records" "$2" >>"/tmp/acks-$1" &
	writer[$1]=$!
}

end() {
	kill "${writer[$1]}"
	wait "${writer[$1]}" || true
}

# refused COMMAND...
refused() {
	if run "$@" 2>&1; then
		exit 1
	fi
}

sum() {
	md5sum <"/mnt/$1/table" | cut -c1-12
}

step "A database on a DAX file system, written by mapped stores all the time"
run pvctl pool create tank /dev/pmem0 --overcommit 4 >/dev/null
run pvctl volume create tank/db --size 400M >/dev/null
# Below 512 MiB it would choose 1 KiB blocks, which DAX cannot have.
mkfs.ext4 -q -b 4096 /dev/pmemvol/tank/db
run mount -o dax=always /dev/pmemvol/tank/db /mnt/db
begin db 1
further db 500

step "A snapshot of it, without stopping it"
before=$(acked db)
run pvctl snapshot create tank/db@noon
after=$(acked db)
further db 500
echo "records acknowledged before: $before; when the answer came: $after; now: $(acked db)"

step "The snapshot beside it: what it holds is whole, and stays as it is"
run pvctl snapshot activate tank/db@noon >/dev/null
run mount -o ro,noload /dev/pmemvol/tank/db@noon /mnt/noon
# Its last record is one of those that were written while it was made.
last=$(journal last /mnt/noon/table "$records" "$before" $((after + 1)))
journal check /mnt/noon/table "$records" "$last"
noon=$(sum noon)
echo "/mnt/noon has every record up to $last; its sum is $noon"

step "A clone: a volume with DAX of its own, on which the database goes another way"
run pvctl clone tank/db@noon tank/trial >/dev/null
run mount -o dax=always /dev/pmemvol/tank/trial /mnt/trial
[[ $(sum trial) == "$noon" ]]
begin trial $((last + 1))
further trial 300
further db 300
end trial
end db
journal check /mnt/trial/table "$records" "$(acked trial)"
journal check /mnt/db/table "$records" "$(acked db)"
[[ $(sum noon) == "$noon" ]]
echo "volume:   every record up to $(acked db), sum $(sum db)"
echo "snapshot: every record up to $last, sum $(sum noon)"
echo "clone:    every record up to $(acked trial), sum $(sum trial)"
run pvctl snapshot list
run pvctl volume list

step "What others need is not deleted"
refused pvctl snapshot delete tank/db@noon
refused pvctl volume delete tank/db

step "All three are clean; the volume goes back to noon"
umount /mnt/db /mnt/noon /mnt/trial
for device in db db@noon trial; do
	run e2fsck -fn "/dev/pmemvol/tank/$device" 2>/dev/null | tail -n 1
done
run pvctl volume rollback tank/db@noon >/dev/null
run mount -o dax=always /dev/pmemvol/tank/db /mnt/db
[[ $(sum db) == "$noon" ]]
echo "volume: sum $(sum db)"
umount /mnt/db

step "In any order it is deleted, erased, and all space comes back"
run pvctl volume delete tank/trial
run pvctl snapshot delete tank/db@noon
run pvctl volume delete tank/db
wait_for nothing_to_erase
run pvctl pool list
run pvctl pool destroy tank
