# SPDX-License-Identifier: GPL-2.0-only
"""Random devices: their headers agree, and each kind of change is judged as it has to be.

ABI_PROPERTY_SEED and ABI_PROPERTY_DEVICES say which and how many; always the same otherwise.
"""

from __future__ import annotations

import json
import os
import pathlib
import shutil
import subprocess
import tempfile
import unittest

import random_device
from device_proofs import asserted, compared

ABI_GEN = os.environ["ABI_GEN"]
FIRST = int(os.environ.get("ABI_PROPERTY_SEED", "1"))
COUNT = int(os.environ.get("ABI_PROPERTY_DEVICES", "8"))
STRICT = ("-Wall", "-Wextra", "-Wpedantic", "-Werror", "-fsyntax-only")


class Random(unittest.TestCase):
    """Each in a directory of its own."""

    def setUp(self) -> None:
        self.dir = pathlib.Path(tempfile.mkdtemp())
        self.addCleanup(shutil.rmtree, self.dir)

    def run_program(self, *command: str | pathlib.Path, text: str = "") -> tuple[int, str]:
        done = subprocess.run(command, input=text, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, text=True, check=False)
        return done.returncode, done.stdout

    def write(self, name: str, device: random_device.Device) -> pathlib.Path:
        path = self.dir / name
        path.write_text(json.dumps(device, indent=1))
        return path

    def test_headers_agree(self) -> None:
        for seed in range(FIRST, FIRST + COUNT):
            schema = self.write("device.yaml", random_device.make(seed))
            self.assertEqual(self.run_program(ABI_GEN, "emit", "--schema", schema, "--every",
                                              "-o", self.dir)[0], 0, seed)
            model = json.loads((self.dir / "r.model.json").read_text())
            for compiler, source in ((("gcc", "-std=c11", "-xc"), asserted(model)),
                                     (("g++", "-std=c++20", "-xc++"), compared(model))):
                self.assertEqual(self.run_program(*compiler, *STRICT, f"-I{self.dir}", "-",
                                                  text=source), (0, ""), seed)

    def test_changes_are_judged(self) -> None:
        for seed in range(FIRST, FIRST + COUNT):
            device = random_device.make(seed)
            old = self.write("old.yaml", device)
            for changes, status in ((random_device.KEEPS, 0), (random_device.BREAKS, 1)):
                for name, change in changes.items():
                    new = self.write("new.yaml", random_device.changed(seed, device, change))
                    self.assertEqual(self.run_program(ABI_GEN, "check", "--schema", new)[0], 0,
                                     (seed, name))
                    found, said = self.run_program(ABI_GEN, "conform", old, new)
                    self.assertEqual((found, "\nerror: " in said), (status, status == 1),
                                     (seed, name, said))
                    self.assertNotIn(": error: ", said, (seed, name))


if __name__ == "__main__":
    unittest.main()
