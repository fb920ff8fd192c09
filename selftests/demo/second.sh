#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Second guest, after the power cut: everything acknowledged up to record $1 is there.
set -euo pipefail

here=$(dirname "$(readlink -f "$0")")
# shellcheck source=selftests/demo/lib.sh
. "$here/lib.sh"
acked=$1
mkdir -p /mnt/db /mnt/logs

step "After the power cut: the pool is found on its devices"
run pvctl pool list
run pvctl pool activate --all >/dev/null
run pvctl pool list
run pvctl volume list

step "The file systems are clean and the records are there"
run mount -o dax=always /dev/pmemvol/tank/db /mnt/db
run mount -o dax=always /dev/pmemvol/tank/logs /mnt/logs
for ((n = 1; n <= acked; n++)); do
	record "$n" | cmp - "/mnt/db/$n"
done
echo "all $acked acknowledged records are intact"
umount /mnt/db /mnt/logs
run e2fsck -fn /dev/pmemvol/tank/db
run xfs_repair -n /dev/pmemvol/tank/logs 2>&1 | tail -n 1

step "Deleting erases, and gives everything back"
run pvctl volume delete tank/db
run pvctl volume delete tank/logs
wait_for nothing_to_erase
run pvctl pool list
run pvctl pool destroy tank
