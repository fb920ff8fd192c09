#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# First guest: regions, pool, volumes, DAX, thin usage, growth under load; then it writes
# acknowledged records until its power is cut.
set -euo pipefail
shopt -s lastpipe

here=$(dirname "$(readlink -f "$0")")
# shellcheck source=selftests/demo/lib.sh
. "$here/lib.sh"
mapped=$here/../kernel/bin/mapped
mkdir -p /mnt/raw /mnt/db /mnt/logs

# faults_of DIRECTORY: page faults to touch a mapped 64 MiB file there
faults_of() {
	fallocate -l 64M "$1/mapped"
	"$mapped" faults "$1/mapped" $((64 << 20)) sync
	rm "$1/mapped"
}

# written: bytes that the load has written with write(2) until now
written() {
	awk '$1 == "wchar:" { print $2 }' "/proc/$load/io"
}

# writes_on BYTES: the load goes on, 8 MiB and more since it had written BYTES
writes_on() {
	(($(written) > $1 + (8 << 20)))
}

step "The persistent memory of this node"
run pvctl region list

step "What a raw fsdax device gives, told to align to 2 MiB: faults to touch 64 MiB mapped"
mkfs.ext4 -q -F -E stride=512,stripe_width=512 /dev/pmem1
mount -o dax=always /dev/pmem1 /mnt/raw
echo "raw /dev/pmem1, ext4: $(faults_of /mnt/raw) page faults"
umount /mnt/raw
wipefs -qa /dev/pmem1

step "A pool over both NVDIMMs, larger than either"
run pvctl pool create tank /dev/pmem0 /dev/pmem1 --overcommit 4
run pvctl pool list

step "A volume larger than one member, and one for XFS; nothing is provisioned yet"
run pvctl volume create tank/db --size 2000M
run pvctl volume create tank/logs --size 1200M
run pvctl volume list

step "Both file systems map the medium itself, with 2 MiB pages, as mkfs makes them"
run mkfs.ext4 -q /dev/pmemvol/tank/db
run mkfs.xfs -q -m reflink=0 /dev/pmemvol/tank/logs
run mount -o dax=always /dev/pmemvol/tank/db /mnt/db
run mount -o dax=always /dev/pmemvol/tank/logs /mnt/logs
echo "pmemvol, ext4: $(faults_of /mnt/db) page faults"
echo "pmemvol, XFS:  $(faults_of /mnt/logs) page faults"

step "Thin: usage follows what is written, and comes back after fstrim"
echo "provisioned to tank/db before: $(provisioned tank/db) MiB"
run dd if=/dev/urandom of=/mnt/db/table bs=1M count=300 conv=fsync status=none
echo "after writing 300 MiB:         $(provisioned tank/db) MiB"
run rm /mnt/db/table
sync -f /mnt/db
run fstrim /mnt/db
wait_for nothing_to_erase
echo "after rm and fstrim:           $(provisioned tank/db) MiB"

step "Growing under load"
df -h --output=source,size,target /mnt/logs
fio --name=load --directory=/mnt/logs --size=100M --rw=randwrite --bs=4k --ioengine=psync --thread \
	--verify=crc32c --do_verify=1 --verify_state_save=0 --loops=2 --minimal >/tmp/fio.out &
load=$!
wait_for writes_on 0
before=$(written)
run pvctl volume resize tank/logs --size 1600M
run xfs_growfs /mnt/logs >/dev/null
grown=$(written)
df -h --output=source,size,target /mnt/logs
wait_for writes_on "$grown"
after=$(written)
if wait "$load"; then
	echo "the load wrote $((before >> 20)) MiB before, $(((grown - before) >> 20)) MiB meanwhile," \
		"$(((after - grown) >> 20)) MiB and more after it, and verified all"
else
	echo "the load failed" >&2
	exit 1
fi

step "Writing a journal; each record is acknowledged after fsync"
for ((n = 1; ; n++)); do
	record "$n" >"/mnt/db/$n"
	sync "/mnt/db/$n" /mnt/db
	echo "ACK $n $(md5sum <"/mnt/db/$n" | cut -c1-8)"
done
