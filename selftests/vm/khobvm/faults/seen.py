# SPDX-License-Identifier: GPL-2.0-only
"""What a guest said, and what its fault has touched."""

from __future__ import annotations

from dataclasses import dataclass, field

# Of the status: how long something took.
_TIMES = ("in.attach_us",)


@dataclass
class Said:
    """What a command of the guest's printed, and its exit code."""

    code: int
    lines: list[str] = field(default_factory=list)

    @property
    def words(self) -> str:
        """The sentence in which khoctl says what is wrong."""
        return next((line for line in self.lines if line.startswith("khoctl: ")), "")


@dataclass
class Seen:
    """All that came from a VM. log: what the kernel's log should not hold."""

    said: dict[str, Said]
    ended: str = ""
    log: list[str] = field(default_factory=list)

    @property
    def last(self) -> str:
        """The last command that ended."""
        return next(reversed(self.said), "the fault")

    def code(self, name: str) -> int | None:
        """A command's exit code, None if it was not run."""
        return self.said[name].code if name in self.said else None

    def values(self) -> dict[str, str]:
        """What the status says of the handover after attach."""
        lines = self.said["status"].lines if "status" in self.said else []
        pairs = (line.partition(": ") for line in lines if line.startswith("in."))
        return {name: value for name, _, value in pairs if name not in _TIMES}


@dataclass(frozen=True)
class Touched:
    """What a fault has changed. blobs, memfds: names; records: addresses."""

    places: frozenset[str] = frozenset()
    blobs: frozenset[str] = frozenset()
    records: frozenset[int] = frozenset()
    memfds: frozenset[str] = frozenset()
