# SPDX-License-Identifier: GPL-2.0-only
"""Reads the guest's report: KTAP with our own "# khob-" lines, one plan a generation.

The bytes come from a guest that may have crashed half way, so nothing is taken for
granted: what does not fit is kept as a note, never raised.
"""

from __future__ import annotations

import re
import time
from dataclasses import dataclass, field

_GEN = re.compile(r"# khob-gen: (\d{1,6}) release=(\S+) tsc=(\d{1,20})")
_STEP = re.compile(r"# khob-step: (\d{1,6}) (.+)")
_TIME = re.compile(r"# khob-time: (\d{1,6}) (\d{1,15})")
_STATUS = re.compile(r"# khob-status: (\d{1,6}) (passed|failed|kexec)")
_PLAN = re.compile(r"1\.\.(\d{1,6})")
_RESULT = re.compile(r"(ok|not ok) (\d{1,6}) (.*)")


@dataclass
class StepReport:
    """One test line, with what came before it."""

    name: str
    ok: bool | None = None
    note: str = ""
    seconds: float | None = None
    started: float | None = None
    ended: float | None = None
    output: list[str] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)


@dataclass
class GenerationReport:
    """What one kernel's init sent. Times are the host's clock, in Unix seconds."""

    number: int
    release: str
    init_tsc: int
    first_seen: float
    planned: int | None = None
    status: str = ""
    status_time: float | None = None
    steps: dict[int, StepReport] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)

    def step(self, number: int, name: str) -> StepReport:
        """The report of a step; a new one when it is the first line about it."""
        return self.steps.setdefault(number, StepReport(name))


class Parser:
    """Takes the report's bytes as they come."""

    def __init__(self) -> None:
        self.generations: list[GenerationReport] = []
        self.stray: list[str] = []
        self._rest = b""
        self._output: list[str] = []
        self._problems: list[str] = []

    @property
    def last(self) -> GenerationReport | None:
        """The generation that reports now."""
        return self.generations[-1] if self.generations else None

    @property
    def pending(self) -> list[str]:
        """What the step that runs has printed so far."""
        return self._output

    def running(self) -> StepReport | None:
        """The step that has started and not ended."""
        if self.last is None:
            return None
        open_steps = [s for s in self.last.steps.values() if s.ok is None]
        return open_steps[-1] if open_steps else None

    def feed(self, data: bytes, now: float | None = None) -> bool:
        """Reads more bytes; true when they held at least one whole line."""
        lines = (self._rest + data).split(b"\n")
        self._rest = lines.pop()
        stamp = time.time() if now is None else now
        for line in lines:
            self._line(line.decode("utf-8", "replace"), stamp)
        return bool(lines)

    def _line(self, line: str, now: float) -> None:
        if found := _GEN.fullmatch(line):
            self.generations.append(
                GenerationReport(int(found[1]), found[2], int(found[3]), now))
            self._output, self._problems = [], []
            return
        generation = self.last
        if generation is None:
            if line != "KTAP version 1":
                self.stray.append(line)
            return
        if line.startswith("# | "):
            self._output.append(line[4:])
        elif found := _STEP.fullmatch(line):
            generation.step(int(found[1]), found[2]).started = now
            self._output, self._problems = [], []
        elif found := _TIME.fullmatch(line):
            if step := generation.steps.get(int(found[1])):
                step.seconds = int(found[2]) / 1e6
        elif found := _STATUS.fullmatch(line):
            self._status(generation, int(found[1]), found[2], now)
        elif found := _PLAN.fullmatch(line):
            generation.planned = int(found[1])
        elif found := _RESULT.fullmatch(line):
            self._result(generation, int(found[2]), found[1] == "ok", found[3], now)
        elif line.startswith("# "):
            self._problems.append(line[2:])
        elif line != "KTAP version 1":
            generation.notes.append(line)

    def _status(self, generation: GenerationReport, number: int, word: str,
                now: float) -> None:
        if number != generation.number:
            generation.notes.append(f"a status for generation {number} came")
            return
        generation.status = word
        generation.status_time = now
        generation.notes += self._problems
        self._problems = []

    def _result(self, generation: GenerationReport, number: int, good: bool, text: str,
                now: float) -> None:
        name, _, note = text.partition(" # ")
        step = generation.step(number, name)
        step.ok, step.note, step.ended = good, note, now
        step.output, step.problems = self._output, self._problems
        self._output, self._problems = [], []

    def finish(self) -> None:
        """The VM is gone: what came for a step that never ended stays with it."""
        step = self.running()
        if step is not None:
            step.output, step.problems = self._output, self._problems
