# SPDX-License-Identifier: GPL-2.0-only
"""Tests of render.py, regenerate.py and the command line of abi-gen (in $ABI_GEN)."""

from __future__ import annotations

import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import unittest
from typing import Any

import jinja2
import regenerate
import render

ROOT = pathlib.Path(regenerate.__file__).resolve().parent.parent
ABI_GEN = pathlib.Path(os.environ["ABI_GEN"])
SCHEMA = ROOT / regenerate.ABI
DEVICE = ROOT / regenerate.DEVICE


def abi_gen(*args: str | pathlib.Path) -> subprocess.CompletedProcess[str]:
    """Run abi-gen."""
    return subprocess.run([ABI_GEN, *args], capture_output=True, text=True, check=False)


class Scratch(unittest.TestCase):
    """Has a directory of its own."""

    def setUp(self) -> None:
        self.dir = pathlib.Path(tempfile.mkdtemp())
        self.addCleanup(shutil.rmtree, self.dir)


class Render(Scratch):
    """Templates."""

    def test_an_undefined_name_is_an_error(self) -> None:
        made = render.environment()
        made.loader = jinja2.DictLoader({"t": "{{ model.nothing }}"})
        model = json.loads((ROOT / "abi-gen" / "goldens" / "model-4k.json").read_text())
        with self.assertRaises(jinja2.UndefinedError):
            render.render(made, "t", {"model": model, "vectors": {}})

    def test_unchanged_output_is_not_written(self) -> None:
        out = self.dir / "sub" / "out"
        self.assertTrue(render.write_if_changed(out, "a"))
        os.utime(out, (1, 1))
        self.assertFalse(render.write_if_changed(out, "a"))
        self.assertEqual(out.stat().st_mtime, 1)
        self.assertTrue(render.write_if_changed(out, "b"))

    def test_comments_fit_the_line(self) -> None:
        text = render.comment("word " * 100, " * ", " *\t")
        lines = text.splitlines()
        self.assertGreater(len(lines), 1)
        self.assertTrue(all(len(line.expandtabs(8)) <= 100 for line in lines))
        self.assertTrue(all(line.startswith(" *\t") for line in lines[1:]))

    def test_a_bad_request_says_so(self) -> None:
        for request, part in (("nonsense", "the request: Expecting value: line 1"),
                              ('{"inputs": [{"model": {"prefix": "p", "sections": []}}], "jobs": '
                               '[{"input": 0, "template": "none.j2", "output": null}]}',
                               "none.j2")):
            result = subprocess.run([sys.executable, render.__file__], input=request,
                                    capture_output=True, text=True, check=False)
            self.assertEqual(result.returncode, 1)
            self.assertIn(part, result.stderr)


class Goldens(Scratch):
    """The check of what is committed can fail."""

    def test_a_changed_schema_and_a_stale_header_are_found(self) -> None:
        for path in {*regenerate.OUTPUTS, *(schema for schema, *_ in regenerate.OUTPUTS.values())}:
            (self.dir / path).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / path, self.dir / path)
        check = [sys.executable, regenerate.__file__, "--abi-gen", str(ABI_GEN),
                 "--root", str(self.dir), "--check"]
        clean = subprocess.run(check, capture_output=True, text=True, check=False)
        self.assertEqual((clean.returncode, clean.stdout.count("\n@@")), (0, 0), clean.stdout)
        schema = self.dir / regenerate.ABI
        text = schema.read_text()
        schema.write_text(text.replace("property: preserved-data", "property: reserved-data"))
        stale = subprocess.run(check, capture_output=True, text=True, check=False)
        self.assertEqual(stale.returncode, 1)
        self.assertIn('+#define KHOB_PROP_DATA "reserved-data"', stale.stdout)
        self.assertIn("--target abi", stale.stderr)


