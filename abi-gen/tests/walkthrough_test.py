# SPDX-License-Identifier: GPL-2.0-only
"""Does what docs/schema.md tells a newcomer to do, and compares what comes of it.

A diff block is an edit of the schema: what its context and removed lines say has to stand there
once. A console block is a command and all that it prints; if there is an error in that, it ends
with status 1.
"""

from __future__ import annotations

import os
import pathlib
import re
import shutil
import subprocess
import tempfile
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
POSITION = re.compile(r"(\.yaml):\d+:\d+:")
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


class Walkthrough(unittest.TestCase):
    """The page, from top to bottom."""

    def setUp(self) -> None:
        self.dir = pathlib.Path(tempfile.mkdtemp())
        self.addCleanup(shutil.rmtree, self.dir)
        (self.dir / "bin").mkdir()
        (self.dir / "bin" / "abi-gen").symlink_to(pathlib.Path(os.environ["ABI_GEN"]).resolve())
        for name in ("old.yaml", "kho.yaml"):
            shutil.copy(ROOT / "abi-gen" / "schema" / "kho.yaml", self.dir / name)

    def edit(self, diff: str) -> None:
        """Apply a diff without line numbers to the schema."""
        lines = diff.splitlines(keepends=True)
        old = "".join(line[1:] for line in lines if line[0] in " -")
        new = "".join(line[1:] for line in lines if line[0] in " +")
        schema = self.dir / "kho.yaml"
        text = schema.read_text()
        self.assertEqual(text.count(old), 1, old)
        schema.write_text(text.replace(old, new))

    def command(self, block: str) -> None:
        """Run a command and compare all that it prints."""
        command, _, printed = block.partition("\n")
        self.assertTrue(command.startswith("$ "), command)
        done = subprocess.run(
            ["bash", "-c", command[2:]], cwd=self.dir, text=True, check=False,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            env={**os.environ, "PATH": f"{self.dir / 'bin'}:{os.environ['PATH']}"},
        )
        # A line more in the schema makes the page no less true.
        shown, found = (POSITION.sub(r"\1:", text) for text in (printed, done.stdout))
        self.assertEqual(found, shown, command)
        self.assertEqual(done.returncode, 1 if "error: " in printed else 0, command)

    def test_every_step_does_what_the_page_says(self) -> None:
        blocks = BLOCK.findall((ROOT / "docs" / "schema.md").read_text())
        self.assertEqual([kind for kind, _ in blocks].count("console"), 6)
        self.assertEqual([kind for kind, _ in blocks].count("diff"), 4)
        for kind, text in blocks:
            if kind == "diff":
                self.edit(text)
            elif kind == "console":
                self.command(text)


if __name__ == "__main__":
    unittest.main()
