#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Volumes offered to other hosts through the kernel's NVMe target: what pvctl makes of it, what
# initiators see, and what is left when something goes wrong.
#
#	qemu/vm run --append nvme_core.multipath=N --nvdimm 320M -- selftests/kernel/export.sh [TEST]...

# shellcheck disable=SC2154,SC2317 # tests are called by name; lib.sh sets $dev, nvmet.sh $nvme
# shellcheck source=lib.sh
. "$(dirname "$(readlink -f "$0")")/lib.sh"
# shellcheck source=nvmet.sh
. "$HERE/nvmet.sh"
require_nvdimms 1

export PVCTL_STATE_DIR=$TMP/state

# Called by clean_targets while initiators may still be connected.
clean_fences() {
	local name

	while read -r name; do
		pvctl unexport "$name"
	done < <(pvctl export list --json | jq -r '.[] | .pool + "/" + .name')
	rm -rf "$PVCTL_STATE_DIR"
	# As it was before the first test.
	[[ ! -d $NVMET ]] || [[ -z $(tree) ]] || fail "left of the target: $(tree)"
}

# Everything in the target that somebody has made.
tree() {
	[[ ! -d $NVMET ]] ||
		find "$NVMET"/subsystems "$NVMET"/ports "$NVMET"/hosts -mindepth 1 -maxdepth 1 -printf '%P\n' | sort
}

new_export_volume() {
	require_target tcp
	[[ -n $(pvctl pool list --json | jq '.[] | select(.name == "tank")') ]] || new_pool tank /dev/pmem0
	new_volume "tank/$1" "${2:-32M}"
	volume=$dev
	uuid=$(volume_get "tank/$1" uuid)
	nqn=nqn.2014-08.org.nvmexpress:uuid:$uuid
}

# tcp NAME [OPTION]...: exports it at the place where connect looks for port 0
tcp() {
	pvctl export "tank/$1" --transport tcp --address 127.0.0.1 --port 4420 "${@:2}" --json >"$TMP/export"
	eq "$(jq -r .enabled "$TMP/export")" true "enabled"
}

size_is() {
	[[ $(blockdev --getsize64 "$1") == "$2" ]]
}

host_nqn() {
	echo "nqn.2014-08.org.nvmexpress:uuid:$(host_uuid "$1")"
}

