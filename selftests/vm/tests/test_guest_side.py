# SPDX-License-Identifier: GPL-2.0-only
"""What goes into the guest: the cpio archive and the plans."""

from __future__ import annotations

import io
import subprocess
import tempfile
import unittest
from pathlib import Path

from khobvm import plan
from khobvm.case import Case, Generation, Module, Outcome, Step, check
from khobvm.cli import load_cases
from khobvm.cpio import Archive


def _archive() -> Archive:
    archive = Archive()
    archive.file("etc/deep/file", b"12345", 0o640)
    archive.symlink("bin/sh", "busybox")
    archive.character_device("dev/console", 5, 1)
    archive.directory("proc")
    return archive


class CpioTest(unittest.TestCase):
    """The archive is what cpio itself reads, and the same each time."""

    def test_cpio_lists_it(self) -> None:
        """GNU cpio finds every entry with its type, mode, size and device."""
        stream = io.BytesIO()
        size = _archive().write(stream)
        self.assertEqual(size, len(stream.getvalue()))
        done = subprocess.run(["/bin/busybox", "cpio", "-tv"], input=stream.getvalue(),
                              capture_output=True, check=True)
        text = done.stdout.decode()
        for wanted in ("etc/deep/file", "bin/sh", "dev/console", "proc", "etc/deep"):
            self.assertIn(wanted, text)
        self.assertIn("crw-------", text)
        self.assertIn("-rw-r-----", text)

    def test_it_unpacks(self) -> None:
        """The bytes survive; the device needs root and is left out."""
        stream = io.BytesIO()
        _archive().write(stream)
        with tempfile.TemporaryDirectory() as temp:
            subprocess.run(["/bin/busybox", "cpio", "-id", "etc/deep/file", "bin/sh"],
                           input=stream.getvalue(), cwd=temp, capture_output=True, check=True)
            self.assertEqual((Path(temp) / "etc/deep/file").read_bytes(), b"12345")
            self.assertEqual((Path(temp) / "bin/sh").readlink(), Path("busybox"))

    def test_deterministic(self) -> None:
        """The order in which files were added does not show."""
        one, two = Archive(), Archive()
        for archive, names in ((one, ("a", "b/c")), (two, ("b/c", "a"))):
            for name in names:
                archive.file(name, name.encode())
        first, second = io.BytesIO(), io.BytesIO()
        one.write(first)
        two.write(second)
        self.assertEqual(first.getvalue(), second.getvalue())


class PlanTest(unittest.TestCase):
    """The plan's text, one key a line."""

    def test_escapes(self) -> None:
        """A command of several lines stays one line."""
        step = Step("two", "a\nb\\n\tc", expect=(1, 2), contains=("x", "y\n"), lacks="z")
        text = plan.encode(Generation("6.12", (step,), allow_log=("a b",)))
        self.assertIn("command a\\nb\\\\n\\tc\n", text)
        self.assertIn("expect 1 2\n", text)
        self.assertIn("contains x\ncontains y\\n\nlacks z\n", text)
        self.assertIn("allow a b\n", text)


class CaseTest(unittest.TestCase):
    """Case definitions that cannot work are found before a VM starts."""

    def test_the_cases_are_sound(self) -> None:
        """Every case of the repository passes the check and has a name of its own."""
        self.assertGreater(len(load_cases()), 10)

    def test_problems(self) -> None:
        """A kexec that nothing follows, and a generation that nothing leads to."""
        leave = Step("leave", "kexec -e", final=True)
        self.assertTrue(check(Case("a", "", (Generation("6.12", (leave,)),))))
        self.assertTrue(check(Case("a", "", (Generation("6.12"), Generation("6.12")))))
        self.assertTrue(check(Case("A b", "", (Generation("6.12"),))))
        self.assertTrue(check(Case("a", "", ())))
        self.assertTrue(check(Case("a", "", (Generation("6.12"),), memory=1023, cpus=2, nodes=2)))
        self.assertTrue(check(Case("a", "", (Generation("6.12"),), cpus=3, nodes=2)))
        self.assertTrue(check(Case("a", "", (Generation("6.12"),), outcome=Outcome.FAILED)))
        self.assertTrue(check(Case("a", "", (Generation("6.12"),), why="x")))
        self.assertFalse(check(Case("a", "", (Generation("6.12", (leave,)),
                                              Generation("6.1")))))

    def test_series(self) -> None:
        """The kernels in /boot are those that are loaded, not the one QEMU boots."""
        leave = Step("leave", "kexec -e", final=True)
        case = Case("a", "", (Generation("6.12", (leave,)), Generation("6.1")),
                    module=Module.NONE, outcome=Outcome.PASSED)
        self.assertEqual(case.images(), ("6.1",))
        self.assertEqual(case.series(), ("6.1", "6.12"))

    def test_silence(self) -> None:
        """A step's own timeout is granted on top of a boot's."""
        case = Case("a", "", (Generation("6.12", (Step("long", "x", timeout=300),)),), boot=50)
        self.assertEqual(case.silence(1, "long"), 350)
        self.assertEqual(case.silence(1, "kernel log"), 50)
        self.assertEqual(case.silence(9, "long"), 50)


if __name__ == "__main__":
    unittest.main()
