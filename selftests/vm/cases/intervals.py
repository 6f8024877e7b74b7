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
TOO_MANY = {"6.1": (140, Outcome.FAILED), "6.12": (160, Outcome.NO_STATUS)}


def intervals(kernel: str, count: int, outcome: Outcome = Outcome.PASSED) -> Case:
    """Hands over exactly `count` intervals."""
    counted = Step("count", f"test $(grep -c . {DEBUGFS}/out/ranges) -ge {count}")
    exact = load(kernel, 2, f"--max-ranges {count}")
    exact = Step(exact.name, exact.command, contains=f'"intervals": {count},', timeout=120)
    return Case(f"intervals-{kernel}-{count}",
                f"{count} intervals {'boot' if outcome is Outcome.PASSED else 'do not boot'}",
                (chain(kernel, INSMOD, preserve(2048, order="0", scatter="--scatter 60"), counted,
                       exact, EXEC),
                 chain(kernel, ATTACH, VERIFY)),
                memory=2048, outcome=outcome, boot=60, tags=("intervals",))


CASES: tuple[Case, ...] = tuple(
    case for kernel in ("6.1", "6.12")
    for case in (intervals(kernel, MOST[kernel]),
                 intervals(kernel, *TOO_MANY[kernel])))
