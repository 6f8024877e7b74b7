# SPDX-License-Identifier: GPL-2.0-only
"""Modules that use kho_bridge, above all upstream's own lib/test_kho.c, unchanged."""

from __future__ import annotations

from cases.blocks import (ATTACH, CMDLINE, DEBUGFS, EXEC, FREE_KIB, INSMOD, RELEASE, RMMOD,
                          STATUS, UNLOAD, VERIFY, at_least, chain, count_is, load)
from khobvm.case import Case, Generation, Module, Step

_DIRECTORY = "/lib/modules/$(uname -r)/extra"
# Options of load, and steps before anything is handed over.
_How = tuple[str, tuple[Step, ...]]
_AS_IT_IS: _How = ("", ())
_TEST_KHO = Step("insmod test_kho", f"insmod {_DIRECTORY}/test_kho.ko")
_RMMOD_TEST_KHO = Step("rmmod test_kho", "rmmod test_kho")
_SUCCEEDED = Step("test_kho says so", "dmesg | grep test_kho",
                  contains="test_kho: KHO restore succeeded", always=True)
# Free memory, around something that must give all of it back.
_FREE = Step("free memory", f"({FREE_KIB}) > /tmp/free; cat /tmp/free")


def _back(name: str, kib: int = 1024) -> Step:
    return Step(name, f"set -- $(cat /tmp/free) $({FREE_KIB}); echo free: before $1 after $2 KiB;"
                      f" test $(($1 - $2)) -lt {kib}")


# As much more is free as was restored and freed, slab and a module's own memory aside.
_GREW = Step("restored memory is free",
             f"set -- $(cat /tmp/free) $({FREE_KIB}) $(sed -n 's/^in.restored_pages: //p' "
             f"{DEBUGFS}/status); echo free: before $1 after $2 KiB, restored $3 pages; "
             "test $3 -gt 1000 && test $(($2 - $1 + 1024)) -ge $((4 * $3))")


def _upstream(name: str, before: str, after: str, how: _How = _AS_IT_IS,
              suite: str = "stock") -> Case:
    """test_kho on both sides of a kexec; inserted twice before that, to see it let go."""
    return Case(name, f"lib/test_kho.c of 7.3 over kho_bridge, from {before} to {after}",
                (chain(before, INSMOD, *how[1], _FREE, _TEST_KHO,
                       at_least("folios", "out.folios", 3),
                       _RMMOD_TEST_KHO, count_is("out.folios", "0"),
                       count_is("out.subtrees", "0"), _back("memory is back"),
                       Step("insmod again", _TEST_KHO.command), STATUS,
                       load(after, 2, how[0]), EXEC),
                 # It cannot be removed there: its exit takes for granted that it preserved.
                 chain(after, ATTACH, STATUS, _FREE, _TEST_KHO, _SUCCEEDED,
                       count_is("in.pages", "0"), _GREW, RELEASE,
                       count_is("in.subtrees", "0"))),
                memory=1024, clients=("test_kho",), tags=("clients",), suite=suite)


def _run(what: str, name: str = "") -> Step:
    return Step(name or what, f"echo {what} > /sys/module/khob_client/parameters/run || "
                              "{ dmesg | grep khob_client | tail -n 3; exit 1; }", timeout=120)


_CLIENT = Step("insmod khob_client", f"insmod {_DIRECTORY}/khob_client.ko")
_NOTHING = Step("nothing is left", f"cat {DEBUGFS}/status",
                contains=("in.pages: 0\n", "in.subtrees: 3\n", "out.folios: 0\n"))


def _own(name: str, kernel: str, how: _How = _AS_IT_IS,
         suite: str = "stock") -> Case:
    """What test_kho does not do, and everything that must be refused."""
    return Case(name, f"every export of the module, and what it refuses, on {kernel}",
                # The initrd takes memory when it is made: before anything is compared.
                (Generation(kernel, (
                    INSMOD, *how[1], _CLIENT, _FREE, _run("save"), STATUS, _run("drop"),
                    count_is("out.folios", "0"), _back("memory is back"),
                    _run("save", "save again"), load(kernel, 2, how[0], "load for nothing"),
                    _run("frozen"), UNLOAD, _run("drop", "drop again"),
                    count_is("out.folios", "0"), count_is("out.subtrees", "0"),
                    _back("memory is back again"),
                    _run("save", "save at last"), load(kernel, 2, how[0]),
                    _run("frozen", "frozen again"), EXEC), needs_initrd=True),
                 chain(kernel, ATTACH, STATUS, _CLIENT, _FREE, _run("restore"), _NOTHING, _GREW,
                       RELEASE,
                       Step("rmmod khob_client", "rmmod khob_client"), RMMOD)),
                memory=1024, clients=("khob_client",), tags=("clients",), suite=suite)


_INSMOD_CROWD = Step("insmod khob_crowd", f"insmod {_DIRECTORY}/khob_crowd.ko")
_CROWD = Step("a crowd", "echo 3000 > /sys/module/khob_crowd/parameters/run; code=$?; "
                         "dmesg | grep khob_crowd: ; test $code = 0", contains=" rounds",
              timeout=120)


