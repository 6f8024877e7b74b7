# SPDX-License-Identifier: GPL-2.0-only
"""Writes a generation's steps as the guest's init reads them (init/plan.c)."""

from __future__ import annotations

from khobvm.case import Generation, Step


def _escape(text: str) -> str:
    return text.replace("\\", "\\\\").replace("\n", "\\n").replace("\t", "\\t")


def _texts(value: str | tuple[str, ...]) -> tuple[str, ...]:
    return (value,) if isinstance(value, str) else value


def _step(step: Step) -> list[str]:
    codes = (step.expect,) if isinstance(step.expect, int) else step.expect
    lines = [f"step {_escape(step.name)}", f"command {_escape(step.command)}",
             f"expect {' '.join(str(c) for c in codes)}", f"timeout {step.timeout}"]
    lines += [f"contains {_escape(t)}" for t in _texts(step.contains)]
    lines += [f"lacks {_escape(t)}" for t in _texts(step.lacks)]
    if step.final:
        lines.append("final 1")
    if step.always:
        lines.append("always 1")
    return lines


def encode(generation: Generation) -> str:
    """The text of /etc/khob/steps.N."""
    lines = [f"check_log {int(generation.check_log)}",
             f"needs_initrd {int(generation.needs_initrd)}"]
    lines += [f"allow {_escape(pattern)}" for pattern in generation.allow_log]
    for step in generation.steps:
        lines += _step(step)
    return "\n".join(lines) + "\n"
