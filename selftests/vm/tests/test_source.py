# SPDX-License-Identifier: GPL-2.0-only
"""The private apt configuration, and what is taken out of a source package."""

from __future__ import annotations

import io
import os
import subprocess
import tarfile
import tempfile
import unittest
from pathlib import Path
from unittest import mock

from khobvm import apt, packages, source, suite
from khobvm.errors import VmError
from khobvm.progress import Progress

_TARGETS = """Contents-deb|Debian|bookworm|http://mirror.example/debian/|/etc/apt/a.sources:1
Packages|Other|nodistro|https://other.example/|/etc/apt/o.list:1
Packages|Debian|bookworm-security|http://mirror.example/security/|/etc/apt/a.sources:2
Packages|Debian|bookworm|cdrom:[x]/|/etc/apt/c.list:1
Packages|Debian|bookworm|http://mirror.example/debian/|/etc/apt/a.sources:1
"""
_NAME = "linux-source-9.9"


class SuiteTest(unittest.TestCase):
    """Where the archive is and what signs it comes from the machine."""

    def setUp(self) -> None:
        temp = tempfile.TemporaryDirectory()
        self.addCleanup(temp.cleanup)
        self.root = Path(temp.name)
        patch = mock.patch.dict(os.environ, {"KHOB_CACHE": temp.name})
        patch.start()
        self.addCleanup(patch.stop)
        self.said = io.StringIO()
        self.commands: list[tuple[str, ...]] = []
        self.online = True

    def _run(self, *command: str, **_: object) -> str:
        self.commands.append(command)
        if "update" in command and not self.online:
            raise VmError("no network")
        return _TARGETS if "indextargets" in command else ""

    def _get(self) -> apt.Archive:
        with mock.patch.object(apt, "run", self._run):
            return suite.get("trixie-backports", Progress(self.said))

    def test_main_archive(self) -> None:
        """Not another vendor's, not security's, no CD-ROM."""
        self.assertEqual(suite.main_archive(_TARGETS),
                         ("http://mirror.example/debian/", Path("/etc/apt/a.sources")))
        with self.assertRaises(VmError):
            suite.main_archive("Packages|Other|nodistro|https://other.example/|/etc/o.list:1\n")

    def test_keyring(self) -> None:
        """The entry's own key in both styles; a file without one has Debian's."""
        own = self.root / "own.gpg"
        own.touch()
        sources = self.root / "sources"
        uri = "http://mirror.example/debian/"
        for text in (f"Types: deb\nURIs: http://mirror.example/debian-security\n\n"
                     f"Types: deb\nURIs: http://mirror.example/debian\nSigned-By: {own}\n",
                     f"deb http://mirror.example/x y main\n"
                     f"deb [arch=amd64 signed-by={own}] http://mirror.example/debian y main\n"):
            sources.write_text(text, encoding="ascii")
            self.assertEqual(suite.keyring(uri, sources), own)
        with mock.patch.object(suite, "_KEYRING", self.root / "none.gpg"):
            sources.write_text(f"deb {uri} y main\n", encoding="ascii")
            with self.assertRaises(VmError) as caught:
                suite.keyring(uri, sources)
        self.assertIn("debian-archive-keyring", caught.exception.remedy)

    def test_refresh(self) -> None:
        """The lists are fetched once, and again when they are a day old."""
        with mock.patch.object(suite, "keyring", lambda uri, sources: Path("/key.gpg")):
            archive = self._get()
            self._get()
            home = self.root / "apt/trixie-backports"
            self.assertEqual(
                (home / "sources.list").read_text(encoding="ascii"),
                "deb [arch=amd64 signed-by=/key.gpg] http://mirror.example/debian/ "
                "trixie-backports main\n")
            self.assertEqual(sum("update" in c for c in self.commands), 1)
            os.utime(home / "refreshed", (1, 1))
            self._get()
        self.assertEqual(sum("update" in c for c in self.commands), 2)
        self.assertIn(f"Dir::State::lists={home / 'lists'}", archive.options)
        self.assertIn(f"Dir::Cache={home / 'cache'}", archive.options)

    def test_off_line(self) -> None:
        """What was cached is used and the user told; with nothing cached it is an error."""
        self.online = False
        with mock.patch.object(suite, "keyring", lambda uri, sources: Path("/key.gpg")):
            archive = self._get()
        self.assertIn("no network; using what is cached", self.said.getvalue())
        with mock.patch.object(apt, "run", self._run):
            with self.assertRaises(VmError) as caught:
                packages.entry("sources", _NAME, lambda package, work: None, archive)
            self.assertIn("trixie-backports", caught.exception.remedy)
            place = self.root / "sources" / f"{_NAME}_1"
            place.mkdir(parents=True)
            self.assertEqual(
                packages.entry("sources", _NAME, lambda package, work: None, archive), place)


