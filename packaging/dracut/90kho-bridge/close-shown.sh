#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# What a kernel was handed over without having KHO of its own it shows to every user, until
# `khoctl attach` (docs/reliability.md). In the initramfs there is only root yet.
for data in /sys/kernel/boot_params/setup_data/*/data; do
	if [ -e "$data" ]; then
		chmod 0400 "$data"
	fi
done
