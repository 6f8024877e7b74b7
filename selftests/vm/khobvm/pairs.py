# SPDX-License-Identifier: GPL-2.0-only
"""What a second thread adds where clients preserve pages: measured in VMs whose CPUs run at the
same time, told in a table (selftests/bench/document.py).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from khobvm.case import Case
from khobvm.costs import WAYS, Table
from khobvm.errors import VmError
from khobvm.progress import Progress
from khobvm.report import Live, printed_json, summary
from khobvm.runner import Runner

COMMAND = "khobvm measure-threads"


def _times(crew: Runner, case: Case, live: Live) -> tuple[float, float]:
    """Nanoseconds a page of one thread alone, and of each of two at once."""
    result = crew.run(case, live.report)
    live.ended(result)
    if not result.good:
        raise VmError(summary(result, 1))
    steps = result.generations[0].steps.values()
    said = next(printed_json(step.output) for step in steps if step.name == "measure")
    pages, one, two = (said.get(name) for name in ("pages", "one_ns", "two_ns"))
    if not (isinstance(pages, int) and isinstance(one, int) and isinstance(two, int)
            and min(pages, one, two) > 0):
        raise VmError(f"{case.name} did not say what it took")
    return one / pages, two / pages


def table(crew: Runner, make: Callable[[str], Case], ends: Sequence[str],
          progress: Progress) -> Table:
    """One VM at a time; ends as costs.WAYS names them."""
    live = Live(progress, len(ends), False)
    rows = []
    for end in ends:
        one, two = _times(crew, make(end), live)
        progress.line(f"  {end}: one {one:.0f} ns a page, two {two:.0f} ns")
        rows.append([WAYS[end], f"{2 * one / two:.2f}x"])
    return {"title": "Two threads preserving single pages, each in regions of its own: throughput "
                     "as a multiple of one thread's of the same",
            "columns": ["by way of", "two threads"], "rows": rows}
