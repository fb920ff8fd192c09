# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# What both halves of the demonstration share.

# step TEXT: a headline
step() {
	printf '\n\033[1m== %s\033[0m\n' "$*"
}

# run COMMAND...: show the command, then what it prints
run() {
	printf '$ %s\n' "$*"
	"$@"
}

# wait_for COMMAND...: until it succeeds, for a minute at most
wait_for() {
	local deadline=$((SECONDS + 60))

	until "$@"; do
		if ((SECONDS > deadline)); then
			echo "demo: gave up waiting for: $*" >&2
			exit 1
		fi
	done
}

nothing_to_erase() {
	[[ $(pvctl pool show tank --json | jq .erasing) -eq 0 ]]
}

# provisioned VOLUME: in MiB
provisioned() {
	pvctl volume show "$1" --json | jq '.provisioned / 1048576'
}

# record N: the content of record N, 60 KiB and more that nothing else has
record() {
	awk -v n="$1" 'BEGIN { for (i = 0; i < 2600; i++) print "record " n " of the journal" }'
}
