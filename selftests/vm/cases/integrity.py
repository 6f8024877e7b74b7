# SPDX-License-Identifier: GPL-2.0-only
"""What attach refuses is neither followed, nor freed, nor carried on to the next kernel."""

from __future__ import annotations

from dataclasses import replace

from cases.blocks import (ATTACH, BASELINE, CMDLINE, DEBUGFS, EXEC, FILE, GET, INSMOD, PUT, RELEASE,
                          RESTORE, RMMOD, TOTAL_KIB, chain, count_is, load, preserve)
from khobvm.case import Case, Generation, Module, Step

# The module before module/ was in parts, with metadata of version 1.
_OLDER = "f563441"
_INSMOD_OLDER = Step("insmod the older one", "insmod /lib/modules/$(uname -r)/older/kho_bridge.ko")
_RELEASE_ALL = Step("release", "khoctl release all")
# What is reserved is not counted; free memory has the initrd of the next load in it here.
_TOTAL_BACK = Step("memory is back", f"set -- $(cat /etc/memory.before) $({TOTAL_KIB}); "
                                     "echo total: before $1 after $3 KiB; test $(($1 - $3)) -lt 64")


def _refused(*reasons: str) -> Step:
    return Step("attach is refused", "khoctl attach", expect=5, contains=reasons, timeout=120)


def _by_older(step: Step) -> Step:
    """The same by the khoctl that belongs to the older module."""
    return replace(step, command=step.command.replace("khoctl ", "khoctl-older "))


def _from_older(*reasons: str) -> tuple[Generation, ...]:
    return (chain("6.12", _INSMOD_OLDER, FILE,
                  *map(_by_older, (preserve(1024), PUT, load("6.12", 2), EXEC))),
            chain("6.12", INSMOD, _refused(*reasons), _RELEASE_ALL, RMMOD))


def _to_older(*reasons: str) -> tuple[Generation, ...]:
    return (chain("6.12", INSMOD, FILE, preserve(1024), PUT, load("6.12", 2), EXEC),
            chain("6.12", _INSMOD_OLDER, *map(_by_older, (_refused(*reasons), _RELEASE_ALL)),
                  RMMOD))


def _not_proven(name: str, resource: str, why: str) -> Step:
    """A page of what /proc/iomem names so."""
    return Step(f"the kernel's {name}",
                f"start=$(sed -n 's/^ *\\([0-9a-f]*\\)-[0-9a-f]* : {resource}$/\\1/p' /proc/iomem "
                f"| head -n 1); test -n \"$start\" && echo 0x$start 0 > {DEBUGFS}/test/prove; "
                f"grep last_error {DEBUGFS}/status", contains=why)


_LOAD = f"khoctl load /boot/vmlinuz-6.12 --initrd $KHOB_INITRD --cmdline '{CMDLINE}3'"

CASES: tuple[Case, ...] = (
    Case("integrity-refused", "a refused handover is not carried, its memory comes back, and the "
                              "next one is sound",
         (chain("6.12", BASELINE, INSMOD, FILE, preserve(4096), PUT, load("6.12", 2),
                Step("damage", f"echo value > {DEBUGFS}/test/corrupt"), EXEC),
          chain("6.12", INSMOD, _refused("root FDT: "), _refused("root FDT: "),
                Step("load is refused", _LOAD, expect=3,
                     contains=("was refused", "khoctl release all")),
                Step("doctor says so", "khoctl doctor /boot/vmlinuz-6.12 --initrd $KHOB_INITRD",
                     expect=3, contains="was refused"),
                Step("the module by itself", f"echo take 1048576 4096 > {DEBUGFS}/out/scratch",
                     expect=1, contains="ad message"),
                count_is("out.state", "open"),
                Step("release", "khoctl release all"), _TOTAL_BACK,
                preserve(512, seed=3), load("6.12", 3), EXEC),
          chain("6.12", ATTACH, count_is("in.pages", "512"), count_is("in.subtrees", "3"),
                RESTORE, RELEASE, RMMOD)),
         memory=1024, module=Module.TEST, tags=("integrity",)),
    Case("integrity-prove", "an interval is not believed to be one for being reserved",
         (chain("6.12", INSMOD, FILE, preserve(1024), PUT,
                Step("load", "khoctl load /boot/vmlinuz-6.12 --initrd $KHOB_INITRD --cmdline "
                             f"'{CMDLINE}2 crashkernel=64M'", timeout=120), EXEC),
          chain("6.12", INSMOD,
                _not_proven("code", "Kernel code", "own image"),
                _not_proven("data", "Kernel data", "own image"),
                _not_proven("bss", "Kernel bss", "own image"),
                _not_proven("crash", "Crash kernel", "crash kernel"),
                _not_proven("rom", "System ROM", "below 1 MiB"),
                # RAM that the allocator has, and what is no RAM.
                Step("free memory", f"echo 0x4000000 0 > {DEBUGFS}/test/prove; "
                                    f"grep last_error {DEBUGFS}/status", contains="not reserved"),
                Step("no memory", f"echo 0x100000000000 0 > {DEBUGFS}/test/prove; "
                                  f"grep last_error {DEBUGFS}/status", contains="not reserved"),
                Step("no chain is there",
                     "for a in 0xbffe0000 0xa0000 0xfffffffffffff000 0x3; do "
                     f"echo $a > {DEBUGFS}/in/setup_data && exit 1; done; true"),
                ATTACH, GET,
                Step("what was handed over", "set -- $(khoctl walk --in | grep '^0x' | head -n 1); "
                                             f"echo $1 $2 > {DEBUGFS}/test/prove"),
                RESTORE, RELEASE, RMMOD)),
         memory=1024, module=Module.TEST, tags=("integrity",)),
    Case("integrity-older", "what a module of metadata version 1 handed over is refused by name",
         _from_older("version 1", "version 3"),
         memory=1024, older=_OLDER, tags=("integrity",)),
    Case("integrity-newer", "that module refuses what this one hands over",
         _to_older("version 3 are not ours"),
         memory=1024, older=_OLDER, tags=("integrity",)),
)
