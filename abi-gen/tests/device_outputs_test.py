# SPDX-License-Identifier: GPL-2.0-only
"""Tests of what abi-gen (in $ABI_GEN) emits of a device: all languages say the same.

Twice: of the schema, and of small_device.yaml, which has what that has no example of.
"""

from __future__ import annotations

import json
import os
import pathlib
import re
import runpy
import shutil
import struct
import subprocess
import tempfile
import textwrap
import unittest
from typing import Any

import docutils.core
from device_proofs import all_of, asserted, compared, numbers

HERE = pathlib.Path(__file__).resolve().parent
SCHEMAS = (HERE.parent / "schema" / "device.yaml", HERE / "small_device.yaml")
DOCS = HERE.parents[1] / "docs"
STRICT = ("-Wall", "-Wextra", "-Wpedantic", "-Werror", "-fsyntax-only")
C = [(compiler, standard, *STRICT, "-xc") for compiler in ("gcc", "clang")
     for standard in ("-std=c99", "-std=c11")]
CPP = [(compiler, "-std=c++20", *STRICT, "-xc++") for compiler in ("g++", "clang++")]
# Where the kernel's headers are that are the same for both.
NARROW = ("-m32", "-isystem", "/usr/include/x86_64-linux-gnu")

DIR = pathlib.Path(tempfile.mkdtemp())


def setUpModule() -> None:
    """Emit everything."""
    unittest.addModuleCleanup(shutil.rmtree, DIR)
    for schema in SCHEMAS:
        subprocess.run([os.environ["ABI_GEN"], "emit", "--schema", schema, "--every",
                        "-o", DIR], check=True)


def complaints(*command: str | pathlib.Path, source: str | None = None) -> str:
    """Return what a compiler says."""
    done = subprocess.run(command, input=source, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True, check=False)
    return done.stdout[:4000] if done.returncode else ""


