# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# A release's root: a Debian tree with that release's kernel, compiler and
# tools, which both builds the project (chroot) and is the guest's root.

root_path() {
	echo "$CACHE/roots/$1"
}

# The compiler and userland a kernel's modules are built with.
root_release_check() {
	case $1 in
	bullseye | bookworm | trixie | trixie-backports) ;;
	*) die "$EXIT_USAGE" "unknown release '$1': bullseye, bookworm, trixie or trixie-backports" ;;
	esac
}

# root_enter keep|scratch RELEASE [--bind SRC DST]... -- COMMAND...
root_enter() {
	local mode=$1 release=$2
	shift 2
	as_root "$QEMU_DIR/lib/enter-root" "$mode" "$(root_path "$release")" "$CACHE/mnt" "$@"
}

# root_lists RELEASE KERNEL: the package lists this use of the root needs.
root_lists() {
	echo guest
	echo kernel
	if [[ $2 == debug ]]; then
		echo debug-kernel
	fi
}

# root_packages RELEASE LIST: the list's packages, but for those marked "[!RELEASE]" (or several such),
# which that release does not have.
root_packages() {
	read_list "$QEMU_DIR/packages/$2" | awk -v but="[!$1]" '{
		for (i = 2; i <= NF; i++)
			if ($i == but)
				next
		print $1
	}'
}

# root_missing RELEASE LIST: packages of the list not installed yet. A record
# beside the root is compared, for a dpkg-query in each of four lists would cost
# a warm start more than the whole comparison.
root_missing() {
	local record
	record=$(root_path "$1").packages
	[[ -e $record ]] || record=/dev/null
	root_packages "$1" "$2" | sort -u | comm -23 - <(sort -u "$record")
}

root_is_ready() {
	local release=$1 kernel=$2 list

	[[ -e $(root_path "$release") ]] || return 1
	for list in $(root_lists "$release" "$kernel"); do
		[[ -z $(root_missing "$release" "$list") ]] || return 1
	done
}

# root_prepare RELEASE KERNEL: afterwards the root is complete and held by a
# shared lock until this process ends, so that nobody changes it under a guest.
root_prepare() {
	local release=$1 kernel=$2

	lock "root-$release" -s
	until root_is_ready "$release" "$kernel"; do
		lock "root-$release" -x
		root_is_ready "$release" "$kernel" || root_make "$release" "$kernel"
		lock "root-$release" -s
	done
}

root_make() {
	local release=$1 kernel=$2 list root
	local -a missing

	root=$(root_path "$release")
	if [[ ! -e $root ]]; then
		if [[ $release == *-backports ]]; then
			root_copy "$release"
		else
			step "installing the $release root (a few minutes, once)" root_bootstrap "$release" ||
				die "$EXIT_PREPARE" "could not install $release into $root"
		fi
	fi
	for list in $(root_lists "$release" "$kernel"); do
		mapfile -t missing < <(root_missing "$release" "$list")
		((${#missing[@]})) || continue
		step "installing the $list packages of $release" root_install "$release" "${missing[@]}" ||
			die "$EXIT_PREPARE" "could not install into the $release root: ${missing[*]}"
	done
}

# A base system is built aside and renamed when complete: what an interrupted
# run leaves is thrown away by the next.
root_bootstrap() {
	local release=$1 root new mirror

	root=$(root_path "$release")
	new=$root.new
	as_root rm -rf "$new" "$root.packages"
	mirror=$(archive_uri Debian http://deb.debian.org/debian)
	as_root unshare --mount --propagation private -- \
		debootstrap --variant=minbase --include=ca-certificates "$release" "$new" "$mirror" \
		>"$CACHE/roots/$release.log" 2>&1 || {
		tail -n 20 "$CACHE/roots/$release.log" >&2
		return 1
	}
	root_configure "$release" "$new" || return
	as_root mv "$new" "$root"
}

# A backports root is its stable release with a newer kernel.
root_copy() {
	local release=$1 base=${1%-backports} root

	root=$(root_path "$release")
	(
		root_prepare "$base" stock
		as_root rm -rf "$root.new"
		step "copying the $base root for $release" \
			as_root cp -a --reflink=auto "$(root_path "$base")" "$root.new" &&
			root_configure "$release" "$root.new" &&
			# The kernel is to come from this release's own archive.
			grep -vxFf <(read_list "$QEMU_DIR/packages/kernel") \
				"$(root_path "$base").packages" >"$root.packages" &&
			as_root mv "$root.new" "$root"
	) || die "$EXIT_PREPARE" "could not make the $release root"
}

root_configure() {
	local release=$1 root=$2

	# No service starts inside a chroot; no documentation but the manual
	# tools; no fsync for a tree that is thrown away when incomplete.
	sources_list "$release" | as_root tee "$root/etc/apt/sources.list" >/dev/null || return
	apt_proxy | as_root tee "$root/etc/apt/apt.conf.d/90proxy" >/dev/null || return
	printf '#!/bin/sh\nexit 101\n' | as_root tee "$root/usr/sbin/policy-rc.d" >/dev/null || return
	as_root chmod +x "$root/usr/sbin/policy-rc.d" || return
	as_root tee "$root/etc/dpkg/dpkg.cfg.d/pmemvol" >/dev/null <<-EOF || return
		force-unsafe-io
		path-exclude=/usr/share/doc/*
		path-exclude=/usr/share/info/*
		path-exclude=/usr/share/locale/*
		path-exclude=/usr/share/man/*
		path-exclude=/etc/kernel/postinst.d/initramfs-tools
	EOF
	as_root tee "$root/etc/apt/apt.conf.d/90pmemvol" >/dev/null <<-EOF
		APT::Install-Recommends "false";
		Acquire::Languages "none";
		Dpkg::Use-Pty "false";
	EOF
}

# root_install RELEASE PACKAGE...: apt is idempotent, so an interrupted
# installation is completed by the next run.
root_install() {
	local release=$1
	shift

	root_enter keep "$release" --bind "$QEMU_DIR/lib" /mnt -- \
		/mnt/install-packages "$release" "$@" >"$CACHE/roots/$release.log" 2>&1 || {
		tail -n 20 "$CACHE/roots/$release.log" >&2
		return 1
	}
	printf '%s\n' "$@" >>"$(root_path "$release").packages"
}

# root_kernel RELEASE: the newest kernel release installed in the root.
root_kernel() {
	local root newest

	root=$(root_path "$1")
	newest=$(cd "$root/boot" && printf '%s\n' vmlinuz-* | sort -V | tail -n 1)
	[[ -e $root/boot/$newest ]] || die "$EXIT_PREPARE" "no kernel in $root"
	echo "${newest#vmlinuz-}"
}
