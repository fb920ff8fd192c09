# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# The first stage a guest boots: busybox and the modules for 9p and overlayfs.

# initramfs_prepare RELEASE: for the kernel chosen by kernel_prepare; prints the image's path.
initramfs_prepare() {
	local release=$1 kver=$KERNEL_RELEASE key image
	local -a kernel=()

	key=$(cat "$QEMU_DIR/guest/initramfs-init" "$QEMU_DIR/lib/make-initramfs" | sha256sum)
	image=$CACHE/initramfs/$kver-${key:0:16}.cpio
	if [[ ! -e $image ]]; then
		lock initramfs -x
		if [[ ! -e $image ]]; then
			if [[ -n $KERNEL_DIR ]]; then
				kernel=(--bind "$KERNEL_DIR/lib" "/lib/modules/$kver")
			fi
			root_enter scratch "$release" "${kernel[@]}" --bind "$QEMU_DIR" /mnt -- \
				/mnt/lib/make-initramfs "$kver" >"$image.new" ||
				die "$EXIT_PREPARE" "could not make the initramfs of $kver"
			mv "$image.new" "$image"
		fi
		unlock initramfs
	fi
	echo "$image"
}
