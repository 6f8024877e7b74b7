# SPDX-License-Identifier: GPL-2.0-only
"""What the loader refuses to hand over to a kernel that has KHO itself; pairs.py hands over."""

from __future__ import annotations

from cases.blocks import CMDLINE, INSMOD, UNLOAD, count_is, preserve
from cases.payload import KHO
from khobvm.case import Case, Generation, Step

_REFUSED = f"khoctl load /boot/vmlinuz-{KHO} --cmdline '{CMDLINE}2' {{}}"


CASES: tuple[Case, ...] = (
    Case("interop-refuse", "what contradicts the next kernel's KHO is refused and changes nothing",
         (Generation("6.12", (
             INSMOD, preserve(64),
             Step("probe", f"khoctl probe /boot/vmlinuz-{KHO} --json",
                  contains=('"relocatable": true', '"kho": true', '"abi": "kho-v4"',
                            '"abi_known": true')),
             Step("probe one without", "khoctl probe /boot/vmlinuz-6.12 --json",
                  contains=('"relocatable": true', '"kho": false', '"setup_indirect": true')),
             Step("another version", _REFUSED.format("--abi kho-v3"), expect=3,
                  contains="takes only kho-v4"),
             Step("no KHO", f"khoctl load /boot/vmlinuz-6.12 --cmdline '{CMDLINE}2' --method kho",
                  expect=3, contains="has no KHO"),
             Step("off", _REFUSED.format("--method kho").replace("khob.gen", "kho=off khob.gen"),
                  expect=3, contains="switches the kernel's KHO off"),
             Step("the same version besides",
                  _REFUSED.format("--method indirect --abi kho-v4"), expect=3,
                  contains="cannot hand kho-v4 over"),
             count_is("out.state", "open"), count_is("scratch.areas", "0"),
             count_is("abi", "kho-v4"),
             Step("by intervals after all",
                  _REFUSED.format("--initrd $KHOB_INITRD --method indirect --json"),
                  contains=('"method": "indirect"', '"abi": "kho-v3"'), timeout=120),
             count_is("abi", "kho-v3"), UNLOAD, count_is("abi", "kho-v4"))),),
         memory=1024, kernels=("6.12", KHO), tags=("interop",), suite="interop"),
)
