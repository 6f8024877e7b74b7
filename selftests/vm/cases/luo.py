# SPDX-License-Identifier: GPL-2.0-only
"""kho_luo: upstream's own tests of LUO, unaltered, on stock kernels; and what they do not test."""

from __future__ import annotations

from cases.blocks import (ATTACH, EXEC, INSMOD, RELEASE, RMMOD, STATUS, VERIFY, at_least, chain,
                          count_is, load)
from khobvm.case import Case, Step

_INSMOD = Step("insmod kho_luo", "insmod /lib/modules/$(uname -r)/extra/kho_luo.ko && "
                                 "ls -l /dev/liveupdate")
_RMMOD = Step("rmmod kho_luo", "rmmod kho_luo")
# Whoever holds the sessions open is not waited for by the shell.
_HOLD = "> /tmp/said 2>&1 < /dev/null; code=$?; cat /tmp/said; exit $code"
_PRESERVE = Step("preserve", "echo advise > /sys/kernel/mm/transparent_hugepage/shmem_enabled; "
                             f"khob-memfd preserve {_HOLD}", lacks="not ok")
_RETRIEVE = Step("retrieve", "khob-memfd retrieve", lacks="not ok")
_NOTHING = (count_is("out.folios", "0"), count_is("out.subtrees", "0"))


def _upstream(kernel: str) -> Case:
    """All tests of upstream's that need no kexec."""
    return Case(f"luo-liveupdate-{kernel}",
                f"upstream's liveupdate tests, unaltered, on {kernel}",
                (chain(kernel, INSMOD, _INSMOD,
                       Step("liveupdate", "liveupdate", contains="pass:15 fail:0", timeout=300),
                       *_NOTHING, _RMMOD, RMMOD),),
                luo=True, upstream=("liveupdate",), tags=("luo",))


def _stages(program: str, before: str, after: str, passed: str) -> Case:
    """One of upstream's programs, with a kexec between its two stages."""
    name = program.removeprefix("luo_").replace("_", "-")
    kernels = before if before == after else f"{before}-{after}"
    return Case(f"luo-{name}-{kernels}",
                f"upstream's {program}, unaltered, from {before} to {after}",
                (chain(before, INSMOD, _INSMOD,
                       Step("stage 1", f"{program} -s 1 {_HOLD}", timeout=300),
                       at_least("folios", "out.folios", 2), load(after, 2), EXEC),
                 chain(after, ATTACH, STATUS, VERIFY, _INSMOD,
                       Step("stage 2", f"{program} -s 2", contains=passed, timeout=300),
                       # All that was handed over belongs to somebody again, or to nobody.
                       count_is("in.pages", "0"), count_is("in.subtrees", "3"), *_NOTHING,
                       _RMMOD, RELEASE, RMMOD)),
                luo=True, upstream=(program,), tags=("luo",))


def _memfd(before: str, after: str) -> Case:
    """What upstream's programs do not look at: every property, and every count."""
    kernels = before if before == after else f"{before}-{after}"
    return Case(f"luo-memfd-{kernels}",
                f"memfds of all kinds, and what is counted of them, from {before} to {after}",
                (chain(before, INSMOD, _INSMOD,
                       _PRESERVE, load(after, 2), EXEC),
                 chain(after, ATTACH, STATUS, VERIFY, _INSMOD,
                       _RETRIEVE,
                       count_is("in.pages", "0"), *_NOTHING, _RMMOD, RELEASE, RMMOD)),
                luo=True, helpers=("khob-memfd",), tags=("luo",))


CASES: tuple[Case, ...] = (
    _upstream("6.12"), _upstream("6.1"),
    *(_stages(program, before, after, passed)
      for program, passed in (("luo_kexec_simple", "SIMPLE KEXEC TEST PASSED"),
                              ("luo_multi_session", "MULTI-SESSION KEXEC TEST PASSED"),
                              ("luo_stress_files", "PASSED"),
                              ("luo_stress_sessions", "PASSED"))
      for before, after in (("6.12", "6.12"), ("6.1", "6.12"), ("6.12", "6.1"))),
    *(_memfd(before, after) for before, after in (("6.12", "6.12"), ("6.1", "6.1"),
                                                  ("6.1", "6.12"), ("6.12", "6.1"))),
)
