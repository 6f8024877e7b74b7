# SPDX-License-Identifier: GPL-2.0-only
"""Tests of what abi-gen (in $ABI_GEN) emits: every language of every version and page size.

Of the schemas, and of small.yaml, which has what these have no example of.
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
import unittest

import docutils.core

HERE = pathlib.Path(__file__).resolve().parent
SCHEMAS = (HERE / "small.yaml", *(HERE.parent / "schema" / f"{name}.yaml"
                                  for name in ("kho", "luo", "memblock", "memfd", "reserve_mem")))
# Where what they use is.
INCLUDES = tuple(f"-I{HERE.parents[1] / place}" for place in ("module/include", "tools/include"))
STRICT = ("-Wall", "-Wextra", "-Wpedantic", "-Werror", "-fsyntax-only", *INCLUDES)
C11 = [(compiler, "-std=c11", *STRICT, "-xc") for compiler in ("gcc", "clang")]
CPP20 = [(compiler, "-std=c++20", *STRICT, "-xc++") for compiler in ("g++", "clang++")]

DIR = pathlib.Path(tempfile.mkdtemp())


def setUpModule() -> None:
    """Emit everything."""
    unittest.addModuleCleanup(shutil.rmtree, DIR)
    for schema in SCHEMAS:
        subprocess.run([os.environ["ABI_GEN"], "emit", "--schema", schema, "--every",
                        "-o", DIR / schema.stem], check=True)


class Outputs(unittest.TestCase):
    """Looks at everything in DIR."""

    def files(self, suffix: str) -> list[pathlib.Path]:
        found = sorted(DIR.glob(f"*/*{suffix}"))
        self.assertGreaterEqual(len(found), 20)
        return found

    def complaints(self, *command: str | pathlib.Path, source: str | None = None) -> str:
        """Return what a program says, which has to fail exactly if it says something."""
        done = subprocess.run(command, input=source, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, text=True, check=False)
        self.assertEqual(done.returncode != 0, done.stdout != "", done.stdout)
        return done.stdout[:4000]


class C(Outputs):
    """Headers of C."""

    def test_they_compile_as_c_and_as_cpp(self) -> None:
        headers = self.files(".h")
        for compiler in (*C11, *CPP20):
            self.assertEqual(self.complaints(*compiler, *headers), "")

    def test_a_struct_in_a_struct_is_that_of_its_version(self) -> None:
        text = (DIR / "small" / "all-4k.h").read_text()
        self.assertIn("struct tiny_holds_v_2 {\n\t__u8 flag;\n\tstruct tiny_grows_v_2 inner;\n",
                      text)

    def test_layouts_are_proved_by_the_compiler(self) -> None:
        text = (DIR / "kho" / "all-16k.h").read_text()
        broken = text.replace("khob_node) == 16384", "khob_node) == 16383")
        self.assertNotEqual(text, broken)
        for compiler in C11:
            self.assertIn("size of khob_node", self.complaints(*compiler, "-", source=broken))


class Cpp(Outputs):
    """Headers of C++."""

    def everything(self) -> str:
        """One translation unit, which is faster by far: each header with its own namespace."""
        lines = []
        for at, header in enumerate(self.files(".hpp")):
            outer, inner = re.search("namespace (\\w+)::(\\w+)", header.read_text()).groups()
            # What uses another schema names that one's namespace too, which stays.
            word = outer if inner == "abi" else inner
            lines += [f"#define {word} {word}_{at}", f'#include "{header}"', f"#undef {word}",
                      f"#undef {outer.upper()}_{inner.upper()}_HPP"]
        return "\n".join(lines) + "\n"

    def test_they_compile(self) -> None:
        for compiler in CPP20:
            self.assertEqual(self.complaints(*compiler, "-", source=self.everything()), "")

    def test_formulas_are_proved_by_the_compiler(self) -> None:
        for stem, old, new in (("kho", "page_size * 8ULL", "page_size * 4ULL"),
                               ("small", "version <= Version::v_2,", "version <= Version::v_1,")):
            text = (DIR / stem / "all-4k.hpp").read_text()
            broken = text.replace(old, new)
            self.assertNotEqual(text, broken)
            for compiler in CPP20:
                self.assertRegex(self.complaints(*compiler, "-", source=broken),
                                 "static.assert(ion)? failed")


class Python(Outputs):
    """Modules of Python."""

    def test_style_and_types(self) -> None:
        modules = self.files(".py")
        self.assertEqual(self.complaints("flake8", "--max-line-length=100", *modules), "")
        # A module's name has no hyphen; one of each size is enough for what takes seconds.
        checked = []
        for module in modules:
            if module.stem.startswith("all-"):
                name = f"{module.parent.name}_{module.stem}.py".replace("-", "_")
                checked.append(shutil.copy(module, DIR / name))
        self.assertEqual(self.complaints("mypy", "--strict", "--no-error-summary",
                                         f"--cache-dir={DIR / 'mypy'}", *checked), "")

    def test_keys_are_those_of_the_vectors(self) -> None:
        for path in self.files(".py"):
            if not path.with_suffix(".vectors.json").exists():
                continue  # it has no key
            module = runpy.run_path(str(path))
            vectors = json.loads(path.with_suffix(".vectors.json").read_text())
            self.assertEqual(vectors["version"], module["VERSION"])
            for v in vectors["vectors"]:
                self.assertEqual(module["key_encode"](v["pa"], v["order"]), v["key"], path)
                self.assertEqual(module["key_decode"](v["key"]), (v["pa"], v["order"]), path)
                self.assertEqual([module["key_index"](v["key"], level)
                                  for level in range(module["TREE_DEPTH"])], v["index"], path)

    def test_what_is_no_page_or_key_is_a_value_error(self) -> None:
        for path in self.files(".py"):
            module = runpy.run_path(str(path))
            if "key_encode" not in module:
                continue
            size, most = 1 << module["PAGE_SHIFT"], module["ORDER_MAX"]
            for pa, order in ((1, 0), (size, 1), (0, most + 1), (0, -1), (-size, 0), (2 ** 64, 0),
                              (2 ** 63, most), (0, 2 ** 64)):
                with self.assertRaisesRegex(ValueError, f"of order {order}", msg=(path, pa)):
                    module["key_encode"](pa, order)
            width = module["KEY_WIDTH"]
            for key in (0, -1, 1 << width, (1 << width) + 1, 1 << 63, 1 << 64):
                with self.assertRaisesRegex(ValueError, "is no key", msg=(path, key)):
                    module["key_decode"](key)

    def test_layouts_are_those_of_the_module_struct(self) -> None:
        for path in self.files(".py"):
            structs = runpy.run_path(str(path))["STRUCTS"]
            for name, layout in structs.items():
                if layout.format is None:
                    self.assertIn(name.partition("_")[0], ("mixed", "hides"))
                    continue
                self.assertEqual(struct.calcsize(layout.format), layout.size, (path, name))
                end = 0
                for field in layout.fields.values():
                    if not field.bits or field.bits[0] == 0:
                        self.assertGreaterEqual(field.offset, end)
                    end = field.offset + field.size
        holds = runpy.run_path(str(DIR / "small" / "all-4k.py"))["STRUCTS"]["holds_v_1"]
        self.assertEqual(holds.format, "<BI4BH2xI4BH2xI4BH2x3s")
        self.assertEqual(holds.fields["inner"], ("grows_v_1", 1, 12, None, None))
        self.assertEqual(holds.fields["more"], ("u32", 40, 0, 0, None))

    def test_bit_fields_are_in_one_number(self) -> None:
        structs = runpy.run_path(str(DIR / "small" / "all-4k.py"))["STRUCTS"]
        tight, bits = structs["tight"], structs["bits_v_3"]
        self.assertEqual((tight.format, bits.format), ("<B2Q", "<I2BHQ"))
        self.assertEqual(tight.fields["flags"], ("u64", 1, 8, None, (52, 12)))
        self.assertEqual([bits.fields[name].bits for name in ("odd", "even", "narrow", "top")],
                         [(0, 3), (3, 5), (52, 4), (56, 8)])

    def test_what_is_used_of_another_schema_is_there(self) -> None:
        luo = runpy.run_path(str(DIR / "luo" / "luo-v5-64k.py"))
        self.assertEqual((luo["FILES_PER_BLOCK"], luo["SESSIONS_PER_BLOCK"]), (1023, 819))
        self.assertEqual(luo["COMPATIBLE"], "luo-v5")
        memfd = runpy.run_path(str(DIR / "memfd" / "all-4k.py"))["STRUCTS"]
        self.assertEqual(memfd["ser"].fields["folios"], ("vmalloc", 32, 16, None, None))
        self.assertEqual(memfd["vmalloc"].format, "<QI2H")
        self.assertEqual(memfd["ser"].format, "<2Q2I2QI2H")
        self.assertEqual(memfd["folio_ser"].fields["flags"].bits, (52, 12))

    def test_a_script_finds_what_a_version_has(self) -> None:
        one = runpy.run_path(str(DIR / "kho" / "kho-v2-64k.py"))
        self.assertEqual((one["COMPATIBLE"], one["HAS_BLOB_SIZE"]), ("kho-v2", False))
        self.assertEqual(one["STRUCTS"]["kho_data"].fields["scratch_size"].offset, 24)
        every = runpy.run_path(str(DIR / "kho" / "all-4k.py"))
        self.assertEqual((every["COMPATIBLE"], every["COMPATIBLE_KHO_V2"]), ("kho-v4", "kho-v2"))
        self.assertEqual((every["HAS_BLOB_SIZE"], every["HAS_BLOB_SIZE_KHO_V2"]), (True, False))
        small = runpy.run_path(str(DIR / "small" / "all-16k.py"))
        self.assertEqual((small["WAYS_V_1"], small["WAYS_V_4"]), (28, 31))


class Rst(Outputs):
    """Documents."""

    def test_they_are_valid(self) -> None:
        for path in self.files(".rst"):
            if path.stem.startswith("all-") or path.stem == "kho-v2-64k":
                docutils.core.publish_doctree(
                    path.read_text(), settings_overrides={"halt_level": 2, "report_level": 2})
                self.assertLessEqual(max(map(len, path.read_text().splitlines())), 100, path)

    def test_docs_are_no_markup(self) -> None:
        tree = docutils.core.publish_doctree((DIR / "small" / "all-4k.rst").read_text())
        self.assertIn("It costs 1*2, 2 * 3 or a_ |b| `c` to say so, and \"\\\".", tree.astext())

    def test_structs_are_drawn(self) -> None:
        text = (DIR / "small" / "all-4k.rst").read_text()
        self.assertIn("""
    byte     63  56  55  48  47  40  39  32  31  24  23  16  15   8  7    0
            +-------------------------------------------------------+-------+
    0       |                         inner                         | flag  |
            +-------------------------------------------------------+-------+
    8..23   |                             inner                             |
            +-------------------------------------------------------+-------+
    24      |                        pair[2]                        | inner |
            +-------------------------------------------------------+-------+
    32..71  |                            pair[2]                            |
            +-------------------------------+-----------------------+-------+
    72      |            more[]             |        text[3]        |pair[2]|
            +-------------------------------+-----------------------+-------+
    80..    |                            more[]                             |
            +---------------------------------------------------------------+
