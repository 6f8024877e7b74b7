# SPDX-License-Identifier: GPL-2.0-only
"""Allocations that fail: every operation, once for each of its first 200 allocations.

khob-fail (selftests/vm/guest) makes them fail one after the other. What is refused has to be
so with ENOMEM and in words, and to change nothing; afterwards nothing is lost, neither a page, as
their owners say, nor anything that kmemleak would find (selftests/kernels/inject.config).
"""

from __future__ import annotations

from cases.blocks import (CMDLINE, DEBUGFS, EXEC, FILE, GET, INSMOD, PUT, RMMOD, STATUS, VERIFY,
                          count_is, preserve)
from khobvm.case import Case, Generation, Module, Step

_KERNEL = "7.3-lockdep"
_WATCH = "kmemleak=on page_owner=on"
_CLIENT = "khob_scarce"
_RUN = f"/sys/module/{_CLIENT}/parameters/run"
_INSMOD_CLIENT = Step("insmod the client", f"insmod /lib/modules/$(uname -r)/extra/{_CLIENT}.ko")
# Addresses and the arena differ from one time to the next where folios may lie anywhere.
_ANYWHERE = "-i out/keys -i out.keys -i out.nodes -i out.metadata_bytes -i out.arena_bytes " \
            "-i out.root_phys"
# A vmalloc() that fails shows where; a warning has a line of its own besides. The kernel's own
# KHO warns, once, that a blob's file in debugfs cannot be made, and goes on without.
_ALLOW = ("Call Trace", "WARNING: .* at kho_add_subtree")
# Stacks of pages that were taken in a call of ours, with how many are left; what slab, page
# tables, and the kernel's own KHO have got there stays theirs.
_OTHERS = "allocate_slab|p[tmu]d_alloc|pte_alloc|kho_radix_add_key"
_STACKS = f"""awk -v RS= '/\\[kho_bridge]/ && !/{_OTHERS}/ {{ print $0 "\\n" }}' \\
    /sys/kernel/debug/page_owner_stacks/show_stacks > /tmp/stacks"""
_COUNT = f"{_STACKS}; n=$(awk '/nr_base_pages/ {{n += $2}} END {{print n + 0}}' /tmp/stacks)"


def _fail(name: str, arguments: str, *, quiet: bool = False, timeout: int = 240) -> Step:
    """Every attempt but the last one fails, or does without what could not be had."""
    return Step(f"short of memory: {name}", f"khob-fail {'-q ' if quiet else ''}{arguments}",
                contains="refused", timeout=timeout)


def _undone(name: str, file: str, line: str, undo: str, options: str = "") -> Step:
    return _fail(name, f"{options} -u '{undo}' {file} '{line}'", timeout=480)


def _api(*actions: str, when: str = "") -> tuple[Step, ...]:
    """Clients get an errno only; the step's name says when."""
    return tuple(_fail(f"{action}{when}", f"-u {_RUN}={action} {_RUN} {action}", quiet=True)
                 for action in actions)


# The module's sandbox has a page of its own from the start: so that they are counted is seen.
_HELD = Step("pages that are held", f"{_COUNT}; echo $n pages; echo $n > /tmp/held; test $n -gt 0")
_SAME_HELD = Step("no more pages are held",
                  f"{_COUNT}; echo $n pages; test $n = $(cat /tmp/held) || "
                  "{ cat /tmp/stacks; exit 1; }")
_LEAKS = "/sys/kernel/debug/kmemleak"
_FORGET = Step("leaks of the boot", f"echo scan > {_LEAKS} && echo clear > {_LEAKS}", timeout=240)
# What is younger than five seconds is left out, and what has changed since the last search.
_SEARCH = f"for i in 1 2; do sleep 6; echo scan > {_LEAKS} || exit 1; done; " \
          f"cat {_LEAKS} > /tmp/leaks"
_OURS = "\\[(kho_bridge|khob_scarce)]"
# The second step is why the first one means anything.
_NOTHING_LOST = (
    Step("nothing is lost", f"{_SEARCH}; grep -E -B12 -A12 '{_OURS}' /tmp/leaks; "
                            f"! grep -qE '{_OURS}' /tmp/leaks", timeout=240),
    Step("what is lost is found", f"echo leak > {_RUN}; {_SEARCH}; "
                                  "grep -c '\\[khob_scarce]' /tmp/leaks", timeout=240))
_READS = tuple(_fail(f"read {file}", file, quiet=True)
               for file in ("status", "out/keys", "out/ranges", "out/fdt"))
_OUT = (
    *_api("tree", "alloc", "pages", "vmalloc"),
    _undone("preserve", "out/preserve", "pages=6 order=mixed seed=3 scatter=80",
            "out/unpreserve=all"),
    _undone("put", "out/put", "short 10000", "out/unpreserve=subtree short"),
    Step("something is preserved", "khoctl preserve --pages 4 --order 0"),
    *_api("alloc", "pages", "vmalloc", "subtree", when=", beside others"),
    *_READS,
    Step("nothing is preserved", "khoctl unpreserve all"), _SAME_HELD,
)
_COMPACT = _undone("compact", "out/compact", "all", "out/unpreserve=all",
                   f"-p 'out/preserve=pages=2048 order=9 seed=5 scatter=8' {_ANYWHERE}")


def _freeze(*lines: str) -> tuple[Step, ...]:
    """What load has the module do, and unload undo."""
    return tuple(_undone(f"scratch {line}", "out/scratch", line, "out/scratch=give")
                 for line in lines)


