# SPDX-License-Identifier: GPL-2.0-only
"""What measure-memfds makes of what the guests say."""

from __future__ import annotations

import unittest

from khobvm import memfd_costs
from khobvm.case import Case, Generation, Outcome
from khobvm.errors import VmError
from khobvm.memfd_costs import Wish
from khobvm.runner import Result
from khobvm.status import GenerationReport, StepReport
from khobvm.verdict import Verdict


def _generation(number: int, steps: dict[str, str], seconds: float = 0) -> GenerationReport:
    report = GenerationReport(number, "6.12.1", 0, 0)
    for index, (name, text) in enumerate(steps.items()):
        report.steps[index] = StepReport(name, True, seconds=seconds, output=text.splitlines())
    return report


def _result(retrieved: str) -> Result:
    case = Case("a", "", (Generation("6.12"), Generation("6.12")))
    generations = [_generation(1, {"preserve": '{"preserve_us": 4000, "write_us": 9000}',
                                   "load": ""}, 0.5),
                   _generation(2, {"attach": '{"ms": 7.5}', "retrieve": retrieved})]
    return Result(case, Verdict(Outcome.PASSED, ""), 1, generations, [], "tcg", 0)


def _costs(ms: float, disk: float = 0) -> dict[str, float]:
    return {**dict.fromkeys(("preserve", "load", "blackout", "attach", "retrieve"), ms),
            "write": disk, "read": disk}


class MemfdCostsTest(unittest.TestCase):
    """Figures from reports, and tables from figures."""

    def test_costs(self) -> None:
        """Both sides."""
        found = memfd_costs.costs(_result('{"retrieve_us": 2000, "read_us": 8000, '
                                          '"blackout_us": 1000}'))
        self.assertEqual(found, {"preserve": 4, "write": 9, "load": 500, "attach": 7.5,
                                 "retrieve": 2, "read": 8, "blackout": 1})

    def test_silent_guest(self) -> None:
        """Figures that did not come are no zeroes."""
        with self.assertRaises(VmError):
            memfd_costs.costs(_result(""))

    def test_wishes(self) -> None:
        """Scattered pages only where they come to an end."""
        found = memfd_costs.wishes(["7.3-on"], [64, 1024])
        self.assertEqual([(w.pages, w.mib) for w in found],
                         [("single", 0), ("single", 64), ("single", 1024), ("scattered", 64),
                          ("huge", 64), ("huge", 1024)])

    def test_tables(self) -> None:
        """More than with nothing; what was not measured is empty."""
        found = {Wish("6.12", "single", 0): _costs(1), Wish("6.12", "huge", 64): _costs(11, 30),
                 Wish("7.3-on", "single", 0): _costs(2)}
        empty, huge = memfd_costs.tables(found)
        self.assertEqual(empty["columns"], ["", "kho_luo, 6.12", "7.3's own LUO"])
        self.assertIn(["blackout and attach", "2", "4"], empty["rows"])
        self.assertEqual(huge["rows"], [["64 MiB: preserve", "10", "", "30"],
                                        ["64 MiB: load", "10", "", ""],
                                        ["64 MiB: blackout and attach", "20", "", ""],
                                        ["64 MiB: retrieve", "10", "", "30"],
                                        ["64 MiB: all of it", "50", "", "60"]])


if __name__ == "__main__":
    unittest.main()
