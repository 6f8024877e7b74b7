# SPDX-License-Identifier: GPL-2.0-only
"""Building a kernel, without building one: its configuration, commands that run, the cache."""

from __future__ import annotations

import io
import os
import tempfile
import time
import unittest
from pathlib import Path
from unittest import mock

from khobvm import apt, build, kconfig, kernels, record, source
from khobvm.cli import load_cases
from khobvm.errors import VmError
from khobvm.progress import Progress

_KCONFIG = """
config PLAIN
        bool "Plain"
        depends on NET && \\
                PCI
        help
          config HIDDEN
          depends on nothing, this is prose

if ACPI
config HIDDEN
        bool
        depends on SMP # a comment
endif

menuconfig LATER
        tristate "Later" if EXPERT
"""


class KconfigTest(unittest.TestCase):
    """What Kconfig dropped is named, with what stands in its way."""

    def setUp(self) -> None:
        temp = tempfile.TemporaryDirectory()
        self.addCleanup(temp.cleanup)
        self.tree = Path(temp.name)
        (self.tree / "drivers").mkdir()
        (self.tree / "drivers/Kconfig").write_text(_KCONFIG, encoding="ascii")
        (self.tree / "arch/arm").mkdir(parents=True)
        (self.tree / "arch/arm/Kconfig").write_text("config PLAIN\n    depends on ARM\n",
                                                    encoding="ascii")

    def test_parse(self) -> None:
        """Values, strings and what is not set; anything else is an error."""
        self.assertEqual(kconfig.parse('# text\n\nCONFIG_A=y\nCONFIG_B="-x"\n'
                                       "# CONFIG_C is not set\n"),
                         {"A": "y", "B": '"-x"', "C": "n"})
        with self.assertRaises(VmError):
            kconfig.parse("A=y\n")

    def test_conditions(self) -> None:
        """Of the option itself and of the ifs around it."""
        self.assertEqual(kconfig.conditions(_KCONFIG, "PLAIN"), (True, ["NET && PCI"]))
        self.assertEqual(kconfig.conditions(_KCONFIG, "HIDDEN"), (False, ["ACPI", "SMP"]))
        self.assertEqual(kconfig.conditions(_KCONFIG, "LATER"), (True, ["EXPERT"]))
        self.assertIsNone(kconfig.conditions(_KCONFIG, "NONE"))

    def test_check(self) -> None:
        """Each one that differs is named; one that is absent counts as not set."""
        kconfig.check(self.tree, {"PLAIN": "y", "GONE": "n"}, {"PLAIN": "y"})
        with self.assertRaises(VmError) as caught:
            kconfig.check(self.tree, {"PLAIN": "y", "HIDDEN": "y", "NOVEL": "m", "LATER": "n"},
                          {"NET": "y", "LATER": "m"})
        said = str(caught.exception)
        self.assertIn("CONFIG_PLAIN: asked for y, came out as n: it depends on (NET && PCI), "
                      "with NET=y, PCI=n", said)
        self.assertIn("CONFIG_HIDDEN: asked for y, came out as n: it has no prompt", said)
        self.assertIn("CONFIG_NOVEL: asked for m, came out as n: this kernel has no such", said)
        self.assertIn("CONFIG_LATER: asked for n, came out as m", said)
        self.assertNotIn("ARM", said)

    def test_fragments(self) -> None:
        """The committed fragments are some, and name no option twice."""
        for recipe in build.RECIPES.values():
            self.assertEqual(recipe.options()["KEXEC_HANDOVER"], "y")
            for path in recipe.fragments:
                text = path.read_text(encoding="utf-8")
                lines = [line for line in text.splitlines() if "CONFIG_" in line]
                self.assertEqual(len(lines), len(kconfig.parse(text)))
        self.assertEqual(build.RECIPES["7.3"].options()["LOCALVERSION"], '"-khob"')
        for name in ("lockdep", "kasan"):
            options = build.RECIPES[f"7.3-{name}"].options()
            self.assertEqual(options["LOCALVERSION"], f'"-khob-{name}"')
            self.assertEqual(options["FAILSLAB"], "y")


