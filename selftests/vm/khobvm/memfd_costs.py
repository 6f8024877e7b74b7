# SPDX-License-Identifier: GPL-2.0-only
"""What a memfd in a live update session costs, next to a kexec with an empty session, to the
kernel's own LUO, and to a disk: measured in VMs, told in tables (selftests/bench/document.py).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from khobvm.case import Case
from khobvm.costs import Table, cell, duration, number, results, tell, values
from khobvm.errors import VmError
from khobvm.progress import Progress
from khobvm.runner import Result, Runner

COMMAND = "khobvm measure-memfds"
# Name of an end (cases/payload.py) and what its column says.
WAYS = {"6.12": "kho_luo, 6.12", "7.3-off": "kho_luo, 7.3", "7.3-on": "7.3's own LUO"}
KINDS = {"single": "single pages as they come", "scattered": "single pages, every other one",
         "huge": "huge pages"}
SIZES = (64, 1024, 4096)
# Single pages that do not lie together cost the kernel's own KHO a time that grows with the
# square of their number, and here twice the memory.
_SCATTERED = {"7.3-on": (64,), "": (64, 1024)}
_TIMES = {"preserve": ("preserve",), "load": ("load",), "blackout and attach": (
    "blackout", "attach"), "retrieve": ("retrieve",)}
# What each of these replaces.
_DISK = {"preserve": "write", "retrieve": "read"}


@dataclass(frozen=True)
class Wish:
    """A run: an end's name, the kind of pages, and MiB."""

    end: str
    pages: str
    mib: int


Found = Mapping[Wish, Mapping[str, float]]


def wishes(ends: Sequence[str], sizes: Sequence[int]) -> list[Wish]:
    """All runs, the one with nothing first."""
    found = []
    for end in ends:
        found.append(Wish(end, "single", 0))
        allowed = _SCATTERED.get(end, _SCATTERED[""])
        found += [Wish(end, pages, mib) for pages in KINDS for mib in sizes
                  if pages != "scattered" or mib in allowed]
    return found


def costs(result: Result) -> dict[str, float]:
    """A run's milliseconds, by what was done."""
    outgoing, incoming = result.generations
    before, after = values(outgoing, "preserve"), values(incoming, "retrieve")
    if not after.get("blackout_us"):
        raise VmError(f"{result.case.name} did not say how long it took")
    return {"load": duration(outgoing, "load"),
            "attach": number(values(incoming, "attach"), "ms"),
            **{name: number(before, f"{name}_us") / 1000 for name in ("preserve", "write")},
            **{name: number(after, f"{name}_us") / 1000
               for name in ("retrieve", "read", "blackout")}}


def measure(crew: Runner, make: Callable[[Wish], Case], wanted: Sequence[Wish],
            progress: Progress) -> dict[Wish, dict[str, float]]:
    """The figures of each run. Of a wish that comes again the least of each counts: what else the
    host does only adds.
    """
    found: dict[Wish, dict[str, float]] = {}
    for wish, result in zip(wanted, results(crew, [make(w) for w in wanted], progress)):
        now = costs(result)
        found[wish] = {name: min(value, found.get(wish, now)[name])
                       for name, value in now.items()}
        tell(result, found[wish], progress)
    return found


def _added(found: Found, wish: Wish, names: Sequence[str]) -> float | None:
    """Milliseconds more than with nothing; None if it was not measured."""
    full, empty = found.get(wish), found.get(Wish(wish.end, "single", 0))
    if full is None or empty is None:
        return None
    return sum(full[name] - empty[name] for name in names)


def _size(found: Found, pages: str, mib: int, ends: Sequence[str]) -> list[list[str]]:
    """The rows of one size, with the disk's in the last column."""
    disk = found.get(Wish(ends[0], pages, mib), {})
    all_names = [name for names in _TIMES.values() for name in names]
    rows = [[f"{mib} MiB: {text}",
             *(cell(_added(found, Wish(end, pages, mib), names)) for end in ends),
             cell(disk.get(_DISK.get(text, "")))] for text, names in _TIMES.items()]
    both = disk.get("write", 0.0) + disk.get("read", 0.0)
    return [*rows, [f"{mib} MiB: all of it",
                    *(cell(_added(found, Wish(end, pages, mib), all_names)) for end in ends),
                    cell(both or None)]]


def tables(found: Found) -> list[Table]:
    """What selftests/bench/document.py takes."""
    ends = [end for end in WAYS if any(wish.end == end for wish in found)]
    columns = ["", *(WAYS[end] for end in ends)]
    empty = {end: found.get(Wish(end, "single", 0), {}) for end in ends}
    made: list[Table] = [{
        "title": "The same kexec with an empty session: milliseconds", "columns": columns,
        "rows": [[text, *(cell(sum(empty[end].get(name, 0.0) for name in names)) for end in ends)]
                 for text, names in _TIMES.items()]}]
    for pages, text in KINDS.items():
        sizes = sorted({wish.mib for wish in found if wish.pages == pages and wish.mib})
        rows = [row for mib in sizes for row in _size(found, pages, mib, ends)]
        if rows:
            made.append({"title": f"A memfd of {text}: milliseconds more than with nothing",
                         "columns": [*columns, "to a disk and back"], "rows": rows})
    return made
