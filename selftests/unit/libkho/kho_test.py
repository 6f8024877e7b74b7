# SPDX-License-Identifier: GPL-2.0-only
"""kho.py over the real shared library: with a made-up device, and on the machine as it is.

The made-up device takes libc's place by LD_PRELOAD, so that its tests are run in a process of
their own: FakeDevice says nothing by itself, WithFakeDevice starts it.
"""

from __future__ import annotations

import ctypes
import errno
import gc
import mmap
import os
import re
import subprocess
import sys
import unittest
from pathlib import Path

import kho

TOP = Path(os.environ["KHO_TOP"])
FAKE = os.environ["KHO_FAKE"]
INSIDE = "KHO_TEST_INSIDE" in os.environ


class Agreement(unittest.TestCase):
    """The module says what the header says."""

    def test_codes(self) -> None:
        header = (TOP / "libkho/include/kho.h").read_text()
        found = {name: int(value)
                 for name, value in re.findall(r"^\tKHO_(\w+) = (\d+),$", header, re.M)}
        self.assertEqual(found, {code.name: code.value for code in kho.Code})

    def test_every_function_is_declared(self) -> None:
        header = (TOP / "libkho/include/kho.h").read_text()
        functions = set(re.findall(r"^[a-z][\w *]*?(kho_\w+)\(", header, re.M))
        exported = set(re.findall(r"^\t(kho_\w+);$", (TOP / "libkho/libkho.map").read_text(),
                                  re.M))
        self.assertGreater(len(functions), 10)
        self.assertEqual(functions, exported)
        library = ctypes.CDLL(os.environ["KHO_LIBRARY"])
        for name in exported:
            getattr(library, name)
        with self.assertRaises(AttributeError):
            getattr(library, "kho_index_check")
        module = (TOP / "libkho/python/kho.py").read_text()
        declared = set(re.findall(r'_declare\("(\w+)"', module))
        # Python counts the names itself.
        self.assertEqual(declared, functions - {"kho_session_count"})


@unittest.skipIf(os.path.exists("/dev/liveupdate"), "this machine has the device")
class NoDevice(unittest.TestCase):
    """What there is without a device."""

    @unittest.skipIf(INSIDE, "there is one, made up")
    def test_it_is_said(self) -> None:
        for how in (kho.Session.create, kho.Session.retrieve):
            with self.assertRaises(kho.KhoError) as caught:
                how("test")
            self.assertEqual(caught.exception.code, kho.Code.NO_DEVICE)
            self.assertEqual(caught.exception.errno, errno.ENOENT)
            self.assertIn("load kho_luo", str(caught.exception))
        kept = kho.keep("test", "file", 4096)
        self.addCleanup(os.close, kept.fd)
        self.assertIsNone(kept.session)
        self.assertFalse(kept.found)
        assert kept.error is not None
        self.assertEqual(kept.error.code, kho.Code.NO_DEVICE)
        self.assertEqual(os.fstat(kept.fd).st_size, 4096)

    def test_names(self) -> None:
        with self.assertRaises(ValueError):
            kho.Session.create("a\0b")
        with self.assertRaises(kho.KhoError) as caught:
            kho.Session.create("x" * 64)
        self.assertEqual(caught.exception.code, kho.Code.INVALID)
        with self.assertRaises(ValueError):
            kho.memfd("file", -1)


@unittest.skipUnless(INSIDE, "WithFakeDevice runs these")
class FakeDevice(unittest.TestCase):
    """From kernel to kernel, as far as one process can tell."""

    def setUp(self) -> None:
        self.fake = ctypes.CDLL(FAKE)
        self.fake.fake_reset()

    def jump(self, session: kho.Session) -> None:
        """What a kexec does to a program."""
        self.fake.fake_kexec()
        session.close()

    def test_go_and_come(self) -> None:
        session = kho.Session.create("test")
        fd = kho.memfd("file", 4096)
        os.pwrite(fd, b"hello", 0)
        session.put("file", fd)
        session.put("second \u00e9", kho.memfd("second", 1))
        with self.assertRaises(kho.KhoError) as caught:
            session.put("file", fd)
        self.assertEqual(caught.exception.code, kho.Code.EXISTS)
        self.assertEqual(caught.exception.errno, errno.EEXIST)
        self.assertFalse(session.came)
        os.close(fd)
        self.jump(session)
        with kho.Session.retrieve("test") as session:
            session.check()
            self.assertIsNone(session.why)
            self.assertTrue(session.came)
            self.assertEqual(session.name, "test")
            self.assertGreaterEqual(session.fileno(), 0)
            self.assertEqual(session.names(), ["file", "second \u00e9"])
            fd = session.get("file")
            with mmap.mmap(fd, 0) as mapping:
                self.assertEqual(mapping[:5], b"hello")
            os.close(fd)
            session.finish()
            self.assertEqual(session.names(), [])
        with self.assertRaises(ValueError):
            session.names()
        session.close()

    def test_keep(self) -> None:
        for there in (False, True, True):
            kept = kho.keep("test", "file", 4096)
            self.assertIsNone(kept.error)
            self.assertEqual(kept.found, there)
            if there:
                self.assertEqual(os.pread(kept.fd, 4, 0), b"kept")
            os.pwrite(kept.fd, b"kept", 0)
            os.close(kept.fd)
            assert kept.session is not None
            self.jump(kept.session)

    def test_forgotten(self) -> None:
        session = kho.Session.create("test")
        del session
        gc.collect()
        self.fake.fake_kexec()
        with self.assertRaises(kho.KhoError) as caught:
            kho.Session.retrieve("test")
        self.assertEqual(caught.exception.code, kho.Code.NOT_FOUND)


@unittest.skipIf(INSIDE, "once is enough")
class WithFakeDevice(unittest.TestCase):
    """All of FakeDevice."""

    def test_all(self) -> None:
        done = subprocess.run(
            [sys.executable, "-m", "unittest", "-v", "kho_test.FakeDevice"],
            env={**os.environ, "LD_PRELOAD": FAKE, "KHO_TEST_INSIDE": "1"}, check=False,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        self.assertEqual(done.returncode, 0, done.stdout)
        self.assertIn("Ran 3 tests", done.stdout)
        self.assertNotIn("skipped", done.stdout)


if __name__ == "__main__":
    unittest.main()
