# SPDX-License-Identifier: GPL-2.0-only
"""Makes the tables and the chart of docs/performance.md from results.

Each table stands between markers that name its section; a run renews the sections that it
is given and leaves the others alone. Three kinds of file are understood: what Google Benchmark
writes (the section "userspace", with the chart), what `khoctl bench --json` writes ("kernel"),
and ready-made tables, for results that are measured elsewhere:

    {"command": "khobvm measure-handover", "tables": [
        {"title": "...", "columns": ["...", ...], "rows": [["...", ...], ...]}, ...]}
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from results import BASE, COLUMNS, MEMORY, ROWS, Results, read_benchmark

SECTIONS = ("userspace", "counts", "kernel", "threads", "end-to-end", "memfds", "keep",
            "cache")
_HINT = "run `make bench`: it writes them"


class DocumentError(Exception):
    """Results or a document that this cannot work with."""


@dataclass(frozen=True)
class Table:
    """A table of finished text."""

    title: str
    columns: Sequence[str]
    rows: Sequence[Sequence[str]]


def short(value: float, digits: int) -> str:
    """A number with so many significant digits, and no exponent."""
    rounded = float(f"{value:.{digits}g}")
    return f"{rounded:.0f}" if rounded >= 10 ** (digits - 1) else f"{rounded:g}"


def ratio(base: float, value: float) -> str:
    """How many times as fast as the base."""
    times = base / value
    return "> 1000000x" if times >= 1e6 else f"{short(times, 2)}x"


def speed(results: Results) -> Table:
    """Each structure's speed as a multiple of upstream's, in the same run."""
    lines = []
    for row in ROWS:
        base = results.times.get((row.name, BASE))
        if base is None:
            raise DocumentError(f"the results have no {row.name}/{BASE}")
        cells = {name: ratio(base, results.times[row.name, name])
                 if (row.name, name) in results.times else "" for name in COLUMNS}
        lines.append([row.text, cells["ours"], row.aim,
                      *(cells[name] for name in COLUMNS if name != "ours")])
    return Table("Speed as a multiple of upstream's, higher is better",
                 ["work", "ours", "aimed at", *list(COLUMNS.values())[1:]], lines)


def threads(results: Results) -> Table:
    """What a second thread adds; empty where the machine had no CPU for it."""
    names = {"upstream": "upstream", "ours": "ours, one lock", "ours-shared": "ours, lock-free",
             "limit": "physical limit"}
    lines = []
    for name, text in names.items():
        one, two = (results.times.get((f"threads-{n}", name)) for n in (1, 2))
        if one and two:
            lines.append([text, ratio(one, two)])
    return Table("Two threads adding: throughput as a multiple of one thread's of the same",
                 ["structure", "two threads"], lines)


def left(results: Results) -> Table:
    """Nodes after everything has been deleted."""
    wanted = {row.name: row.text for row in ROWS
              if row.name.startswith("del-") or row.name == "unpreserve"}
    lines = [[text, *(f"{results.nodes[name, structure]:.0f}"
                      for structure in ("upstream", "ours", "ours-shared"))]
             for name, text in wanted.items()]
    return Table("Nodes left when everything has been deleted",
                 ["work", "upstream", "ours", "ours, lock-free"], lines)


def memory(results: Results) -> Table:
    """Memory for a GiB preserved."""
    names = ["upstream", "ours", "set", "intervals", "roaring"]
    lines = [[text, *(short(results.memory[name, structure] / 1024, 3) for structure in names)]
             for name, text in MEMORY.items()]
    return Table("Memory for each GiB preserved, in KiB",
                 ["pages", *(COLUMNS.get(name, name) for name in names)], lines)


def in_kernel(data: Mapping[str, Any]) -> list[Table]:
    """What `khoctl bench --json` measured on a kernel with KHO."""
    texts = {row.name: row.text.replace(", 256 GiB of 4K pages", "").replace(" 256 GiB", "")
             for row in ROWS}
    texts |= {"threads-1": "one thread adding, lock-free",
              "threads-2": "two threads adding, lock-free"}
    rows = [[texts.get(row["work"], row["work"]), row["keys"], f"{ratio(row['ratio'], 1)}"]
            for row in data["rows"] if row["ratio"] is not None]
    left = [[texts.get(row["work"], row["work"]), row["upstream"], row["ours"]]
            for row in data["nodes_left"] if row["upstream"] is not None]
    return [Table("In the kernel: speed as a multiple of its own tree's, higher is better",
                  ["work", "keys", "ours"], rows),
            Table("In the kernel: nodes left when everything has been deleted",
                  ["work", "the kernel's own", "ours"], left)]


def tables(path: Path) -> tuple[str, list[Table], Results | None]:
    """What a file of results says: the command that made it, tables, figures for the chart."""
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
        if "benchmarks" in data:
            found = read_benchmark(data)
            return "make bench", [speed(found), threads(found), left(found), memory(found)], found
        if "repetitions" in data:
            return "khoctl bench --json", in_kernel(data), None
        made = [Table(t["title"], t["columns"], t["rows"]) for t in data["tables"]]
        return data["command"], made, None
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise DocumentError(f"{path} holds no results: {error!r}; {_HINT}") from error


def _line(words: Sequence[object]) -> str:
    return f"| {' | '.join(str(word) for word in words)} |"


def render(command: str, found: Sequence[Table], picture: str = "") -> str:
    """A section's text."""
    parts = [f"Made by `{command}`."]
    if picture:
        parts.append(f"![Speed as a multiple of upstream's]({picture})")
    for table in found:
        if not table.rows:
            continue
        lines = [_line(table.columns), _line(["---"] * len(table.columns)),
                 *(_line(row) for row in table.rows)]
        parts += [f"**{table.title}**", "\n".join(lines)]
    return "\n\n".join(parts)


