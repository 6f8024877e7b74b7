# SPDX-License-Identifier: GPL-2.0-only
"""Machines of other shapes: what the kernels see of them."""

from __future__ import annotations

from khobvm.case import Case, Generation, Module, Step

_EFI = Step("EFI", "dmesg | grep efi:; ls /sys/firmware/efi/runtime-map/0",
            contains=("efi: EFI v2", "virt_addr"))
_NODES = Step("two nodes", "grep MemTotal /sys/devices/system/node/node*/meminfo; "
                           "cat /sys/devices/system/node/node*/cpulist",
              contains=("node1/meminfo", "\n0\n1\n"))

CASES: tuple[Case, ...] = tuple(
    Case(f"shape-{kernel}", f"{kernel} sees EFI firmware and two nodes",
         (Generation(kernel, (_EFI, _NODES)),), memory=1024, cpus=2, nodes=2, efi=True,
         module=Module.NONE, tags=("shape",), suite=suite)
    for kernel, suite in (("6.12", "stock"), ("7.3", "interop")))
