#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Unit tests of pvctl under AddressSanitizer and UBSan; prints KTAP.
set -euo pipefail

here=$(dirname "$(readlink -f "$0")")
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
pvctl=$dir/pvctl

if ! make -C "$here/../../tools/pvctl" -j2 SANITIZE=1 O="$dir" "$pvctl" test-program >"$dir/log" 2>&1; then
	sed 's/^/# /' "$dir/log"
	echo "Bail out! pvctl does not build"
	exit 1
fi

# helps WORD...: "pvctl WORD... --help" and -h work, print what begins so and have nothing to complain of
helps() {
	local option status

	for option in --help -h; do
		status=0
		"$pvctl" "$@" "$option" >"$dir/out" 2>"$dir/err" || status=$?
		if ((status)) || [[ -s $dir/err || $(head -n 1 "$dir/out") != "usage: pvctl $*"* ]]; then
			echo "# pvctl $* $option: status $status"
			sed 's/^/# /' "$dir/out" "$dir/err"
			return 1
		fi
	done
}

# Of every command of the table and every group of them, with each option that completion offers.
test_help() {
	local line words option count=0 failed=0
	local -A groups=()

	while IFS= read -r line; do
		[[ $line =~ ^_pvctl_options\[(.*)\]=\'(.*)\'$ ]] || continue
		words=${BASH_REMATCH[1]} count=$((count + 1))
		groups[${words%% *}]=1
		# shellcheck disable=SC2086 # words
		helps $words || failed=1
		for option in ${BASH_REMATCH[2]}; do
			grep -q -E -e "^ +(-., )?$option( |$)" "$dir/out" || {
				echo "# the help of '$words' has no $option"
				failed=1
			}
		done
	done < <("$pvctl" --generate bash)
	for words in "${!groups[@]}"; do
		helps "$words" || failed=1
	done
	echo "# $count commands in ${#groups[@]} groups"
	((count >= 30 && !failed))
}

status=0
# Its plan is for one test less.
"$dir/pvctl-test" | awk '/^1\.\.[0-9]+$/ { plan = substr($0, 4) + 1; $0 = "1.." plan } { print } END { print plan >"'"$dir/plan"'" }' ||
	status=1
result=ok
test_help || result="not ok" status=1
echo "$result $(<"$dir/plan") every command has its help"
exit "$status"
