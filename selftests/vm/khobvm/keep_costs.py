# SPDX-License-Identifier: GPL-2.0-only
"""What a kept file costs, next to a kexec that keeps nothing and to copies of it: measured in VMs,
told in tables (selftests/bench/document.py).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from khobvm.case import Case
from khobvm.costs import Table, cell, duration, number, results, tell, values
from khobvm.errors import VmError
from khobvm.progress import Progress
from khobvm.runner import Result, Runner

COMMAND = "khobvm measure-keep"
KINDS = {"huge": "huge pages", "single": "single pages as they come"}
SIZES = (64, 1024, 8192)
_TIMES = {"load": ("load",), "blackout and attach": ("blackout", "attach"),
          "restore": ("restore",)}
_ALL = tuple(name for names in _TIMES.values() for name in names)
_COPIES = {"to another tmpfs and back": ("to tmpfs", "from tmpfs"),
           "to a disk and back": ("to disk", "from disk")}


@dataclass(frozen=True)
class Wish:
    """A run: the kind of pages, and MiB."""

    pages: str
    mib: int


Found = Mapping[Wish, Mapping[str, float]]
NOTHING = Wish("huge", 0)


def wishes(sizes: Sequence[int]) -> list[Wish]:
    """All runs, the one with nothing first."""
    return [NOTHING, *(Wish(pages, mib) for pages in KINDS for mib in sizes)]


def costs(result: Result) -> dict[str, float]:
    """A run's milliseconds, by what was done; what was not done took none."""
    outgoing, incoming = result.generations
    blackout = number(values(incoming, "blackout"), "blackout_us")
    if not blackout:
        raise VmError(f"{result.case.name} did not say how long it took")
    return {"load": duration(outgoing, "load"), "blackout": blackout / 1000,
            "attach": number(values(incoming, "attach"), "ms"),
            "restore": duration(incoming, "restore"),
            **{name: duration(generation, name)
               for generation, names in ((outgoing, ("to tmpfs", "to disk")),
                                         (incoming, ("from tmpfs", "from disk")))
               for name in names}}


def measure(crew: Runner, make: Callable[[Wish], Case], wanted: Sequence[Wish],
            progress: Progress) -> dict[Wish, dict[str, float]]:
    """The figures of each run."""
    found = {}
    for wish, result in zip(wanted, results(crew, [make(w) for w in wanted], progress)):
        found[wish] = costs(result)
        tell(result, found[wish], progress)
    return found


def _added(found: Found, wish: Wish, names: Sequence[str]) -> float | None:
    """Milliseconds more than with nothing; None if it was not measured."""
    full, empty = found.get(wish), found.get(NOTHING)
    return sum(full[name] - empty[name] for name in names) if full and empty else None


def _copied(found: Found, mib: int, names: Sequence[str]) -> str:
    least = min((sum(found[Wish(pages, mib)][name] for name in names) for pages in KINDS
                 if Wish(pages, mib) in found), default=0)
    return cell(least) if least else ""


def tables(found: Found) -> list[Table]:
    """What selftests/bench/document.py takes."""
    empty = found[NOTHING]
    rows = []
    for mib in sorted({wish.mib for wish in found if wish.mib}):
        for text, names in {**_TIMES, "all of it": _ALL}.items():
            rows.append([f"{mib} MiB: {text}",
                         *(cell(_added(found, Wish(pages, mib), names)) for pages in KINDS),
                         *((_copied(found, mib, copied) if text == "all of it" else "")
                           for copied in _COPIES.values())])
        per = [_added(found, Wish(pages, mib), _ALL) for pages in KINDS]
        rows.append([f"{mib} MiB: a GiB of it",
                     *(cell(value * 1024 / mib if value is not None else None)
                       for value in per), "", ""])
    return [{"title": "The same kexec that keeps nothing: milliseconds", "columns": ["", "6.12"],
             "rows": [[text, cell(sum(empty[name] for name in names))]
                      for text, names in _TIMES.items()]},
            {"title": "A kept file: milliseconds more than with nothing",
             "columns": ["", *KINDS.values(), *_COPIES], "rows": rows}]
