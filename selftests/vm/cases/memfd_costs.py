# SPDX-License-Identifier: GPL-2.0-only
"""What a memfd costs that goes to the next kernel in a session, and what it costs to write it to a
disk and to read it back. `khobvm measure-memfds` runs the same at full size.
"""

from __future__ import annotations

from cases.blocks import (ATTACH, EXEC, HOLD, INSMOD, INSMOD_LUO, RELEASE, RMMOD, RMMOD_LUO, VERIFY,
                          chain, count_is)
from cases.luo import suite
from cases.payload import BY_NAME, End
from khobvm.case import Case, Generation, Module, Step
from khobvm.qemu import BASE_CMDLINE

_DISK = "/dev/vda"
_HUGE = "echo advise > /sys/kernel/mm/transparent_hugepage/shmem_enabled"


def _cmdline(end: End) -> str:
    """Which KHO, and whether the kernel's own LUO, is at work."""
    return f"{end.kho} liveupdate=on" if end.native else end.kho


def _outgoing(end: End, pages: str, mib: int, disk: str) -> Generation:
    # The reason would not be seen: a final step's output is the next kernel's.
    preserve = Step("preserve", f"{_HUGE}; khob-cost preserve {pages} {mib} {disk} {HOLD}",
                    timeout=1200)
    cmdline = f"'{BASE_CMDLINE} khob.gen=2 init_on_alloc=0 {_cmdline(end)}'"
    if end.native:
        return chain(end.series, preserve,
                     Step("load", f"kexec -s -l /boot/vmlinuz-{end.series} "
                                  f"--initrd=$KHOB_INITRD --command-line={cmdline}", timeout=600),
                     Step("exec", "kexec -e", timeout=60, final=True))
    return chain(end.series, INSMOD, INSMOD_LUO, preserve,
                 Step("load", f"khoctl load /boot/vmlinuz-{end.series} --initrd $KHOB_INITRD "
                              f"--cmdline {cmdline} --json", contains='"method": "indirect"',
                      timeout=600), EXEC)


def _incoming(end: End, disk: str) -> Generation:
    retrieve = Step("retrieve", f"{_HUGE}; khob-cost retrieve {disk}", lacks="not ok",
                    timeout=1200)
    if end.native:
        return chain(end.series, retrieve)
    return chain(end.series, ATTACH, INSMOD_LUO, retrieve, VERIFY, count_is("in.pages", "0"),
                 RMMOD_LUO, RELEASE, RMMOD)


def measured(name: str, pages: str, mib: int) -> Case:
    """One run; name: of an end. The disk is there where the kernel is Debian's own."""
    end = BY_NAME[name]
    disk = _DISK if end.name == "6.12" else ""
    # Twice: of scattered pages as many lie between them. Zeroing what is filled next is no part
    # of a handover, and slow under emulation.
    return Case(f"luo-costs-{end.name}-{pages}-{mib}",
                f"what {mib} MiB of {pages} pages in a memfd cost on {end.name}",
                (_outgoing(end, pages, mib, disk), _incoming(end, disk)),
                memory=1024 + (2 if pages == "scattered" else 1) * max(mib, 512),
                luo=not end.native, luo_over_bridge=not end.native, helpers=("khob-cost",),
                module=Module.NONE if end.native else Module.NORMAL,
                programs=("kexec-tools:/sbin/kexec",) if end.native else (),
                extra_cmdline=f"init_on_alloc=0 {_cmdline(end)}".strip(), kernels=(end.series,),
                drivers=("virtio_blk",) if disk else (), scratch=max(mib, 1) if disk else 0,
                boot=1800 if mib > 64 else 60, tags=("luo",), suite=suite(end.series))


CASES: tuple[Case, ...] = (measured("6.12", "single", 64), measured("6.12", "scattered", 64),
                           measured("7.3-on", "huge", 64))
