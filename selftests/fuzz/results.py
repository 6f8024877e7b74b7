# SPDX-License-Identifier: GPL-2.0-only
"""What libFuzzer says while it runs, the table of a campaign, and the totals of all campaigns."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from khobvm.cache import lock

_STATUS = re.compile(r"#(\d+)\s+(\w+)\s+(?:cov: \d+ )?ft: (\d+)")
_STAT = re.compile(r"stat::(\w+):\s+(\d+)")
_WRITTEN = re.compile(r"Test unit written to (.+)")
_SUMMARY = re.compile(r"SUMMARY: (.+)")
_BROKEN = re.compile(r"broken: (.+)")


@dataclass
class Run:
    """One target's run, as far as its output has been read."""

    target: str
    executions: int = 0
    seconds: float = 0.0
    first_features: int = 0
    features: int = 0
    artefact: str = ""
    complaint: str = ""

    def read(self, line: str) -> None:
        """Takes in one line of libFuzzer's output; lines that say nothing new are passed over."""
        if match := _STATUS.match(line):
            self.executions = int(match[1])
            self.features = int(match[3])
            if match[2] == "INITED":
                self.first_features = self.features
        elif match := _STAT.match(line):
            if match[1] == "number_of_executed_units":
                self.executions = int(match[2])
        elif match := _WRITTEN.search(line):
            self.artefact = match[1].strip()
        elif match := _BROKEN.match(line):
            self.complaint = match[1].strip()
        elif match := _SUMMARY.match(line):
            # What was broken says more than that the process was ended for it.
            self.complaint = self.complaint or match[1].strip()

    @property
    def rate(self) -> int:
        """Executions a second."""
        return round(self.executions / self.seconds) if self.seconds > 0 else 0

    @property
    def new_features(self) -> int:
        """How much more was reached than by the corpus that the run began with."""
        return max(0, self.features - self.first_features)


def read_totals(path: Path) -> dict[str, dict[str, float]]:
    """Executions, seconds and findings of every target in all campaigns so far."""
    try:
        totals: dict[str, dict[str, float]] = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    return totals


def add_to_totals(path: Path, run: Run) -> None:
    """Counts one more run; several campaigns may do so at once."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with lock(path.with_suffix(".lock")):
        totals = read_totals(path)
        of = totals.setdefault(run.target, {"executions": 0, "seconds": 0, "findings": 0})
        of["executions"] += run.executions
        of["seconds"] = round(of["seconds"] + run.seconds, 1)
        of["findings"] += bool(run.artefact)
        part = path.with_suffix(".part")
        part.write_text(json.dumps(totals, indent=2, sort_keys=True) + "\n", encoding="utf-8")
        part.replace(path)


def table(rows: Iterable[tuple[str, ...]]) -> str:
    """Aligned columns: the first one's text to the left, figures to the right."""
    lines = list(rows)
    widths = [max(len(cell) for cell in column) for column in zip(*lines)]
    return "".join("  ".join([row[0].ljust(widths[0]),
                              *(cell.rjust(width) for cell, width in zip(row[1:], widths[1:]))])
                   + "\n" for row in lines)


def summary(runs: list[Run], totals: dict[str, dict[str, float]]) -> str:
    """A campaign's table, and what all campaigns come to."""
    rows = [("target", "executions", "exec/s", "new features", "findings", "executions in all")]
    for run in runs:
        in_all = int(totals.get(run.target, {}).get("executions", 0))
        rows.append((run.target, f"{run.executions:,}", f"{run.rate:,}", f"{run.new_features:,}",
                     str(int(bool(run.artefact))), f"{in_all:,}"))
    executions = int(sum(of["executions"] for of in totals.values()))
    hours = sum(of["seconds"] for of in totals.values()) / 3600
    return table(rows) + f"all campaigns: {executions:,} executions in {hours:.1f} hours\n"
