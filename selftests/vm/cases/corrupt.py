# SPDX-License-Identifier: GPL-2.0-only
"""Damage on purpose, by a test build of the module: the incoming kernel must say so."""

from __future__ import annotations

from cases.blocks import (ATTACH, DEBUGFS, EXEC, FILE, INSMOD, PUT, RELEASE, RMMOD, STATUS,
                          VERIFY, chain, load, preserve)
from khobvm.case import Case, Generation, Module, Step


def _damage(what: str) -> Generation:
    return chain("6.12", INSMOD, FILE, preserve(4096), PUT, load("6.12", 2),
                 Step("damage", f"echo {what} > {DEBUGFS}/test/corrupt"), EXEC)


def _refused(what: str, doc: str, reason: str) -> Case:
    """The handover as a whole is refused, named, and its memory can be given back."""
    return Case(f"corrupt-{what}", doc,
                (_damage(what),
                 chain("6.12",
                       Step("attach", "khoctl attach", expect=(1, 3, 5), contains=reason,
                            timeout=120),
                       Step("says why", f"cat {DEBUGFS}/status",
                            contains=("in.state: refused", reason)),
                       Step("verify", "khoctl verify", expect=(3, 5, 6)),
                       Step("release", "khoctl release all"), STATUS, RMMOD)),
                memory=1024, module=Module.TEST, tags=("corrupt",))


CASES: tuple[Case, ...] = (
    Case("corrupt-page", "a flipped bit in a page is found, the others are intact",
         (_damage("page"),
          chain("6.12", ATTACH,
                Step("verify", "khoctl verify --json", expect=5,
                     contains=('"corrupt": 1,', '"lost": 0,'), timeout=120),
                RELEASE, RMMOD)),
         memory=1024, module=Module.TEST, tags=("corrupt",)),
    Case("corrupt-blob", "a flipped bit in a blob is found, and the blob is not given out",
         (_damage("blob"),
          chain("6.12", ATTACH,
                Step("get", "khoctl get file -o /tmp/file", expect=5,
                     contains="not what was handed over"),
                Step("nothing was written", "test ! -e /tmp/file"),
                Step("verify", "khoctl verify --json", expect=5,
                     contains=('"corrupt": 1,', '"lost": 0,'), timeout=120),
                RELEASE, RMMOD)),
         memory=1024, module=Module.TEST, tags=("corrupt",)),
    _refused("node", "a flipped bit in a tree node is refused as such", "tree: "),
    _refused("fdt", "a damaged root FDT is refused as such", "FDT: "),
    _refused("value", "a root FDT that is sound but not the one written is refused", "FDT: "),
    Case("corrupt-nothing", "a test build that damages nothing hands over like any other",
         (chain("6.12", INSMOD, preserve(1024),
                Step("open", f"echo page > {DEBUGFS}/test/corrupt", expect=1),
                load("6.12", 2), EXEC),
          chain("6.12", ATTACH, VERIFY, RELEASE, RMMOD)),
         memory=1024, module=Module.TEST, tags=("corrupt",)),
)
