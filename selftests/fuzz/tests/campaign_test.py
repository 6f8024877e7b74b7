# SPDX-License-Identifier: GPL-2.0-only
"""Tests of campaign.py and results.py, with a small program in a fuzzer's place."""

from __future__ import annotations

import contextlib
import io
import json
import os
import stat
import sys
import tempfile
import unittest
from pathlib import Path
from unittest import mock

import campaign
import results
from khobvm.errors import VmError

_GOOD = """\
INFO: Seed: 2915041287
INFO: Loaded 1 modules   (1027 inline 8-bit counters): 1027 [0x5, 0x9),
INFO:       38 files found in corpus
#38	INITED cov: 61 ft: 118 corp: 37/3kb exec/s: 0 rss: 30Mb
#28723	REDUCE cov: 62 ft: 120 corp: 39/3089b lim: 486 exec/s: 0 rss: 38Mb L: 90/248 MS: 1 Erase-
#131072	pulse  cov: 62 ft: 125 corp: 39/3083b lim: 1491 exec/s: 43690 rss: 61Mb
#164660	DONE   cov: 62 ft: 125 corp: 39/3072b lim: 1811 exec/s: 41165 rss: 69Mb
Done 164660 runs in 4 second(s)
stat::number_of_executed_units: 164662
stat::average_exec_per_sec:     41165
stat::new_units_added:          17
"""

_BROKEN = """\
#4	INITED ft: 7 corp: 1/1b exec/s: 0 rss: 30Mb
broken: keys ascend
==2242== ERROR: libFuzzer: deadly signal
SUMMARY: libFuzzer: deadly signal
artifact_prefix='/c/'; Test unit written to /c/crash-ca9e70d1
stat::number_of_executed_units: 912
"""


def _read(text: str) -> results.Run:
    run = results.Run("one")
    for line in text.splitlines(keepends=True):
        run.read(line)
    return run


class ReadsLibFuzzer(unittest.TestCase):
    """What its lines say."""

    def test_a_run_that_ends_well(self) -> None:
        """The final count is the exact one; features count from where the corpus had come to."""
        run = _read(_GOOD)
        self.assertEqual((run.executions, run.first_features, run.features), (164662, 118, 125))
        self.assertEqual((run.new_features, run.artefact, run.complaint), (7, "", ""))
        run.seconds = 4
        self.assertEqual(run.rate, 41166)

    def test_a_promise_that_is_broken(self) -> None:
        """The promise says more than the signal."""
        run = _read(_BROKEN)
        self.assertEqual((run.executions, run.artefact, run.complaint),
                         (912, "/c/crash-ca9e70d1", "keys ascend"))

    def test_what_a_sanitizer_says(self) -> None:
        """Without a promise it is the summary."""
        run = _read("SUMMARY: AddressSanitizer: heap-buffer-overflow a.c:3 in f\n")
        self.assertEqual(run.complaint, "AddressSanitizer: heap-buffer-overflow a.c:3 in f")

    def test_a_run_that_never_began(self) -> None:
        """Nothing is divided by no time."""
        self.assertEqual((_read("").rate, _read("").new_features), (0, 0))


class CountsTotals(unittest.TestCase):
    """The file in the cache."""

    def test_runs_add_up(self) -> None:
        """Each target's executions, seconds and findings."""
        with tempfile.TemporaryDirectory() as temp:
            path = Path(temp) / "fuzz" / "totals.json"
            self.assertEqual(results.read_totals(path), {})
            results.add_to_totals(path, results.Run("one", executions=3, seconds=1.25))
            results.add_to_totals(path, results.Run("one", executions=4, seconds=1,
                                                    artefact="crash-1"))
            results.add_to_totals(path, results.Run("two", executions=5, seconds=3600))
            totals = results.read_totals(path)
            self.assertEqual(totals["one"], {"executions": 7, "seconds": 2.2, "findings": 1})
            said = results.summary([results.Run("one", executions=4, seconds=2,
                                                artefact="crash-1")], totals)
        self.assertEqual(said.splitlines()[1].split(), ["one", "4", "2", "0", "1", "7"])
        self.assertEqual(said.splitlines()[2], "all campaigns: 12 executions in 1.0 hours")


