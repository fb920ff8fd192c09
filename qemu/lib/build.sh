# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# Builds the project for a kernel, inside that release's root, from a private
# copy of the tree. The copy is kept, so that a change rebuilds only what it
# touches; the result is kept by the hash of the sources, so that an unchanged
# tree builds nothing.

# Every file that belongs to the tree. The runner itself is no input of a build,
# and no more is what a build in the tree has left.
build_sources() {
	{
		git -c safe.directory="$TREE" -C "$TREE" ls-files -z -co --exclude-standard 2>/dev/null ||
			(cd "$TREE" && find . -name .git -prune -o -type f -printf '%P\0')
	} | while IFS= read -r -d '' file; do
		case $file in
		qemu/* | *.o | *.ko | *.cmd | *.mod | *.mod.c | *modules.order | *Module.symvers) continue ;;
		esac
		[[ ! -f $TREE/$file ]] || printf '%s\0' "$file"
	done | sort -z
}

# build_copy DIR: makes DIR/tree equal to the sources. Contents are compared, so
# the times of unchanged files stay what make saw.
build_copy() {
	local dir=$1

	mkdir -p "$dir/tree" &&
		build_sources >"$dir/list.new" &&
		touch "$dir/list" &&
		comm -z -23 "$dir/list" "$dir/list.new" | (cd "$dir/tree" && xargs -0r rm -f --) &&
		rsync --recursive --links --perms --checksum --from0 --files-from="$dir/list.new" \
			"$TREE/" "$dir/tree/" &&
		mv "$dir/list.new" "$dir/list"
}

build_key() {
	(cd "$1/tree" && xargs -0r sha256sum -- <"$1/list") |
		sha256sum - "$QEMU_DIR/lib/build-project" | sha256sum | cut -c 1-16
}

# build_prepare RELEASE: for the kernel chosen by kernel_prepare; sets BUILD_OUT,
# held by a shared lock until this process ends.
build_prepare() {
	local release=$1 dir tree_key key

	tree_key=$(sha256sum <<<"$TREE")
	dir=$CACHE/builds/${tree_key:0:8}-$release-$KERNEL_RELEASE
	lock "build-${dir##*/}" -x
	mkdir -p "$dir"
	build_copy "$dir" || die "$EXIT_PREPARE" "could not copy the tree to $dir"
	key=$(build_key "$dir")
	declare -g BUILD_OUT=$dir/out-$key
	if [[ ! -e $BUILD_OUT ]]; then
		step "building the project for $KERNEL_RELEASE" build_make "$release" "$dir" ||
			die "$EXIT_PREPARE" "the project does not build for $KERNEL_RELEASE"
		mv "$dir/out.new" "$BUILD_OUT"
	fi
	touch "$BUILD_OUT"
	lock "${dir##*/}-$key" -s
	build_prune "$dir"
	unlock "build-${dir##*/}"
}

build_make() {
	local release=$1 dir=$2
	local -a kernel=()

	if [[ -n $KERNEL_DIR ]]; then
		kernel=(--bind "$KERNEL_DIR" "$KERNEL_DIR" --bind "$KERNEL_DIR/lib" "/lib/modules/$KERNEL_RELEASE")
	fi
	as_root rm -rf "$dir/out.new"
	mkdir -p "$dir/out.new"
	root_enter scratch "$release" "${kernel[@]}" \
		--bind "$QEMU_DIR/lib" /mnt --bind "$dir/tree" "$TREE" --bind "$dir/out.new" /srv -- \
		/mnt/build-project "$TREE" "$KERNEL_RELEASE" /srv >"$dir/log" 2>&1 || {
		cat "$dir/log" >&2
		return 1
	}
	# A warning counts, whoever gave it: compilers, modpost, objtool.
	! grep -E 'warning:|WARNING:' "$dir/log" >&2
}

# Results of older sources go, but for the last few and those a guest uses.
build_prune() {
	local dir=$1 old fd

	while read -r old; do
		fd=''
		exec {fd}>>"$CACHE/locks/${dir##*/}-${old#out-}"
		if flock -n -x "$fd"; then
			as_root rm -rf "${dir:?}/$old"
			rm -f "$CACHE/locks/${dir##*/}-${old#out-}"
		fi
		exec {fd}>&-
	done < <(find "$dir" -maxdepth 1 -name 'out-*' -printf '%T@ %f\n' | sort -rn | tail -n +6 | cut -d' ' -f2)
}
