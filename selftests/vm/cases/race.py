# SPDX-License-Identifier: GPL-2.0-only
"""Threads that share a tree (module/test/race.c), and all of the module, on a watchful kernel.

7.3-lockdep has lockdep, KCSAN, free pages that are not mapped, and preemption anywhere
(selftests/kernels/lockdep.config): what it finds is in its log, and fails the case.
"""

from __future__ import annotations

from cases.blocks import (ATTACH, CMDLINE, DEBUGFS, EXEC, FILE, GET, INSMOD, PUT, RELEASE,
                          RESTORE, RMMOD, STATUS, VERIFY, at_least, count_is, preserve)
from cases.clients import crowd
from khobvm.case import Case, Generation, Module, Step

LOCKDEP = "7.3-lockdep"
_EXTRA = "/lib/modules/$(uname -r)/extra"
_RACE = Step("race", f"cat {DEBUGFS}/sandbox/race > /tmp/race; code=$?; cat /tmp/race; "
                     "test $code = 0 && test $(grep -c ^ok /tmp/race) = 8",
             contains="ok 8 ", lacks="not ok", timeout=120)
_INTERRUPTED = Step("an interrupted race", f"timeout 1 cat {DEBUGFS}/sandbox/race > /tmp/part; "
                                           "grep ok /tmp/part && exit 1; "
                                           "! ps | grep 'khob_rac[e]'")
# A kernel that only seems to watch must not pass: a splat would have turned lockdep off, and
# of the kernel and its modules only the latter are KCSAN's to watch.
_WATCHED = Step("it still watches", """
set -e
zcat /proc/config.gz | grep -E '^CONFIG_(PROVE_LOCKING|KCSAN|PREEMPT)='
cat /proc/lockdep_stats /sys/kernel/debug/kcsan
test $(sed -n 's/^setup_watchpoints: //p' /sys/kernel/debug/kcsan) -ge 200
""", contains=("CONFIG_PROVE_LOCKING=y\n", "CONFIG_KCSAN=y\n", "CONFIG_PREEMPT=y\n",
               "debug_locks:                             1\n", "enabled: 1\n"))


def _client(what: str, name: str = "") -> Step:
    return Step(name or f"the client: {what}",
                f"echo {what} > /sys/module/khob_client/parameters/run || "
                "{ dmesg | grep khob_client | tail -n 3; exit 1; }", timeout=120)


# What the kernel's own KHO knows of stays where it is.
_COMPACT = {"bridge": (Step("compact", "khoctl compact --json", timeout=120),), "native": ()}
_INSMOD_CLIENT = Step("insmod the client", f"insmod {_EXTRA}/khob_client.ko")


def _race(name: str, kernel: str, cpus: int, suite: str = "stock", *more: Step) -> Case:
    return Case(name, f"threads on {cpus} CPUs change and read one tree at once, on {kernel}",
                (Generation(kernel, (INSMOD, _RACE, _INTERRUPTED, *more, RMMOD)),),
                memory=512, cpus=cpus, module=Module.TEST, tags=("race",), suite=suite)


def _handover(name: str, kho: str, source: str, method: str) -> Case:
    """kho: what both command lines say of the kernel's own KHO."""
    leave = Step("load", f"khoctl load /boot/vmlinuz-{LOCKDEP} --initrd $KHOB_INITRD --cmdline "
                         f"'{CMDLINE}2 {kho}' --json", contains=f'"method": "{method}"',
                 timeout=180)
    return Case(name, f"a whole handover while locks, sleep and races are watched, {kho}",
                (Generation(LOCKDEP, (
                    INSMOD, count_is("source", source), FILE,
                    preserve(4096, scatter="--scatter"), PUT, _INSMOD_CLIENT, _client("save"),
                    _client("drop"), _client("save", "the client: save again"),
                    at_least("folios", "out.folios", 100), *_COMPACT[source], leave,
                    _client("frozen"), STATUS, _WATCHED, EXEC)),
                 Generation(LOCKDEP, (
                     ATTACH, STATUS, VERIFY, GET, _INSMOD_CLIENT, _client("restore"), RESTORE,
                     RELEASE, count_is("in.pages", "0"), STATUS, _WATCHED,
                     Step("rmmod the client", "rmmod khob_client"), RMMOD))),
                memory=1024, cpus=2, module=Module.TEST, extra_cmdline=kho,
                clients=("khob_client",), tags=("race",), boot=120, suite="interop")


CASES: tuple[Case, ...] = (
    _race("race-6.1", "6.1", 4),
    _race("race-6.12", "6.12", 2),
    _race("lockdep-race", LOCKDEP, 4, "interop", _WATCHED),
    crowd("lockdep-crowd", LOCKDEP, 4, "interop", _WATCHED),
    _handover("lockdep-handover", "kho=off", "bridge", "indirect"),
    _handover("lockdep-native", "kho=on", "native", "file"),
)
