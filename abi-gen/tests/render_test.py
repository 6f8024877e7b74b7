# SPDX-License-Identifier: GPL-2.0-only
"""Tests of render.py, regenerate.py and the command line of abi-gen (in $ABI_GEN)."""

from __future__ import annotations

import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import unittest

import jinja2
import regenerate
import render

ROOT = pathlib.Path(regenerate.__file__).resolve().parent.parent
ABI_GEN = pathlib.Path(os.environ["ABI_GEN"])
SCHEMA = ROOT / regenerate.SCHEMA


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

    model = {"prefix": "p", "sections": []}

    def template(self, text: str) -> pathlib.Path:
        """Write a template."""
        path = self.dir / "t.j2"
        path.write_text(text)
        return path

    def test_an_undefined_name_is_an_error(self) -> None:
        with self.assertRaises(jinja2.UndefinedError):
            render.render(self.template("{{ model.nothing }}"), self.model, None)

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

    def test_a_bad_command_line_says_so(self) -> None:
        result = subprocess.run(
            [sys.executable, render.__file__, "--model", self.dir / "none", "a=b"],
            capture_output=True, text=True, check=False,
        )
        self.assertEqual(result.returncode, 1)
        self.assertIn("No such file", result.stderr)


class Goldens(Scratch):
    """The check of what is committed can fail."""

    def test_a_changed_schema_and_a_stale_header_are_found(self) -> None:
        for path in (regenerate.SCHEMA, regenerate.MODEL, regenerate.VECTORS,
                     *regenerate.OUTPUTS.values()):
            (self.dir / path).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / path, self.dir / path)
        check = [sys.executable, regenerate.__file__, "--abi-gen", str(ABI_GEN),
                 "--root", str(self.dir), "--check"]
        clean = subprocess.run(check, capture_output=True, text=True, check=False)
        self.assertEqual((clean.returncode, clean.stdout.count("\n@@")), (0, 0), clean.stdout)
        schema = self.dir / regenerate.SCHEMA
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
            abi_gen("model", "--schema", SCHEMA, "--abi", abi, "-o", self.dir / "model.json")
            templates = pathlib.Path(render.__file__).parent / "templates"
            subprocess.run(
                [sys.executable, render.__file__, "--model", str(self.dir / "model.json"),
                 f"{templates / 'kernel.h.j2'}={self.dir / 'abi.h'}",
                 f"{templates / 'abi.hpp.j2'}={self.dir / 'abi.hpp'}"],
                check=True, capture_output=True,
            )
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
        self.assertIn("Example:\n  abi-gen model", result.stdout)

    def test_a_wrong_option_is_a_usage_error(self) -> None:
        self.assertEqual(abi_gen("model", "--what").returncode, 2)
        self.assertEqual(abi_gen().returncode, 2)

    def test_kho_v2_at_16k_is_refused_with_both_numbers(self) -> None:
        result = abi_gen("model", "--schema", SCHEMA, "--abi", "kho-v2", "--page-shift", "14",
                         "-o", self.dir / "out")
        self.assertEqual(result.returncode, 1)
        self.assertRegex(result.stderr, r"kho\.yaml:\d+:\d+: error: invariant levels_cover_key "
                         "fails for kho-v2 at page_shift 14: the levels cover 50 bits and the "
                         "key needs 51\n")
        self.assertFalse((self.dir / "out").exists())

    def test_every_other_combination_is_emitted(self) -> None:
        for abi in ("kho-v2", "kho-v3", "kho-v4"):
            for shift in ("12", "14", "16"):
                if (abi, shift) == ("kho-v2", "14"):
                    continue
                result = abi_gen("model", "--schema", SCHEMA, "--abi", abi, "--page-shift", shift)
                self.assertEqual((result.returncode, result.stderr), (0, ""))

    def test_unknown_versions_page_sizes_and_files(self) -> None:
        cases: tuple[tuple[tuple[str | pathlib.Path, ...], str], ...] = (
            (("--schema", SCHEMA, "--abi", "kho-v9"),
             "there is no version 'kho-v9'; known are: all, kho-v2"),
            (("--schema", SCHEMA, "--page-shift", "13"),
             "page_shift 13 is none of the schema's values: 12, 14, 16"),
            (("--schema", self.dir / "none"), "cannot be read"),
            (("--schema", SCHEMA, "-o", self.dir / "no" / "dir"), "cannot be written"),
        )
        for args, part in cases:
            result = abi_gen("model", *args)
            self.assertEqual(result.returncode, 1, args)
            self.assertIn(part, result.stderr)

    def test_unchanged_output_is_not_written(self) -> None:
        out = self.dir / "out"
        abi_gen("model", "--schema", SCHEMA, "-o", out)
        os.utime(out, (1, 1))
        abi_gen("model", "--schema", SCHEMA, "-o", out)
        self.assertEqual(out.stat().st_mtime, 1)


if __name__ == "__main__":
    unittest.main()
