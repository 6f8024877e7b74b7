# SPDX-License-Identifier: GPL-2.0-only
"""What a handover of many single pages costs, next to the same kexec with nothing preserved
and to the kernel's own KHO: measured in VMs, told in tables (selftests/bench/document.py).
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypedDict

from khobvm.case import Case
from khobvm.errors import VmError
from khobvm.progress import Progress
from khobvm.report import Live, printed_json, summary
from khobvm.runner import Result, Runner
from khobvm.status import GenerationReport, StepReport

COMMAND = "khobvm measure-handover"
# Name of an end (cases/payload.py) and what its columns say.
WAYS = {"6.12": "kho_bridge, 6.12", "7.3-off": "kho_bridge, 7.3", "7.3-on": "7.3's own KHO"}
# The two that run on the same kernel.
OURS, UPSTREAMS = "7.3-off", "7.3-on"
_TIMES = {"preserve": "preserve", "load": "load", "blackout": "blackout, kexec to PID 1",
          "attach": "attach", "restore": "restore"}
_MORE = {"verify": "compare every byte", "free": "free the pages"}


@dataclass(frozen=True)
class Wish:
    """A run: an end's name, how much is preserved; whole: not only the outgoing side."""

    end: str
    mib: int
    whole: bool = True


@dataclass(frozen=True)
class Costs:
    """A run's figures: milliseconds by what was done, and KiB; only what was measured."""

    pages: int
    pieces: int
    ms: Mapping[str, float]
    taken: int
    total_lost: int | None
    free_lost: int | None


class Table(TypedDict):
    """A table of finished text."""

    title: str
    columns: list[str]
    rows: list[list[str]]


Found = Mapping[Wish, Costs]


def wishes(ends: Sequence[str], mib: int, growth: Sequence[int]) -> list[Wish]:
    """All runs.

    The kernel's own KHO needs a time for its blackout that grows with the square of the
    pages: of `mib` it does the outgoing side only, and all of the sizes in `growth`.
    """
    found = []
    for end in ends:
        found += [Wish(end, 0), Wish(end, mib, end != UPSTREAMS)]
        if end in (OURS, UPSTREAMS):
            found += [Wish(end, size) for size in growth]
    return found


def step(generation: GenerationReport, name: str) -> StepReport | None:
    """The last of a name."""
    found = [s for s in generation.steps.values() if s.name == name]
    return found[-1] if found else None


def number(said: Mapping[str, object], name: str) -> float:
    """A figure of a JSON object; 0 if it has none."""
    value = said.get(name, 0)
    return float(value) if isinstance(value, (int, float)) else 0.0


def values(generation: GenerationReport, name: str) -> dict[str, object]:
    """What a step has printed as JSON."""
    found = step(generation, name)
    return printed_json(found.output) if found else {}


def duration(generation: GenerationReport, name: str) -> float:
    """Milliseconds that a step took; 0 if there is none."""
    found = step(generation, name)
    return 1000 * (found.seconds or 0) if found else 0.0


def _integers(generation: GenerationReport, name: str) -> list[int]:
    found = step(generation, name)
    return [int(word) for word in re.findall(r"-?\d+", " ".join(found.output))] if found else []


def _outgoing(generation: GenerationReport) -> dict[str, float]:
    return {"preserve": number(values(generation, "preserve"), "preserve_us") / 1000,
            "load": duration(generation, "load")}


def _incoming(generation: GenerationReport) -> dict[str, float]:
    restored = values(generation, "restore")
    return {"attach": number(values(generation, "attach"), "ms"),
            **{name: number(restored, f"{name}_us") / 1000
               for name in ("blackout", "restore", "verify", "free")}}


def costs(result: Result) -> Costs:
    """A run's figures."""
    outgoing, *rest = result.generations
    ms = _outgoing(outgoing)
    before, after = (_integers(outgoing, f"free {when}") for when in ("before", "after"))
    memory = _integers(rest[0], "memory after") if rest else []
    if len(before) != 1 or len(after) != 1 or len(memory) != 4 * len(rest):
        raise VmError(f"{result.case.name} did not say how much memory there was")
    if rest:
        ms |= _incoming(rest[0])
    preserved = values(outgoing, "preserve")
    return Costs(int(number(preserved, "pages")), int(number(preserved, "pieces")), ms,
                 before[0] - after[0], memory[0] - memory[2] if rest else None,
                 memory[1] - memory[3] if rest else None)


