#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
"""Renders abi-gen's JSON through templates; `abi-gen emit` runs it.

Standard input is one JSON object: inputs, a list of {model, vectors}, and jobs, a
list of {input, template, output}: the place of the input in that list, a file of
templates/, and the file to write or null for standard output.

Templates see the model, the vectors and the filters below; an undefined name in
one is an error. A file that would get the bytes it holds already is not touched.
"""

from __future__ import annotations

import functools
import json
import pathlib
import sys
from typing import Any

import device
import documents
import drawings
import jinja2
import languages

TAB = 8
TEMPLATES = pathlib.Path(__file__).resolve().parent / "templates"


def comment(text: str, first: str, rest: str | None = None) -> str:
    """Wrap text to the width of a line behind first, and behind rest from the second line on."""
    rest = first if rest is None else rest
    width = drawings.COLUMNS - max(len(p.expandtabs(TAB)) for p in (first, rest))
    # A backslash at the end would make the next line part of the comment.
    lines = [line + "." if line.endswith("\\") else line
             for line in drawings.wrapped(text, width)]
    return "\n".join((rest if i else first) + line for i, line in enumerate(lines))


def beside(declaration: str, text: str) -> str:
    """Return a declaration of C++ with what it is behind it, or above if that is too long."""
    one = f"{declaration}  ///< {text}"
    if len(one) <= drawings.COLUMNS and not text.endswith("\\"):
        return one
    indent = declaration[:len(declaration) - len(declaration.lstrip())]
    return comment(text, indent + "/// ") + "\n" + declaration


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


def number(value: int, hexadecimal: bool, suffix: str = "") -> str:
    """Return a literal of C."""
    return (f"{value:#x}" if hexadecimal else f"{value}") + suffix


def environment() -> jinja2.Environment:
    """Return what templates are rendered in; templates are compiled once in it."""
    made = jinja2.Environment(
        loader=jinja2.FileSystemLoader(TEMPLATES),
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        autoescape=False,  # C, not HTML
    )
    made.filters.update(beside=beside, camel=languages.camel, comment=comment,
                        documented=documented, ident=languages.ident,
                        literal=languages.literal, number=number, variant=languages.variant)
    made.globals.update(draw_struct=drawings.draw_struct, heading=documents.heading,
                        literal=documents.literal, table=drawings.table, title=documents.title)
    return made


def render(made: jinja2.Environment, template: str, inputs: dict[str, Any]) -> str:
    """Render one template with a model and vectors."""
    model = inputs["model"]
    for language, names in languages.reference_names(model).items():
        write = languages.in_c_comment if language == "c" else languages.with_names
        made.filters[f"{language}_names"] = functools.partial(write, names=names)
    return made.get_template(template).render(
        **inputs, cpp=languages.Cpp(model), python=languages.Python(model),
        device=device.Device(model) if "device" in model else None,
        document=documents.Document(model))


def write_if_changed(path: pathlib.Path, text: str) -> bool:
    """Write text unless path holds it; return whether it was written."""
    data = text.encode()
    if path.exists() and path.read_bytes() == data:
        return False
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    return True


def main() -> int:
    """Do every job of the request on standard input."""
    if sys.stdin.isatty() or len(sys.argv) > 1:
        print(__doc__, file=sys.stderr)
        return 2
    made = environment()
    where = "the request"
    try:
        request = json.load(sys.stdin)
        for job in request["jobs"]:
            where = job["template"]
            text = render(made, where, request["inputs"][job["input"]])
            if job["output"] is None:
                sys.stdout.write(text)
            else:
                write_if_changed(pathlib.Path(job["output"]), text)
    except (OSError, ValueError, jinja2.TemplateError) as error:
        where = getattr(error, "name", None) or where
        line = getattr(error, "lineno", None) if isinstance(error, jinja2.TemplateError) else None
        print(f"{where}{f':{line}' if line else ''}: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