def _tar(members: dict[str, bytes | str], mode: str) -> bytes:
    """A tarball: bytes are files, a text is a symbolic link's target."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode=mode) as tar:
        for name, content in members.items():
            info = tarfile.TarInfo(name)
            if isinstance(content, str):
                info.type, info.linkname = tarfile.SYMTYPE, content
                tar.addfile(info)
            else:
                info.size, info.mode = len(content), 0o755 if name.endswith(".pl") else 0o644
                tar.addfile(info, io.BytesIO(content))
    return out.getvalue()


class ExtractTest(unittest.TestCase):
    """A package's tarball is read as a stream."""

    def setUp(self) -> None:
        temp = tempfile.TemporaryDirectory()
        self.addCleanup(temp.cleanup)
        self.root = Path(temp.name)
        top = self.root / "deb"
        (top / "DEBIAN").mkdir(parents=True)
        (top / "usr/src").mkdir(parents=True)
        (top / "DEBIAN/control").write_text(
            f"Package: {_NAME}\nVersion: 1\nArchitecture: all\nMaintainer: x\n"
            "Description: x\n", encoding="ascii")
        (top / f"usr/src/{_NAME}.tar.xz").write_bytes(_tar({
            f"{_NAME}/Makefile": b"all:\n", f"{_NAME}/include/a.h": b"a",
            f"{_NAME}/include/b.h": "a.h", f"{_NAME}/include/out.h": "/etc/passwd",
            f"{_NAME}/kernel/liveupdate/kexec_handover.c": b"k", f"{_NAME}/kernel/fork.c": b"f",
            f"{_NAME}/lib/x.h": b"x", f"{_NAME}/lib/x.c": b"x", f"{_NAME}/lib/sub/y.h": b"y",
            f"{_NAME}/scripts/z.pl": b"z", f"{_NAME}/../evil": b"no"}, "w:xz"))
        self.deb = self.root / "one.deb"
        subprocess.run(["dpkg-deb", "--build", "--root-owner-group", str(top), str(self.deb)],
                       check=True, stdout=subprocess.DEVNULL)

    def _files(self, work: Path) -> list[str]:
        return sorted(str(p.relative_to(work)) for p in work.rglob("*") if not p.is_dir())

    def test_headers(self) -> None:
        """Only what the headers tree is to hold."""
        work = self.root / "work"
        source.extract(self.deb, _NAME, work, source.is_header)
        self.assertEqual(self._files(work),
                         ["Makefile", "include/a.h", "include/b.h",
                          "kernel/liveupdate/kexec_handover.c", "lib/x.h"])
        self.assertEqual((work / "include/b.h").readlink(), Path("a.h"))

    def test_built(self) -> None:
        """What is left out of a build tree, but never what kbuild reads."""
        for path in ("kernel/fork.c", "arch/Kconfig", "arch/x86/Makefile", "net/socket.c",
                     "arch/arm/Kconfig", "sound/Makefile", "drivers/gpu/drm/Kconfig.debug",
                     "drivers/virtio/virtio.c", "Makefile", "tools/objtool/check.c"):
            self.assertTrue(source.is_built(path), path)
        for path in ("arch/arm/kernel/head.S", "sound/core/init.c", "drivers/gpu/x/Kbuild.c2/y.c",
                     "Documentation/index.rst"):
            self.assertFalse(source.is_built(path), path)

    def test_all(self) -> None:
        """Modes are kept; nothing is written, or pointed to, outside."""
        work = self.root / "work"
        source.extract(self.deb, _NAME, work, lambda path: True)
        self.assertTrue(os.access(work / "scripts/z.pl", os.X_OK))
        self.assertFalse(os.access(work / "Makefile", os.X_OK))
        self.assertFalse((work / "include/out.h").is_symlink())
        self.assertFalse((self.root / "evil").exists())

    def test_wrong_package(self) -> None:
        """A package without the tarball, and a file that is no package."""
        with self.assertRaises(VmError):
            source.extract(self.deb, "linux-source-1", self.root / "work", lambda path: True)
        (self.root / "bad.deb").write_bytes(b"no package")
        with self.assertRaises(VmError):
            source.extract(self.root / "bad.deb", _NAME, self.root / "work", lambda path: True)


if __name__ == "__main__":
    unittest.main()