def results(crew: Runner, cases: Sequence[Case], progress: Progress) -> Iterator[Result]:
    """What came out of each, one VM at a time; all have to pass."""
    live = Live(progress, len(cases), False)
    for case in cases:
        result = crew.run(case, live.report)
        live.ended(result)
        if not result.good:
            raise VmError(summary(result, 1))
        yield result


def tell(result: Result, ms: Mapping[str, float], progress: Progress) -> None:
    """A line of a run's milliseconds."""
    said = ", ".join(f"{name} {value:.0f} ms" for name, value in ms.items())
    progress.line(f"  {result.case.name}: {said} ({result.seconds:.0f} s)")


def measure(crew: Runner, make: Callable[[Wish], Case], wanted: Sequence[Wish],
            progress: Progress) -> dict[Wish, Costs]:
    """The figures of each run."""
    found: dict[Wish, Costs] = {}
    for wish, result in zip(wanted, results(crew, [make(w) for w in wanted], progress)):
        found[wish] = costs(result)
        tell(result, found[wish].ms, progress)
    return found


def cell(value: float | None) -> str:
    """A whole number, or nothing."""
    return "" if value is None else str(round(value))


def _all(found: Found, mib: int) -> Table:
    """Every figure of the full size, and with nothing preserved."""
    shown = {wish: c for wish, c in found.items() if wish.mib in (0, mib)}
    pages = max(c.pages for c in shown.values())
    rows = [[text, *(cell(c.ms.get(name)) for c in shown.values())]
            for name, text in {**_TIMES, **_MORE}.items()]
    rows += [["pieces of the region", *(str(c.pieces) for c in shown.values())],
             ["metadata, KiB", *(str(c.taken) for c in shown.values())],
             ["MemTotal lost afterwards, KiB", *(cell(c.total_lost) for c in shown.values())],
             ["free memory lost afterwards, KiB", *(cell(c.free_lost) for c in shown.values())]]
    return {"title": f"{pages} single pages, every other one of {2 * mib} MiB: milliseconds",
            "columns": ["", *(f"{WAYS[wish.end]}, {f'{wish.mib} MiB' if wish.mib else 'nothing'}"
                              for wish in shown)], "rows": rows}


def _added(found: Found, wish: Wish, *names: str) -> float | None:
    """Milliseconds more than with nothing preserved; None if not measured."""
    full, empty = found.get(wish), found.get(Wish(wish.end, 0))
    if not full or not empty or any(name not in full.ms for name in names):
        return None
    return sum(full.ms[name] - empty.ms[name] for name in names)


def _growth(found: Found) -> Table:
    """kho_bridge and the kernel's own KHO, on the same kernel, at every size."""
    rows = []
    for mib in sorted({wish.mib for wish in found if wish.mib}):
        row = [str(mib)]
        for names in (("preserve",), ("load",), ("blackout", "attach"), ("restore",)):
            both = [_added(found, Wish(OURS, mib), *names),
                    _added(found, Wish(UPSTREAMS, mib), *names)]
            if both[1] is None:
                both[1] = _added(found, Wish(UPSTREAMS, mib, False), *names)
            row += [cell(value) for value in both]
        rows.append(row)
    columns = [f"{what}, {who}" for what in ("preserve", "load", "blackout and attach", "restore")
               for who in ("kho_bridge", "own KHO")]
    return {"title": "What pages add to the same kexec with nothing preserved, on 7.3: "
                     "milliseconds", "columns": ["MiB", *columns], "rows": rows}


def tables(found: Found, mib: int) -> list[Table]:
    """What selftests/bench/document.py takes."""
    ends = {wish.end for wish in found}
    return [_all(found, mib), *([_growth(found)] if {OURS, UPSTREAMS} <= ends else [])]


def write(path: Path, made: Sequence[Table], command: str) -> None:
    """For the document's section end-to-end."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps({"command": command, "tables": made}, indent=1) + "\n",
                    encoding="utf-8")


def show(made: Sequence[Table]) -> str:
    """The tables for a terminal."""
    blocks = [[table["title"], *(" | ".join(line) for line in
                                 (table["columns"], *table["rows"]))] for table in made]
    return "\n\n".join("\n".join(lines) for lines in blocks)
