#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# What bash and zsh offer for a command line of pvctl, asked of the shells themselves; prints KTAP.
# A program in pvctl's place has the lists that would come from the kernel.
# shellcheck disable=SC2317 # functions are called by name
set -u

here=$(dirname "$(readlink -f "$0")")
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
tests=0 failed=0

if ! make -C "$here/../../tools/pvctl" -j2 O="$dir/obj" >"$dir/log" 2>&1; then
	sed 's/^/# /' "$dir/log"
	echo "Bail out! pvctl does not build"
	exit 1
fi
mkdir "$dir/bin" "$dir/functions" "$dir/home"
cp "$dir/obj/pvctl.zsh" "$dir/functions/_pvctl"
cat >"$dir/bin/pvctl" <<'END'
#!/bin/sh
case "$1 $2" in
"pool list") printf 'NAME STATE\ntank active\ntwo active\n' ;;
"volume list") printf 'NAME STATE\ntank/db active\ntank/log active\n' ;;
"region list") printf 'REGION SIZE\nregion0 1\n\nNAMESPACE REGION\nnamespace0.0 region0\n' ;;
"snapshot list") printf 'NAME STATE\ntank/db@s1 inactive\ntank/db@s2 inactive\n' ;;
"fence status") printf 'NAME STATE\npod-a granted\n' ;;
esac
END
chmod +x "$dir/bin/pvctl"
export PATH=$dir/bin:$PATH HOME=$dir/home

# in_bash WORD...: what bash offers, the last word being the one typed
in_bash() {
	bash --norc -c '
		. "$1"
		shift
		# There is no line to edit here.
		compopt() { :; }
		COMP_WORDS=("$@") COMP_CWORD=$(($# - 1))
		_pvctl
		printf "%s\n" "${COMPREPLY[@]}"
	' bash "$dir/obj/pvctl.bash" "$@"
}

# zsh completes at a terminal only; what it would add to the line goes to a file.
cat >"$dir/hook.zsh" <<'END'
unsetopt zle_bracketed_paste beep
PROMPT= RPROMPT= LISTMAX=1000
fpath=($DIR/functions $fpath)
autoload -Uz compinit
compinit -u -D
compadd() {
	local -a hits

	# A caller that wants the matches in an array of its own offers nothing yet.
	if [[ ${@[1,(i)(-|--)]} != *-(O|A|D)\ * ]]; then
		builtin compadd -A hits "$@"
		print -l -- $hits >>$DIR/hits
	fi
	builtin compadd "$@"
}
offer() {
	_main_complete
	: >$DIR/done
}
zle -C offer list-choices offer
bindkey '^I' offer
: >$DIR/ready
END
cat >"$dir/drive.zsh" <<'END'
zmodload zsh/zpty zsh/zselect
wait_for() {
	local i

	for ((i = 0; i < 6000; i++)); do
		[[ ! -e $1 ]] || return 0
		zpty -rt shell >/dev/null
		zselect -t 1
	done
	return 1
}
zpty shell zsh -f -i
zpty -w shell ". $DIR/hook.zsh"
wait_for $DIR/ready || exit 1
zpty -wn shell "$1"$'\t'
wait_for $DIR/done
END

in_zsh() {
	rm -f "$dir/hits" "$dir/ready" "$dir/done"
	DIR=$dir TERM=dumb zsh -f "$dir/drive.zsh" "$*" || echo "zsh does not answer"
	sort -u "$dir/hits"
}

# offers SHELL WANTED WORD...: exactly the words WANTED begin like the last one and are offered
offers() {
	local got

	got=$("in_$1" "${@:3}" 2>&1 | sort | xargs)
	tests=$((tests + 1))
	if [[ $got == "$2" ]]; then
		echo "ok $tests $1: ${*:3}"
	else
		echo "# offered: '$got', not '$2'"
		echo "not ok $tests $1: ${*:3}"
		failed=1
	fi
}

echo "TAP version 13"
for shell in bash zsh; do
	offers "$shell" "pool" pvctl po
	offers "$shell" "deactivate destroy" pvctl pool de
	offers "$shell" "tank two" pvctl pool show t
	offers "$shell" "tank/db tank/log" pvctl volume resize tank/
	offers "$shell" "--low-water" pvctl pool set tank --low
	offers "$shell" "region0" pvctl pool create x --region r
	offers "$shell" "device local" pvctl fence attach pod /dev/x --require ''
	offers "$shell" "pod-a" pvctl fence acquire ''
	offers "$shell" "tank/db@s1 tank/db@s2" pvctl snapshot show tank/d
	offers "$shell" "rollback" pvctl volume ro
	offers "$shell" "--thick" pvctl clone tank/db tank/c --th
	offers "$shell" "--ready-file" pvctl monitor --rea
	offers "$shell" "" pvctl volume rename tank/db ''
	offers "$shell" "list" pvctl export l
	offers "$shell" "tank/db tank/log" pvctl export ta
	offers "$shell" "tank two" pvctl export restore t
	offers "$shell" "tcp" pvctl export tank/db --transport t
	offers "$shell" "tank/db" pvctl unexport tank/d
done
# To bash a '@' ends a word.
offers bash "s1 s2" pvctl snapshot show tank/db @
offers bash "s1 s2" pvctl volume rollback tank/db @ s
offers bash "tank/db tank/log" pvctl clone tank/db @ s1 ''
offers zsh "tank/db@s1 tank/db@s2" pvctl snapshot show tank/db@
echo "1..$tests"
exit "$failed"
