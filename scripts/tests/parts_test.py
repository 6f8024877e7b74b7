# SPDX-License-Identifier: GPL-2.0-only
"""The checker of parts: small trees of which it has to say what is wrong, where and why."""

from __future__ import annotations

import subprocess
import tempfile
import unittest
from pathlib import Path

import parts

DOCUMENT = """\
<!-- parts of module/: as in the real one -->
| part | files | what it owns |
| --- | --- | --- |
| base | `khob.h`, `khob.c` | the lock |
| in | `in/` | what came |
| out | `out/` | what goes |
<!-- end of parts -->

<!-- parts of luo/: as in the real one -->
| part | files | what it owns |
| --- | --- | --- |
| core | `core/` | checks |
| main | `main.c` | begins |
<!-- end of parts -->

<!-- parts of tools/: as in the real one -->
| part | files | what it owns |
| --- | --- | --- |
| plan | `lib/plan/` | decides |
| load | `lib/load/` | does |
<!-- end of parts -->

<!-- parts of libkho/: as in the real one -->
| part | files | what it owns |
| --- | --- | --- |
| api | `kho.h` | declares |
| index | `index.c` | names |
| session | `session.c` | sessions |
<!-- end of parts -->
"""
PICTURE = "".join(f"<text>{name}</text>"
                  for name in ("base", "in", "out", "core", "main", "plan", "load",
                               "api", "index", "session"))
# Nothing in it is wrong.
GOOD = {
    "module/khob.h": "extern struct mutex khob_lock;\nint khob_refuse(int err);\n",
    "module/khob.c": '#include "khob.h"\n\nDEFINE_MUTEX(khob_lock);\n\n'
                     "int khob_refuse(int err)\n{\n\treturn err;\n}\n",
    "module/in/in.h": '#include "khob.h"\n\nint khob_in_take(void);\n',
    "module/in/in.c": '#include "in/in.h"\n\nint khob_in_take(void)\n{\n'
                      "\treturn khob_refuse(1);\n}\n",
    "module/out/out.h": "int khob_out_freeze(void);\nextern int khob_out_state;\n",
    "module/out/out.c": '#include "in/in.h"\n#include "out.h"\n\nint khob_out_state = 1;\n\n'
                        "static int khob_out_own(void)\n{\n\treturn khob_in_take();\n}\n\n"
                        "int khob_out_freeze(void)\n{\n\treturn khob_out_own();\n}\n",
    "luo/core/read.c": "int luo_read(void)\n{\n\treturn 0;\n}\n",
    "luo/main.c": "static int luo_init(void)\n{\n\treturn luo_read();\n}\n",
    "tools/lib/plan/plan.hpp": "int choose(int from);\n",
    "tools/lib/plan/plan.cpp": '#include "plan/plan.hpp"\n\nint choose(int from) {\n'
                               "    return from;\n}\n",
    "tools/lib/load/load.hpp": "int load(int what);\n",
    "tools/lib/load/load.cpp": '#include "load/load.hpp"\n\n#include "plan/plan.hpp"\n\n'
                               "int load(int what) {\n    return choose(what);\n}\n",
    "libkho/kho.h": "int kho_find(int name);\nint kho_open(int name);\n",
    "libkho/index.c": '#include "kho.h"\n\nint kho_find(int name)\n{\n\treturn name;\n}\n',
    "libkho/session.c": '#include "kho.h"\n\nint kho_open(int name)\n{\n'
                        "\treturn kho_find(name);\n}\n",
}