def markers(section: str) -> tuple[str, str]:
    """The lines around a section."""
    return (f"<!-- {section}: generated by selftests/bench/document.py; do not edit -->",
            f"<!-- end of {section} -->")


def replace(text: str, section: str, content: str) -> str:
    """The document with another content of one section."""
    begin, end = markers(section)
    before, found, rest = text.partition(begin + "\n")
    _, closed, after = rest.partition(end + "\n")
    if not found or not closed:
        raise DocumentError(f"the document has no place for the section {section}: "
                            f"put these two lines there\n{begin}\n{end}")
    return f"{before}{begin}\n\n{content}\n\n{end}\n{after}"


def summary(found: Sequence[Table]) -> str:
    """The tables for a terminal."""
    blocks = []
    for table in found:
        rows = [[str(cell) for cell in row] for row in (table.columns, *table.rows)]
        widths = [max(map(len, column)) for column in zip(*rows)]
        lines = ["  ".join([row[0].ljust(widths[0]),
                            *(cell.rjust(width) for cell, width in zip(row[1:], widths[1:]))])
                 for row in rows]
        blocks.append("\n".join([table.title, *lines]))
    return "\n\n".join(blocks)


def main() -> int:
    """Return: 0, or 2 if results or document are not what they should be."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("results", nargs="+", metavar="SECTION=FILE",
                        help=f"sections: {', '.join(SECTIONS)}")
    parser.add_argument("--document", type=Path, metavar="FILE",
                        help="write the tables there, and the chart next to it")
    arguments = parser.parse_args()
    try:
        for word in arguments.results:
            section, equals, file = word.partition("=")
            if not equals or section not in SECTIONS:
                raise DocumentError(f"{word} is no SECTION=FILE of {', '.join(SECTIONS)}")
            command, found, results = tables(Path(file))
            print(summary(found))
            if arguments.document is None:
                continue
            picture = ""
            if results:
                # Only here, so that tables can be made where there is no matplotlib.
                import chart  # pylint: disable=import-outside-toplevel
                picture = chart.draw(results, arguments.document)
            text = arguments.document.read_text(encoding="utf-8")
            text = replace(text, section, render(command, found, picture))
            arguments.document.write_text(text, encoding="utf-8")
    except (DocumentError, OSError) as error:
        print(f"document: {error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