class TreeTest(unittest.TestCase):
    """Commands in a source tree."""

    def setUp(self) -> None:
        temp = tempfile.TemporaryDirectory()
        self.addCleanup(temp.cleanup)
        self.root = Path(temp.name)
        (self.root / "Makefile").touch()
        self.log = self.root / "logs/build.log"
        self.tree = build.Tree(self.root, self.log)

    def test_output(self) -> None:
        """Lines arrive as they come, and in the log."""
        lines: list[str] = []
        with mock.patch.dict(os.environ, {"MAKEFLAGS": "-j9", "ARCH": "arm"}):
            tree = build.Tree(self.root, self.log)
        tree.run("sh", "-c", "echo one; echo two >&2; echo $ARCH$MAKEFLAGS", on_line=lines.append)
        self.assertEqual(lines, ["one\n", "two\n", "\n"])
        self.assertIn("two\n", self.log.read_text(encoding="ascii"))

    def test_failure(self) -> None:
        """The complaints are shown, the rest is in the log that is named."""
        with self.assertRaises(VmError) as caught:
            self.tree.run("sh", "-c", "echo fine; echo a.c:1: error: no b; exit 2")
        self.assertIn("a.c:1: error: no b", caught.exception.problem)
        self.assertNotIn("\nfine", caught.exception.problem)
        self.assertIn(str(self.log), caught.exception.remedy)

    def test_interrupt(self) -> None:
        """Nothing that was started is left behind."""
        def stop(line: str) -> None:
            pids.append(int(line))
            raise KeyboardInterrupt

        pids: list[int] = []
        with self.assertRaises(KeyboardInterrupt):
            self.tree.run("sh", "-c", "sleep 100 & echo $!; wait", on_line=stop)
        for _ in range(100):
            # A zombie that nobody has reaped yet has no command line.
            try:
                if not Path(f"/proc/{pids[0]}/cmdline").read_bytes():
                    return
            except OSError:
                return
            time.sleep(0.01)
        self.fail("the command's child still runs")

    def test_tools(self) -> None:
        """The packages that are missing are named before anything is fetched."""
        with mock.patch("shutil.which", lambda name: None if name == "flex" else name):
            with self.assertRaises(VmError) as caught:
                build.check_tools()
        self.assertIn("without flex", caught.exception.problem)


class GetTest(unittest.TestCase):
    """kernels.get() for a series that is built."""

    def setUp(self) -> None:
        temp = tempfile.TemporaryDirectory()
        self.addCleanup(temp.cleanup)
        self.root = Path(temp.name)
        self.known: apt.Package | None = apt.Package("linux-source-7.3", "7.3.4-1", "0", 1, ())
        for patch in (mock.patch.dict(os.environ, {"KHOB_CACHE": temp.name}),
                      mock.patch.object(source, "archive", lambda progress: apt.Archive((), ())),
                      mock.patch.object(apt.Archive, "show", lambda *_: self.known)):
            patch.start()
            self.addCleanup(patch.stop)
        self.built = 0

    def _build(self, work: Path, series: str, **_: object) -> None:
        self.built += 1
        release = "7.3.4-khob" + series.removeprefix("7.3")
        kernel = record.place(series, release, work)
        kernel.headers.mkdir(parents=True)
        (kernel.headers / "Makefile").touch()
        kernel.modules.mkdir(parents=True)
        kernel.image.parent.mkdir(parents=True)
        kernel.image.touch()
        record.write(work, release, ["linux-source-7.3_7.3.4-1"])

    def _get(self, series: str = "7.3") -> record.Kernel:
        with mock.patch.object(build, "make_tree", self._build):
            return kernels.get(series, Progress(io.StringIO()))

    def test_built_once(self) -> None:
        """The key is the package and the fragment: another fragment is another kernel."""
        first = self._get()
        self.assertEqual((first.release, self._get(), self.built), ("7.3.4-khob", first, 1))
        other = self.root / "other.config"
        other.write_text("CONFIG_A=y\n", encoding="ascii")
        with mock.patch.dict(build.RECIPES, {"7.3": build.Recipe("7.3", (other,))}):
            self.assertNotEqual(self._get().image, first.image)
        self.assertEqual(self.built, 2)

    def test_off_line(self) -> None:
        """A cached kernel will do; without one it is an error."""
        self.known = None
        with self.assertRaises(VmError):
            self._get()
        self.known = apt.Package("linux-source-7.3", "7.3.4-1", "0", 1, ())
        first = self._get()
        (self.root / "kernels/7.3.json").unlink()
        self.known = None
        self.assertEqual(self._get(), first)

    def test_variant(self) -> None:
        """A variant is another kernel of the same source, and never taken for the plain one."""
        first = self._get()
        variant = self._get("7.3-lockdep")
        self.assertEqual((variant.release, self.built), ("7.3.4-khob-lockdep", 2))
        self.assertNotEqual(variant.image, first.image)
        for series in ("7.3", "7.3-lockdep"):
            (self.root / f"kernels/{series}.json").unlink()
        self.known = None
        self.assertEqual((self._get(), self._get("7.3-lockdep")), (first, variant))
        self.assertTrue(record.is_release("7.3-lockdep", variant.release))
        self.assertTrue(record.is_release("7.3", first.release))
        self.assertFalse(record.is_release("7.3-lockdep", first.release))
        self.assertFalse(record.is_release("6.1", "6.12.1-cloud-amd64"))


class SuiteTest(unittest.TestCase):
    """A kernel that takes minutes to build is not waited for by `make test`."""

    def test_suites(self) -> None:
        """Cases with a built kernel are interop's, and only these."""
        for case in load_cases():
            built = any(series in build.SERIES for series in case.series())
            self.assertEqual(case.suite == "interop", built, case.name)


if __name__ == "__main__":
    unittest.main()
