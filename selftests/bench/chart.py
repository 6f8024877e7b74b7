# SPDX-License-Identifier: GPL-2.0-only
"""The chart of docs/performance.md, as SVG and as PNG: every structure's speed, by work."""

from __future__ import annotations

from pathlib import Path

import matplotlib  # type: ignore[import]

from results import BASE, COLUMNS, ROWS, Results

matplotlib.use("Agg")
# The same results make the same file.
matplotlib.rcParams.update({"svg.hashsalt": "kho-bridge", "svg.fonttype": "none",
                            "font.size": 9})
# The backend is chosen first.
from matplotlib import pyplot  # noqa: E402

_LOOKS = {
    "ours": ("#1b6ca8", "D"), "ours-shared": ("#63b3ed", "d"), "limit": ("#888888", "|"),
    "set": ("#c98a2b", "o"), "intervals": ("#a0522d", "s"), "roaring": ("#5a8f3c", "^"),
}


def draw(results: Results, document: Path) -> str:
    """Writes DOCUMENT.svg and DOCUMENT.png; returns the name of the first."""
    rows = list(reversed(ROWS))
    figure, axes = pyplot.subplots(figsize=(9, 0.4 * len(rows) + 1.5))
    axes.axvline(1, color="black", linewidth=1)
    for name, label in COLUMNS.items():
        color, marker = _LOOKS[name]
        points = [(results.times[row.name, BASE] / results.times[row.name, name], at)
                  for at, row in enumerate(rows) if (row.name, name) in results.times]
        axes.scatter(*zip(*points), color=color, marker=marker, label=label,
                     s=90 if marker == "|" else 40, zorder=3 if name.startswith("ours") else 2)
    axes.set_xscale("log")
    axes.set_yticks(range(len(rows)), [row.text for row in rows])
    axes.grid(axis="x", color="#dddddd")
    axes.set_axisbelow(True)
    axes.set_xlabel("speed as a multiple of upstream's in the same run (right is better)")
    axes.legend(loc="lower center", bbox_to_anchor=(0.3, 1.0), ncol=len(COLUMNS),
                frameon=False, columnspacing=1, handletextpad=0.2)
    svg = document.with_suffix(".svg")
    figure.savefig(svg, bbox_inches="tight", metadata={"Date": None, "Creator": None})
    figure.savefig(document.with_suffix(".png"), bbox_inches="tight", dpi=110,
                   metadata={"Software": None})
    pyplot.close(figure)
    return svg.name
