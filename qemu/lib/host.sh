# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# Packages of the host, and where the Debian archive is.

host_missing() {
	local package status

	while read -r package; do
		status=$(dpkg-query -W -f='${db:Status-Status}' "$package" 2>/dev/null) || status=
		[[ $status == installed ]] || echo "$package"
	done < <(read_list "$QEMU_DIR/packages/host")
}

host_prepare() {
	local -a missing

	command -v dpkg-query >/dev/null ||
		die "$EXIT_PREPARE" "this host is no Debian: install $(read_list "$QEMU_DIR/packages/host" | tr '\n' ' ')by hand"
	mapfile -t missing < <(host_missing)
	((${#missing[@]})) || return 0

	lock host -x
	mapfile -t missing < <(host_missing)
	if ((${#missing[@]})); then
		step "installing on this host: ${missing[*]}" host_install "${missing[@]}" ||
			die "$EXIT_PREPARE" "could not install: ${missing[*]}"
	fi
	unlock host
}

host_install() {
	local -a apt=(env DEBIAN_FRONTEND=noninteractive apt-get -qq -o Dpkg::Use-Pty=0)

	# The lists may be absent or older than the archive: refresh them only
	# when the first try fails.
	as_root "${apt[@]}" install -y --no-install-recommends "$@" >&2 ||
		{
			as_root "${apt[@]}" update >&2 &&
				as_root "${apt[@]}" install -y --no-install-recommends "$@" >&2
		}
}

# archive_uri LABEL DEFAULT: where this host's own apt finds that archive, so
# that a user's mirror is used for the guests as well.
archive_uri() {
	local label=$1 default=$2 uri

	# shellcheck disable=SC2016 # apt expands these
	uri=$(apt-get indextargets --format '$(ORIGIN)|$(LABEL)|$(REPO_URI)' \
		'Created-By: Packages' 2>/dev/null |
		awk -F'|' -v label="$label" '$1 == "Debian" && $2 == label { print $3; exit }') || uri=
	echo "${uri:-$default}"
}

# sources_list RELEASE: the apt sources of a root.
sources_list() {
	local suite=${1%-backports} main security

	main=$(archive_uri Debian http://deb.debian.org/debian)
	security=$(archive_uri Debian-Security http://deb.debian.org/debian-security)
	echo "deb $main $suite main"
	echo "deb $main $suite-updates main"
	echo "deb $security $suite-security main"
	if [[ $1 == *-backports ]]; then
		echo "deb $main $1 main"
	fi
}

# apt_proxy: the host's proxies, as configuration for a root's apt.
apt_proxy() {
	apt-config dump | grep -E '^Acquire::[a-z]+::Proxy ' || true
}
