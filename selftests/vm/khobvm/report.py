# SPDX-License-Identifier: GPL-2.0-only
"""Shows results: a line per case, nested KTAP, or JSON."""

from __future__ import annotations

import json
import shlex
import threading
import time
from collections.abc import Sequence
from pathlib import Path

from khobvm.case import Case, Outcome
from khobvm.progress import Progress
from khobvm.runner import Result
from khobvm.status import GenerationReport, Parser, StepReport


class Live:
    """What the running cases are at: one line on a terminal, or a line a step."""

    def __init__(self, progress: Progress, total: int, steps: bool) -> None:
        self._progress = progress
        self._total = total
        self._steps = steps
        self._done = 0
        self._lock = threading.Lock()
        self._at: dict[str, str] = {}
        self._shown: dict[str, int] = {}

    def report(self, case: Case, parser: Parser) -> None:
        """The guest of a case has sent something."""
        with self._lock:
            if self._steps:
                self._print_steps(case, parser)
            generation = parser.last
            if generation is not None:
                step = parser.running()
                total = (generation.planned or 0)
                at = f"{len(generation.steps)}/{total} {step.name}" if step else "ends"
                self._at[case.name] = f"{case.name} gen {generation.number}: {at}"
            self._progress.step(f"[{self._done}/{self._total}] " + "; ".join(self._at.values()))

    def _print_steps(self, case: Case, parser: Parser) -> None:
        ended = [(g, s) for g in parser.generations for s in g.steps.values()
                 if s.ok is not None]
        for generation, step in ended[self._shown.get(case.name, 0):]:
            seconds = f" ({step.seconds:.2f} s)" if step.seconds is not None else ""
            word = "ok" if step.ok else "not ok"
            self._progress.line(f"  {case.name} gen {generation.number}: {word} "
                                f"{step.name}{seconds}")
        self._shown[case.name] = len(ended)

    def ended(self, result: Result) -> None:
        """A case has ended."""
        with self._lock:
            self._done += 1
            self._at.pop(result.case.name, None)


def summary(result: Result, number: int) -> str:
    """One line for a case, and why when it is not good."""
    word = "ok" if result.good else "not ok"
    line = f"{word} {number} {result.case.name} ({result.seconds:.1f} s)"
    if result.good and result.verdict.outcome is Outcome.PASSED:
        return line
    line += f": {result.verdict.outcome.value}"
    if result.good:
        return f"{line}, as it must"
    lines = [f"{line}: {result.verdict.why}"]
    lines += [f"    {text}" for text in result.verdict.details]
    if result.verdict.outcome is not Outcome.FAILED:
        lines += ["    last console lines:"]
        lines += [f"    | {text}" for text in result.console.splitlines()]
    if result.workspace:
        lines.append(f"    workspace: {result.workspace}")
    return "\n".join(lines)


def _ktap_generation(report: GenerationReport) -> list[str]:
    lines = ["    KTAP version 1", f"    1..{report.planned or 0}"]
    for number in sorted(report.steps):
        step = report.steps[number]
        note = f" # {step.note}" if step.note else ""
        lines += [f"    # {text}" for text in [*step.output, *step.problems]]
        lines.append(f"    {'ok' if step.ok else 'not ok'} {number} {step.name}{note}")
    return lines


def ktap(results: Sequence[Result]) -> str:
    """All results as nested KTAP: cases, their generations, their steps."""
    lines = ["KTAP version 1", f"1..{len(results)}"]
    for number, result in enumerate(results, 1):
        lines += ["  KTAP version 1", f"  1..{len(result.case.generations)}"]
        for report in result.generations:
            lines += _ktap_generation(report)
            good = report.status in ("passed", "kexec")
            lines.append(f"  {'ok' if good else 'not ok'} {report.number} "
                         f"generation {report.number} {report.release}")
        lines.append(summary(result, number).replace("\n", "\n# "))
    return "\n".join(lines)


def _step_json(number: int, step: StepReport) -> dict[str, object]:
    return {"number": number, "name": step.name, "ok": step.ok, "note": step.note,
            "seconds": step.seconds, "started": step.started, "ended": step.ended,
            "output": step.output, "problems": step.problems}


def _generation_json(report: GenerationReport) -> dict[str, object]:
    return {"generation": report.number, "release": report.release,
            "init_tsc": report.init_tsc, "first_seen": report.first_seen,
            "status": report.status or None, "status_time": report.status_time,
            "planned": report.planned, "notes": report.notes,
            "steps": [_step_json(n, report.steps[n]) for n in sorted(report.steps)]}


def to_json(result: Result) -> dict[str, object]:
    """A case's result with plain types; host times are Unix seconds."""
    return {"name": result.case.name, "doc": result.case.doc, "good": result.good,
            "outcome": result.verdict.outcome.value, "expected": result.case.outcome.value,
            "why": result.verdict.why, "details": result.verdict.details,
            "seconds": result.seconds, "started": result.started,
            "accelerator": result.accelerator, "command": result.command,
            "workspace": result.workspace or None, "console_tail": result.console.splitlines(),
            "stray": result.stray, "tries": result.tries,
            "generations": [_generation_json(g) for g in result.generations]}


def write_json(path: Path, results: Sequence[Result]) -> None:
    """Writes all results."""
    document = {"written": time.time(), "cases": [to_json(r) for r in results]}
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")


def printed_json(lines: Sequence[str]) -> dict[str, object]:
    """What `khoctl --json` printed in a step; progress lines may stand before it."""
    start = next((i for i, line in enumerate(lines) if line.startswith("{")), len(lines))
    try:
        found = json.loads("\n".join(lines[start:]))
    except json.JSONDecodeError:
        return {}
    return found if isinstance(found, dict) else {}


def command_line(command: Sequence[str]) -> str:
    """A command as one would type it."""
    return " ".join(shlex.quote(word) for word in command)
