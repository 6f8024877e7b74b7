# SPDX-License-Identifier: GPL-2.0-only
"""Finds the largest number of intervals that a kernel boots with, by halving."""

from __future__ import annotations

from collections.abc import Callable

from khobvm.case import Case
from khobvm.progress import Progress
from khobvm.runner import Runner

LOWEST, HIGHEST = 32, 192


def most(crew: Runner, make: Callable[[int], Case], progress: Progress) -> int:
    """Return: the largest count whose case passes; LOWEST must, HIGHEST must not."""
    low, high = LOWEST, HIGHEST
    while high - low > 1:
        middle = (low + high) // 2
        result = crew.run(make(middle), lambda case, parser: None)
        boots = result.verdict.outcome.value == "passed"
        progress.line(f"  {result.case.name}: {'boots' if boots else 'does not boot'} "
                      f"({result.seconds:.0f} s)")
        low, high = (middle, high) if boots else (low, middle)
    return low
