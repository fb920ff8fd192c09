#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# The machine of first.sh was shut down and is up again. Then pvctl is upgraded and removed; of the
# modules' package that is in-root's part, for here DKMS would take minutes.

# shellcheck disable=SC2317 # tests are called by name
# shellcheck source=lib.sh
. "$(dirname "$(readlink -f "$0")")/lib.sh"

test_mounted_at_boot() {
	[[ $(findmnt -n -o SOURCE /srv/db) == "$(readlink -f $VOLUME)" ]]
	[[ $(findmnt -n -o OPTIONS /srv/db) == *dax=always* ]]
	[[ $(</srv/db/note) == "from the first start" ]]
	# Unmounted, and the pool deactivated, before the power went.
	! dmesg | grep -E 'EXT4-fs.*recovery' || fail "it was not unmounted"
	unit_is active local-fs.target
	! unit_is failed 'pmemvol*' || fail "$(systemctl status 'pmemvol*')"
	[[ $(pvctl pool show tank --json | jq -r .state) == active ]]
}

# exports_are TEXT: names, and whether they are in effect
exports_are() {
	[[ $(pvctl export list --json | jq -r 'sort_by(.name)[] | "\(.name) \(.enabled)"') == "$1" ]]
}

# What cannot be restored is tried again, and in nobody's way.
test_exported_at_boot() {
	local failed=$'lost false\nshared true'

	wait_until exports_are "$failed"
	grep -q -x "$(readlink -f /dev/pmemvol/tank/shared)" /sys/kernel/config/nvmet/subsystems/*/namespaces/1/device_path
	unit_is active pmemvol-export.service
	# The node goes down: the one that is in effect ends.
	systemctl stop pmemvol-export.service
	exports_are $'lost false\nshared false'
	wait_until unit_is inactive pmemvol-export-restore.service
	systemctl start pmemvol-export.service
	wait_until exports_are "$failed"
	wait_until unit_is activating pmemvol-export-restore.service
	# With the address there, the next attempt is the last one.
	ip address add 192.0.2.1/32 dev lo
	wait_until exports_are $'lost true\nshared true'
	wait_until unit_is inactive pmemvol-export-restore.service
	systemctl stop pmemvol-export.service
	exports_are $'lost false\nshared false'
	systemctl start pmemvol-export.service
	wait_until exports_are $'lost true\nshared true'
	pvctl unexport tank/lost
	pvctl unexport tank/shared
}

# What is in use goes on.
test_upgrade() {
	dpkg -i next/pvctl_*.deb
	[[ $(dpkg-query -W -f '${Version}' pvctl) == *next ]]
	[[ $(</srv/db/note) == "from the first start" ]]
	unit_is active pmemvol.service
	umount /srv/db
	[[ $(pvctl pool show tank --json | jq -r .state) == active ]]
	mount /srv/db
}

test_stop_in_use() {
	! systemctl stop pmemvol.service 2>/dev/null || unit_is failed pmemvol.service
	[[ $(</srv/db/note) == "from the first start" ]]
	systemctl start pmemvol.service
}

# pvctl has no other way to get the modules than to ask for them.
test_autoload() {
	local name

	umount /srv/db
	pvctl pool deactivate tank
	for name in nvme_fence pmemvol; do
		[[ ! -d /sys/module/$name ]] || wait_until rmmod "$name"
	done
	[[ $(pvctl pool list --json | jq -r '.[].state') == inactive ]]
	[[ -d /sys/module/pmemvol && ! -d /sys/module/nvme_fence ]]
	[[ $(pvctl fence status --json | jq length) == 0 ]]
	[[ -d /sys/module/nvme_fence ]]
	pvctl pool activate tank
	mount /srv/db
	[[ $(</srv/db/note) == "from the first start" ]]
}

test_purge() {
	umount /srv/db
	dpkg --purge pvctl
	[[ ! -e /usr/sbin/pvctl ]]
	! compgen -G '/sys/block/pmv*' || fail "the pool is active"
	! compgen -G '/usr/lib/udev/rules.d/*pmemvol*' || fail "rules are left"
	systemctl daemon-reload
	! systemctl cat pmemvol.service || fail "a unit is left"
}

tests mounted-at-boot exported-at-boot upgrade stop-in-use autoload purge
