# SPDX-License-Identifier: GPL-2.0-only
"""Handovers from one stock kernel to the next, all through the real kexec."""

from __future__ import annotations

from cases.blocks import (ATTACH, CMDLINE, DEBUGFS, EXEC, FILE, FREE_KIB, GET, INSMOD, PUT,
                          RELEASE, RESTORE, RMMOD, STATUS, TAKE_OVER, TOTAL_KIB, UNLOAD, VERIFY,
                          at_least, chain, count_is, load, preserve)
from khobvm.case import Case, Generation, Step

# 256 MiB in at least 2,000 folios of mixed orders, every second one scattered.
_PAGES = 65536
_FOLIOS = 2000
_SAME_CMDLINE = Step("command line", "cat /proc/cmdline", contains=f"{CMDLINE}2")
_PREVIOUS = Step("previous kernel", f"grep in. {DEBUGFS}/status | grep -v orders",
                 contains="in.kexec_count: 1")


def _large(name: str, doc: str, before: str, after: str) -> Case:
    """256 MiB, half scattered, and a 10 MiB file: from one kernel to another."""
    return Case(name, doc,
                (chain(before, INSMOD, FILE, preserve(_PAGES, scatter="--scatter"), PUT,
                       at_least("folios", "out.folios", _FOLIOS), STATUS,
                       load(after, 2), STATUS, EXEC),
                 chain(after, _SAME_CMDLINE, ATTACH, STATUS, _PREVIOUS, VERIFY, GET, RESTORE,
                       RELEASE, STATUS, RMMOD)),
                memory=2048, cpus=2, tags=("handover",))


def _abi(version: str) -> Case:
    """A root of one version of the ABI, with a blob that is no FDT and folios."""
    return Case(f"abi-{version}", f"a {version} root is written, read and its blobs come back",
                (chain("6.12", INSMOD, Step("abi", f"khoctl abi {version}"), FILE,
                       preserve(4096), PUT, load("6.12", 2), EXEC),
                 chain("6.12", ATTACH, count_is("in.abi", version), VERIFY, GET, *TAKE_OVER[2:])),
                memory=1024, tags=("abi",))


# MemTotal: an incoming kernel keeps the setup_data chain's page reserved, and nothing else.
# Free memory: slab and page tables differ by some hundred KiB from boot to boot of the same
# kernel (224 KiB were seen). 64 MiB and a 10 MiB blob are carried, so that 2 MiB show a loss
# of one page in thirty, and all the more one of an arena, an interval or the subtree.
_BASELINE = Step("memory before",
                 f"({TOTAL_KIB}; {FREE_KIB}) > /etc/memory.before; cat /etc/memory.before")
_MEMORY_BACK = Step("memory is back",
                    "rm -f /tmp/file; set -- $(cat /etc/memory.before) "
                    f"$({TOTAL_KIB}) $({FREE_KIB}); "
                    "echo total: before $1 after $3 KiB, free: before $2 after $4 KiB; "
                    "test $(($1 - $3)) -lt 64 && test $(($2 - $4)) -lt 2048")


def _carry() -> Case:
    """The same pages through three kexecs, attached in each kernel, then given back."""
    pages = 16384

    def middle(number: int) -> Generation:
        return chain("6.12", ATTACH, VERIFY, GET, load("6.12", number + 1),
                     at_least("carried", "out.carried_keys", 1), EXEC)

    return Case("carry", "three kexecs carry the same pages, then the memory is back",
                (chain("6.12", _BASELINE, INSMOD, FILE, preserve(pages), PUT, load("6.12", 2),
                       EXEC),
                 middle(2), middle(3),
                 chain("6.12", ATTACH, count_is("in.kexec_count", "3"), VERIFY, GET, RESTORE,
                       RELEASE, STATUS, RMMOD, _MEMORY_BACK)),
                memory=1024, tags=("handover",))


def _reload() -> Case:
    """load, unload, load again; then the jump."""
    return Case("load-unload-load", "a kernel is loaded, forgotten, loaded again and entered",
                (chain("6.12", INSMOD, preserve(4096),
                       load("6.12", 2),
                       Step("frozen", "khoctl preserve --pages 1", expect=3,
                            contains="a kernel is loaded"),
                       count_is("out.state", "frozen"),
                       UNLOAD, count_is("out.state", "open"), count_is("scratch.areas", "0"),
                       Step("not loaded", "cat /sys/kernel/kexec_loaded", contains="0"),
                       preserve(1024, seed=8, name="preserve more"),
                       load("6.12", 2, name="load again"), EXEC),
                 chain("6.12", ATTACH, VERIFY, count_is("in.pages", "5120"), *TAKE_OVER[2:])),
                memory=1024, tags=("handover",))


def _kexec_tools() -> Case:
    """What khoctl has loaded is entered with kexec-tools."""
    return Case("kexec-tools", "`kexec -e` of kexec-tools enters what khoctl has loaded",
                (chain("6.12", INSMOD, preserve(4096), load("6.12", 2),
                       Step("exec", "kexec -e", timeout=60, final=True)),
                 chain("6.12", *TAKE_OVER)),
                memory=1024, programs=("kexec-tools:/sbin/kexec",), tags=("handover",))


CASES: tuple[Case, ...] = (
    _large("demo", "256 MiB in mixed folios, half scattered, and a 10 MiB file, 6.12 to 6.12",
           "6.12", "6.12"),
    _large("handover-6.1", "the same on 6.1", "6.1", "6.1"),
    _large("handover-6.1-6.12", "the same from 6.1 to 6.12", "6.1", "6.12"),
    _large("handover-6.12-6.1", "the same from 6.12 to 6.1", "6.12", "6.1"),
    _carry(),
    _reload(),
    _kexec_tools(),
    _abi("kho-v2"),
    _abi("kho-v3"),
    _abi("kho-v4"),
)
