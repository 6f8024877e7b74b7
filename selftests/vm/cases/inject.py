# SPDX-License-Identifier: GPL-2.0-only
"""Allocations that fail: every operation, once for each of its first 200 allocations.

khob-fail (selftests/vm/guest) makes them fail one after the other. What is refused has to be
so with ENOMEM and in words, and to change nothing; afterwards no page is lost, as the owners of
pages say (selftests/kernels/inject.config).
"""

from __future__ import annotations

from cases.blocks import INSMOD, RMMOD
from khobvm.case import Case, Generation, Module, Step

_KERNEL = "7.3-lockdep"
_CLIENT = "khob_scarce"
_RUN = f"/sys/module/{_CLIENT}/parameters/run"
_INSMOD_CLIENT = Step("insmod the client", f"insmod /lib/modules/$(uname -r)/extra/{_CLIENT}.ko")
# Addresses and the arena differ from one time to the next where folios may lie anywhere.
_ANYWHERE = "-i out/keys -i out.keys -i out.nodes -i out.metadata_bytes -i out.arena_bytes " \
            "-i out.root_phys"
# A vmalloc() that fails shows where; a warning has a line of its own besides.
_ALLOW = ("Call Trace",)
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
_READS = tuple(_fail(f"read {file}", file, quiet=True)
               for file in ("status", "out/keys", "out/ranges", "out/fdt"))
_OUT = (
    *_api("tree", "alloc", "pages", "vmalloc"),
    _undone("preserve", "out/preserve", "pages=6 order=mixed seed=3 scatter=80",
            "out/unpreserve=all"),
    _undone("put", "out/put", "short 10000", "out/unpreserve=subtree short"),
    _undone("compact", "out/compact", "all", "out/unpreserve=all",
            f"-p 'out/preserve=pages=2048 order=9 seed=5 scatter=8' {_ANYWHERE}"),
    Step("something is preserved", "khoctl preserve --pages 4 --order 0"),
    *_api("alloc", "pages", "vmalloc", "subtree", when=", beside others"),
    *_READS,
    Step("nothing is preserved", "khoctl unpreserve all"), _SAME_HELD,
)


CASES: tuple[Case, ...] = (
    Case("inject-out", "outgoing operations, each as their allocations fail one by one",
         (Generation(_KERNEL, (INSMOD, _INSMOD_CLIENT, _HELD, *_OUT,
                               Step("rmmod the client", f"rmmod {_CLIENT}"), RMMOD),
                     allow_log=_ALLOW),),
         memory=768, cpus=2, module=Module.TEST, extra_cmdline="kho=off page_owner=on",
         helpers=("khob-fail",), clients=(_CLIENT,), boot=120, tags=("inject",),
         suite="interop"),
)
