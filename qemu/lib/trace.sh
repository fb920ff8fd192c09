# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# A record of every store to the first NVDIMM: see selftests/trace.

# trace_arguments FILE: adds to the array QEMU_ARGS, which is complete otherwise
trace_arguments() {
	local slot=${NVDIMM_SLOTS[0]-} base dir=$TREE/selftests/trace

	[[ -n $1 ]] || return 0
	[[ -n $slot ]] || die "$EXIT_USAGE" "--trace-stores goes with --nvdimm"
	gcc -Wall -Wextra -Werror -O2 -shared -fPIC -fvisibility=hidden -o "$RUN_DIR/trace.so" "$dir/plugin.c" ||
		die "$EXIT_PREPARE" "the plugin that traces stores cannot be built"
	# Where QEMU has placed the backend among all that is memory: the same in every start.
	base=$(qemu-system-x86_64 "${QEMU_ARGS[@]}" -S -monitor stdio <<<$'info ramblock\nquit' 2>/dev/null |
		awk -v block="nvdimm-mem$slot" '$1 ~ "(^|/)" block "$" { print $4 }')
	[[ $base == 0x* ]] || die "$EXIT_PREPARE" "QEMU does not tell where its NVDIMM is"
	QEMU_ARGS+=(-plugin "$RUN_DIR/trace.so,medium=$DEVICES_DIR/nvdimm0,out=$1,base=$base,size=${NVDIMM_SIZES[0]}")
}