def crowd(name: str, kernel: str, cpus: int, suite: str = "stock", *more: Step) -> Case:
    """Clients beside each other; with something preserved they need not wait, alone they do."""
    return Case(name, f"clients preserve on {cpus} CPUs at once, on {kernel}",
                (Generation(kernel, (
                    INSMOD, _INSMOD_CROWD, _FREE, _CROWD,
                    count_is("out.folios", "0"), count_is("out.keys", "0"),
                    Step("preserve", "khoctl preserve --pages 16 --order 0"),
                    Step("crowd again", _CROWD.command, contains=" rounds", timeout=120),
                    count_is("out.folios", "16"),
                    Step("unpreserve", "khoctl unpreserve all"),
                    count_is("out.subtrees", "0"), count_is("out.keys", "0"),
                    _back("memory is back"), *more,
                    Step("rmmod khob_crowd", "rmmod khob_crowd"), RMMOD)),),
                memory=512, cpus=cpus, clients=("khob_crowd",), tags=("clients",), suite=suite)


def _parts(what: str) -> Step:
    return Step(what, f"echo {what} > /sys/module/khob_parts/parameters/run || "
                      "{ dmesg | grep khob_parts | tail -n 3; exit 1; }")


_INSMOD_PARTS = Step("insmod khob_parts", f"insmod {_DIRECTORY}/khob_parts.ko")
# HARDENED_USERCOPY, which Debian's kernels have, lets nobody copy from one folio into the next.
_READ_RANGE = Step("read over both folios",
                   f"dd if={DEBUGFS}/out/data of=/tmp/range bs=32k count=1 iflag=skip_bytes "
                   "skip=$(cat /sys/module/khob_parts/parameters/where) 2>/dev/null; "
                   "wc -c < /tmp/range", contains="32768\n")

# The control: the same file, on the kernel whose it is.
_CONTROL = Case(
    "test-kho-native", "lib/test_kho.c of 7.3 over that kernel's own KHO",
    (Generation("7.3", (
        _TEST_KHO, _RMMOD_TEST_KHO, Step("insmod again", _TEST_KHO.command),
        Step("load", "kexec -s -l /boot/vmlinuz-7.3 --initrd=$KHOB_INITRD "
                     f"--command-line='{CMDLINE}2 kho=on'", timeout=120),
        Step("exec", "kexec -e", timeout=60, final=True))),
     Generation("7.3", (_TEST_KHO, _SUCCEEDED))),
    memory=1024, module=Module.NONE, extra_cmdline="kho=on", clients=("test_kho",),
    programs=("kexec-tools:/sbin/kexec",), tags=("clients", "kho"), suite="interop")

# From kho_bridge to a kernel whose own KHO restores it: nothing of ours is loaded there.
_TO_KHO = Case(
    "test-kho-6.12-7.3-on", "lib/test_kho.c of 7.3 over kho_bridge on 6.12, restored by 7.3's KHO",
    (chain("6.12", INSMOD, _TEST_KHO, STATUS, load("7.3", 2), EXEC),
     chain("7.3", _TEST_KHO, _SUCCEEDED)),
    memory=1024, clients=("test_kho",), native_clients=("7.3",), tags=("clients", "kho"),
    suite="interop")

# 7.3 is built with DEBUG_VM: compound pages that are not as it wants them are seen. It takes
# part as a kernel without KHO: not told kho=on, and with a version that it does not read.
_INDIRECT: _How = ("--method indirect", (Step("abi", "khoctl abi kho-v3"),))


CASES: tuple[Case, ...] = (
    _upstream("test-kho-6.12", "6.12", "6.12"),
    _upstream("test-kho-6.1", "6.1", "6.1"),
    _upstream("test-kho-6.1-6.12", "6.1", "6.12"),
    _own("clients-6.12", "6.12"),
    _own("clients-6.1", "6.1"),
    Case("clients-range", "a range over two folios can be read in one go",
         (chain("6.12", INSMOD, _INSMOD_PARTS, _parts("range"),
                count_is("out.orders", "3:1"), _READ_RANGE, _parts("range-undo"),
                Step("rmmod khob_parts", "rmmod khob_parts"), RMMOD),),
         memory=512, clients=("khob_parts",), tags=("clients",)),
    Case("clients-shared", "what is in a folio besides a blob goes on where that goes as a copy",
         (chain("6.12", INSMOD, _INSMOD_PARTS, _parts("save"), load("6.12", 2), EXEC),
          chain("6.12", ATTACH, count_is("in.pages", "0"), load("6.12", 3, "--abi kho-v2"), EXEC),
          # The copy and the folio; of a copy of the copy nothing else goes along.
          chain("6.12", ATTACH, VERIFY, count_is("in.pages", "2"), load("6.12", 4), EXEC),
          chain("6.12", ATTACH, VERIFY, count_is("in.pages", "2"),
                load("6.12", 5, "--abi kho-v2"), EXEC),
          chain("6.12", ATTACH, VERIFY, count_is("in.pages", "2"), _INSMOD_PARTS, _parts("restore"),
                RELEASE, Step("rmmod khob_parts", "rmmod khob_parts"), RMMOD)),
         memory=1024, clients=("khob_parts",), tags=("clients",)),
    crowd("crowd-6.12", "6.12", 2),
    crowd("crowd-6.1", "6.1", 4),
    _CONTROL,
    _TO_KHO,
    _upstream("test-kho-7.3-off", "7.3", "7.3", _INDIRECT, "interop"),
    _own("clients-7.3-off", "7.3", _INDIRECT, "interop"),
)
