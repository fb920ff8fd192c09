#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Events: every type, in order, with a number each.
#
#	qemu/vm run --nvdimm 640M,448M,256M -- selftests/kernel/events.sh [TEST]...

# shellcheck disable=SC2317 # tests are called by name
# shellcheck source=lib.sh
. "$(dirname "$(readlink -f "$0")")/lib.sh"
require_nvdimms 3

events_are() {
	[[ $(jq -r .event "$1" | tr '\n' ' ') == "$2 " ]]
}

# Numbers rise by one: none is lost, none comes twice.
numbers_rise() {
	jq -s -e '[.[].seq] | . == [range(.[0]; .[0] + length)]' "$1" >/dev/null ||
		fail "numbers: $(jq -c .seq "$1" | tr '\n' ' ')"
}

test_every_change() {
	local want

	monitor_start "$TMP/events"
	new_pool tank /dev/pmem0
	new_volume tank/v 4M
	expect 0 pvctl volume resize tank/v --size 8M
	expect 0 pvctl volume rename tank/v w
	expect 0 pvctl pool set tank --low-water 5
	expect 0 pvctl pool extend tank /dev/pmem1
	expect 0 pvctl pool deactivate tank
	expect 0 pvctl pool activate tank
	expect 0 pvctl volume delete tank/w
	wait_for has_event "$TMP/events" erased
	expect 0 pvctl pool destroy tank
	want="pool-created volume-created volume-resized volume-renamed pool-changed pool-extended"
	want+=" pool-deactivated pool-activated volume-deleted erased pool-destroyed"
	wait_for events_are "$TMP/events" "$want"
	numbers_rise "$TMP/events"
	monitor_stop
	jq -s -e 'all(.pool.name == "tank")' "$TMP/events" >/dev/null || fail "pool's name"
	eq "$(jq -r 'select(.event == "volume-created") | .volume | "\(.name) \(.size)"' "$TMP/events")" \
		"v $((4 * MIB))" "the created volume"
	eq "$(jq -r 'select(.event == "volume-resized") | .volume.size' "$TMP/events")" $((8 * MIB)) "the new size"
	[[ ! -s $TMP/events.err ]] || fail "the monitor said $(<"$TMP/events.err")"
}

# What is refused or changes nothing is no event.
test_nothing_happened() {
	new_pool tank /dev/pmem0
	new_volume tank/v 4M
	monitor_start "$TMP/events"
	expect 0 pvctl volume create tank/v --size 4M
	expect 6 pvctl volume create tank/v --size 8M
	expect 0 pvctl volume resize tank/v --size 4M
	expect 0 pvctl volume rename tank/v v
	expect 0 pvctl volume delete tank/none
	expect 9 pvctl pool destroy tank
	expect 9 pvctl pool create lake /dev/pmem0
	expect 0 pvctl pool activate tank
	# The next real one is the first.
	expect 0 pvctl volume rename tank/v w
	wait_for events_are "$TMP/events" volume-renamed
}

test_two_listeners() {
	local i

	new_pool tank /dev/pmem0
	monitor_start "$TMP/one"
	local first=$monitor
	defer kill "$first"
	monitor_start "$TMP/two"
	for ((i = 0; i < 30; i++)); do
		expect 0 pvctl volume create "tank/v$i" --size 2M
	done
	eventually_lines() { (($(wc -l <"$1") == $2)); }
	wait_for eventually_lines "$TMP/one" 30
	wait_for eventually_lines "$TMP/two" 30
	cmp "$TMP/one" "$TMP/two"
	numbers_rise "$TMP/one"
}

# A monitor that is killed leaves nothing behind.
test_listener_goes() {
	local i

	new_pool tank /dev/pmem0
	for ((i = 0; i < 5; i++)); do
		monitor_start "$TMP/events"
		expect 0 pvctl volume create "tank/v$i" --size 2M
		kill -KILL "$monitor"
		wait "$monitor" || true
		monitor=
		expect 0 pvctl volume delete "tank/v$i"
	done
}

another_is_told() {
	expect 0 pvctl volume create tank/another --size 2M
	expect 0 pvctl volume delete tank/another
	has_event "$TMP/events" volume-deleted
}

# Who does not read loses events, is told so, and how many; then it goes on. Without
# CAP_NET_ADMIN the buffer is the system's usual one.
test_lost() {
	new_pool tank /dev/pmem0
	setpriv --bounding-set=-net_admin pvctl monitor --json --ready-file "$TMP/ready" >"$TMP/events" &
	monitor=$!
	defer monitor_stop
	wait_for test -e "$TMP/ready"
	expect 0 pvctl volume create tank/first --size 2M
	wait_for has_event "$TMP/events" volume-created
	kill -STOP "$monitor"
	expect 0 nlreq --repeat 3000 POOL_SET '{POOL' POOL_NAME:s:tank POOL_LOW_WATER:u32:7 '}'
	kill -CONT "$monitor"
	wait_for has_event "$TMP/events" overrun
	# What comes before the monitor has caught up is lost, too.
	wait_for another_is_told
	monitor_stop
	note "$(jq -s -c '[(map(select(.seq)) | length), (map(.missed // 0) | add)]' "$TMP/events") events read, missed"
	jq -s -e '(map(.missed // 0) | add) as $missed | [.[].seq | values] |
		$missed > 0 and .[-1] - .[0] + 1 == length + $missed' "$TMP/events" >/dev/null ||
		fail "events read and missed do not add up"
}

tap_main every-change nothing-happened two-listeners listener-goes lost
