# SPDX-License-Identifier: GPL-2.0-only
"""README's table of kernel pairs: from results to cells, and in and out of a document."""

from __future__ import annotations

import json
import tempfile
import unittest
from pathlib import Path

from khobvm import matrix
from khobvm.errors import VmError

_ENDS = ("6.1", "7.3-on")
_PLACE = f"# Title\n\n{matrix.BEGIN}\n{matrix.END}\ntext\n"
_LOAD = {"name": "load", "output": ["taking scratch", "{", '"method": "kho",', '"abi": "kho-v4"',
                                    "}"]}


def _result(name: str, good: bool, *steps: object) -> dict[str, object]:
    return {"name": name, "good": good, "generations": [{"steps": list(steps)}]}


class MatrixTest(unittest.TestCase):
    """Cells come from results, and only those in the results change."""

    def setUp(self) -> None:
        temp = tempfile.TemporaryDirectory()
        self.addCleanup(temp.cleanup)
        self.document = Path(temp.name) / "README.md"
        self.document.write_text(_PLACE, encoding="utf-8")
        self.results = Path(temp.name) / "results.json"

    def collect(self, *cases: object) -> matrix.Cells:
        """The cells of these results."""
        self.results.write_text(json.dumps({"cases": cases}), encoding="utf-8")
        return matrix.collect(_ENDS, [self.results])

    def test_cells(self) -> None:
        """A cell has method and ABI where the kernel was loaded; other cases have none."""
        cells = self.collect(_result("pair-6.1-7.3-on", True, _LOAD), _result("demo", True),
                             _result("pair-7.3-on-6.1", False),
                             _result("pair-7.3-on-7.3-on", False, _LOAD))
        self.assertEqual(cells, {("6.1", "7.3-on"): "kho, kho-v4: ok",
                                 ("7.3-on", "6.1"): "failed",
                                 ("7.3-on", "7.3-on"): "kho, kho-v4: failed"})

    def test_write(self) -> None:
        """What is not in the results stays; what was never run says so."""
        first = self.collect(_result("pair-6.1-7.3-on", True, _LOAD))
        self.assertEqual(matrix.write(_ENDS, first, self.document), 1)
        second = self.collect(_result("pair-7.3-on-6.1", False))
        self.assertEqual(matrix.write(_ENDS, second, self.document), 1)
        self.assertEqual(matrix.write(_ENDS, second, self.document), 0)
        text = self.document.read_text(encoding="utf-8")
        self.assertIn("| 6.1 | not run | kho, kho-v4: ok |\n| 7.3-on | failed | not run |", text)
        self.assertTrue(text.startswith("# Title\n") and text.endswith("\ntext\n"))

    def test_differences(self) -> None:
        """Each cell that is not as tested is named, with the command that renews it."""
        good = self.collect(_result("pair-6.1-7.3-on", True, _LOAD))
        matrix.write(_ENDS, good, self.document)
        self.assertEqual(matrix.differences(_ENDS, good, self.document), [])
        bad = self.collect(_result("pair-6.1-7.3-on", False, _LOAD))
        said = matrix.differences(_ENDS, bad, self.document)
        self.assertEqual(said[0], "README.md says of 6.1 to 7.3-on 'kho, kho-v4: ok', the tests "
                                  "say 'kho, kho-v4: failed'")
        self.assertIn("make matrix", said[1])

    def test_refused(self) -> None:
        """A document without the two lines, and a file without results."""
        self.document.write_text("# Title\n", encoding="utf-8")
        with self.assertRaises(VmError):
            matrix.write(_ENDS, {}, self.document)
        self.results.write_text("[]", encoding="utf-8")
        with self.assertRaises(VmError):
            matrix.collect(_ENDS, [self.results])
        with self.assertRaises(VmError):
            matrix.collect(_ENDS, [self.results.with_name("none")])


if __name__ == "__main__":
    unittest.main()
