# SPDX-License-Identifier: GPL-2.0-only
"""The cache, apt's metadata, and what is done to an unpacked headers package."""

from __future__ import annotations

import os
import tempfile
import unittest
from pathlib import Path
from unittest import mock

from khobvm import apt, cache, kernels
from khobvm.case import Case, Generation
from khobvm.errors import VmError
from khobvm.qemu import BASE_CMDLINE, Accelerator, Machine, tail

_STANZA = """Package: linux-headers-1
Version: 1:2.0-3
Depends: a (= 1), b (>= 2) | c, d:any, e
Size: 12
SHA256: 0123456789abcdef0123456789abcdef
Description: text
 SHA256: no field
"""


class CacheTest(unittest.TestCase):
    """Entries appear whole or not at all."""

    def setUp(self) -> None:
        temp = tempfile.TemporaryDirectory()
        self.addCleanup(temp.cleanup)
        self.root = Path(temp.name)
        patch = mock.patch.dict(os.environ, {"KHOB_CACHE": temp.name})
        patch.start()
        self.addCleanup(patch.stop)

    def test_built_once(self) -> None:
        """The second call finds what the first one built."""
        calls = []

        def build(work: Path) -> None:
            calls.append(work)
            (work / "file").write_text("x", encoding="ascii")

        first = cache.entry("kind", "key", build)
        self.assertEqual(first, cache.entry("kind", "key", build))
        self.assertEqual(len(calls), 1)
        self.assertEqual((first / "file").read_text(encoding="ascii"), "x")

    def test_failure_leaves_nothing(self) -> None:
        """A build that fails leaves no entry and no temporary directory."""
        def build(work: Path) -> None:
            (work / "half").write_text("x", encoding="ascii")
            raise VmError("no network")

        with self.assertRaises(VmError):
            cache.entry("kind", "key", build)
        self.assertEqual([p for p in (self.root / "kind").iterdir() if p.is_dir()], [])

    def test_memory(self) -> None:
        """A note holds for the state that it was made in, while its entry exists."""
        place = cache.entry("kind", "key", lambda work: None)
        cache.remember("kind", "name", "state 1", place)
        self.assertEqual(cache.recall("kind", "name", "state 1"), place)
        self.assertIsNone(cache.recall("kind", "name", "state 2"))
        place.rmdir()
        self.assertIsNone(cache.recall("kind", "name", "state 1"))


class AptTest(unittest.TestCase):
    """apt's own metadata is read, alternatives and versions included."""

    def test_stanza(self) -> None:
        """A stanza gives the package, and a key that is a file name."""
        package = apt.parse_stanza(_STANZA)
        self.assertEqual((package.name, package.version, package.size),
                         ("linux-headers-1", "1:2.0-3", 12))
        self.assertEqual(package.key, "linux-headers-1_1%2.0-3_0123456789abcdef")
        with self.assertRaises(VmError):
            apt.parse_stanza("Package: x\nVersion: 1\n")

    def test_depended(self) -> None:
        """Exact versions are asked for, and of alternatives the first."""
        asked: list[tuple[str, str]] = []

        def show(_: apt.Archive, name: str, version: str = "") -> apt.Package:
            asked.append((name, version))
            return apt.Package(name, "1", "0", 1, ())

        with mock.patch.object(apt.Archive, "show", show):
            found = list(apt.MACHINE.depended(apt.parse_stanza(_STANZA), "[abd]"))
        self.assertEqual([p.name for p in found], ["a", "b", "d"])
        self.assertEqual(asked, [("a", "1"), ("b", ""), ("d", "")])

    def test_closure(self) -> None:
        """What apt would install is asked for by version, all of it at once."""
        asked: list[tuple[str, ...]] = []

        def run(*command: str, **_: object) -> str:
            asked.append(command)
            if command[0] == "apt-cache":
                return _STANZA + "\n\n" + _STANZA.replace("linux-headers-1", "b")
            return ("Inst linux-headers-1 (1:2.0-3 Debian:testing [amd64]) []\n"
                    "Inst b (2+x Debian:testing [amd64])\nConf b (2+x Debian:testing [amd64])\n")

        with mock.patch.object(apt, "run", run):
            found = apt.MACHINE.closure(("b",))
        self.assertEqual([p.name for p in found], ["b", "linux-headers-1"])
        self.assertEqual(asked[1][-2:], ("linux-headers-1=1:2.0-3", "b=2+x"))


