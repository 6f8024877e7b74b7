# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
# Bash completion for khoctl.

# Names of subtrees on one side (in or out), as the module's directory shows them.
_khoctl_subtrees()
{
	local dir=/sys/kernel/debug/kho_bridge/$1/sub_fdts name
	for name in "$dir"/*; do
		[[ -e $name ]] && printf '%s\n' "${name##*/}"
	done
}

_khoctl_words()
{
	mapfile -t COMPREPLY < <(compgen -W "$1" -- "$cur")
}

_khoctl_files()
{
	compopt -o filenames 2>/dev/null
	mapfile -t COMPREPLY < <(compgen -f -- "$cur")
}

_khoctl()
{
	local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD - 1]}
	local command=${COMP_WORDS[1]}
	local commands="doctor status walk ls abi bench probe preserve unpreserve compact put load unload exec
		session keep region attach verify get restore release"

	COMPREPLY=()
	if ((COMP_CWORD == 1)); then
		_khoctl_words "$commands --help --version"
		return
	fi
	case $prev in
	--initrd | --module | -o | --output)
		_khoctl_files
		return
		;;
	--order)
		_khoctl_words "mixed 0 1 2 3 4 5 6 7 8 9 10"
		return
		;;
	--method)
		_khoctl_words "auto kho file indirect"
		return
		;;
	--abi)
		_khoctl_words "auto kho-v2 kho-v3 kho-v4"
		return
		;;
	--pages | --keys | --seed | --cmdline | --max-ranges | --late-room | --carve | --uncarve | \
		--setup-data | --unless-larger)
		return
		;;
	subtree)
		case $command in
		release) _khoctl_words "$(_khoctl_subtrees in)" ;;
		*) _khoctl_words "$(_khoctl_subtrees out)" ;;
		esac
		return
		;;
	esac
	case $command in
	status) _khoctl_words "--verbose --json --help" ;;
	ls | unload | verify) _khoctl_words "--json --help" ;;
	exec) _khoctl_words "--whatever --help" ;;
	walk) _khoctl_words "--in --out --ranges --json --help" ;;
	abi) _khoctl_words "kho-v2 kho-v3 kho-v4 --json --help" ;;
	preserve) _khoctl_words "--pages --order --seed --scatter --json --help" ;;
	bench) _khoctl_words "--keys --json --help" ;;
	compact) _khoctl_words "--max-ranges --dry-run --json --help" ;;
	session)
		if ((COMP_CWORD == 2)); then
			_khoctl_words "ls show drop --help"
		else
			_khoctl_words "--json --help"
		fi
		;;
	keep)
		if [[ $cur == -* ]]; then
			_khoctl_words "--once --unless-larger --optional --restore --into --json --help"
		elif ((COMP_CWORD == 2)) && [[ $cur != */* ]]; then
			_khoctl_words "ls rm drop"
		else
			_khoctl_files
		fi
		;;
	region)
		if ((COMP_CWORD == 2)); then
			_khoctl_words "create --help"
		elif [[ $cur == -* ]]; then
			_khoctl_words "--huge --numa --json --help"
		else
			_khoctl_files
		fi
		;;
	unpreserve) _khoctl_words "all subtree --json --help" ;;
	restore) _khoctl_words "all --json --help" ;;
	release) _khoctl_words "all subtree --json --help" ;;
	attach) _khoctl_words "--check --module --setup-data --json --help" ;;
	probe)
		if [[ $cur == -* ]]; then
			_khoctl_words "--json --help"
		else
			_khoctl_files
		fi
		;;
	get) _khoctl_words "$(_khoctl_subtrees in) --out --output --help" ;;
	put | load | doctor)
		if [[ $cur == -* ]]; then
			[[ $command == put ]] && _khoctl_words "--json --help"
			[[ $command == load ]] && _khoctl_words "--initrd --cmdline --reuse-cmdline
				--again --dry-run --max-ranges --compact --late-room --carve --uncarve --method --abi --json --help"
			[[ $command == doctor ]] && _khoctl_words "--initrd --cmdline --method --abi
				--json --help"
		elif [[ $command != put || $COMP_CWORD -ge 3 ]]; then
			_khoctl_files
		fi
		;;
	esac
}

complete -F _khoctl khoctl