""", text)
        self.assertIn("\n    8                               "
                      "      |   (padding)   |       d       |\n", text)
        self.assertIn("""
    8     |                    top:8 narrow:4 page:52                     |
          +---------------------------------------------------------------+
""", text)
        self.assertIn("\n| 8, bits 55..52 | ``narrow`` | u64 ", text)

    def test_versions_say_what_they_changed(self) -> None:
        text = " ".join((DIR / "small" / "all-4k.rst").read_text().split())
        for part in ("* Computes ``ways`` as ``page_size >> (page_shift - 3)``; v-1 computes it as "
                     "``page_shift * 2``. * No longer has the property ``first-one`` of the root.",
                     "* No longer has the constant ``gone``. "
                     "* Takes ``c`` from the struct ``grows``. "
                     "* Adds ``b`` to the struct ``grows``: d",
                     "``ways`` (v-4) | 31 | "):
            self.assertIn(part, text)
        text = " ".join((DIR / "kho" / "all-4k.rst").read_text().split())
        for part in ("* Adds `Block`_: How upstream's", "kho-v2 is not to be used with 16K pages. "
                     "The tree as published is one level short",
                     "; at 4K pages that is the same number. * Adds the property ``blob-size`` of "
                     "the subnodes"):
            self.assertIn(part, text)

    def test_the_bits_of_keys_are_drawn(self) -> None:
        text = (DIR / "kho" / "all-64k.rst").read_text()
        self.assertIn("""
                48      47      46          45..0
             +-------+-------+-------+-----------------+
    order 0  |   1   |         pa, bits 63..16         |
             +-------+-------+-------+-----------------+
    order 1  |   0   |   1   |     pa, bits 63..17     |
             +-------+-------+-------+-----------------+
    order 2  |   0   |   0   |   1   | pa, bits 63..18 |
             +-------+-------+-------+-----------------+
""", text)
        self.assertIn("""
             48..45    44..32    31..19    18..0
           +---------+---------+---------+-------+
    index  | level 3 | level 2 | level 1 | leaf  |
           +---------+---------+---------+-------+
""", text)
        self.assertIn("| 58 >= 49 ", text)


if __name__ == "__main__":
    unittest.main()
