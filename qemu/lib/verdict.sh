# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# What a run's exit status is, from what the guest reported and its kernel log.

# patterns FILE [REGEX...]: a list of regular expressions as grep -f takes it.
patterns() {
	grep -v -E '^(#|[[:space:]]*$)' "$1"
	shift
	# An empty line would match everything.
	(($# == 0)) || printf '%s\n' "$@"
}

# log_hits FILE: numbers and text of the lines that fail a run.
log_hits() {
	grep -a -n -E -f <(patterns "$QEMU_DIR/log-fatal") -- "$1" |
		grep -a -v -E -f <(patterns "$QEMU_DIR/log-allow" "${OPT_ALLOW_LOG[@]}")
}

# log_is_clean FILE: else shows the first report with what surrounds it and the
# first lines of the others.
log_is_clean() {
	local hits first

	hits=$(log_hits "$1") || return 0
	first=${hits%%:*}
	say "the kernel log has reports that fail the run:"
	sed -n "$((first > 2 ? first - 2 : 1)),$((first + 60))p" "$1" >&2
	say "all lines that matched:"
	head -n 20 <<<"$hits" >&2
	return 1
}

# The dump the guest sends is the log itself; the serial console also has what
# came after, and all there is when the guest did not come to its end.
kernel_log_is_clean() {
	local log

	# Records look like 6,339,5140900,-;text
	sed -E 's/^([0-9]+),[0-9]+,([0-9]+)([0-9]{6}),[^;]*;/[\2.\3] /' "$RUN_DIR/kmsg" >"$RUN_DIR/dmesg"
	tr -d '\r' <"$RUN_DIR/serial" >"$RUN_DIR/console"
	for log in dmesg console; do
		log_is_clean "$RUN_DIR/$log" || return 1
	done
}

show_tail() {
	say "the end of the kernel log:"
	tail -n 40 "$RUN_DIR/serial" | tr -d '\r' >&2
}

# verdict: prints nothing but reasons, and exits.
verdict() {
	local line status='' failed=0 ended=0

	while IFS= read -r line; do
		case $line in
		"failed "*)
			say "${line#failed }"
			failed=1
			;;
		"note "*) say "  ${line#note }" ;;
		"status "*) status=${line#status } ;;
		end) ended=1 ;;
		esac
	done <"$RUN_DIR/report"

	kernel_log_is_clean || failed=1
	if [[ -e $RUN_DIR/timed-out ]]; then
		show_tail
		die "$EXIT_TIMEOUT" "the guest was ended after $OPT_TIMEOUT s"
	fi
	if [[ -n $OPT_KILL_AFTER ]]; then
		[[ -e $RUN_DIR/cut && $ended == 0 ]] ||
			die "$EXIT_GUEST" "no line of standard output matched --kill-after: the power was not cut"
		((!failed)) || exit "$EXIT_GUEST"
		exit 137
	fi
	if ((!ended)); then
		if ((!failed)); then
			cat "$RUN_DIR/qemu.log" >&2
			show_tail
		fi
		die "$EXIT_GUEST" "the guest ended before it had reported"
	fi
	((!failed)) || exit "$EXIT_GUEST"
	[[ -n $status ]] || die "$EXIT_GUEST" "the guest reported no status"
	exit "$status"
}
