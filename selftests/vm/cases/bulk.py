# SPDX-License-Identifier: GPL-2.0-only
"""Many single pages, every other one of a region: no two of them merge in the tree, while one
interval covers them all. `khobvm measure-handover` runs the same at full size.
"""

from __future__ import annotations

from cases.blocks import (ATTACH, BASELINE, CMDLINE, EXEC, FREE_KIB, INSMOD, RELEASE,
                          RMMOD, STATUS, TOTAL_KIB, count_is)
from cases.payload import BY_NAME, KHO, End
from khobvm.case import Case, Generation, Module, Step

_CLIENT = "khob_bulk"
_PARAMETERS = f"/sys/module/{_CLIENT}/parameters"
_FREE_BEFORE = Step("free before", f"({FREE_KIB}) > /tmp/free; cat /tmp/free")
_FREE_AFTER = Step("free after", FREE_KIB)
_MEMORY_AFTER = Step("memory after", f"echo $(cat /etc/memory.before) $({TOTAL_KIB}) "
                                     f"$({FREE_KIB})", timeout=120)
# 64 MiB are handed over: a lost page in sixteen shows.
_TOLERATED_KIB = 4096


def _run(what: str) -> Step:
    """One of the client's steps, and what it has found out by then."""
    return Step(what, f"echo {what} > {_PARAMETERS}/run || {{ dmesg | grep {_CLIENT} | "
                      f"tail -n 3; exit 1; }}; cat {_PARAMETERS}/report", timeout=600)


def _insmod(mib: int) -> Step:
    return Step("insmod the client", f"insmod /lib/modules/$(uname -r)/extra/{_CLIENT}.ko "
                                     f"mib={mib} init_tsc=$KHOB_INIT_TSC")


_RMMOD_CLIENT = Step("rmmod the client", f"rmmod {_CLIENT}")


def _by_bridge(end: End) -> tuple[Step, tuple[Step, ...]]:
    """How the next kernel is loaded and entered."""
    method = '"method": "indirect"'
    return (Step("load", f"khoctl load /boot/vmlinuz-{end.series} --initrd $KHOB_INITRD "
                         f"--cmdline '{CMDLINE}2 {end.kho}' --json", contains=method,
                 timeout=600), (STATUS, EXEC))


def _by_kernel(end: End) -> tuple[Step, tuple[Step, ...]]:
    return (Step("load", f"kexec -s -l /boot/vmlinuz-{end.series} --initrd=$KHOB_INITRD "
                         f"--command-line='{CMDLINE}2 {end.kho}'", timeout=600),
            (Step("exec", "kexec -e", timeout=60, final=True),))


def _outgoing(end: End, mib: int, again: tuple[Step, ...], whole: bool) -> Generation:
    """Preserves, and loads the next kernel."""
    load, leave = (_by_kernel if end.native else _by_bridge)(end)
    return Generation(end.series, (
        BASELINE, *(() if end.native else (INSMOD,)), _insmod(mib), *again, _run("take"),
        _FREE_BEFORE, _run("preserve"), _FREE_AFTER, load, *(leave if whole else ())))


def _incoming(end: End, mib: int, back: tuple[Step, ...]) -> Generation:
    """Restores, compares and frees."""
    return Generation(end.series, (
        *(() if end.native else (ATTACH, STATUS)), _insmod(mib), _run("restore"), _RMMOD_CLIENT,
        *(() if end.native else (count_is("in.pages", "0"), RELEASE, RMMOD)), _MEMORY_AFTER,
        *back))


def _case(name: str, end: End, mib: int, memory: int, generations: tuple[Generation, ...],
          boot: int = 60, more: str = "") -> Case:
    return Case(name, f"{mib} MiB as single pages, every other page of a region, over "
                      f"{'its own KHO' if end.native else 'kho_bridge'}", generations,
                memory=memory, cpus=2, extra_cmdline=f"{end.kho} {more}".strip(),
                clients=(_CLIENT,), module=Module.NONE if end.native else Module.NORMAL,
                programs=("kexec-tools:/sbin/kexec",) if end.native else (),
                kernels=(end.series,), boot=boot, tags=("bulk",),
                suite="interop" if end.series == KHO else "stock")


def bulk(end: End, mib: int, memory: int) -> Case:
    """Also that the first kernel takes pages back, and that the second has all its memory."""
    empty = () if end.native else (count_is("out.folios", "0"),)
    again = (_run("take"), _run("preserve"), _run("drop"), *empty)
    back = Step("memory is back",
                f"set -- $(cat /etc/memory.before) $({TOTAL_KIB}) $({FREE_KIB}); "
                "echo total: before $1 after $3 KiB, free: before $2 after $4 KiB; "
                f"test $(($1 - $3)) -lt {_TOLERATED_KIB} && "
                f"test $(($2 - $4)) -lt {_TOLERATED_KIB}")
    return _case(f"bulk-{end.name}", end, mib, memory,
                 (_outgoing(end, mib, again, True), _incoming(end, mib, (back,))))


def measured(end: str, mib: int, memory: int, whole: bool) -> Case:
    """One run of `khobvm measure-handover`; whole: not only the outgoing side."""
    where = BY_NAME[end]
    generations = (_outgoing(where, mib, (), whole), _incoming(where, mib, ()))
    # Zeroing what is filled next is no part of a handover, and slow under emulation.
    return _case(f"bulk-{end}-{mib}", where, mib, memory, generations[:2 if whole else 1],
                 boot=1800, more="init_on_alloc=0")


CASES: tuple[Case, ...] = tuple(bulk(BY_NAME[end], 64, 1024)
                                for end in ("6.12", "7.3-on", "7.3-off"))
