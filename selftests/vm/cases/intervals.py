# SPDX-License-Identifier: GPL-2.0-only
"""How many intervals a kernel without KHO takes: its boot code has 128 slots for reserved
memory (INIT_MEMBLOCK_REGIONS) and panics when they run out.

MOST is measured: `khobvm measure-intervals` boots with ever more until it no longer does, and
some slots less are taken here since KASLR and firmware move a few. The cases hold the figure:
what khoctl uses by default boots (case demo), MOST boots, and well above it 6.12 does not come
up, while 6.1 boots with intervals that it did not reserve: attach must see that.
"""

from __future__ import annotations

from cases.blocks import ATTACH, DEBUGFS, EXEC, INSMOD, VERIFY, chain, load, preserve
from khobvm.case import Case, Outcome, Step

MOST = {"6.1": 112, "6.12": 112}
TOO_MANY = {"6.1": 140, "6.12": 160}
_NOT_RESERVED = Step("attach", "khoctl attach", expect=5, contains="is not reserved")


def intervals(kernel: str, count: int, outcome: Outcome = Outcome.PASSED,
              then: tuple[Step, ...] = (ATTACH, VERIFY), why: str = "") -> Case:
    """Hands over exactly `count` intervals; `then` is what the incoming kernel does."""
    counted = Step("count", f"test $(grep -c . {DEBUGFS}/out/ranges) -ge {count}")
    exact = load(kernel, 2, f"--max-ranges {count}")
    exact = Step(exact.name, exact.command, contains=f'"intervals": {count},', timeout=120)
    return Case(f"intervals-{kernel}-{count}",
                f"{count} intervals {'boot' if ATTACH in then else 'are too many'}",
                (chain(kernel, INSMOD, preserve(2048, order="0", scatter="--scatter 60"), counted,
                       exact, EXEC),
                 chain(kernel, *then)),
                memory=2048, outcome=outcome, why=why, boot=60, tags=("intervals",))


CASES: tuple[Case, ...] = (
    intervals("6.1", MOST["6.1"]),
    intervals("6.12", MOST["6.12"]),
    intervals("6.1", TOO_MANY["6.1"], then=(_NOT_RESERVED,)),
    intervals("6.12", TOO_MANY["6.12"], Outcome.NO_STATUS, then=(),
              why="nothing came from generation 2"),
)