class SingleVersion(Scratch):
    """Headers of one version alone."""

    def test_they_compile_and_know_only_it(self) -> None:
        for abi in ("kho-v2", "kho-v3", "kho-v4"):
            for language, name in (("kernel-c", "abi.h"), ("cpp", "abi.hpp")):
                made = abi_gen("emit", "--schema", SCHEMA, "--abi", abi, "--lang", language,
                               "-o", self.dir / name)
                self.assertEqual((made.returncode, made.stderr), (0, ""))
            source = self.dir / "both.cpp"
            source.write_text('#include "abi.h"\n#include "abi.hpp"\n'
                              f'static_assert(khob::abi::version_from("{abi}"));\n'
                              "static_assert(KHOB_ABI_NR == 1);\n")
            subprocess.run(
                ["c++", "-std=c++20", "-Wall", "-Wextra", "-Wpedantic", "-Werror",
                 "-fsyntax-only", str(source)],
                check=True,
            )


class CommandLine(Scratch):
    """abi-gen itself."""

    def test_help_has_an_example(self) -> None:
        result = abi_gen("--help")
        self.assertEqual(result.returncode, 0)
        self.assertIn("Example:\n  abi-gen emit", result.stdout)

    def test_a_wrong_option_is_a_usage_error(self) -> None:
        for args in (("emit", "--what"), (), ("emit",), ("emit", "--every"),
                     ("emit", "--every", "--lang", "cpp", "-o", "x")):
            self.assertEqual(abi_gen(*args).returncode, 2, args)

    def test_check_says_what_is_refused_and_why(self) -> None:
        result = abi_gen("check", "--schema", SCHEMA)
        self.assertEqual((result.returncode, result.stderr), (0, ""))
        self.assertIn("kho-v4 at page_shift 14: sound\n", result.stdout)
        self.assertIn("kho-v2 at page_shift 14: refused: The tree", result.stdout)
        self.assertIn("the levels cover 50 bits and the key needs 51", result.stdout)

    def test_everything_is_emitted_twice_with_the_same_bytes(self) -> None:
        for directory in ("one", "two"):
            result = abi_gen("emit", "--schema", SCHEMA, "--every", "-o", self.dir / directory)
            self.assertEqual((result.returncode, result.stderr), (0, ""))
            print(f"everything for every combination: {result.stdout.strip()}")
        files = sorted(p.name for p in (self.dir / "one").iterdir())
        self.assertIn("kho-v2-4k.h", files)
        self.assertIn("all-16k.hpp", files)
        self.assertNotIn("kho-v2-16k.h", files)
        for name in files:
            self.assertEqual((self.dir / "one" / name).read_bytes(),
                             (self.dir / "two" / name).read_bytes(), name)

    def test_kho_v2_at_16k_is_refused_with_both_numbers(self) -> None:
        result = abi_gen("emit", "--schema", SCHEMA, "--abi", "kho-v2", "--page-shift", "14",
                         "--lang", "json-model", "-o", self.dir / "out")
        self.assertEqual(result.returncode, 1)
        self.assertRegex(result.stderr, r"kho\.yaml:\d+:\d+: error: invariant levels_cover_key "
                         "fails for kho-v2 at page_shift 14: the levels cover 50 bits and the "
                         "key needs 51\n")
        self.assertFalse((self.dir / "out").exists())
        sentence = result.stderr.partition(" error: ")[2].strip()
        for name in ("abi-gen/README.md", "docs/schema.md"):
            self.assertIn(sentence, " ".join((ROOT / name).read_text().split()), name)

    def test_the_document_of_the_model_names_all_that_is_in_it(self) -> None:
        def names(part: Any) -> set[str]:
            if isinstance(part, list):
                return set().union(*map(names, part))
            if not isinstance(part, dict):
                return set()
            return set(part).union(*(names(p) for key, p in part.items() if key != "has"))

        text = (ROOT / "abi-gen" / "README.md").read_text().partition("## The model")[2]
        for language in ("json-model", "json-vectors"):
            made = json.loads(abi_gen("emit", "--schema", SCHEMA, "--lang", language).stdout)
            for name in names(made):
                self.assertRegex(text, rf"`{name}(\[\])?`", language)

    def test_unknown_versions_page_sizes_and_files(self) -> None:
        cases: tuple[tuple[tuple[str | pathlib.Path, ...], str], ...] = (
            (("--schema", SCHEMA, "--abi", "kho-v9"),
             "there is no version 'kho-v9'; known are: all, kho-v2"),
            (("--schema", SCHEMA, "--page-shift", "13"),
             "page_shift 13 is none of the schema's values: 12, 14, 16"),
            (("--schema", self.dir / "none"), "cannot be read"),
            (("--schema", SCHEMA, "-o", "/proc/none"), "cannot be written"),
        )
        for args, part in cases:
            result = abi_gen("emit", "--lang", "json-model", *args)
            self.assertEqual(result.returncode, 1, args)
            self.assertIn(part, result.stderr)

    def test_a_device_has_neither_versions_nor_page_sizes(self) -> None:
        for args, part in ((("--page-shift", "12"), "a device is the same at every page size"),
                           (("--abi", "kho-v4"), "a device has one version, which --abi does not"),
                           (("--lang", "c-vectors"), "the schema has no key, of which")):
            result = abi_gen("emit", *(() if "--lang" in args else ("--lang", "cpp")),
                             "--schema", DEVICE, *args)
            self.assertEqual((result.returncode, result.stdout), (1, ""))
            self.assertIn(part, result.stderr)
        for command, part in ((("--kernel", self.dir, "--schema", DEVICE), "a device alone"),
                              ((SCHEMA, DEVICE), "is no schema of the kind that")):
            result = abi_gen("conform", *command)
            self.assertEqual(result.returncode, 1)
            self.assertIn(part, result.stderr)

    def test_conform_prints_what_its_document_shows(self) -> None:
        command = "$ abi-gen conform kho-v2 kho-v3\n"
        document = (ROOT / "docs" / "conform.md").read_text()
        block = document[document.index(command) + len(command):].split("\n\n")[0]
        result = abi_gen("conform", "kho-v2", "kho-v3")
        self.assertEqual((result.returncode, result.stderr), (0, ""))
        self.assertEqual(result.stdout, "".join(f"{line.strip()}\n"
                                                for line in block.splitlines()))

    def test_conform_takes_two_schemas(self) -> None:
        new = self.dir / "new.yaml"
        new.write_text(SCHEMA.read_text().replace("property: blob-size", "property: size"))
        result = abi_gen("conform", SCHEMA, new)
        self.assertEqual((result.returncode, result.stderr), (1, ""))
        self.assertIn("breaks-layout: kho-v4: the name of property blob_size changes from "
                      '"blob-size" to "size"\n', result.stdout)
        self.assertIn("error: kho-v4: the layout breaks and the compatible string stays",
                      result.stdout)
        for args, part in (((SCHEMA, "kho-v9"), "kho-v9: error: is neither a version of"),
                           (("kho-v4", new), "compare two versions of one schema, or two")):
            result = abi_gen("conform", *args)
            self.assertEqual(result.returncode, 1)
            self.assertIn(part, result.stderr)

    def test_an_unknown_language_is_named(self) -> None:
        result = abi_gen("emit", "--lang", "cobol")
        self.assertEqual(result.returncode, 1)
        self.assertIn("there is no language 'cobol'; known are: kernel-c, cpp", result.stderr)

    def test_unchanged_output_is_not_written(self) -> None:
        out = self.dir / "out"
        abi_gen("emit", "--lang", "json-model", "--schema", SCHEMA, "-o", out)
        os.utime(out, (1, 1))
        abi_gen("emit", "--lang", "json-model", "--schema", SCHEMA, "-o", out)
        self.assertEqual(out.stat().st_mtime, 1)


if __name__ == "__main__":
    unittest.main()
