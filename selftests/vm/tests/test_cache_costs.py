# SPDX-License-Identifier: GPL-2.0-only
"""What measure-cache makes of what the guests say, and what its disk is made of."""

from __future__ import annotations

import json
import tempfile
import unittest
from pathlib import Path
from unittest import mock

from khobvm import apt, cache_costs, disk
from khobvm.case import Case, Generation, Outcome
from khobvm.errors import VmError
from khobvm.runner import Result
from khobvm.status import GenerationReport, StepReport
from khobvm.verdict import Verdict


def _read(percent: int, took: int) -> str:
    return json.dumps({"keys": 10, "good": 10, "percent": percent, "first_ms": 1, "all_ms": took})


def _result(since: str) -> Result:
    steps = ({"fill": _read(100, 70), "full": _read(100, 20)},
             {"first hit": f"{_read(100, 1)}\n{since}", "warm": _read(100, 30),
              "nothing hits": _read(0, 10), "restored": "ms: 7.0\nfiles: 2\nms: 44.4\n",
              "the last load": '{\n"keep": {"ms": 5.0},\n"ms": 90.0\n}'})
    generations = []
    for number, said in enumerate(steps, 1):
        generations.append(GenerationReport(number, "6.12.1", 0, 0))
        for index, (name, text) in enumerate(said.items()):
            generations[-1].steps[index] = StepReport(name, True, seconds=0.5,
                                                      output=text.splitlines())
    case = Case("a", "", (Generation("6.12"), Generation("6.12")))
    return Result(case, Verdict(Outcome.PASSED, ""), 1, generations, [], "tcg", 0)


class CacheCostsTest(unittest.TestCase):
    """Tables from reports."""

    def test_tables(self) -> None:
        """Before, after and cold; the last time that the log has is the restore's."""
        hits, times = cache_costs.tables(_result("1234"), 64)
        self.assertEqual(hits["rows"], [["before the kexec", "100", "20"],
                                        ["after it", "100", "30"], ["started cold", "0", "10"]])
        self.assertEqual([row[1] for row in times["rows"]], ["90", "5", "44", "1234", "500"])

    def test_silent_guest(self) -> None:
        """A pause that was not told is none of zero."""
        with self.assertRaises(VmError):
            cache_costs.tables(_result("no earlier time"), 64)


class DiskTest(unittest.TestCase):
    """Images from packages and layers."""

    def test_all_there(self) -> None:
        """What an image names is in the tree."""
        for name, image in disk.IMAGES.items():
            self.assertEqual(image.layers[-1], name)
            for layer in image.layers:
                self.assertTrue((disk.OVERLAYS / layer).is_dir(), layer)
            for _, source in image.installed:
                self.assertTrue((disk.ROOT / source).is_file(), source)

    def test_fetched_once(self) -> None:
        """A package that is in the cache is not fetched again, nor if none is missing."""
        package = apt.Package("p", "1", "0" * 64, 1, ())
        other = apt.Package("q", "1:2", "1" * 64, 1, ())
        archive = mock.Mock()

        def fetch(wanted: list[apt.Package], place: Path) -> list[Path]:
            for one in wanted:
                (place / f"{one.key}.deb").write_text(one.name, encoding="ascii")
            return [place / f"{one.key}.deb" for one in wanted]

        archive.fetch_all.side_effect = fetch
        with tempfile.TemporaryDirectory() as temp, \
                mock.patch.dict("os.environ", {"KHOB_CACHE": temp}):
            work = Path(temp)
            for wanted, fetched in (([package], [package]), ([package, other], [other]),
                                    ([other, package], None)):
                archive.fetch_all.reset_mock()
                found = list(disk.fetched(wanted, archive, work))
                self.assertEqual([p.read_text(encoding="ascii") for p in found],
                                 [p.name for p in wanted])
                if fetched is None:
                    archive.fetch_all.assert_not_called()
                else:
                    archive.fetch_all.assert_called_once_with(fetched, work)


if __name__ == "__main__":
    unittest.main()
