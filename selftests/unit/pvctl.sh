#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# Unit tests of pvctl under AddressSanitizer and UBSan; prints KTAP.
set -eu

here=$(dirname "$(readlink -f "$0")")
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT

if ! make -C "$here/../../tools/pvctl" -j2 SANITIZE=1 O="$dir" test-program >"$dir/log" 2>&1; then
	sed 's/^/# /' "$dir/log"
	echo "Bail out! pvctl does not build"
	exit 1
fi
"$dir/pvctl-test"