class Device(unittest.TestCase):
    """What there is of each device, by its prefix."""

    def setUp(self) -> None:
        self.models: dict[str, dict[str, Any]] = {
            path.name.removesuffix(".model.json"): json.loads(path.read_text())
            for path in DIR.glob("*.model.json")}
        self.assertEqual(sorted(self.models), ["kho_bridge", "tiny"])

    def test_c_has_the_model(self) -> None:
        for name, model in self.models.items():
            self.assertGreater(len(numbers(model)), 20)
            for compiler in C:
                for width in ((), NARROW):
                    said = complaints(*compiler, *width, f"-I{DIR}", "-",
                                      source=asserted(model))
                    self.assertEqual(said, "", name)

    def test_the_compiler_sees_what_is_wrong(self) -> None:
        header = (DIR / "kho_bridge.h").read_text()
        other = DIR / "other"
        other.mkdir()
        for old, new in (("__aligned_u64 pa;\n\t__u32 order;", "__aligned_u64 pa;\n\t__u64 order;"),
                         ("_IO(KHO_BRIDGE_TYPE, 0x0f)", "_IO(KHO_BRIDGE_TYPE, 0x1f)"),
                         ("KHO_BRIDGE_IMAGE_LOADED 2U", "KHO_BRIDGE_IMAGE_LOADED 3U"),
                         ("char sentence[KHO_BRIDGE_SENTENCE_MAX]", "char sentence[248]")):
            self.assertEqual(header.count(old), 1, old)
            (other / "kho_bridge.h").write_text(header.replace(old, new))
            model = self.models["kho_bridge"]
            for compiler, source in ((C[1], asserted(model)), (CPP[0], compared(model))):
                self.assertIn("error", complaints(*compiler, f"-I{other}", f"-I{DIR}", "-",
                                                  source=source), old)

    def test_cpp_has_what_c_has(self) -> None:
        for name, model in self.models.items():
            for compiler in CPP:
                self.assertEqual(complaints(*compiler, f"-I{DIR}", "-",
                                            source=compared(model)), "", name)

    def test_python_has_the_model(self) -> None:
        for name, model in self.models.items():
            module = runpy.run_path(str(DIR / f"{name}.py"))
            self.assertEqual(module["VERSION"], model["device"]["version"])
            kind = module[model["device"]["ioctl_type"].upper()] << 8
            ioctls = all_of(model, "ioctls")
            self.assertEqual([(i.name.lower(), i.value) for i in module["Ioctl"]],
                             [(i["name"], kind | i["number"]) for i in ioctls])
            self.assertEqual(list(module["ARGUMENTS"].values()), [i["argument"] for i in ioctls])
            self.assertEqual(list(module["NEEDS"].values()), [i["needs"] for i in ioctls])
            for c in all_of(model, "constants"):
                where = "".join(word.capitalize() for word in (c["group"] or "").split("_"))
                value = module[where][c["within"].upper()] if where else module[c["name"].upper()]
                self.assertEqual(value, c["value"], c["name"])
            for s in all_of(model, "structs"):
                layout = module["STRUCTS"][s["name"]]
                self.assertEqual(struct.calcsize(layout.format), s["size"])
                self.assertEqual({f: tuple(layout.fields[f]) for f in layout.fields},
                                 {f["name"]: (f["type"], f["offset"], f["size"], f["length"])
                                  for f in s["fields"]})

    def test_python_is_in_style(self) -> None:
        modules = [DIR / f"{name}.py" for name in self.models]
        for command in (("flake8", "--max-line-length=100"),
                        ("mypy", "--strict", "--no-error-summary",
                         f"--cache-dir={DIR / 'mypy'}")):
            self.assertEqual(complaints(*command, *modules), "")

    def test_errnos_are_real(self) -> None:
        for model in self.models.values():
            names = set(model["device"]["errors"]).union(
                *(ioctl["errors"] for ioctl in all_of(model, "ioctls")))
            self.assertEqual(complaints(*C[0], "-", source="#include <errno.h>\n" + "".join(
                f"int as_{name} = {name};\n" for name in sorted(names))), "")

    def test_documents_are_valid(self) -> None:
        for name in self.models:
            text = (DIR / f"{name}.rst").read_text()
            docutils.core.publish_doctree(
                text, settings_overrides={"halt_level": 2, "report_level": 2})
            self.assertLessEqual(max(map(len, text.splitlines())), 100)

    def test_the_document_says_it_all(self) -> None:
        tree = docutils.core.publish_doctree((DIR / "tiny.rst").read_text())
        text = " ".join(tree.astext().split())
        for part in ("It costs 1*2, 2 * 3 or a_ |b| `c` to say so, /* and */ \"\\\".",
                     "TINY_WHOLE 0x7fff tiny_whole d Needs CAP_NET_ADMIN.",
                     "TINY_AGAIN 0x7ffe tiny_whole d Since version 2.",
                     "TINY_BIT_HIGH 0x80000000 Not TINY_FIRST. Since version 2.",
                     "Of one of struct tiny_part. In tiny_whole.kind.",
                     "TINY_AGAIN EIO Never, says TINY_NONE."):
            self.assertIn(part, text)


class Pages(unittest.TestCase):
    """What docs/ shows of devices."""

    def block(self, page: str, first: str) -> str:
        """Return an indented block, without what indents it."""
        found = re.search(f"^    {re.escape(first)}\n(?:    .*\n)+", (DOCS / page).read_text(),
                          re.MULTILINE)
        self.assertIsNotNone(found, first)
        return textwrap.dedent(found[0]) if found else ""

    def test_the_example_is_sound(self) -> None:
        schema = DIR / "example.yaml"
        schema.write_text(self.block("schema.md", "format: 1"))
        done = subprocess.run([os.environ["ABI_GEN"], "check", "--schema", schema], text=True,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
        self.assertEqual(done.stdout, "version 1: sound\nversion 2: sound\n")

    def test_the_changes_are_judged_so(self) -> None:
        text = SCHEMAS[0].read_text()
        for old, new in (("\n      image:\n        nr:", "\n      picture:\n        nr:"),
                         ("doc: Its compatible string.}\n", "doc: Its compatible string.}\n"
                          "          - {name: more, type: u64, doc: d}\n")):
            self.assertEqual(text.count(old), 1, old)
            text = text.replace(old, new)
        (DIR / "device.yaml").write_text(text)
        command = "$ abi-gen conform old.yaml device.yaml"
        done = subprocess.run([os.environ["ABI_GEN"], "conform", SCHEMAS[0], DIR / "device.yaml"],
                              text=True, stdout=subprocess.PIPE, check=False)
        self.assertEqual(f"{command}\n{done.stdout}", self.block("conform.md", command))
        self.assertEqual(done.returncode, 1)


if __name__ == "__main__":
    unittest.main()
