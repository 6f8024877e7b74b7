# SPDX-License-Identifier: GPL-2.0-only
"""Runs a soak: many kexecs in one VM, a line for each, and what memory each kernel had.

The guest compares everything with the model itself and stops at the first difference; how
much memory there is from boot to boot is compared here, as the figures come.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from khobvm import report
from khobvm.case import Case
from khobvm.model import TABLE_PAGES, Client, Life
from khobvm.progress import Progress
from khobvm.runner import Result, Runner
from khobvm.status import GenerationReport, Parser

# What a kernel may have less, or more, than when it ran for the first time, what is held aside.
# MemTotal: a boot keeps the pages of its setup_data chain, kho_bridge's metadata blob grows by a
# page with its chunks, and kho-v2 has an FDT around every blob, a page more for each of ten. Up
# to 16 KiB were seen. One page lost in each generation shows before the hundredth
# if it is handed on, and more than that in one boot at once.
TOTAL_KIB = 128
# Free memory: slabs and page tables differ by some hundred KiB from boot to boot of the same
# kernel, the books of what is held, a struct for each folio, by no more than that. Up to 500 KiB
# were seen; what cases/blocks.py allows between two kernels is this.
FREE_KIB = 2048
# Of kho-bridge-records, which stay as long as they may be verified.
RECORD_BYTES = 48


# What a step of cases/soak.py prints where something is not as it must be.
WRONG = ", the model says "


@dataclass(frozen=True)
class Memory:
    """KiB of one kernel on arrival. held: what the model says is held of it; live: what counts
    as its own by then all the same, and is not free."""

    total: int
    free: int
    held: int
    live: int = 0

    @property
    def whole_total(self) -> int:
        """MemTotal with what is held."""
        return self.total + self.held

    @property
    def whole_free(self) -> int:
        """What would be free if all of it were given back."""
        return self.free + self.held + self.live


@dataclass
class Row:
    """What is known of one kind of kernel."""

    name: str
    runs: list[Memory] = field(default_factory=list)
    seconds: float = 0.0

    def add(self, memory: Memory) -> str:
        """One more run; a sentence if it has drifted from the first one."""
        self.runs.append(memory)
        first = self.runs[0]
        for what, was, now, most in (
                ("MemTotal", first.whole_total, memory.whole_total, TOTAL_KIB),
                ("free memory", first.whole_free, memory.whole_free, FREE_KIB)):
            if abs(now - was) > most:
                return (f"{what} of {self.name} has drifted: with what is held {now} KiB, at "
                        f"first {was} KiB, more than {most} KiB away")
        return ""


def memory_of(life: Life, total: int, free: int) -> Memory:
    """Figures of a life's kernel, with what the model knows of them."""
    table = TABLE_PAGES * int(life.found_table)
    live = sum(i.pages for i in life.found.items.values()) if life.client is Client.KERNEL else 0
    old = sum(b.pages for b in life.found.blobs.values() if b.made < life.number - 1)
    # They are in the metadata, of which a kernel's own KHO makes whole blocks live.
    new = sum(b.pages for b in life.found.blobs.values()) - old + \
        -(-life.found.records * RECORD_BYTES // 4096)
    held = life.found_pages + old + table
    if life.place.native:
        live += new
    else:
        held += new
    return Memory(total, free, 4 * held, 4 * live)


class Soak:
    """Follows the run of a case that was made of `lives`."""

    def __init__(self, lives: Sequence[Life], step: str, progress: Progress, crew: Runner) -> None:
        self.rows: dict[str, Row] = {}
        self.drift = ""
        self.passed = 0
        self._lives = lives
        self._step = step
        self._progress = progress
        self._crew = crew
        self._begin = 0.0

    def report(self, case: Case, parser: Parser) -> None:
        """The guest has sent something."""
        done = [g for g in parser.generations if g.status in ("kexec", "passed")]
        for generation in done[self.passed:]:
            self._ended(generation)
        last, running = parser.last, parser.running()
        if last is not None and running is not None:
            self._progress.step(f"[{last.number}/{len(case.generations)}] {last.release}: "
                                f"{running.name}")

    def _memory(self, generation: GenerationReport, life: Life) -> Memory | None:
        for step in generation.steps.values():
            words = step.output[-1].split() if step.output else []
            if step.name == self._step and len(words) == 2:
                return memory_of(life, int(words[0]), int(words[1]))
        return None

    def _ended(self, generation: GenerationReport) -> None:
        life = self._lives[self.passed]
        self.passed += 1
        row = self.rows.setdefault(life.place.name, Row(life.place.name))
        ended = generation.status_time or generation.first_seen
        seconds = ended - (self._begin or generation.first_seen)
        self._begin = ended
        row.seconds += seconds
        memory = self._memory(generation, life)
        if memory is None:
            # The case itself fails: such a step is in every generation.
            return
        # QEMU gives another map of memory than a kexec does.
        self.drift = self.drift or (row.add(memory) if life.number > 1 else "")
        self._progress.line(
            f"  {life.number}/{len(self._lives)} {life.place.name:7} {life.abi or 'booted':6} "
            f"{life.found_pages:5} pages, {len(life.found.blobs):2} blobs, "
            f"{len(life.found.items)} items of the client ({life.client.value}); "
            f"MemTotal {memory.total}, free {memory.free} KiB; {seconds:.1f} s")
        if self.drift:
            self.passed -= 1
            self._crew.stop()


def table(rows: Sequence[Row]) -> str:
    """Per kernel: kexecs into it, seconds each, and memory: read, and with what was held."""
    lines = [f"{'kernel':8} {'kexecs':>6} {'s each':>6} {'MemTotal, KiB':>17} "
             f"{'free, KiB':>17} {'drift of both':>13}"]
    for row in rows:
        totals = [m.total for m in row.runs]
        frees = [m.free for m in row.runs]
        if not row.runs:
            continue
        first = row.runs[0]
        drifts = (max(abs(m.whole_total - first.whole_total) for m in row.runs),
                  max(abs(m.whole_free - first.whole_free) for m in row.runs))
        lines.append(f"{row.name:8} {len(row.runs):6} {row.seconds / len(row.runs):6.1f} "
                     f"{min(totals):8}-{max(totals):8} {min(frees):8}-{max(frees):8} "
                     f"{drifts[0]:6} {drifts[1]:6}")
    return "\n".join(lines)


def command(kexecs: int, seed: int, ends: Sequence[str] = ()) -> str:
    """What runs the same again."""
    if not ends:
        return f"make soak KEXECS={kexecs} SEED={seed}"
    only = "".join(f" --end {end}" for end in ends)
    return ("PYTHONPATH=selftests/vm /usr/bin/python3 -m khobvm soak "
            f"--kexecs {kexecs} --seed {seed}{only}")


def failure(result: Result, soak: Soak, seed: int, again: str) -> str:
    """Why it failed, a drift or what the guest found, and what shows it again."""
    if soak.drift:
        return f"seed {seed}, generation {soak.passed + 1}: {soak.drift}\nagain: {again}"
    details = result.verdict.details
    differs = [line for line in details if WRONG in line and not line.startswith("the output")]
    why = result.verdict.why
    if differs:
        why = f"{why.partition(': the output must not')[0]}: {'; '.join(differs)}"
    shown = [*details, "console:", *result.console.splitlines()]
    return "\n".join([f"seed {seed}, {why}", *(f"  | {line}" for line in shown),
                      f"again: {again}"])


def write_json(path: Path, result: Result, soak: Soak, seed: int) -> None:
    """Everything: figures by kernel, and the report of the case."""
    rows = [{"kernel": row.name, "seconds": row.seconds,
             "runs": [{"total_kib": m.total, "free_kib": m.free, "held_kib": m.held,
                       "live_kib": m.live} for m in row.runs]} for row in soak.rows.values()]
    document = {"seed": seed, "passed": soak.passed, "drift": soak.drift, "kernels": rows,
                "case": report.to_json(result)}
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")
