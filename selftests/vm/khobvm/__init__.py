# SPDX-License-Identifier: GPL-2.0-only
"""The VM runner of kho-bridge: kernels, initramfs, QEMU, cases, results."""
