# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# Which kernel a guest boots: the release's own, or the debug kernel, which is
# built once from the source package with debug.config.

# kernel_prepare RELEASE KERNEL: sets KERNEL_RELEASE and KERNEL_IMAGE, and for a
# kernel outside the root KERNEL_DIR, which is bound at its own path where
# modules are built and whose lib/ is /lib/modules/KERNEL_RELEASE.
kernel_prepare() {
	local root

	root=$(root_path "$1")
	declare -g KERNEL_RELEASE KERNEL_IMAGE KERNEL_DIR=
	if [[ $2 == debug ]]; then
		kernel_prepare_debug "$1" "$root"
	else
		KERNEL_RELEASE=$(root_kernel "$1")
		KERNEL_IMAGE=$root/boot/vmlinuz-$KERNEL_RELEASE
	fi
}

kernel_prepare_debug() {
	local release=$1 root=$2 versions key

	versions=$(dpkg-query --admindir="$root/var/lib/dpkg" -W linux-source-6.12 gcc-12)
	key=$({ echo "$versions" && cat "$QEMU_DIR/debug.config"; } | sha256sum)
	key=${key:0:8}
	KERNEL_DIR=$CACHE/kernels/debug-$key
	if [[ ! -e $KERNEL_DIR/release ]]; then
		lock "kernel-debug-$key" -x
		if [[ ! -e $KERNEL_DIR/release ]]; then
			step "building the debug kernel (10-20 minutes, once; log: $KERNEL_DIR/log)" \
				kernel_build "$release" "$KERNEL_DIR" "-debug-$key" ||
				die "$EXIT_PREPARE" "could not build the debug kernel"
		fi
		unlock "kernel-debug-$key"
	fi
	KERNEL_RELEASE=$(<"$KERNEL_DIR/release")
	# shellcheck disable=SC2034 # for guest.sh
	KERNEL_IMAGE=$KERNEL_DIR/bzImage
}

kernel_build() {
	local release=$1 dir=$2 localversion=$3

	mkdir -p "$dir" || return
	root_enter scratch "$release" --bind "$QEMU_DIR" /mnt --bind "$dir" "$dir" -- \
		/mnt/lib/build-kernel "$dir" "$localversion" >"$dir/log" 2>&1 || {
		tail -n 30 "$dir/log" >&2
		return 1
	}
}
