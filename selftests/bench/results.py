# SPDX-License-Identifier: GPL-2.0-only
"""What the userspace benchmark measures, and its results as numbers."""

from __future__ import annotations

import statistics
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

BASE = "upstream"


@dataclass(frozen=True)
class Row:
    """A row of the userspace table: its name in the results, what it says, what was aimed at."""

    name: str
    text: str
    aim: str = ""


# The aim is the column "reached by a prototype" of what this was planned from, as a ratio.
ROWS = (
    Row("add", "add, order 0, sequential, one call a key", "1.7x"),
    Row("array-sequential", "add, array of keys, sequential", "5-10x"),
    Row("array-random", "add, array of keys, random", "5-10x"),
    Row("array-mixed", "add, array of keys, mixed orders", "5-10x"),
    Row("range", "add, range in one call, 256 GiB of 4K pages", "2000x"),
    Row("preserve-ascending", "preserve_pages, fragmented extents, ascending", "4-5x"),
    Row("preserve-shuffled", "preserve_pages, fragmented extents, random order", "4-5x"),
    Row("del-sequential", "del, one by one, sequential", "1x"),
    Row("del-random", "del, one by one, random", "1x"),
    Row("del-range", "del, range in one call, 256 GiB of 4K pages", "10000x"),
    Row("unpreserve", "unpreserve_pages, fragmented extents, random order"),
    Row("walk-keys", "walk, keys, dense", "2.3x"),
    Row("walk-ranges", "walk, ranges, dense 256 GiB", "600x"),
    Row("walk-sparse", "walk, keys, one page a leaf", "2x"),
)
COLUMNS = {"ours": "ours", "ours-shared": "ours, lock-free", "limit": "physical limit",
           "set": "std::set", "intervals": "interval set", "roaring": "CRoaring"}
MEMORY = {"dense": "4K pages, dense", "every-other": "every other 4K page",
          "random": "4K pages, random, one of 16", "fragments": "fragmented extents",
          "one-a-leaf": "one 4K page a leaf"}
# Row name and structure -> a number.
Figures = dict[tuple[str, str], float]


@dataclass(frozen=True)
class Results:
    """What one run of the benchmark found: medians, and what was counted."""

    times: Figures
    nodes: Figures
    memory: Figures


def read_benchmark(data: Mapping[str, Any]) -> Results:
    """Time for a key (median of the repetitions), nodes left, bytes for a GiB preserved."""
    times: dict[tuple[str, str], list[float]] = {}
    nodes: Figures = {}
    memory: Figures = {}
    for entry in data["benchmarks"]:
        if entry.get("run_type") != "iteration":
            continue
        row, structure = entry["name"].split("/")[:2]
        if "bytes" in entry:
            memory[row.removeprefix("memory-"), structure] = entry["bytes"] / entry["gib"]
            continue
        times.setdefault((row, structure), []).append(entry["real_time"] / entry["keys"])
        if "nodes" in entry:
            nodes[row, structure] = entry["nodes"]
    return Results({key: statistics.median(values) for key, values in times.items()}, nodes,
                   memory)
