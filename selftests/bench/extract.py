# SPDX-License-Identifier: GPL-2.0-only
"""Cuts upstream's radix tree out of Debian's linux-source package, for the benchmark.

Nothing of it is committed: each build cuts it again, by name, and compiles it as it is
against shim.h. A name that the source does not define is an error that says so.
"""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Sequence
from pathlib import Path

from khobvm import source
from khobvm.errors import VmError
from khobvm.progress import Progress

_ABI = "include/linux/kho/abi/kexec_handover.h"
_TREE = "include/linux/kho_radix_tree.h"
_CODE = "kernel/liveupdate/kexec_handover.c"

# What goes into which file, in this order: a file below the tree, and names that it defines.
Cut = tuple[str, tuple[str, ...]]
OUTPUTS: dict[str, tuple[Cut, ...]] = {
    "upstream_types.inc": (
        (_ABI, ("enum kho_radix_consts", "struct kho_radix_node", "struct kho_radix_leaf")),
        (_TREE, ("struct kho_radix_tree", "struct kho_radix_walk_cb"))),
    "upstream_code.inc": ((_CODE, (
        "kho_encode_radix_key", "kho_radix_get_bitmap_index", "kho_radix_get_table_index",
        "kho_radix_alloc_node", "kho_radix_free_node", "kho_radix_add_key", "kho_radix_del_key",
        "__kho_radix_destroy_tree", "kho_radix_init_tree", "kho_radix_destroy_tree",
        "kho_radix_walk_leaf", "__kho_radix_walk_tree", "kho_radix_walk_tree",
        "__kho_preserve_pages_order", "__kho_unpreserve", "kho_preserve_pages",
        "kho_unpreserve_pages")),),
}
_SKIPPED = re.compile(r'/\*.*?\*/|//[^\n]*|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\'', re.DOTALL)
_PAIRS = {"(": ")", "{": "}"}


def bare(text: str) -> str:
    """The text with comments and literals blanked out, every other character where it was."""
    return _SKIPPED.sub(lambda found: re.sub(r"[^\n]", " ", found[0]), text)


def _close(code: str, opening: int) -> int:
    """The position behind the bracket that closes the one at a position; -1 if none does."""
    begin, end = code[opening], _PAIRS[code[opening]]
    depth = 0
    for at in range(opening, len(code)):
        depth += (code[at] == begin) - (code[at] == end)
        if not depth:
            return at + 1
    return -1


def _type(code: str, name: str) -> list[tuple[int, int]]:
    """Where a struct or an enum is defined."""
    found = []
    for match in re.finditer(rf"^{re.escape(name)}\s*\{{", code, re.MULTILINE):
        end = code.find(";", _close(code, match.end() - 1))
        found.append((match.start(), end + 1))
    return found


def _function(code: str, name: str) -> list[tuple[int, int]]:
    """Where a function is defined; calls are indented, declarations have no body."""
    found = []
    words = r"[A-Za-z_][^\n;{}()]*"
    pattern = rf"^(?:{words}\n)?(?:{words}[ *])?{re.escape(name)}\("
    for match in re.finditer(pattern, code, re.MULTILINE):
        behind = _close(code, match.end() - 1)
        body = re.match(r"\s*\{", code[behind:]) if behind > 0 else None
        if body:
            found.append((match.start(), _close(code, behind + body.end() - 1)))
    return found


def cut(text: str, name: str, place: str) -> str:
    """The definition of a function, or of "struct NAME" or "enum NAME", as it stands there."""
    code = bare(text)
    found = _type(code, name) if " " in name else _function(code, name)
    found = [(start, end) for start, end in found if end > start]
    if len(found) != 1:
        raise VmError(f"{place} defines {name} {len(found)} times, not once",
                      "this version of the source needs another list in selftests/bench/extract.py")
    start, end = found[0]
    return text[start:end]


def extract(tree: Path, cuts: Sequence[Cut]) -> str:
    """Everything that one output holds, each piece with a line marker for messages."""
    pieces = []
    for place, names in cuts:
        text = (tree / place).read_text(encoding="utf-8")
        for name in names:
            piece = cut(text, name, place)
            line = text[:text.index(piece)].count("\n") + 1
            pieces.append(f'#line {line} "{place}"\n{piece}\n')
    return "\n".join(pieces)


def main() -> int:
    """Return: 0, or 2 if the source cannot be had or lacks something."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("version", help="of the linux-source package: 7.3")
    parser.add_argument("out", type=Path, help="directory for what is cut")
    arguments = parser.parse_args()
    progress = Progress()
    try:
        tree = source.headers(arguments.version, progress)
        progress.done()
        made = {name: extract(tree, cuts) for name, cuts in OUTPUTS.items()}
        arguments.out.mkdir(parents=True, exist_ok=True)
        for name, text in made.items():
            (arguments.out / name).write_text(text, encoding="utf-8")
    except (VmError, OSError) as error:
        progress.done()
        print(f"extract: {error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
