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
_TIMES = {"load, without scratch and copies": ("load",),
          "blackout and attach": ("blackout", "attach"), "restore": ("restore",)}
_ALL = tuple(name for names in _TIMES.values() for name in names)
_COPIES = {"to another tmpfs and back": ("to tmpfs", "from tmpfs"),
           "to a disk and back": ("to disk", "from disk")}


@dataclass(frozen=True)
class Wish:
    """A run: the kind of pages, and MiB."""

    pages: str
    mib: int


Found = Mapping[Wish, Mapping[str, float]]
NOTHING = "nothing"


def wishes(sizes: Sequence[int]) -> list[Wish]:
    """All runs; one with nothing for each size, on a machine of the same memory."""
    return [Wish(pages, mib) for mib in sizes for pages in (NOTHING, *KINDS)]


def costs(result: Result) -> dict[str, float]:
    """A run's milliseconds, by what was done; what was not done took none.

    Of a load only what depends on what is kept: not finding scratch, which takes what it takes,
    nor copying kernel and initrd.
    """
    outgoing, incoming = result.generations
    blackout = number(values(incoming, "blackout"), "blackout_us")
    if not blackout:
        raise VmError(f"{result.case.name} did not say how long it took")
    loaded = values(outgoing, "load")
    return {"load": number(loaded, "check_ms") + number(loaded, "cover_ms"),
            "blackout": blackout / 1000,
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
    full, empty = found.get(wish), found.get(Wish(NOTHING, wish.mib))
    return sum(full[name] - empty[name] for name in names) if full and empty else None


def _copied(found: Found, mib: int, names: Sequence[str]) -> str:
    least = min((sum(found[Wish(pages, mib)][name] for name in names) for pages in KINDS
                 if Wish(pages, mib) in found), default=0)
    return cell(least) if least else ""


def tables(found: Found) -> list[Table]:
    """What selftests/bench/document.py takes."""
    sizes = sorted({wish.mib for wish in found})
    rows = []
    for mib in sizes:
        for text, names in {**_TIMES, "all of it": _ALL}.items():
            rows.append([f"{mib} MiB: {text}",
                         *(cell(_added(found, Wish(pages, mib), names)) for pages in KINDS),
                         *((_copied(found, mib, copied) if text == "all of it" else "")
                           for copied in _COPIES.values())])
        per = [_added(found, Wish(pages, mib), _ALL) for pages in KINDS]
        rows.append([f"{mib} MiB: a GiB of it",
                     *(cell(value * 1024 / mib if value is not None else None)
                       for value in per), "", ""])
    empty = [found[Wish(NOTHING, mib)] for mib in sizes]
    return [{"title": "The same kexec that keeps nothing, on a machine as large: milliseconds",
             "columns": ["", *(f"{mib} MiB" for mib in sizes)],
             "rows": [[text, *(cell(sum(one[name] for name in names)) for one in empty)]
                      for text, names in _TIMES.items()]},
            {"title": "A kept file: milliseconds more than with nothing",
             "columns": ["", *KINDS.values(), *_COPIES], "rows": rows}]
