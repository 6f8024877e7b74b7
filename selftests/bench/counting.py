# SPDX-License-Identifier: GPL-2.0-only
"""Counts what rows of the userspace benchmark do for a key, independent of what else the machine
does: instructions, and accesses that miss a cache, as callgrind simulates them.

The work alone is counted, from the first key to the last (rows.hpp); the same figures come out
each time. A table goes to FILE, for docs/performance.md (document.py).
"""

from __future__ import annotations

import argparse
import json
import re
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from results import ROWS

COMMAND = "make bench-count"
# Rows whose speed is limited by something else than what is done for a key.
_COUNTED = ("add", "array-random", "array-mixed", "preserve-ascending", "preserve-shuffled")
_STRUCTURES = ("upstream", "ours", "limit")
# Bytes, ways, bytes of a line: a core's own caches. What simulates knows of two.
_CACHES = ("--D1=32768,8,64", "--LL=1048576,16,64")
_TRIGGER = re.compile(r"^desc: Trigger: Client Request: (\S+)/(\S+)$", re.M)


class CountError(Exception):
    """A run that does not say what was to be counted."""


@dataclass(frozen=True)
class Counts:
    """For a key: instructions, accesses that miss the first and the second cache."""

    instructions: float
    first: float
    second: float


def keys_of(data: Mapping[str, Any]) -> dict[tuple[str, str], float]:
    """Row and structure -> keys, of the benchmark's own results."""
    found = {}
    for entry in data["benchmarks"]:
        row, structure = entry["name"].split("/")[:2]
        found[row, structure] = entry["keys"]
    return found


def counts(text: str, keys: float) -> Counts:
    """What one of callgrind's files says."""
    events = re.search(r"^events: (.*)$", text, re.M)
    totals = re.search(r"^totals: (.*)$", text, re.M)
    if not events or not totals:
        raise CountError("a file of callgrind's has no totals")
    found = dict(zip(events[1].split(), map(int, totals[1].split())))
    try:
        return Counts(found["Ir"] / keys, (found["D1mr"] + found["D1mw"]) / keys,
                      (found["DLmr"] + found["DLmw"]) / keys)
    except KeyError as error:
        raise CountError(f"callgrind has not counted {error}") from error


def collect(directory: Path, keys: Mapping[tuple[str, str], float]) -> \
        dict[tuple[str, str], Counts]:
    """Row and structure -> what was counted, from all files that a run left."""
    found = {}
    for path in sorted(directory.glob("callgrind.out.*")):
        text = path.read_text(encoding="utf-8")
        trigger = _TRIGGER.search(text)
        if trigger:
            which = trigger[1], trigger[2]
            found[which] = counts(text, keys[which])
    return found


def run(program: Path, quick: bool) -> dict[tuple[str, str], Counts]:
    """Runs the rows once each, under callgrind."""
    with tempfile.TemporaryDirectory() as where:
        results = Path(where) / "results.json"
        words = ["valgrind", "--tool=callgrind", "--cache-sim=yes", "--instr-atstart=no",
                 *_CACHES, f"--callgrind-out-file={where}/callgrind.out", str(program),
                 f"--benchmark_filter=^({'|'.join(_COUNTED)})/({'|'.join(_STRUCTURES)})/",
                 f"--benchmark_out={results}", "--benchmark_out_format=json",
                 *(["--quick"] if quick else [])]
        done = subprocess.run(words, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                              check=False)
        if done.returncode:
            raise CountError("the benchmark failed under callgrind:\n"
                             + "\n".join(done.stdout.splitlines()[-5:]))
        found = collect(Path(where), keys_of(json.loads(results.read_text(encoding="utf-8"))))
    missing = [f"{row}/{structure}" for row in _COUNTED for structure in _STRUCTURES
               if (row, structure) not in found]
    if missing:
        raise CountError(f"nothing was counted of {', '.join(missing)}")
    return found


def table(found: Mapping[tuple[str, str], Counts]) -> dict[str, object]:
    """What document.py takes."""
    texts = {row.name: row.text for row in ROWS}
    rows = [[texts[row], *(f"{found[row, structure].instructions:.0f}"
                           for structure in _STRUCTURES),
             *(f"{found[row, structure].first:.2f}" for structure in _STRUCTURES),
             *(f"{found[row, structure].second:.2f}" for structure in _STRUCTURES)]
            for row in _COUNTED]
    names = ("upstream", "ours", "physical limit")
    return {"title": "Instructions, and accesses that miss the first and the second cache, for "
                     "each key",
            "columns": ["work", *(f"{what}, {name}"
                                  for what in ("instructions", "first", "second")
                                  for name in names)], "rows": rows}


def main(words: Sequence[str] | None = None) -> int:
    """Return: 0, or 2 if something was not counted."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("program", type=Path, help="the benchmark")
    parser.add_argument("json", type=Path, metavar="FILE", help="write the table there")
    parser.add_argument("--quick", action="store_true", help="few keys")
    arguments = parser.parse_args(words)
    try:
        made = table(run(arguments.program, arguments.quick))
        arguments.json.write_text(json.dumps({"command": COMMAND, "tables": [made]}, indent=1)
                                  + "\n", encoding="utf-8")
    except (CountError, OSError) as error:
        print(f"count: {error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