class RelocateTest(unittest.TestCase):
    """An unpacked headers package works where it is."""

    def test_relocate(self) -> None:
        """The include and absolute links stay inside; clang's answers are appended."""
        with tempfile.TemporaryDirectory() as temp:
            root = Path(temp)
            headers = root / "usr/src/linux-headers-1"
            (headers / "include/config").mkdir(parents=True)
            (headers / "include/generated").mkdir()
            (headers / "include/config/auto.conf").write_text("CONFIG_CC_IS_GCC=y\n",
                                                              encoding="ascii")
            (headers / "Makefile").write_text("include /usr/src/common/Makefile\n",
                                              encoding="ascii")
            (headers / ".kernelvariables").write_text("CC = gcc-12\n", encoding="ascii")
            (headers / "link").symlink_to("/usr/lib/kbuild")
            kernels.relocate(root, headers)
            self.assertEqual((headers / "link").readlink(), Path("../../lib/kbuild"))
            makefile = (headers / "Makefile").read_text(encoding="ascii")
            self.assertNotIn("/usr/src", makefile)
            self.assertIn("../common/Makefile", makefile)
            self.assertIn("ifeq ($(LLVM),)", (headers / ".kernelvariables").read_text("ascii"))
            self.assertIn("CONFIG_CC_IS_CLANG=y",
                          (headers / "include/config/auto.conf").read_text("ascii"))
            self.assertIn("#ifdef __clang__",
                          (headers / "include/generated/autoconf.h").read_text("ascii"))


class QemuTest(unittest.TestCase):
    """The command line, and how a console log is shown."""

    def test_command(self) -> None:
        """The command line reaches the kernel, and KVM is used only when told."""
        machine = Machine(Path("k"), Path("i"), Path("w"), Accelerator(False, ""), 512, 2, "a  b")
        command = machine.command()
        self.assertEqual(command[-1], f"{BASE_CMDLINE} khob.gen=1 a b")
        self.assertIn("tcg,thread=single", command)
        self.assertNotIn("kvm", command)

    def test_counting(self) -> None:
        """The clock counts instructions only when told."""
        self.assertIn("-icount", Accelerator(False, "", counting=True).arguments())
        self.assertNotIn("-icount", Accelerator(False, "").arguments())

    def test_levels(self) -> None:
        """A kernel with KASAN boots on CPUs of four levels, at either end; no other does."""
        watching, other = Generation("7.3-kasan"), Generation("6.12")
        for generations, four in (((other,), False), ((watching,), True),
                                  ((other, watching), True), ((watching, other), True)):
            case = Case("levels", "", generations)
            machine = Machine(Path("k"), Path("i"), Path("w"), Accelerator(False, ""),
                              four_levels=case.four_levels())
            self.assertEqual("max,la57=off" in machine.command(), four)

    def test_nodes(self) -> None:
        """Nodes share memory and CPUs, a socket each."""
        words = Machine(Path("k"), Path("i"), Path("w"), Accelerator(False, ""), 2048, 4,
                        nodes=2).command()
        self.assertIn("4,sockets=2,cores=2,threads=1", words)
        self.assertIn("memory-backend-ram,id=node1,size=1024M", words)
        self.assertIn("node,nodeid=1,memdev=node1,cpus=2-3", words)

    def test_efi(self) -> None:
        """A machine with EFI gets variables of its own; another gets no firmware."""
        with tempfile.TemporaryDirectory() as temp:
            machine = Machine(Path("k"), Path("i"), Path(temp), Accelerator(False, ""), efi=True)
            machine.prepare()
            self.assertGreater(machine.variables.stat().st_size, 0)
            self.assertIn(f"if=pflash,format=raw,unit=1,file={machine.variables}",
                          machine.command())
        self.assertNotIn("-drive", Machine(Path("k"), Path("i"), Path("w"),
                                           Accelerator(False, "")).command())

    def test_disk(self) -> None:
        """A disk is the guest's to write, the file is not."""
        machine = Machine(Path("k"), Path("i"), Path("w"), Accelerator(False, ""), disk=Path("d"))
        self.assertIn("if=virtio,format=raw,snapshot=on,file=d", machine.command())

    def test_tail(self) -> None:
        """Control characters of a guest do not reach the terminal."""
        with tempfile.TemporaryDirectory() as temp:
            log = Path(temp) / "log"
            log.write_bytes(b"one\r\n\x1b[31mtwo\n\nthree\xff\n")
            self.assertEqual(tail(log, 2), "?[31mtwo\nthree\ufffd")
            self.assertEqual(tail(Path(temp) / "none", 2), "")


if __name__ == "__main__":
    unittest.main()
