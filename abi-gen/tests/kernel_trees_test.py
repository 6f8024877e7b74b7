# SPDX-License-Identifier: GPL-2.0-only
"""The schema against kernels that have KHO (abi-gen is in $ABI_GEN): all of it agrees, and an
alteration of any of their headers is found and named. What is fetched is kept in the cache."""

from __future__ import annotations

import json
import os
import pathlib
import re
import shutil
import subprocess
import tempfile
import unittest
from typing import Any

from khobvm import source
from khobvm.progress import Progress

ABI_GEN = pathlib.Path(os.environ["ABI_GEN"])
VERSIONS = ("7.2", "7.3")
ABI = "include/linux/kho/abi"
CODE = "kernel/liveupdate/kexec_handover.c"
LIVEUPDATE = "include/uapi/linux/liveupdate.h"
SCHEMAS = ("kho-v4", "liveupdate version 1", "luo-v5", "memblock-v1", "memfd-v2", "reserve-mem-v1")
SETUP_DATA = "arch/x86/include/uapi/asm/setup_data.h"

# File, what is looked for, what takes its place, and what the report has to say of whom.
ALTERATIONS: tuple[tuple[str, str, str, dict[str, list[tuple[str, Any, Any]]]], ...] = (
    (f"{ABI}/kexec_metadata.h", r"(_METADATA_VERSION\s+)1\b", r"\g<1>2",
     {"kexec_metadata_version": [("value", 1, 2)]}),
    (f"{ABI}/kexec_handover.h", r"(KHO_TABLE_SIZE_LOG2\) \+ )1", r"\g<1>2",
     {"tree_depth": [("value", 6, 7)]}),
    (f"{ABI}/kexec_handover.h", r'"preserved-data"', '"preserved-date"',
     {"data": [("value", "preserved-data", "preserved-date")]}),
    (f"{ABI}/kexec_handover.h", r"unsigned short flags;", "unsigned int flags;",
     {"vmalloc": [("size", 16, 24)],
      "vmalloc.flags": [("size", 2, 4)],
      "vmalloc.order": [("offset", 14, 16)],
      # It is in a memfd's struct.
      "ser": [("size", 48, 56)],
      "ser.folios": [("size", 16, 24)]}),
    (f"{ABI}/block.h", r"u64 next;", "u32 next;",
     {"block_header": [("size", 16, 12)],
      "block_header.next": [("size", 8, 4)],
      "block_header.count": [("offset", 8, 4)]}),
    (f"{ABI}/luo.h", r"(LIVEUPDATE_HNDL_COMPAT_LENGTH\s+)48\b", r"\g<1>56",
     {"handler_length": [("value", 48, 56)],
      "file_ser": [("size", 64, 72)],
      "file_ser.compatible": [("size", 48, 56)],
      "file_ser.data": [("offset", 48, 56)],
      "file_ser.token": [("offset", 56, 64)]}),
    (f"{ABI}/memfd.h", r"pfn:52;\n(\s+)u64 flags:12;", r"pfn:48;\n\g<1>u64 flags:16;",
     {"folio_ser.pfn": [("bits", 52, 48)],
      "folio_ser.flags": [("first bit", 52, 48), ("bits", 12, 16)]}),
    (f"{ABI}/memfd.h", r"( \| \\\n\s+)F_SEAL_EXEC\)", r")",
     {"seals_all": [("value", 63, 31)]}),
    (f"{ABI}/memblock.h", r'(KHO_FDT )"memblock"', r'\g<1>"reserve"',
     {"name": [("value", "memblock", "reserve")]}),
    (LIVEUPDATE, r"(LIVEUPDATE_CMD_SESSION_FINISH = )0x42", r"\g<1>0x44",
     {"cmd_session_finish": [("value", 0x42, 0x44)],
      "session_finish": [("value", 0xba42, 0xba44)]}),
    (CODE, r"(KHO_VMALLOC_HUGE_VMAP\s+)0x0002", r"\g<1>0x0004",
     {"vmalloc_huge_vmap": [("value", 2, 4)]}),
    (SETUP_DATA, r"(SETUP_KEXEC_KHO\s+)10\b", r"\g<1>11",
     {"setup_kexec_kho": [("value", 10, 11)]}),
)


def compare(tree: pathlib.Path, *more: str) -> subprocess.CompletedProcess[str]:
    """Run abi-gen on a tree."""
    return subprocess.run([ABI_GEN, "conform", "--kernel", tree, *more], capture_output=True,
                          text=True, check=False)


def altered(tree: pathlib.Path, work: pathlib.Path, path: str, old: str, new: str) -> pathlib.Path:
    """A tree of symbolic links that differs from another in one file, by one replacement."""
    shutil.rmtree(work, ignore_errors=True)
    work.mkdir()
    here, there = work, tree
    for part in pathlib.PurePath(path).parts:
        for entry in there.iterdir():
            if entry.name != part:
                (here / entry.name).symlink_to(entry)
        here, there = here / part, there / part
        if there.is_dir():
            here.mkdir()
    text, count = re.subn(old, new, there.read_text())
    assert count == 1, f"{path} has {old} {count} times"
    here.write_text(text)
    return work


