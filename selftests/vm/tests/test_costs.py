# SPDX-License-Identifier: GPL-2.0-only
"""What measure-handover makes of what the guests say."""

from __future__ import annotations

import json
import tempfile
import unittest
from pathlib import Path

from khobvm import costs
from khobvm.case import Case, Generation, Outcome
from khobvm.costs import Costs, Wish
from khobvm.errors import VmError
from khobvm.runner import Result
from khobvm.status import GenerationReport, StepReport
from khobvm.verdict import Verdict


def _generation(number: int, steps: dict[str, str], seconds: float = 0) -> GenerationReport:
    report = GenerationReport(number, "7.3.4", 0, 0)
    for index, (name, text) in enumerate(steps.items()):
        report.steps[index] = StepReport(name, True, seconds=seconds, output=text.splitlines())
    return report


_OUTGOING = _generation(1, {"free before": "5000", "preserve": '{"pages": 8,\n"pieces": 2, '
                            '"preserve_us": 4000}', "free after": "4900", "load": ""}, 0.5)
_INCOMING = _generation(2, {"attach": 'attaching\n{"ms": 7.5}', "memory after": "100 90 99 92",
                            "restore": '{"blackout_us": 1000, "restore_us": 2000,\n'
                                       '"verify_us": 3000, "free_us": 4000}'})


def _result(*generations: GenerationReport) -> Result:
    case = Case("a", "", tuple(Generation("7.3") for _ in generations))
    return Result(case, Verdict(Outcome.PASSED, ""), 1, list(generations), [], "tcg", 0)


def _costs(pages: int, ms: float, whole: bool = True) -> Costs:
    names = ("preserve", "load", *(("blackout", "attach", "restore") if whole else ()))
    return Costs(pages, 1, dict.fromkeys(names, ms), 10, 0 if whole else None, None)


class CostsTest(unittest.TestCase):
    """Figures from reports."""

    def test_whole(self) -> None:
        """Both sides."""
        found = costs.costs(_result(_OUTGOING, _INCOMING))
        self.assertEqual((found.pages, found.pieces, found.taken), (8, 2, 100))
        self.assertEqual((found.total_lost, found.free_lost), (1, -2))
        self.assertEqual(found.ms, {"preserve": 4, "load": 500, "blackout": 1, "attach": 7.5,
                                    "restore": 2, "verify": 3, "free": 4})

    def test_outgoing_only(self) -> None:
        """What was not measured is not there."""
        found = costs.costs(_result(_OUTGOING))
        self.assertEqual(found.ms, {"preserve": 4, "load": 500})
        self.assertIsNone(found.total_lost)

    def test_silent_guest(self) -> None:
        """Figures that did not come are no zeroes."""
        with self.assertRaises(VmError):
            costs.costs(_result(_OUTGOING, _generation(2, {})))


class TablesTest(unittest.TestCase):
    """What the document gets."""

    def test_wishes(self) -> None:
        """The kernel's own KHO goes to its end with little only."""
        found = costs.wishes(["6.12", "7.3-on"], 2048, [16])
        self.assertEqual(found, [Wish("6.12", 0), Wish("6.12", 2048), Wish("7.3-on", 0),
                                 Wish("7.3-on", 2048, False), Wish("7.3-on", 16)])

    def test_tables(self) -> None:
        """Growth is over nothing preserved; a cell without a figure is empty."""
        found = {Wish("7.3-off", 0): _costs(0, 1), Wish("7.3-off", 64): _costs(16384, 11),
                 Wish("7.3-on", 0): _costs(0, 2), Wish("7.3-on", 64, False):
                 _costs(16384, 5, False)}
        every, growth = costs.tables(found, 64)
        self.assertIn("16384 single pages", every["title"])
        self.assertEqual(growth["rows"], [["64", "10", "3", "10", "3", "20", "", "10", ""]])
        for table in (every, growth):
            for row in table["rows"]:
                self.assertEqual(len(row), len(table["columns"]))
        self.assertIn("64 | 10 | 3", costs.show([growth]))
        with tempfile.TemporaryDirectory() as temp:
            costs.write(Path(temp) / "a" / "b.json", [growth], "x")
            data = json.loads((Path(temp) / "a" / "b.json").read_text(encoding="utf-8"))
        self.assertEqual((data["command"], data["tables"]), ("x", [growth]))

    def test_one_way(self) -> None:
        """Without the two to compare there is no comparison."""
        found = {Wish("6.12", 0): _costs(0, 1), Wish("6.12", 64): _costs(16384, 11)}
        self.assertEqual(len(costs.tables(found, 64)), 1)


if __name__ == "__main__":
    unittest.main()
