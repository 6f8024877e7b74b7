# SPDX-License-Identifier: GPL-2.0-only
"""The parts of module/, luo/, tools/ and libkho/, and that each uses none but those before it.

The rule is in docs/architecture.md and nowhere else: four tables, one for each tree, a part a
row. Looked at are

- every #include, of C and of C++;
- in C of the modules, every name that a part defines for others. Definitions and uses are read
  from the source and not from objects: a stock kernel's build leaves out what is for kernels with
  KHO, and a use in there is one all the same. That works because the kernel's style puts a
  definition at the start of a line, and a name for others is one thing only;
- in C++, where names are overloaded, and in libkho's C, whose header declares what is defined
  below it, what the linker would be asked for: the objects' symbols.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parent.parent
DOCUMENT = "docs/architecture.md"
PICTURE = "docs/architecture.svg"
# Where a tree's includes start.
INCLUDES = {"module": (".", "include"), "luo": (".",), "tools": ("lib", "include", "khoctl"),
            "libkho": (".", "include")}
# Built by the kernel's build system, not by CMake.
MODULES = ("module", "luo")
SOURCES = (".c", ".h", ".cpp", ".hpp")

_TABLE = re.compile(r"^<!-- parts of (\w+)/.*?-->\n(.*?)^<!-- end of parts -->$", re.M | re.S)
_ROW = re.compile(r"^\| (\w+) \| ((?:`[^`|]+`(?:, )?)+) \| ", re.M)
_FILE = re.compile(r"[\w/.]+\.(?:c|h|cpp|hpp)\b")
_INCLUDE = re.compile(r'^[ \t]*#[ \t]*include[ \t]*(["<])([^">]+)[">]', re.M)
# What is no code; a string may have two slashes in it.
_NO_CODE = re.compile(r'//[^\n]*|/\*.*?\*/|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\'', re.S)
_DIRECTIVE = re.compile(r"^[ \t]*#(?:[^\n]*\\\n)*[^\n]*", re.M)
# What the modules' parts define for each other begins like this; a member may be called so too.
_NAME = re.compile(r"(?<![\w.])(?<!->)(?<!struct )(?:khob|luo)_\w+")
# A declaration at the start of a line: how, name, and what follows it.
_HEAD = re.compile(r"^(static\s+|extern\s+|typedef\s+)?[A-Za-z_][\w\s*]*?(?:\([^()\n]*\)\s*)?"
                   r"[\s*]((?:khob|luo)_\w+)\s*([(\[=;])", re.M)
# DEFINE_MUTEX(name), DECLARE_RWSEM(name), DEFINE_PER_CPU(type, name).
_MACRO = re.compile(r"^(static\s+)?(?:DEFINE(?!_SHOW_ATTRIBUTE)|DECLARE|LIST_HEAD)\w*"
                    r"\((?:[^(),\n]+,\s*)?((?:khob|luo)_\w+)\)", re.M)


class Use(NamedTuple):
    """Something that a file uses: where, what to call it, and whose it is."""

    path: str
    line: int
    what: str
    owner: str


class Part(NamedTuple):
    """A row of the table; files are relative to the tree, a folder ends with a slash."""

    name: str
    files: tuple[str, ...]


class Tree:
    """One of the tables and the files below its directory."""

    def __init__(self, root: Path, top: str, parts: list[Part]) -> None:
        self.root, self.top, self.parts = root, top, parts
        self.rank = {part.name: at for at, part in enumerate(parts)}
        self.paths = sorted(str(p.relative_to(root)) for p in (root / top).rglob("*")
                            if p.suffix in SOURCES)
        self.text = {path: (root / path).read_text() for path in self.paths}

    def part(self, path: str) -> str | None:
        """The part that a file, relative to the root, belongs to."""
        name = str(Path(path).relative_to(self.top))
        for part in self.parts:
            if any(name == f or f.endswith("/") and name.startswith(f) for f in part.files):
                return part.name
        return None

    def included(self, path: str, name: str) -> str | None:
        """The file of this tree that an #include names, if it names one."""
        folders = [Path(path).parent, *(Path(self.top, i) for i in INCLUDES[self.top])]
        for folder in folders:
            file = os.path.normpath(folder / name)
            if file in self.text:
                return file
        return None


def tables(root: Path) -> list[Tree]:
    """The trees, as the document divides them."""
    return [Tree(root, top, [Part(name, tuple(re.findall("`([^`]+)`", files)))
                             for name, files in _ROW.findall(rows)])
            for top, rows in _TABLE.findall((root / DOCUMENT).read_text())]


def blank(match: re.Match[str]) -> str:
    """As many lines with nothing on them."""
    return "\n" * match[0].count("\n") or " "


def line_of(text: str, at: int) -> int:
    """The line that a place in a text is on, from 1."""
    return text.count("\n", 0, at) + 1


def strangers(tree: Tree) -> Iterator[str]:
    """Files that no part has, and rows that have no file."""
    of = [tree.part(path) for path in tree.paths]
    for path, part in zip(tree.paths, of):
        if part is None:
            yield f"{path}:1: belongs to no part in {DOCUMENT}"
    for name in tree.rank:
        if name not in of:
            yield f"{DOCUMENT}:1: {tree.top}/ has no file of the part {name}"


