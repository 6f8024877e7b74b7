# SPDX-License-Identifier: GPL-2.0-only
"""The main job, shown: the case "demo", a line a step, and a table of what came out."""

from __future__ import annotations

from collections.abc import Iterable

from khobvm.report import printed_json
from khobvm.runner import Result
from khobvm.status import GenerationReport

CASE = "demo"
_MIB = 1024 * 1024


def _collect(generation: GenerationReport) -> dict[str, dict[str, object]]:
    """By the step's name; the first of several steps of a name counts."""
    found: dict[str, dict[str, object]] = {}
    for number in sorted(generation.steps):
        step = generation.steps[number]
        found.setdefault(step.name, printed_json(step.output))
    return found


def _number(values: dict[str, object], name: str) -> float | None:
    value = values.get(name)
    return float(value) if isinstance(value, (int, float)) else None


def _mib(values: dict[str, object], name: str) -> str:
    value = _number(values, name)
    return "-" if value is None else f"{value / _MIB:.1f} MiB"


def _count(values: dict[str, object], name: str) -> str:
    value = _number(values, name)
    return "-" if value is None else f"{value:.0f}"


def _ms(values: dict[str, object], name: str = "ms") -> str:
    value = _number(values, name)
    return "-" if value is None else f"{value:.0f} ms"


def _orders(values: dict[str, object]) -> str:
    orders = values.get("orders")
    if not isinstance(orders, dict):
        return "-"
    return " ".join(f"{order}:{count}" for order, count in orders.items())


def rows(result: Result) -> list[tuple[str, str]]:
    """The table: what was handed over, how long it took, what came back."""
    first, second = (_collect(g) for g in result.generations[:2])
    out, attached = first.get("status", {}).get("out"), second.get("attach", {})
    out = out if isinstance(out, dict) else {}
    load, verify = first.get("load", {}), second.get("verify", {})
    return [
        ("kernels", " -> ".join(g.release for g in result.generations)),
        ("machine", f"{result.case.memory} MiB, {result.case.cpus} CPUs, {result.accelerator}"),
        ("pages", _count(out, "pages")),
        ("bytes", _mib(out, "bytes")),
        ("folios", _count(out, "folios")),
        ("folios by order", _orders(out)),
        ("subtrees", _count(out, "subtrees")),
        ("intervals that cover them", _count(load, "intervals")),
        ("gaps between, lost until attach", _mib(load, "gap_bytes")),
        ("left to the incoming kernel", _mib(load, "left_bytes")),
        ("time to preserve and fill", _ms(first.get("preserve", {}))),
        ("time to load", _ms(load)),
        ("blackout, kexec to first userspace", _ms(attached, "blackout_ms")),
        ("time to attach", _ms(attached)),
        ("time to verify", _ms(verify)),
        ("time to restore", _ms(second.get("restore", {}))),
        ("verified", f"{_count(verify, 'verified')} of {_count(verify, 'records')} records, "
                     f"{_mib(verify, 'verified_bytes')}"),
        ("corrupt", _count(verify, "corrupt")),
        ("lost", _count(verify, "lost")),
    ]


def table(lines: Iterable[tuple[str, str]]) -> str:
    """Two columns."""
    pairs = list(lines)
    width = max(len(name) for name, _ in pairs)
    return "\n".join(f"  {name:{width}}  {value}" for name, value in pairs)
