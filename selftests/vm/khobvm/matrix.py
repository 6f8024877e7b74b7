# SPDX-License-Identifier: GPL-2.0-only
"""README's table of kernel pairs, made from the results of the cases pair-OUTGOING-INCOMING.

A results file speaks for the pairs that it holds; the cells of others stay as they are.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

from khobvm.errors import VmError
from khobvm.report import printed_json

# (outgoing, incoming) -> what the cell says.
Cells = dict[tuple[str, str], str]
BEGIN = "<!-- The table is made from test results by `make matrix`; do not edit it. -->"
END = "<!-- End of the table. -->"
NOT_RUN = "not run"
_CORNER = "from \\ to"
_HINT = "run `make matrix` and commit README.md"


def _steps(case: Mapping[str, object]) -> list[Mapping[str, object]]:
    generations = case.get("generations")
    first = generations[0] if isinstance(generations, list) and generations else {}
    return list(first.get("steps", ()))


def cell(case: Mapping[str, object]) -> str:
    """What a pair's result says: how it was handed over, in which ABI, and whether it held."""
    loaded: Mapping[str, object] = {}
    for step in _steps(case):
        output = step.get("output")
        if step.get("name") == "load" and isinstance(output, list):
            loaded = printed_json(output)
    verdict = "ok" if case.get("good") else "failed"
    if "method" not in loaded:
        return verdict
    return f"{loaded['method']}, {loaded.get('abi')}: {verdict}"


def collect(ends: Sequence[str], files: Sequence[Path]) -> Cells:
    """The cells of every pair in the results; of a pair in several files the last counts."""
    names = {f"pair-{before}-{after}": (before, after) for before in ends for after in ends}
    cells: Cells = {}
    for file in files:
        try:
            cases = json.loads(file.read_text(encoding="utf-8"))["cases"]
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise VmError(f"{file} holds no results: {error}",
                          "`make test-vm` and `make test-interop` write them") from error
        cells.update((names[case["name"]], cell(case)) for case in cases
                     if case["name"] in names)
    return cells


def _row(words: Sequence[str]) -> str:
    return f"| {' | '.join(words)} |"


def table(ends: Sequence[str], cells: Cells) -> str:
    """The table: a row for each outgoing kernel, a column for each incoming one."""
    lines = [_row([_CORNER, *ends]), _row(["---"] * (len(ends) + 1))]
    lines += [_row([before, *(cells.get((before, after), NOT_RUN) for after in ends)])
              for before in ends]
    return "\n".join(lines)


def _split(text: str, name: str) -> tuple[str, str, str]:
    """What is before the table, the table, and what is after it."""
    before, begin, rest = text.partition(BEGIN + "\n")
    inside, end, after = rest.partition(END + "\n")
    if not begin or not end:
        raise VmError(f"{name} has no place for the table",
                      f"put these two lines there:\n{BEGIN}\n{END}")
    return before, inside, after


def read(ends: Sequence[str], text: str, name: str) -> Cells:
    """The cells that a document has; one that is unlike ours counts as empty."""
    cells: Cells = {}
    for line in _split(text, name)[1].splitlines():
        words = [word.strip() for word in line.strip().strip("|").split("|")]
        if words[0] in ends and len(words) == len(ends) + 1:
            cells.update(((words[0], after), word) for after, word in zip(ends, words[1:]))
    return cells


def write(ends: Sequence[str], cells: Cells, document: Path) -> int:
    """Puts cells into a document's table; returns how many it changed."""
    text = document.read_text(encoding="utf-8")
    old = read(ends, text, document.name)
    before, _, after = _split(text, document.name)
    made = f"{before}{BEGIN}\n\n{table(ends, {**old, **cells})}\n\n{END}\n{after}"
    if made != text:
        document.write_text(made, encoding="utf-8")
    return sum(1 for pair, value in cells.items() if old.get(pair) != value)


def differences(ends: Sequence[str], cells: Cells, document: Path) -> list[str]:
    """One sentence for each cell that is not as the results say, and what renews them."""
    text = document.read_text(encoding="utf-8")
    old = read(ends, text, document.name)
    found = [f"{document.name} says of {before} to {after} '{old.get((before, after), NOT_RUN)}', "
             f"the tests say '{value}'"
             for (before, after), value in cells.items()
             if old.get((before, after), NOT_RUN) != value]
    return [*found, _HINT] if found else []
