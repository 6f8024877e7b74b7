# SPDX-License-Identifier: GPL-2.0-only
"""Says how a run came out, from what the guest sent and how QEMU ended."""

from __future__ import annotations

from dataclasses import dataclass, field

from khobvm import record
from khobvm.case import Case, Outcome
from khobvm.status import GenerationReport, StepReport


@dataclass
class Verdict:
    """The outcome, one sentence why, and lines that help to find the cause."""

    outcome: Outcome
    why: str
    details: list[str] = field(default_factory=list)


def _failed_step(report: GenerationReport) -> StepReport | None:
    """The first step that failed by itself; what follows one is only "not run"."""
    for number in sorted(report.steps):
        if report.steps[number].ok is False:
            return report.steps[number]
    return None


def _failure(report: GenerationReport) -> Verdict:
    where = f"generation {report.number} ({report.release})"
    step = _failed_step(report)
    if step is None:
        return Verdict(Outcome.FAILED, f"{where} says so", list(report.notes))
    why = step.problems[0] if step.problems else "see its output"
    return Verdict(Outcome.FAILED, f"{where}, {step.name}: {why}",
                   [*step.output[-20:], *step.problems])


def _check_passed(case: Case, reports: list[GenerationReport]) -> Verdict | None:
    """Distrusts a run whose every status is good: were all of its parts there?"""
    for report, expected in zip(reports, case.generations):
        where = f"generation {report.number}"
        if not record.is_release(expected.kernel, report.release):
            return Verdict(Outcome.FAILED, f"{where} ran {report.release}, not a "
                                           f"{expected.kernel} kernel")
        steps = len(expected.steps) + int(expected.check_log)
        if report.planned != steps:
            return Verdict(Outcome.FAILED,
                           f"{where} planned {report.planned} tests, not {steps}")
        good = sum(1 for s in report.steps.values() if s.ok)
        if good != steps:
            return Verdict(Outcome.FAILED, f"{where} says passed, with {good} of {steps} ok")
    return None


def close_final_steps(case: Case, reports: list[GenerationReport]) -> None:
    """A step that left its kernel can send no result: the next generation is it."""
    for before, after in zip(reports, reports[1:]):
        if before.status != "kexec":
            continue
        for step in before.steps.values():
            if step.ok is None:
                step.ok, step.ended = True, after.first_seen
    del case


def judge(case: Case, reports: list[GenerationReport], ended: str) -> Verdict:
    """The verdict on a run. ended: how the VM came to its end, in words."""
    for report in reports:
        if report.status == "failed" or _failed_step(report) is not None:
            return _failure(report)
    numbers = [r.number for r in reports]
    if numbers != list(range(1, len(numbers) + 1)) or len(numbers) > len(case.generations):
        return Verdict(Outcome.FAILED, f"generations came as {numbers}")
    if not reports:
        return Verdict(Outcome.NO_STATUS, f"nothing came from generation 1; {ended}")
    last = reports[-1]
    if len(reports) == len(case.generations) and last.status == "passed":
        return _check_passed(case, reports) or Verdict(Outcome.PASSED, "")
    if last.status == "passed":
        return Verdict(Outcome.FAILED, f"generation {last.number} powered off, a kexec was due")
    if last.status == "kexec":
        return Verdict(Outcome.NO_STATUS, f"generation {last.number} left through kexec, "
                                          f"nothing came from generation {last.number + 1}; "
                                          f"{ended}")
    open_steps = [s.name for s in last.steps.values() if s.ok is None]
    at = f", at '{open_steps[-1]}'" if open_steps else ""
    return Verdict(Outcome.NO_STATUS, f"generation {last.number} ({last.release}) sent no "
                                      f"status{at}; {ended}")
