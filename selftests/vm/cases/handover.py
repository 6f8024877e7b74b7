# SPDX-License-Identifier: GPL-2.0-only
"""Handovers from one stock kernel to the next, all through the real kexec."""

from __future__ import annotations

from cases.blocks import (ATTACH, BASELINE, CMDLINE, DEBUGFS, EXEC, FILE, GET, INSMOD,
                          MEMORY_BACK, PUT, RELEASE, RESTORE, RMMOD, STATUS, TAKE_OVER, UNLOAD,
                          VERIFY, at_least, chain, count_is, load, preserve)
from khobvm.case import Case, Generation, Step

# 256 MiB in at least 2,000 folios of mixed orders, every second one scattered.
_PAGES = 65536
_FOLIOS = 2000
_SAME_CMDLINE = Step("command line", "cat /proc/cmdline", contains=f"{CMDLINE}2")
_PREVIOUS = Step("previous kernel", f"grep in. {DEBUGFS}/status | grep -v orders",
                 contains="in.kexec_count: 1")


def _demo() -> Case:
    """256 MiB, half scattered, and a 10 MiB file; pairs.py has all pairs of kernels."""
    return Case("demo", "256 MiB in mixed folios, half scattered, and a 10 MiB file, 6.12 to 6.12",
                (chain("6.12", INSMOD, FILE, preserve(_PAGES, scatter="--scatter"), PUT,
                       at_least("folios", "out.folios", _FOLIOS), STATUS,
                       load("6.12", 2), STATUS, EXEC),
                 chain("6.12", _SAME_CMDLINE, ATTACH, STATUS, _PREVIOUS, VERIFY, GET, RESTORE,
                       RELEASE, STATUS, RMMOD)),
                memory=2048, cpus=2, tags=("handover",))


def _abi(version: str) -> Case:
    """A root of one version of the ABI, with a blob that is no FDT and folios."""
    return Case(f"abi-{version}", f"a {version} root is written, read and its blobs come back",
                (chain("6.12", INSMOD, Step("abi", f"khoctl abi {version}"), FILE,
                       preserve(4096), PUT, load("6.12", 2), EXEC),
                 chain("6.12", ATTACH, count_is("in.abi", version), VERIFY, GET, *TAKE_OVER[2:])),
                memory=1024, tags=("abi",))


def _carry() -> Case:
    """The same pages through three kexecs, attached in each kernel, then given back."""
    pages = 16384

    def middle(number: int) -> Generation:
        return chain("6.12", ATTACH, VERIFY, GET, load("6.12", number + 1),
                     at_least("carried", "out.carried_keys", 1), EXEC)

    return Case("carry", "three kexecs carry the same pages, then the memory is back",
                (chain("6.12", BASELINE, INSMOD, FILE, preserve(pages), PUT, load("6.12", 2),
                       EXEC),
                 middle(2), middle(3),
                 chain("6.12", ATTACH, count_is("in.kexec_count", "3"), VERIFY, GET, RESTORE,
                       RELEASE, STATUS, RMMOD, MEMORY_BACK)),
                memory=1024, tags=("handover",))


def _unwrapped() -> Case:
    """Blobs of which the FDT that kho-v2 wraps them in has a page more than they have.

    That page must not go on to a kernel which is told how long a blob is: with nothing of a
    blob's in it, it would be data that nobody there knows. Of two adjacent pages one key may
    be made, which stays whole; so some blobs have an odd number of pages. Those of the second
    kernel leave the third one as metadata, the first one's as pages with keys of their own.
    """
    sums = "/etc/blobs.sha256"

    def make(generation: int) -> Step:
        sizes = (3989, 1, 3985, 1, 8081, 8085, 12177, 3989 + 4096 * 6)
        return Step("make blobs", f"""
set -e
cd /tmp
for n in {' '.join(map(str, sizes))}; do
    i=$((i + 1))
    name=blob{generation}-$i
    head -c $n /dev/urandom > $name
    khoctl put $name $name
    sha256sum $name >> {sums}
done
""")

    get = Step("get blobs", f"cd /tmp && for n in $(awk '{{print $2}}' {sums}); do "
                            f"khoctl get $n -o $n || exit 1; done; sha256sum -c {sums}")
    arrived = (ATTACH, count_is("in.pages", "0"), get)
    return Case("carry-unwrapped", "no page of what kho-v2 wraps a blob in is handed on without it",
                (chain("6.12", INSMOD, make(1), load("6.12", 2, "--abi kho-v2"), EXEC),
                 chain("6.12", *arrived, make(2), load("6.12", 3, "--abi kho-v2"), EXEC),
                 chain("6.12", *arrived, load("6.12", 4, "--abi kho-v4"), EXEC),
                 chain("6.12", *arrived, RELEASE, RMMOD)),
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
    _demo(),
    _carry(),
    _unwrapped(),
    _reload(),
    _kexec_tools(),
    _abi("kho-v2"),
    _abi("kho-v3"),
    _abi("kho-v4"),
)
