# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# Messages, exit statuses, the cache's layout and its locks.

# What one run has sorted another compares.
export LC_ALL=C

# Statuses the runner itself exits with; COMMAND's own status is passed through.
# shellcheck disable=SC2034 # used by the files that source this one
readonly EXIT_USAGE=120 EXIT_PREPARE=121 EXIT_TIMEOUT=124 EXIT_GUEST=125

# The library and its data lie in the folder of the entry script, which may be
# called through a link.
QEMU_DIR=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd -P)
TREE=$(cd "$QEMU_DIR/.." && pwd -P)
CACHE=${PMEMVOL_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/pmemvol}
readonly QEMU_DIR TREE

say() {
	printf 'vm: %s\n' "$*" >&2
}

# die STATUS MESSAGE...
die() {
	local status=$1
	shift
	say "$*"
	exit "$status"
}

cache_init() {
	# Overlay mounts and QEMU's options separate their parts by these.
	case $CACHE$TREE in
	*[:,]*) die "$EXIT_USAGE" "the cache and the tree may have no ':' or ',' in their paths" ;;
	esac
	mkdir -p "$CACHE"/{roots,kernels,builds,initramfs,locks,run,mnt} ||
		die "$EXIT_PREPARE" "cannot create the cache $CACHE"
	CACHE=$(cd "$CACHE" && pwd -P)
	readonly CACHE
}

as_root() {
	if ((EUID == 0)); then
		"$@"
		return
	fi
	command -v sudo >/dev/null ||
		die "$EXIT_PREPARE" "this step needs root, and there is no sudo here: run as root once ('$QEMU_DIR/vm prepare')"
	sudo "$@"
}

declare -A lock_fds=()

# lock NAME -s|-x: takes the lock shared or exclusive; taken already, it is
# converted. It ends with unlock or with the process, however that ends.
lock() {
	local name=$1 mode=$2 fd=${lock_fds[$1]-}

	if [[ -z $fd ]]; then
		exec {fd}>>"$CACHE/locks/$name"
		lock_fds[$name]=$fd
	fi
	if ! flock -n "$mode" "$fd"; then
		[[ $mode == -s ]] || say "waiting for another run to finish with $name"
		flock "$mode" "$fd"
	fi
}

unlock() {
	local fd=${lock_fds[$1]}

	exec {fd}>&-
	unset "lock_fds[$1]"
}

# Progress with the time it took: a first use takes minutes.
step() {
	local what=$1 start=$SECONDS
	shift

	say "$what ..."
	"$@" || return
	say "$what: done in $((SECONDS - start)) s"
}

# read_list FILE: the words of a list file, without comments.
read_list() {
	sed -e 's/#.*//' -e '/^[[:space:]]*$/d' "$1"
}
