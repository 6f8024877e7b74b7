# SPDX-License-Identifier: GPL-2.0-only
"""What docs/userspace.md says of libkho: code that is in the examples, commands that a VM runs."""

from __future__ import annotations

import os
import re
import unittest
from pathlib import Path

from cases import libkho

TOP = Path(os.environ["KHO_TOP"])
DOCUMENT = (TOP / "docs/userspace.md").read_text()
QUOTE = re.compile(r"^<!-- from (\S+) -->\n```\w+\n(.*?)^```$", re.M | re.S)


class Docs(unittest.TestCase):
    """Against the files that it is about."""

    def test_code_is_in_the_examples(self) -> None:
        quotes = QUOTE.findall(DOCUMENT)
        self.assertEqual({path for path, _ in quotes},
                         {"libkho/examples/cache.cpp", "libkho/examples/keeper.c"})
        for path, code in quotes:
            self.assertIn(code, (TOP / path).read_text())

    def test_commands_are_run(self) -> None:
        commands = re.findall(r"^    (kho-.*)$", DOCUMENT, re.M)
        self.assertGreaterEqual(len(commands), 5)
        ran = [step.command for case in libkho.CASES for generation in case.generations
               for step in generation.steps]
        for command in commands:
            self.assertTrue(any(one == command or one.startswith(f"{command} ") for one in ran),
                            f"no VM runs {command}")

    def test_calls_are_there(self) -> None:
        header = (TOP / "libkho/include/kho.h").read_text()
        called = set(re.findall(r"\b(kho_(?:session_\w+|keep|memfd|strerror))\(", DOCUMENT))
        self.assertGreaterEqual(len(called), 8)
        for name in called:
            self.assertRegex(header, rf"[ *]{name}\(")

    def test_numbers(self) -> None:
        header = (TOP / "libkho/include/kho.h").read_text()
        self.assertIn("A session has 255 names", DOCUMENT)
        self.assertIn("#define KHO_FILES_MAX 255\n", header)
        self.assertIn("waited for\n  two seconds", DOCUMENT)
        self.assertIn("#define KHO_DEVICE_WAIT_MS 2000\n", header)


if __name__ == "__main__":
    unittest.main()
