#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# dracut's part of packaging/initramfs-tools: the same two steps, and the second one only if
# kho_luo is asked for (add_drivers+=" kho_luo " in /etc/dracut.conf.d).

check()
{
	return 0
}

# The rest are dracut's own functions and variables.
# shellcheck disable=SC2154
install()
{
	inst_multiple chmod
	inst_hook cmdline 00 "$moddir/close-shown.sh"
	case " $add_drivers " in
	*" kho_luo "*)
		inst_multiple khoctl
		inst_hook pre-mount 00 "$moddir/attach.sh"
		;;
	esac
}
