# SPDX-License-Identifier: GPL-2.0-only
"""What measure-keep makes of what the guests say."""

from __future__ import annotations

import unittest

from khobvm import keep_costs
from khobvm.case import Case, Generation, Outcome
from khobvm.errors import VmError
from khobvm.keep_costs import NOTHING, Wish
from khobvm.runner import Result
from khobvm.status import GenerationReport, StepReport
from khobvm.verdict import Verdict


def _generation(number: int, steps: dict[str, str]) -> GenerationReport:
    report = GenerationReport(number, "6.12.1", 0, 0)
    for index, (name, text) in enumerate(steps.items()):
        report.steps[index] = StepReport(name, True, seconds=0.5, output=text.splitlines())
    return report


def _result(blackout: str) -> Result:
    generations = [_generation(1, {"to tmpfs": "",
                                   "load": '{"check_ms": 400, "cover_ms": 100, "ms": 900}'}),
                   _generation(2, {"attach": '{"ms": 7.5}', "blackout": blackout, "restore": ""})]
    case = Case("a", "", (Generation("6.12"), Generation("6.12")))
    return Result(case, Verdict(Outcome.PASSED, ""), 1, generations, [], "tcg", 0)


def _costs(ms: float, copied: float) -> dict[str, float]:
    return {**dict.fromkeys(("load", "blackout", "attach", "restore"), ms),
            **dict.fromkeys(("to tmpfs", "from tmpfs", "to disk", "from disk"), copied)}


class KeepCostsTest(unittest.TestCase):
    """Figures from reports, and tables from figures."""

    def test_costs(self) -> None:
        """Both sides; what was not done took nothing."""
        found = keep_costs.costs(_result('{"blackout_us": 3000}'))
        self.assertEqual(found, {"load": 500, "blackout": 3, "attach": 7.5, "restore": 500,
                                 "to tmpfs": 500, "to disk": 0, "from tmpfs": 0, "from disk": 0})

    def test_silent_guest(self) -> None:
        """Figures that did not come are no zeroes."""
        with self.assertRaises(VmError):
            keep_costs.costs(_result(""))

    def test_tables(self) -> None:
        """More than with nothing, also for a GiB; what was not measured is empty."""
        empty, kept = keep_costs.tables({
            Wish(NOTHING, 64): _costs(1, 0), Wish("huge", 64): _costs(3, 9),
            Wish(NOTHING, 8192): _costs(1, 0), Wish("huge", 8192): _costs(2, 0)})
        self.assertEqual(empty["rows"][1], ["blackout and attach", "2", "2"])
        self.assertEqual(kept["rows"][1], ["64 MiB: blackout and attach", "4", "", "", ""])
        self.assertEqual(kept["rows"][3], ["64 MiB: all of it", "8", "", "18", "18"])
        self.assertEqual(kept["rows"][4], ["64 MiB: a GiB of it", "128", "", "", ""])
        self.assertEqual(kept["rows"][8], ["8192 MiB: all of it", "4", "", "", ""])