class KernelTrees(unittest.TestCase):
    """Every test runs on every kernel."""

    trees: dict[str, pathlib.Path]

    @classmethod
    def setUpClass(cls) -> None:
        progress = Progress()
        cls.trees = {version: source.headers(version, progress) for version in VERSIONS}

    def setUp(self) -> None:
        self.dir = pathlib.Path(tempfile.mkdtemp())
        self.addCleanup(shutil.rmtree, self.dir)

    def report(self, tree: pathlib.Path, *more: str) -> dict[str, Any]:
        """What --json says of a tree; the exit status has to go with it."""
        done = compare(tree, "--json", *more)
        self.assertEqual(done.stderr, "")
        report: dict[str, Any] = json.loads(done.stdout)
        self.assertEqual(done.returncode, 1 if report["mismatches"] else 0)
        self.assertEqual(report["compared"], report["agreeing"] + len(report["mismatches"]))
        return report

    def test_all_agree(self) -> None:
        for version, tree in self.trees.items():
            for shift in ("12", "14", "16"):
                with self.subTest(version, page_shift=shift):
                    report = self.report(tree, "--page-shift", shift)
                    self.assertEqual(report["mismatches"], [])
                    self.assertEqual([one["version"] for one in report["versions"]],
                                     list(SCHEMAS))
                    self.assertEqual(report["page_shift"], int(shift))
                    self.assertTrue(report["release"].startswith(version + "."))
                    # Everything but the one of two names that this kernel does not have.
                    self.assertGreaterEqual(report["compared"], 150)
                    self.assertEqual([one["upstream"] for one in report["only_in_schema"]],
                                     ["KHO_RADIX_KEY_WIDTH" if version == "7.2"
                                      else "KHO_ORDER_0_LOG2"])
                    self.assertEqual(report["not_in_tree"], [])
                    # The ABI's headers have nothing else.
                    self.assertEqual(report["only_in_kernel"], [])

    def test_text(self) -> None:
        for version, tree in self.trees.items():
            with self.subTest(version):
                done = compare(tree)
                self.assertEqual((done.returncode, done.stderr), (0, ""))
                first = done.stdout.partition("\n")[0]
                self.assertRegex(first, rf"^{', '.join(SCHEMAS)} at 4K against "
                                        rf"{re.escape(str(tree))} \(Linux "
                                        rf"{re.escape(version)}\.\d+ .*\): (\d+) of \1 agree$")
                print(f"\n{first}")

    def test_an_alteration_is_named(self) -> None:
        for version, tree in self.trees.items():
            for path, old, new, expected in ALTERATIONS:
                with self.subTest(version, path=path, old=old):
                    report = self.report(altered(tree, self.dir / "tree", path, old, new))
                    found = {one["name"]: [tuple(difference.values())
                                           for difference in one["differences"]]
                             for one in report["mismatches"]}
                    self.assertEqual(found, expected)
                    self.assertEqual({one["header"] for one in report["mismatches"]
                                      if not one["name"].startswith("ser")} or {path}, {path})

    def test_another_version(self) -> None:
        path = f"{ABI}/kexec_handover.h"
        for version, tree in self.trees.items():
            with self.subTest(version):
                done = compare(tree, "--abi", "kho-v3")
                self.assertEqual(done.returncode, 1)
                self.assertIn(f'\nversion kho-v3 (KHO_FDT_COMPATIBLE in {path}): the schema has '
                              '"kho-v3", the kernel "kho-v4"\n', done.stdout)
                newer = altered(tree, self.dir / "tree", path, r'COMPATIBLE "kho-v4"',
                                'COMPATIBLE "kho-v999"')
                done = compare(newer)
                self.assertEqual((done.returncode, done.stdout), (1, ""))
                self.assertIn(f'{newer}/{path}: error: KHO_FDT_COMPATIBLE is "kho-v999"',
                              done.stderr)
                self.assertIn("known are: kho-v2, kho-v3, kho-v4;", done.stderr)

    def test_a_broken_header_is_named(self) -> None:
        path = f"{ABI}/kexec_handover.h"
        for version, tree in self.trees.items():
            with self.subTest(version):
                broken = altered(tree, self.dir / "tree", path, r"struct kho_radix_leaf \{",
                                 "struct kho_radix_leaf [")
                done = compare(broken)
                self.assertEqual((done.returncode, done.stdout), (1, ""))
                self.assertRegex(done.stderr, rf"^{re.escape(f'{broken}/{path}')}:\d+:\d+: error: "
                                              "expected .*: clang cannot read")


class CommandLine(unittest.TestCase):
    """Options that do not go together."""

    def test_misuse(self) -> None:
        for args, part in ((("conform",), "conform needs OLD and NEW, or --kernel DIR"),
                           (("conform", "kho-v3"), "conform needs OLD and NEW"),
                           (("conform", "kho-v3", "kho-v4", "--kernel", "."), "takes the place"),
                           (("conform", "kho-v3", "kho-v4", "--abi", "kho-v4"), "--kernel")):
            done = subprocess.run([ABI_GEN, *args], capture_output=True, text=True, check=False)
            self.assertEqual((done.returncode, done.stdout), (2, ""), args)
            self.assertIn(part, done.stderr)

    def test_an_unknown_version_or_page_size(self) -> None:
        for more, part in ((("--abi", "kho-v1"), "known are: kho-v2"),
                           (("--page-shift", "13"), "none of the schema's values")):
            done = compare(pathlib.Path("."), *more)
            self.assertEqual((done.returncode, done.stdout), (1, ""))
            self.assertIn(part, done.stderr)


if __name__ == "__main__":
    unittest.main()
