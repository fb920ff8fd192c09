#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# A machine with the packages is up for the first time: a file system is put where the next start
# will mount it. Wants to run in the folder with the packages.

# shellcheck disable=SC2317 # tests are called by name
# shellcheck source=lib.sh
. "$(dirname "$(readlink -f "$0")")/lib.sh"

test_started() {
	[[ $(command -v pvctl) == /usr/sbin/pvctl ]]
	unit_is active pmemvol.service
	! unit_is failed 'pmemvol*' || fail "$(systemctl status 'pmemvol*')"
}

test_filesystem() {
	pvctl pool create tank /dev/pmem0 /dev/pmem1
	pvctl volume create tank/db --size 64M
	[[ $(udevadm info --query=symlink "$(readlink -f $VOLUME)") == *pmemvol/tank/db* ]]
	mkfs.ext4 -q -b 4096 $VOLUME
	# The limits are for a busy machine.
	echo "$VOLUME /srv/db ext4 dax=always,x-systemd.device-timeout=600,x-systemd.mount-timeout=600 0 2" >fstab
	cat fstab >>/etc/fstab
	mkdir -p /srv/db
	systemctl daemon-reload
	systemctl start srv-db.mount
	echo "from the first start" >/srv/db/note
}

# For the next start.
test_export() {
	wait_until unit_is active pmemvol-export.service
	pvctl volume create tank/shared --size 16M
	pvctl export tank/shared --transport tcp --address 127.0.0.1 --port 4420
	# One that cannot be restored: no network has that address.
	pvctl volume create tank/lost --size 16M
	pvctl export tank/lost --transport tcp --address 127.0.0.1 --port 4421
	sed -i 's/"address":"127.0.0.1","port":4421/"address":"192.0.2.1","port":4421/' /var/lib/pvctl/export/*
	pvctl export list --json | jq -e '.[] | select(.name == "lost") | .address == "192.0.2.1" and (.enabled | not)'
	cp -a /var/lib/pvctl .
}

test_metrics() {
	pvctl metrics --output "$PWD/pvctl.prom"
	grep -q '^pmemvol_volume_size_bytes{pool="tank",volume="db"} 67108864$' pvctl.prom
	grep -q '^pmemvol_volume_openers{pool="tank",volume="db"} 1$' pvctl.prom
	! grep "^pmemvol_volume_writes_completed_total{pool=\"tank\",volume=\"db\"} 0$" pvctl.prom || fail "writes are not counted"
	grep -q '^pvctl_module_up{module="nvme_fence"} 1$' pvctl.prom
	[[ $(stat -c %a pvctl.prom) == 644 ]]
	# Nothing of an attempt that fails is left.
	mkdir folder.prom
	! pvctl metrics --output folder.prom || fail "a folder was replaced"
	! compgen -G 'folder.prom.*' || fail "a part is left"
}

tests started filesystem export metrics
