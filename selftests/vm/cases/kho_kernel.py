# SPDX-License-Identifier: GPL-2.0-only
"""Upstream's own KHO, as built from selftests/kernels/kho.config: what interop starts from."""

from __future__ import annotations

from khobvm.case import Case, Generation, Module, Step

_KHO = "/sys/kernel/debug/kho"
_CONFIG = Step("configuration", "zcat /proc/config.gz", contains="\nCONFIG_KEXEC_HANDOVER=y")
# One for low memory, one for anywhere (empty where all memory is low), one for each node.
_SCRATCH = Step("scratch areas", f"""
set -e
cd {_KHO}/out
paste scratch_phys scratch_len
areas=$(wc -l < scratch_phys)
test $areas = $(wc -l < scratch_len)
test $areas = $((2 + $(ls -d /sys/devices/system/node/node[0-9]* | wc -l)))
test $(($(head -n 1 scratch_len))) -gt 0
test $(($(tail -n 1 scratch_len))) -gt 0
""")
_OFF = Step("no scratch areas", f"! ls -R {_KHO} | grep scratch")
_LOAD = Step("load", "kexec -s -l /boot/vmlinuz-7.3 --initrd=$KHOB_INITRD "
                     "--command-line='console=ttyS0 panic=-1 khob.gen=2 kho=on'")
_EXEC = Step("exec", "kexec -e", timeout=30, final=True)
_IN = Step("a root FDT came in", f"""
set -e
ls -R {_KHO}/in
head -c 4 {_KHO}/in/fdt | od -An -tx1
grep -c kho-v {_KHO}/in/fdt
dmesg | grep -i kho
""", contains=("d0 0d fe ed", "kexec-metadata", "found kexec handover data"))


def _boot(name: str, doc: str, cmdline: str, *steps: Step) -> Case:
    return Case(name, doc, (Generation("7.3", steps),), extra_cmdline=cmdline,
                module=Module.NONE, tags=("kho",), suite="interop")


CASES: tuple[Case, ...] = (
    _boot("kho-7.3", "7.3 with kho=on has its scratch areas", "kho=on", _CONFIG, _SCRATCH),
    _boot("kho-7.3-off", "7.3 has none without it", "", _CONFIG, _OFF),
    Case("kho-7.3-native", "7.3 hands over to itself with kexec_file_load",
         (Generation("7.3", (_SCRATCH, _LOAD, _EXEC)), Generation("7.3", (_IN, _SCRATCH))),
         extra_cmdline="kho=on", module=Module.NONE, programs=("kexec-tools:/sbin/kexec",),
         tags=("kho",), suite="interop"),
)
