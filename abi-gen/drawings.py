# SPDX-License-Identifier: GPL-2.0-only
"""Tables and drawings in text, as reStructuredText's grid tables and literal blocks have them."""

from __future__ import annotations

import functools
import textwrap
from collections.abc import Sequence
from typing import Any, NamedTuple

COLUMNS = 100
LEAST = 20  # columns that the last one of a table gets if it needs them
ROW = 8  # bytes in a row of a struct's drawing
BYTE = 8  # columns that a byte takes there, one of its borders included
RIGHT = ROW * BYTE


@functools.cache  # outputs of one run say most things alike
def wrapped(text: str, width: int) -> tuple[str, ...]:
    """Return the lines of a text; a word that is too long gets a line of its own."""
    return tuple(textwrap.wrap(text, width, break_long_words=False, break_on_hyphens=False))


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Return a grid table. The last column is prose, which gets what the others leave.

    Columns that are empty in all rows are left out.
    """
    used = [at for at in range(len(head)) if any(row[at] for row in rows)]
    cells = [[row[at] for at in used] for row in [head, *rows]]
    widths = [max(map(len, column)) for column in zip(*cells)]
    word = max(len(word) for row in cells for word in row[-1].split() or [""])
    rest = COLUMNS - 1 - sum(width + 3 for width in widths[:-1]) - 3
    widths[-1] = max(min(widths[-1], max(rest, LEAST)), word)
    rule = "+".join(["", *("-" * (width + 2) for width in widths), ""])
    lines = [rule]
    for row in cells:
        prose = wrapped(row[-1], widths[-1]) or ("",)
        for at, text in enumerate(prose):
            texts = [*(cell if at == 0 else "" for cell in row[:-1]), text]
            lines.append("".join(f"| {t:<{w}} " for t, w in zip(texts, widths)) + "|")
        lines.append(rule if len(lines) > 1 + len(prose) else rule.replace("-", "="))
    return "\n".join(lines)


class Cell(NamedTuple):
    """Bytes of a row, from the least significant one, and what may stand there, best first."""

    first: int
    size: int
    texts: tuple[str, ...]


class Row(NamedTuple):
    """A row of a struct's drawing, or several that are all of one array."""

    label: str
    cells: list[Cell]

    def borders(self) -> set[int]:
        """Return the columns of the borders."""
        ends = {RIGHT - BYTE * (cell.first + cell.size) for cell in self.cells}
        return ends | {RIGHT - BYTE * cell.first for cell in self.cells}


def _rows(struct: dict[str, Any]) -> list[Row]:
    rows: dict[int, Row] = {}

    def add(offset: int, size: int, *texts: str) -> None:
        end = offset + size
        while offset < end:
            first = offset % ROW
            whole = 0 if first else (end - offset) // ROW * ROW
            count = whole or min(ROW - first, end - offset)
            start = offset - first
            label = f"{start}..{start + count - 1}" if count > ROW else f"{start}"
            row = rows.setdefault(start, Row(label, []))
            row.cells.append(Cell(first, min(count, ROW), texts))
            offset += count

    at = 0
    for field in struct["fields"]:
        if field["bits"] and field["bits"]["first"]:
            continue
        add(at, field["offset"] - at, "(padding)", "(pad)", ".")
        at = field["offset"] + field["size"]
        name = field["name"]
        if field["bits"]:
            # All that are in one number, the most significant one on the left.
            names = [f"{f['name']}:{f['bits']['count']}" for f in reversed(struct["fields"])
                     if f["bits"] and f["offset"] == field["offset"]]
            add(field["offset"], field["size"], " ".join(names), "...")
        elif field["flexible"]:
            add(at, -at % ROW, f"{name}[]", "...")
            at += -at % ROW
            rows[at] = Row(f"{at}..", [Cell(0, ROW, (f"{name}[]",))])
            return [rows[start] for start in sorted(rows)]
        elif field["length"] is None:
            add(field["offset"], field["size"], name, "...")
        else:
            add(field["offset"], field["size"], f"{name}[{field['length']}]", name, "...")
    add(at, struct["size"] - at, "(padding)", "(pad)", ".")
    return [rows[start] for start in sorted(rows)]


def _border(above: set[int], below: set[int]) -> str:
    columns = above | below
    left = min(columns)
    return " " * left + "".join("+" if column in columns else "-"
                                for column in range(left, RIGHT + 1))


def _contents(row: Row) -> str:
    text = [" "] * (RIGHT + 1)
    for column in row.borders():
        text[column] = "|"
    for cell in row.cells:
        room = cell.size * BYTE - 1
        fits = next((t for t in cell.texts if len(t) <= room), "")
        start = RIGHT - BYTE * (cell.first + cell.size) + 1
        text[start:start + room] = f"{fits:^{room}}"
    return "".join(text)


def draw_struct(struct: dict[str, Any]) -> str:
    """Draw a struct: a row has 8 bytes, and the most significant bit is on the left."""
    rows = _rows(struct)
    margin = max(len("byte"), *(len(row.label) for row in rows)) + 2
    numbers = "".join(f" {8 * byte + 7:<3}{8 * byte:>3} " for byte in reversed(range(ROW)))
    lines = ["byte".ljust(margin) + numbers]
    above: set[int] = set()
    for row in rows:
        lines.append(" " * margin + _border(above, row.borders()))
        lines.append(row.label.ljust(margin) + _contents(row))
        above = row.borders()
    lines.append(" " * margin + _border(above, set()))
    return "\n".join(line.rstrip() for line in lines)


def draw_bits(ranges: Sequence[tuple[int, int]], rows: Sequence[tuple[str, Sequence[str]]]) -> str:
    """Draw ranges of bits, (high, low) from left to right, and rows of a label and cells.

    A row with fewer cells than there are ranges has its last one span the rest.
    """
    numbers = [f"{high}" if high == low else f"{high}..{low}" for high, low in ranges]
    widths = [max(len(number) + 2, BYTE - 1) for number in numbers]
    for _, cells in rows:
        last = len(cells) - 1
        for at, text in enumerate(cells):
            spare = sum(widths[last:]) + len(widths) - 1 - last if at == last else widths[at]
            widths[len(widths) - 1 if at == last else at] += max(0, len(text) + 2 - spare)
    margin = max(len(label) for label, _ in rows) + 2
    rule = " " * margin + "+".join(["", *("-" * width for width in widths), ""])
    lines = [" " * margin + "".join(f" {n:^{w}}" for n, w in zip(numbers, widths)), rule]
    for label, cells in rows:
        spans = widths[:len(cells) - 1]
        spans = [*spans, sum(widths[len(spans):]) + len(widths) - 1 - len(spans)]
        lines.append(label.ljust(margin)
                     + "|".join(["", *(f"{c:^{w}}" for c, w in zip(cells, spans)), ""]))
        lines.append(rule)
    return "\n".join(line.rstrip() for line in lines)
