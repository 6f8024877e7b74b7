#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
"""Renders abi-gen's JSON through templates.

Templates see the model, test vectors if there are any, and the filters below;
an undefined name in one is an error. A file that would get the bytes it holds
already is not touched.
"""

from __future__ import annotations

import argparse
import json
import pathlib
import re
import sys
import textwrap
from typing import Any

import jinja2

COLUMNS = 100
REFERENCE = re.compile(r"\{(\w+)\}")
TAB = 8


def comment(text: str, first: str, rest: str | None = None) -> str:
    """Wrap text to COLUMNS behind first, and behind rest from the second line on."""
    rest = first if rest is None else rest
    width = COLUMNS - max(len(p.expandtabs(TAB)) for p in (first, rest))
    lines = textwrap.wrap(text, width, break_long_words=False, break_on_hyphens=False)
    return "\n".join((rest if i else first) + line for i, line in enumerate(lines))


def documented(element: dict[str, Any]) -> str:
    """Return an element's doc with its unit and the versions that have it in brackets."""
    text: str = element["doc"]
    notes = [element["unit"]] if element["unit"] else []
    if element.get("type") == "be32":
        notes.append("big-endian")
    if element.get("variant"):
        notes.append(element["variant"])
    else:
        notes += [f"{word} {element[word]}" for word in ("since", "until") if element[word]]
    return f"{text} [{', '.join(notes)}]" if notes else text


def reference_names(model: dict[str, Any]) -> tuple[dict[str, str], dict[str, str]]:
    """Return how C and how C++ write what docs refer to as {alias}."""
    prefix = model["prefix"]
    c: dict[str, str] = {}
    cpp: dict[str, str] = {}
    for section in model["sections"]:
        for item in section["constants"] + section["strings"]:
            c[item["alias"]] = f"{prefix}_{item['name']}".upper()
            cpp[item["alias"]] = item["alias"]
        for item in section["properties"]:
            c[f"prop_{item['name']}"] = f"{prefix}_prop_{item['name']}".upper()
            cpp[f"prop_{item['name']}"] = f"prop_{item['name']}"
        for item in section["structs"]:
            c[item["alias"]] = f"struct {prefix}_{item['name']}"
            cpp[item["alias"]] = item["alias"]
    return c, cpp


def ident(text: str) -> str:
    """Return a version's name as an identifier."""
    return text.replace("-", "_")


def number(value: int, hexadecimal: bool, suffix: str = "") -> str:
    """Return a literal of C."""
    return (f"{value:#x}" if hexadecimal else f"{value}") + suffix


def render(
    template: pathlib.Path, model: dict[str, Any], vectors: dict[str, Any] | None
) -> str:
    """Render one template."""
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(template.parent),
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        autoescape=False,  # C, not HTML
    )
    c_names, cpp_names = reference_names(model)
    environment.filters.update(
        comment=comment,
        documented=documented,
        ident=ident,
        number=number,
        # Names that an older version lacks are left as the schema has them.
        c_names=lambda text: REFERENCE.sub(lambda m: c_names.get(m[1], m[1]), text),
        cpp_names=lambda text: REFERENCE.sub(lambda m: cpp_names.get(m[1], m[1]), text),
    )
    return environment.get_template(template.name).render(
        model=model, vectors=vectors
    )


def write_if_changed(path: pathlib.Path, text: str) -> bool:
    """Write text unless path holds it; return whether it was written."""
    data = text.encode()
    if path.exists() and path.read_bytes() == data:
        return False
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    return True


def pair(text: str) -> tuple[pathlib.Path, pathlib.Path]:
    """Parse TEMPLATE=OUTPUT."""
    template, equals, output = text.partition("=")
    if not (template and equals and output):
        raise argparse.ArgumentTypeError(f"'{text}' is not TEMPLATE=OUTPUT")
    return pathlib.Path(template), pathlib.Path(output)


def main() -> int:
    """Render every pair of the command line."""
    parser = argparse.ArgumentParser(
        description="Render abi-gen's JSON through Jinja2 templates.",
        epilog="example: render.py --model model.json templates/kernel.h.j2=abi.h",
    )
    parser.add_argument("--model", type=pathlib.Path, required=True)
    parser.add_argument("--vectors", type=pathlib.Path)
    parser.add_argument("pairs", nargs="+", type=pair, metavar="TEMPLATE=OUTPUT")
    args = parser.parse_args()
    try:
        model = json.loads(args.model.read_text())
        vectors = json.loads(args.vectors.read_text()) if args.vectors else None
        for template, output in args.pairs:
            if write_if_changed(output, render(template, model, vectors)):
                print(f"wrote {output}")
    except (OSError, ValueError, jinja2.TemplateError) as error:
        where = getattr(error, "name", None) or args.model
        line = getattr(error, "lineno", None)
        print(f"render.py: {where}{f':{line}' if line else ''}: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