def includes(tree: Tree) -> Iterator[Use]:
    """Every #include of a file of the tree."""
    for path, text in tree.text.items():
        code = _NO_CODE.sub(lambda m: m[0] if m[0].startswith('"') else blank(m), text)
        for found in _INCLUDE.finditer(code):
            target = tree.included(path, found[2])
            owner = target and tree.part(target)
            if owner:
                yield Use(path, line_of(code, found.start()), f"#include of {found[2]}", owner)


def c_definitions(code: str) -> tuple[set[str], set[str]]:
    """Return: names that a file of C defines for others, and those that it keeps to itself."""
    shared, own = set(), set()
    for found in _HEAD.finditer(code):
        how, name, then = (found[1] or "").strip(), found[2], found[3]
        if how == "static":
            own.add(name)
        elif not how and (then != "(" or re.match(r"[^;{]*\{", code[found.end():])):
            shared.add(name)
    for found in _MACRO.finditer(code):
        (own if found[1] else shared).add(found[2])
    return shared - own, own


def c_uses(tree: Tree) -> Iterator[Use]:
    """Every name in C that another file defines for others."""
    code = {path: _DIRECTIVE.sub(lambda m: m[0].lstrip(" \t#") if "define" in m[0] else blank(m),
                                 _NO_CODE.sub(blank, text))
            for path, text in tree.text.items() if path.endswith((".c", ".h"))}
    defined = {path: c_definitions(text) for path, text in code.items() if path.endswith(".c")}
    owner = {name: tree.part(path) for path, (shared, _) in defined.items() for name in shared}
    for path, text in code.items():
        own = defined[path][1] if path in defined else set()
        for found in _NAME.finditer(text):
            part = owner.get(found[0])
            if part and found[0] not in own:
                yield Use(path, line_of(text, found.start()), found[0], part)


def symbols(objects: dict[str, Path]) -> Iterator[tuple[str, str, str]]:
    """What nm says of each source's object: source, kind, name as the linker has it."""
    for path, file in objects.items():
        done = subprocess.run(["nm", "-P", str(file)], check=True, capture_output=True, text=True)
        for line in done.stdout.splitlines():
            name, kind = line.split()[:2]
            yield path, kind, name


def symbol_uses(tree: Tree, objects: dict[str, Path]) -> Iterator[Use]:
    """Every symbol that an object needs of another."""
    said = list(symbols(objects))
    # What is weak is in a header, and every object that uses it has its own.
    owner = {name: tree.part(path) for path, kind, name in said if kind in "TDBR"}
    needed = [(path, name) for path, kind, name in said if kind == "U" and owner.get(name)]
    plain = subprocess.run(["c++filt", *(name for _, name in needed)], check=True,
                           capture_output=True, text=True).stdout.splitlines() if needed else []
    for (path, name), called in zip(needed, plain):
        word = re.findall(r"~?\w+", called.split("(")[0])[-1]
        at = re.search(rf"\b{re.escape(word)}\b", tree.text[path])
        yield Use(path, line_of(tree.text[path], at.start()) if at else 1, called,
                  owner[name] or "")


def objects_of(tree: Tree, build: Path) -> tuple[dict[str, Path], list[str]]:
    """Return: each source's object, and complaints of those that were not built."""
    if tree.top in MODULES:
        return {}, []
    found: dict[str, Path] = {}
    for file in (build / tree.top).glob("CMakeFiles/*.dir/**/*.o"):
        inside = file.relative_to(build / tree.top / "CMakeFiles")
        found[str(Path(tree.top, *inside.parts[1:]).with_suffix(""))] = file
    sources = [path for path in tree.paths if path.endswith((".c", ".cpp"))]
    return ({path: found[path] for path in sources if path in found},
            [f"{path}:1: was not built: make tools" for path in sources if path not in found])


def check(root: Path, build: Path) -> list[str]:
    """Return: each use of a part that is not before the user's, and where the document errs."""
    bad: list[str] = []
    trees = tables(root)
    missing = INCLUDES.keys() - {tree.top for tree in trees}
    bad += [f"{DOCUMENT}:1: no table of parts of {top}/" for top in sorted(missing)]
    paths = ["/" + path for tree in trees for path in tree.paths]
    for number, line in enumerate((root / DOCUMENT).read_text().splitlines(), 1):
        bad += [f"{DOCUMENT}:{number}: there is no {name}" for name in _FILE.findall(line)
                if not any(path.endswith("/" + name) for path in paths)]
    picture = (root / PICTURE).read_text()
    for tree in trees:
        objects, unbuilt = objects_of(tree, build)
        bad += [*strangers(tree), *unbuilt]
        bad += [f"{PICTURE}:1: does not show the part {name} of {tree.top}/"
                for name in tree.rank if not re.search(rf">{name}<", picture)]
        uses = [*includes(tree), *c_uses(tree), *symbol_uses(tree, objects)]
        for use in sorted(set(uses)):
            user = tree.part(use.path)
            if user and tree.rank[user] < tree.rank[use.owner]:
                bad.append(f"{use.path}:{use.line}: {use.what}: {user} may not use {use.owner}, "
                           f"which comes after it in {DOCUMENT}")
    return bad


def main() -> int:
    """Return: 0 if every part keeps to the rule."""
    bad = check(ROOT, ROOT / "build")
    print("".join(f"{line}\n" for line in bad), end="")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