class PartsTest(unittest.TestCase):
    """Each test changes something in a tree that is all right."""

    def setUp(self) -> None:
        temp = tempfile.TemporaryDirectory(prefix="khob-parts-")
        self.addCleanup(temp.cleanup)
        self.root = Path(temp.name)
        self.build = self.root / "build"
        for path, text in {**GOOD, parts.DOCUMENT: DOCUMENT, parts.PICTURE: PICTURE}.items():
            self.write(path, text)

    def write(self, path: str, text: str) -> None:
        """Makes a file, and the object of one that CMake builds."""
        file = self.root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
        inside = Path(path).relative_to(Path(path).parts[0])
        top = Path(path).parts[0]
        if file.suffix in (".c", ".cpp") and top in ("tools", "libkho"):
            target = self.build / top / "CMakeFiles" / "khob.dir" / f"{inside}.o"
            target.parent.mkdir(parents=True, exist_ok=True)
            subprocess.run(["g++" if file.suffix == ".cpp" else "gcc", "-c", "-O0", "-I",
                            str(self.root / "tools" / "lib"), str(file), "-o", str(target)],
                           check=True)

    def change(self, path: str, was: str, now: str) -> None:
        """Replaces something that is there."""
        text = (self.root / path).read_text()
        self.assertIn(was, text)
        self.write(path, text.replace(was, now))

    def said(self) -> list[str]:
        """What the checker has to say."""
        return parts.check(self.root, self.build)

    def refused(self, start: str, user: str, owner: str) -> None:
        """Nothing but one use, in these words."""
        self.assertEqual(self.said(), [f"{start}: {user} may not use {owner}, which comes after "
                                       f"it in {parts.DOCUMENT}"])

    def test_good(self) -> None:
        self.assertEqual(self.said(), [])

    def test_include_in_c(self) -> None:
        self.change("module/in/in.c", '#include "in/in.h"\n',
                    '#include "in/in.h"\n#include "out/out.h"\n')
        self.refused("module/in/in.c:2: #include of out/out.h", "in", "out")

    def test_include_from_beside(self) -> None:
        self.change("module/in/in.h", '#include "khob.h"', '#include "../out/out.h"')
        self.refused("module/in/in.h:1: #include of ../out/out.h", "in", "out")

    def test_include_in_angles(self) -> None:
        self.change("module/khob.h", "extern", "# include <in/in.h>\nextern")
        self.refused("module/khob.h:1: #include of in/in.h", "base", "in")

    def test_include_in_cpp(self) -> None:
        self.change("tools/lib/plan/plan.hpp", "int choose",
                    '// A comment.\n/* And\nanother. */\n#include "load/load.hpp"\nint choose')
        self.refused("tools/lib/plan/plan.hpp:4: #include of load/load.hpp", "plan", "load")

    def test_include_in_a_comment(self) -> None:
        self.change("module/in/in.h", "int", '/*\n#include "out/out.h"\n*/\nint')
        self.assertEqual(self.said(), [])

    def test_call_in_c(self) -> None:
        self.change("module/in/in.c", "khob_refuse(1)", "khob_out_freeze()")
        self.refused("module/in/in.c:5: khob_out_freeze", "in", "out")

    def test_call_in_c_for_other_kernels(self) -> None:
        self.change("module/in/in.c", "return",
                    "#ifdef KHOB_NATIVE\n\tkhob_out_freeze();\n#endif\n\treturn")
        self.refused("module/in/in.c:6: khob_out_freeze", "in", "out")

    def test_declaration_in_c(self) -> None:
        self.change("module/khob.h", "extern", "int khob_in_take(void);\nextern")
        self.refused("module/khob.h:1: khob_in_take", "base", "in")

    def test_macro_in_c(self) -> None:
        self.change("module/in/in.h", "int", "#define KHOB_IN_GO() \\\n\tkhob_out_freeze()\nint")
        self.refused("module/in/in.h:4: khob_out_freeze", "in", "out")

    def test_variable_in_c(self) -> None:
        self.change("module/in/in.c", "khob_refuse(1)", "khob_refuse(khob_out_state)")
        self.refused("module/in/in.c:5: khob_out_state", "in", "out")

    def test_variable_that_a_macro_defines(self) -> None:
        self.change("module/out/out.c", "int khob_out_state = 1;", "DEFINE_XARRAY(khob_out_state);")
        self.change("module/in/in.c", "khob_refuse(1)", "khob_refuse(khob_out_state)")
        self.refused("module/in/in.c:5: khob_out_state", "in", "out")

    def test_name_of_ones_own(self) -> None:
        self.change("module/in/in.c", "int khob_in_take",
                    "static int khob_out_freeze(void)\n{\n\treturn 0;\n}\n\nint khob_in_take")
        self.change("module/in/in.c", "khob_refuse(1)", "khob_out_freeze()")
        self.assertEqual(self.said(), [])

    def test_name_that_is_no_use(self) -> None:
        self.change("module/in/in.c", "return", "/* as khob_out_freeze() */\n\t"
                    'pr_info("khob_out_freeze");\n\tx->khob_out_state = y.khob_out_state;\n'
                    "\treturn")
        self.assertEqual(self.said(), [])

    def test_call_in_cpp(self) -> None:
        self.change("tools/lib/plan/plan.cpp", "int choose(int from) {\n    return from;",
                    "int load(int what);\nint choose(int from) {\n    return load(from);")
        self.refused("tools/lib/plan/plan.cpp:3: load(int)", "plan", "load")

    def test_call_in_c_that_cmake_builds(self) -> None:
        self.change("libkho/index.c", "return name", "return kho_open(name)")
        self.refused("libkho/index.c:5: kho_open", "index", "session")

    def test_file_of_no_part(self) -> None:
        self.write("module/new/new.c", "")
        self.assertEqual(self.said(),
                         [f"module/new/new.c:1: belongs to no part in {parts.DOCUMENT}"])

    def test_part_without_a_file(self) -> None:
        for name in ("out.c", "out.h"):
            (self.root / "module" / "out" / name).unlink()
        self.assertEqual(self.said(),
                         [f"{parts.DOCUMENT}:1: module/ has no file of the part out"])

    def test_no_table(self) -> None:
        self.write(parts.DOCUMENT, DOCUMENT.split("<!-- parts of libkho/")[0])
        self.assertEqual(self.said(), [f"{parts.DOCUMENT}:1: no table of parts of libkho/"])

    def test_file_that_is_gone(self) -> None:
        self.write(parts.DOCUMENT, DOCUMENT + "\nSee out/out.c, in/old.c and plan/plan.hpp.\n")
        self.assertEqual(self.said(), [f"{parts.DOCUMENT}:31: there is no in/old.c"])

    def test_not_in_the_picture(self) -> None:
        self.write(parts.PICTURE, PICTURE.replace(">load<", ">unload<"))
        self.assertEqual(self.said(),
                         [f"{parts.PICTURE}:1: does not show the part load of tools/"])

    def test_not_built(self) -> None:
        (self.build / "tools/CMakeFiles/khob.dir/lib/load/load.cpp.o").unlink()
        self.assertEqual(self.said(), ["tools/lib/load/load.cpp:1: was not built: make tools"])


if __name__ == "__main__":
    unittest.main()
