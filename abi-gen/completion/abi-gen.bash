# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
# Bash completion for abi-gen.

_abi_gen()
{
	local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD - 1]} words=

	COMPREPLY=()
	case $prev in
	--lang) words="kernel-c cpp python rst c-vectors json-vectors json-model" ;;
	--abi) words="all kho-v2 kho-v3 kho-v4" ;;
	--page-shift) words="12 14 16" ;;
	--schema | --kernel | --clang | --python | -o | --output)
		compopt -o filenames 2>/dev/null
		mapfile -t COMPREPLY < <(compgen -f -- "$cur")
		return
		;;
	*)
		if ((COMP_CWORD == 1)); then
			words="check emit conform --help"
		else
			case ${COMP_WORDS[1]} in
			check) words="--schema --help" ;;
			emit) words="--abi --page-shift --lang --every --output --schema --schema-name
				--python --help" ;;
			conform)
				words="--kernel --abi --page-shift --clang --json --schema
					--help"
				[[ $cur == -* ]] || words="kho-v2 kho-v3 kho-v4 $(compgen -f -- "$cur")"
				;;
			esac
		fi
		;;
	esac
	mapfile -t COMPREPLY < <(compgen -W "$words" -- "$cur")
}

complete -F _abi_gen abi-gen