# Where the kernel's own KHO is on, all is registered with it as well.
_FREEZES = {"off": _freeze("take 1048576 4096", "take 1048576 4096 abi=kho-v2"),
            "on": _freeze("kernel", "take 1048576 4096 abi=kho-v3")}
_FULL = (preserve(24, scatter="--scatter 80"), FILE, PUT,
         Step("the client saves", f"echo save > {_RUN}"))


def _load(kho: str) -> Case:
    """By ourselves or with the kernel's own KHO."""
    return Case(f"inject-load-{kho}",
                f"what load has the module do, as its allocations fail one by one, kho={kho}",
                (Generation(_KERNEL, (INSMOD, _INSMOD_CLIENT, _FORGET, _HELD, _COMPACT, _SAME_HELD,
                                      *_FULL, _HELD, *_FREEZES[kho], _SAME_HELD, *_NOTHING_LOST),
                            allow_log=_ALLOW),),
                memory=768, cpus=2, module=Module.TEST,
                extra_cmdline=f"kho={kho} {_WATCH}", helpers=("khob-fail",),
                clients=(_CLIENT,), boot=120, tags=("inject",), suite="interop")


# The head of the chain: setup_header.setup_data (Documentation/arch/x86/boot.rst).
_ATTACHING = "in/setup_data " \
             "0x$(od -A n -t x8 -j 592 -N 8 /sys/kernel/boot_params/data | tr -d ' ')"
_ATTACH = _fail("attach", f"-a -m 2000 -i in.reason {_ATTACHING}", timeout=480)
_ALL_SHOWN = Step("every blob has its file", f"ls {DEBUGFS}/in/sub_fdts | wc -l; test "
                  f"$(ls {DEBUGFS}/in/sub_fdts | wc -l) = $(sed -n 's/^in.subtrees: //p' "
                  f"{DEBUGFS}/status)")
_READ_IN = tuple(_fail(f"read in/{file}", f"in/{file}", quiet=True)
                 for file in ("keys", "ranges", "digests", "kho_data", "fdt",
                              "sub_fdts/khob-scarce"))
# What is held goes on to the next kernel, with all that is kho-v2's own in one of them.
_CARRIES = {"off": _freeze("take 1048576 4096 abi=kho-v2"), "on": _freeze("take 1048576 4096")}
_ATTACHED = (
    _ATTACH, STATUS, count_is("in.state", "attached"), _ALL_SHOWN, VERIFY, GET,
    *_READ_IN)
_GIVEN_BACK = (
    # With the blob, which comes last, goes what says where the others are.
    _fail("restore-vmalloc", f"-a -m 2000 {_RUN} restore-vmalloc", quiet=True),
    *(_fail(action, f"-a -n {_RUN} {action}", quiet=True)
      for action in ("restore-folio", "restore-pages", "restore-blob")),
    _fail("restore", "-a -n in/restore all"), _fail("release", "-a -n in/release all"),
    count_is("in.state", "none"), _SAME_HELD)


def _leave(kho: str) -> Step:
    return Step("load", f"khoctl load /boot/vmlinuz-{_KERNEL} --initrd $KHOB_INITRD --cmdline "
                        f"'{CMDLINE}2 kho={kho} {_WATCH}' --json", timeout=180)


# What was refused as damaged is so until it was looked at once more.
_REFUSED = Case(
    "inject-refused", "a damaged handover stays refused when it cannot be looked at",
    (Generation("6.12", (INSMOD, *_FULL[:-1], _leave("off"),
                         Step("damage", f"echo node > {DEBUGFS}/test/corrupt"), EXEC)),
     Generation(_KERNEL, (INSMOD, _HELD,
                          Step("attach", "khoctl attach", expect=5, contains="tree: ", timeout=120),
                          _fail("attach", f"-d {_ATTACHING}"), count_is("in.state", "refused"),
                          _fail("release", "-a -n in/release all"), _SAME_HELD, RMMOD),
                allow_log=_ALLOW)),
    memory=1024, cpus=2, module=Module.TEST, helpers=("khob-fail",), boot=120, tags=("inject",),
    suite="interop")


def _in(kho: str) -> Case:
    """What 6.12 hands over is taken over while allocations fail."""
    return Case(f"inject-in-{kho}",
                f"incoming operations, each as their allocations fail one by one, kho={kho}",
                (Generation("6.12", (INSMOD, _INSMOD_CLIENT, *_FULL, _leave(kho), EXEC)),
                 Generation(_KERNEL, (INSMOD, _INSMOD_CLIENT, _FORGET, _HELD, *_ATTACHED,
                                      *_CARRIES[kho], *_GIVEN_BACK, *_NOTHING_LOST,
                                      Step("rmmod the client", f"rmmod {_CLIENT}"), RMMOD),
                            allow_log=_ALLOW)),
                memory=1024, cpus=2, module=Module.TEST, helpers=("khob-fail",),
                clients=(_CLIENT,), boot=120, tags=("inject",), suite="interop")


CASES: tuple[Case, ...] = (
    _load("off"), _load("on"), _in("off"), _in("on"), _REFUSED,
    Case("inject-out", "outgoing operations, each as their allocations fail one by one",
         (Generation(_KERNEL, (INSMOD, _INSMOD_CLIENT, _FORGET, _HELD, *_OUT, *_NOTHING_LOST,
                               Step("rmmod the client", f"rmmod {_CLIENT}"), RMMOD),
                     allow_log=_ALLOW),),
         memory=768, cpus=2, module=Module.TEST, extra_cmdline=f"kho=off {_WATCH}",
         helpers=("khob-fail",), clients=(_CLIENT,), boot=120, tags=("inject",),
         suite="interop"),
)