# Merges what is one byte long, or says what it has been told to.
_FUZZER = f"""#!{sys.executable}
import pathlib, shutil, sys
if "-merge=1" in sys.argv:
    into, *sources = [pathlib.Path(word) for word in sys.argv[1:] if not word.startswith("-")]
    most = 1 if "-use_counters=0" in sys.argv else 1 << 20
    for path in (p for source in sources for p in source.iterdir()):
        if path.stat().st_size <= most and path.read_bytes() not in (
                p.read_bytes() for p in into.iterdir()):
            shutil.copy(path, into / path.name)
    sys.exit(0)
sys.stderr.write(pathlib.Path(sys.argv[0]).with_suffix(".says").read_text())
sys.exit(int(pathlib.Path(sys.argv[0]).with_suffix(".code").read_text()))
"""


class Campaigns(unittest.TestCase):
    """Whole campaigns with that program."""

    def setUp(self) -> None:
        temp = tempfile.TemporaryDirectory()
        self.addCleanup(temp.cleanup)
        self.top = Path(temp.name)
        (self.top / "selftests" / "fuzz").mkdir(parents=True)
        self.binary = self.top / "selftests" / "fuzz" / "fuzz_one"
        self.binary.write_text(_FUZZER, encoding="utf-8")
        self.binary.chmod(self.binary.stat().st_mode | stat.S_IXUSR)
        self.committed = self.top / "corpus" / "one"
        self.committed.mkdir(parents=True)
        for patch in (mock.patch.dict(os.environ, {"KHOB_CACHE": str(self.top / "cache")}),
                      mock.patch.object(campaign, "CORPUS", self.top / "corpus")):
            patch.start()
            self.addCleanup(patch.stop)

    def campaign(self, says: str, code: int) -> tuple[int, str]:
        """Return: the exit code of a campaign whose one fuzzer says and returns that; output."""
        self.binary.with_suffix(".says").write_text(says, encoding="utf-8")
        self.binary.with_suffix(".code").write_text(str(code), encoding="utf-8")
        output = io.StringIO()
        with contextlib.redirect_stdout(output), contextlib.redirect_stderr(io.StringIO()):
            result = campaign.campaign([campaign.Target(self.top, "one")], 1, 2)
        return result, output.getvalue()

    def test_nothing_is_found(self) -> None:
        """Exit code 0, and the executions are counted."""
        self.assertEqual(self.campaign(_GOOD, 0)[0], 0)
        result, said = self.campaign(_GOOD, 0)
        self.assertEqual((result, "reproduce" in said), (0, False))
        totals = json.loads((self.top / "cache/fuzz/totals.json").read_text(encoding="utf-8"))
        self.assertEqual(totals["one"]["executions"], 2 * 164662)

    def test_something_is_found(self) -> None:
        """Exit code 1, and the command that shows it again."""
        result, said = self.campaign(_BROKEN, 77)
        self.assertEqual(result, 1)
        self.assertIn("one found: keys ascend", said)
        self.assertRegex(said, r"reproduce: .*/fuzz_one /c/crash-ca9e70d1")

    def test_a_fuzzer_that_cannot_run(self) -> None:
        """It is no run without findings."""
        with self.assertRaisesRegex(VmError, "one ended with 1"):
            self.campaign("", 1)
        with self.assertRaisesRegex(VmError, "there is no .*fuzz_two"):
            campaign.Target(self.top, "two")

    def test_keeps_what_adds_something(self) -> None:
        """Seeds keep their names, what the cache has is added, what says no more goes."""
        (self.committed / "seed-a").write_bytes(b"a")
        (self.committed / "found-old").write_bytes(b"o")
        target = campaign.Target(self.top, "one")
        target.grown.mkdir(parents=True)
        (target.grown / "x").write_bytes(b"xx")
        self.assertEqual(campaign.keep(target), "one: 3 inputs, 4 bytes")
        self.assertEqual(sorted(p.read_bytes() for p in self.committed.iterdir()),
                         [b"a", b"o", b"xx"])
        self.assertTrue((self.committed / "seed-a").exists())
        self.assertFalse((self.committed / "found-old").exists())

    def test_keeps_less_where_it_would_be_much(self) -> None:
        """Then one input an edge has to do."""
        (self.committed / "seed-a").write_bytes(b"a")
        target = campaign.Target(self.top, "one")
        target.grown.mkdir(parents=True)
        (target.grown / "x").write_bytes(b"x" * (campaign.KEEP_BYTES + 1))
        (target.grown / "y").write_bytes(b"y")
        self.assertEqual(campaign.keep(target), "one: 2 inputs, 2 bytes")
        self.assertEqual(sorted(p.read_bytes() for p in self.committed.iterdir()), [b"a", b"y"])


if __name__ == "__main__":
    unittest.main()