# A whole life with nvme-cli on the other side.
test_life() {
	local before

	require_command nvme
	new_export_volume v 32M
	tcp v
	eq "$(jq -r '[.pool, .name, .nqn, .transport, .address, .port, .uuid, .any_host, .device] | map(tostring) | join(" ")' \
		"$TMP/export")" "tank v $nqn tcp 127.0.0.1 4420 $uuid true $volume" "the export"
	before=$(tree)
	tcp v
	eq "$(tree)" "$before" "the target after the same command"
	refused 6 "on 127.0.0.1 port 4420, not 127.0.0.1 port 4421" \
		pvctl export tank/v --transport tcp --address 127.0.0.1 --port 4421
	refused 6 "other hosts" \
		pvctl export tank/v --transport tcp --address 127.0.0.1 --port 4420 --allow-host nqn.2026-01.test:x
	refused 6 "is exported as $nqn" \
		pvctl export tank/v --transport tcp --address 127.0.0.1 --port 4420 --nqn nqn.2026-01.test:x
	nvme connect -t tcp -a 127.0.0.1 -s 4420 -n "$nqn" --hostnqn "$(host_nqn 1)" --hostid "$(host_uuid 1)" \
		--ctrl-loss-tmo 120 --reconnect-delay 1
	ctrl=$(basename "$(dirname "$(grep -l -x "$nqn" /sys/class/nvme/nvme*/subsysnqn)")")
	wait_for has_block_device "$ctrl"
	nvme=$(block_device "$ctrl")
	eq "$(<"/sys/class/block/${nvme##*/}/uuid")" "$uuid" "UUID"
	eq "$(<"/sys/class/block/${nvme##*/}/nguid")" "$uuid" "NGUID"
	eq "$(tr -d ' ' <"/sys/class/nvme/$ctrl/serial")" "$(tr -d - <<<"${uuid:0:23}")" "serial number"
	eq "$(sed 's/ *$//' "/sys/class/nvme/$ctrl/model")" "pmemvol volume" "model"
	mkfs.ext4 -q -F "$nvme"
	mount "$nvme" "$MNT"
	dd if=/dev/urandom of="$MNT/data" bs=1M count=8 conv=fsync status=none
	# Growth reaches the mounted file system of the initiator.
	pvctl volume resize tank/v --size 64M >"$TMP/out"
	wait_for size_is "$nvme" $((64 * MIB))
	resize2fs "$nvme"
	(($(stat -f -c %b "$MNT") * $(stat -f -c %S "$MNT") > 48 * MIB)) || fail "the file system did not grow"
	refused 9 "open" pvctl volume delete tank/v
	must_fail pvctl pool deactivate tank
	umount "$MNT"
	disconnect "$ctrl"
	expect 0 pvctl unexport tank/v --json
	eq "$(jq -r .unexported "$TMP/out")" true "unexported"
	eq "$(tree)" "" "what is left of the target"
	expect 0 pvctl unexport tank/v --json
	eq "$(jq -r .unexported "$TMP/out")" false "unexported"
	expect 0 pvctl unexport tank/none
	# What the initiator wrote is in the volume.
	fsck_clean ext4 "$volume"
	expect 0 pvctl volume delete tank/v
}

# The target goes, and comes back, under a mounted file system that is written to.
test_target_restart() {
	new_export_volume v
	tcp v
	connect "$nqn" tcp 1 0
	mkfs.ext4 -q -F "$nvme"
	mount "$nvme" "$MNT"
	dd if=/dev/urandom of="$TMP/data" bs=1M count=4 status=none
	pvctl export withdraw --json >"$TMP/out"
	eq "$(jq -r '.[0].enabled' "$TMP/out")" false "enabled when withdrawn"
	eq "$(tree)" "" "what is left of the target"
	eq "$(volume_get tank/v openers)" 0 "who has the volume open"
	# It waits for the target.
	dd if="$TMP/data" of="$MNT/data" bs=1M oflag=direct status=none &
	wait_for not_live "$ctrl"
	pvctl export restore --json >"$TMP/out"
	eq "$(jq -r '.[0].enabled' "$TMP/out")" true "enabled when restored"
	wait_for is_live "$ctrl"
	wait $!
	echo 3 >/proc/sys/vm/drop_caches
	cmp "$TMP/data" "$MNT/data"
	expect 0 pvctl export restore
	eq "$(<"/sys/class/block/${nvme##*/}/uuid")" "$uuid" "UUID after the restart"
	umount "$MNT"
	fsck_clean ext4 "$nvme"
}

# figures TEXT: of the export of tank/v
figures() {
	pvctl metrics >"$TMP/metrics"
	eq "$(grep -F 'pvctl_export_enabled{pool="tank",volume="v"' "$TMP/metrics" | sed 's/.*} //')" "$1" \
		"the export among the figures"
	grep -q -x 'pvctl_export_damaged_records 0' "$TMP/metrics"
}

# A snapshot of what initiators have written, while they write on.
test_snapshot() {
	new_export_volume v
	tcp v
	figures 1
	connect "$nqn" tcp 1 0
	dd if=/dev/urandom of="$TMP/old" bs=1M count=4 status=none
	dd if=/dev/urandom of="$TMP/new" bs=1M count=4 status=none
	dd if="$TMP/old" of="$nvme" bs=1M oflag=direct status=none
	pvctl snapshot create tank/v@s >"$TMP/out"
	dd if="$TMP/new" of="$nvme" bs=1M oflag=direct status=none
	pvctl snapshot activate tank/v@s --json >"$TMP/out"
	cmp -n 4194304 "$TMP/old" "$(jq -r .device "$TMP/out")"
	echo 3 >/proc/sys/vm/drop_caches
	cmp -n 4194304 "$TMP/new" "$nvme"
	# A clone of it is another volume, by its own name.
	pvctl clone tank/v@s tank/c >"$TMP/out"
	tcp c
	[[ $(jq -r .nqn "$TMP/export") != "$nqn" ]] || fail "the clone has the volume's name"
	pvctl export withdraw
	figures 0
	cmp -n 4194304 "$TMP/new" "$volume"
	pvctl unexport tank/c
	pvctl unexport tank/v
}

not_live() {
	! is_live "$1"
}

# What a reboot leaves: the record, and a pool that comes back with other disk names.
test_reboot() {
	new_export_volume first
	new_export_volume v
	tcp v --nqn nqn.2026-01.test:v --allow-host "$(host_nqn 1)"
	jq -S 'del(.device)' "$TMP/export" >"$TMP/before"
	pvctl export withdraw
	pvctl pool deactivate tank
	eq "$(pvctl export list --json | jq -r '.[] | [.name, .enabled, .device] | map(tostring) | join(" ")')" \
		"v false null" "the list without the pool"
	refused 5 "activate its pool" pvctl export restore --json
	pvctl pool activate tank
	pvctl volume delete tank/first
	pvctl volume rename tank/v w
	pvctl export restore --json >"$TMP/out"
	jq -S '.[0] | .name = "v" | del(.device)' "$TMP/out" >"$TMP/after"
	diff "$TMP/before" "$TMP/after"
	eq "$(jq -r '.[0].name' "$TMP/out")" w "the name after a renaming"
	connect nqn.2026-01.test:v tcp 1 0
	expect 0 pvctl unexport tank/w
	eq "$(pvctl export list --json | jq length)" 0 "exports left"
}

# A record of a volume that is no more is in nobody's way, and goes with it.
test_gone() {
	new_export_volume v
	tcp v
	pvctl export withdraw
	pvctl volume rename tank/v w
	pvctl volume delete tank/w
	eq "$(pvctl export list --json | jq length)" 0 "exports after the volume was deleted"
	# One whose deleting was cut off before the record went: unexport goes by the name, and so does delete.
	new_export_volume v
	tcp v
	pvctl export withdraw
	PVCTL_STATE_DIR=$TMP/none pvctl volume delete tank/v
	new_export_volume v
	refused 5 "no such volume" pvctl export restore
	tcp v
	eq "$(pvctl export list --json | jq length)" 2 "exports of one name"
	expect 0 pvctl unexport tank/v --json
	eq "$(jq -r .unexported "$TMP/out")" true "unexported"
	eq "$(pvctl export list --json | jq length)" 0 "exports left"
	tcp v
	pvctl export withdraw
	PVCTL_STATE_DIR=$TMP/none pvctl volume delete tank/v
	expect 0 pvctl volume delete tank/v --json
	eq "$(jq -r .deleted "$TMP/out")" false "deleted twice"
	eq "$(pvctl export list --json | jq length)" 0 "exports after the deletion was repeated"
	new_export_volume v
	tcp v
	pvctl export withdraw
	pvctl pool destroy tank --force
	eq "$(pvctl export list --json | jq length)" 0 "exports after the pool was destroyed"
	expect 0 pvctl export restore
}

# By name of the host: some, and none who was not told of.
test_allowed_hosts() {
	new_export_volume v
	tcp v --allow-host "$(host_nqn 1)" --allow-host "$(host_nqn 2)" --allow-host "$(host_nqn 1)"
	eq "$(jq -r '.hosts | length' "$TMP/export")" 2 "hosts"
	eq "$(jq -r .any_host "$TMP/export")" false "any host"
	tcp v --allow-host "$(host_nqn 2)" --allow-host "$(host_nqn 1)"
	connect "$nqn" tcp 1 0
	(connect "$nqn" tcp 3 0) >"$TMP/out" 2>&1 && fail "a host that is not allowed has connected"
	grep 'refused' "$TMP/out"
	new_export_volume w
	tcp w --allow-host "$(host_nqn 2)"
	expect 0 pvctl unexport tank/v
	# What is another's, too, stays.
	[[ -e $NVMET/hosts/$(host_nqn 2) && ! -e $NVMET/hosts/$(host_nqn 1) ]] || fail "hosts: $(ls "$NVMET/hosts")"
	connect "$nqn" tcp 2 0
}

ports() {
	ls "$NVMET/ports"
}

# Subsystems share a port, also one that somebody else made.
test_shared_port() {
	new_export_volume v
	new_export_volume w
	tcp v
	tcp w
	eq "$(ports | wc -l)" 1 "ports"
	connect "$nqn" tcp 1 0
	expect 0 pvctl unexport tank/v
	eq "$(ports | wc -l)" 1 "ports after the first has gone"
	get_all "$nvme"
	expect 0 pvctl unexport tank/w
	eq "$(ports | wc -l)" 0 "ports after the last has gone"
	port_new 7 tcp
	echo 4420 >"$NVMET/ports/7/addr_trsvcid"
	tcp v
	tcp w
	eq "$(ports)" 7 "ports"
	pvctl unexport tank/v
	pvctl unexport tank/w
	eq "$(ports)" 7 "ports that somebody else made"
	rmdir "$NVMET/ports/7"
}

get_all() {
	dd if="$1" of=/dev/null bs=1M iflag=direct status=none
}

# A refusal is one sentence and leaves everything as it was.
test_refusals() {
	local before

	new_export_volume v
	mkfs.ext4 -q -F "$volume"
	mount "$volume" "$MNT"
	refused 9 "is mounted at $MNT" pvctl export tank/v --transport tcp --address 127.0.0.1 --port 4420
	umount "$MNT"
	exec 9<"$volume"
	refused 9 "is open" pvctl export tank/v --transport tcp --address 127.0.0.1 --port 4420
	exec 9<&-
	refused 9 "cannot listen on 192.0.2.1" pvctl export tank/v --transport tcp --address 192.0.2.1 --port 4420
	refused 5 "no volume none" pvctl export tank/none --transport tcp --address 127.0.0.1 --port 4420
	refused 5 "no pool" pvctl export none/v --transport tcp --address 127.0.0.1 --port 4420
	refused 3 "is not an IPv4" pvctl export tank/v --transport tcp --address ../.. --port 4420
	refused 3 "is not an NVMe" pvctl export tank/v --transport tcp --address 127.0.0.1 --port 4420 --nqn nqn./../../ports
	refused 3 "is not an NVMe" \
		pvctl export tank/v --transport tcp --address 127.0.0.1 --port 4420 --allow-host ../x
	mkdir "$NVMET/subsystems/$nqn" "$NVMET/subsystems/$nqn/namespaces/1"
	echo /dev/pmem0 >"$NVMET/subsystems/$nqn/namespaces/1/device_path"
	before=$(tree)
	refused 6 "not this volume's" pvctl export tank/v --transport tcp --address 127.0.0.1 --port 4420
	expect 0 pvctl unexport tank/v
	eq "$(tree)" "$before" "the target"
	rmdir "$NVMET/subsystems/$nqn/namespaces/1" "$NVMET/subsystems/$nqn"
	eq "$(tree)" "" "what refusals left of the target"
	eq "$(pvctl export list --json | jq -c .)" "[]" "exports after refusals"
	# And nothing of all that is in the way.
	tcp v
	new_export_volume w
	refused 6 "is the name of the exported tank/v" pvctl export tank/w --transport tcp --address 127.0.0.1 \
		--port 4420 --nqn "$(jq -r .nqn "$TMP/export")"
}

# Everybody at once: each succeeds, and one port is made.
test_at_once() {
	local i
	local -a jobs=()

	for i in 1 2; do
		new_export_volume "v$i" 4M
	done
	for i in 1 2 1 2; do
		pvctl export "tank/v$i" --transport tcp --address 127.0.0.1 --port 4420 >"$TMP/out$i" &
		jobs+=($!)
	done
	for i in "${jobs[@]}"; do
		wait "$i"
	done
	eq "$(ports | wc -l)" 1 "ports"
	eq "$(pvctl export list --json | jq '[.[] | select(.enabled)] | length')" 2 "exports"
	jobs=()
	for i in 1 2 1 2; do
		pvctl unexport "tank/v$i" &
		jobs+=($!)
	done
	for i in "${jobs[@]}"; do
		wait "$i"
	done
	eq "$(tree)" "" "what is left of the target"
}

# Two hosts, by nvme-cli: the one that has no reservation does not write.
test_reservations() {
	local a b

	require_command nvme
	require_target tcp reservations
	! is_multipath || skip "with multipath two hosts here would be two paths of one device"
	new_export_volume v
	tcp v
	eq "$(jq -r .reservations "$TMP/export")" true "reservations"
	connect "$nqn" tcp 1 0
	a=$nvme
	connect "$nqn" tcp 2 0
	b=$nvme
	nvme resv-register "$a" --nrkey=0xa --rrega=0
	nvme resv-register "$b" --nrkey=0xb --rrega=0
	nvme resv-acquire "$a" --crkey=0xa --rtype=1 --racqa=0
	dd if=/dev/zero of="$a" bs=4096 count=1 oflag=direct status=none
	must_fail dd if=/dev/zero of="$b" bs=4096 count=1 oflag=direct status=none 2>"$TMP/err"
	grep 'Invalid exchange' "$TMP/err"
	nvme resv-acquire "$b" --crkey=0xb --prkey=0xa --rtype=1 --racqa=1
	dd if=/dev/zero of="$b" bs=4096 count=1 oflag=direct status=none
	must_fail dd if=/dev/zero of="$a" bs=4096 count=1 oflag=direct status=none 2>"$TMP/err"
	nvme resv-report "$b" | grep -i regctl
}

# Both transports at once, one name, one set of data.
test_rdma() {
	new_export_volume v
	require_target rdma
	tcp v
	expect 0 pvctl export tank/v --transport rdma --address "$RDMA_ADDRESS" --port 4420 --json
	eq "$(jq -r .enabled "$TMP/out")" true "enabled"
	eq "$(jq -r .nqn "$TMP/out")" "$nqn" "name over RDMA"
	eq "$(pvctl export list --json | jq length)" 2 "exports"
	connect "$nqn" rdma 1 0
	mkfs.ext4 -q -F "$nvme"
	mount "$nvme" "$MNT"
	dd if=/dev/urandom of="$MNT/data" bs=1M count=4 conv=fsync status=none
	# To leave one transport is nothing to the other.
	expect 0 pvctl unexport tank/v --transport tcp
	eq "$(pvctl export list --json | jq -r '.[].transport')" rdma "what is left"
	dd if=/dev/urandom of="$MNT/more" bs=1M count=4 conv=fsync status=none
	umount "$MNT"
	expect 0 pvctl unexport tank/v
	eq "$(tree)" "" "what is left of the target"
}

tap_main life snapshot target-restart reboot gone allowed-hosts shared-port refusals at-once reservations rdma
