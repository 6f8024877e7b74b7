# SPDX-License-Identifier: GPL-2.0-only
"""Which fault a seed and a number stand for, and how it is put into memory."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Protocol

from khobvm.errors import VmError
from khobvm.faults.walk import PLACES, Layout, Span

METHODS = ("bit", "ones", "zeroes", "noise", "exchange")
PAGE = 4096
_WORD = 8
# These lie in memory of the boot loader's, next to what may be anybody's by now.
_UNSHARED = ("chain", "interval")
_ATTEMPTS = 200


class Writable(Protocol):
    """Physical memory that can be changed."""

    def read(self, address: int, size: int) -> bytes:
        """Bytes at an address."""

    def write(self, address: int, data: bytes) -> None:
        """Changes bytes at an address."""


@dataclass(frozen=True)
class Fault:
    """One change. other: the page that it is exchanged with. value: the word's noise."""

    method: str
    place: str
    name: str
    address: int
    bit: int = 0
    size: int = 0
    value: int = 0
    other: int = 0

    def describe(self) -> str:
        """In words."""
        where = f"{self.address:#x} ({self.place} {self.name})"
        if self.method == "bit":
            return f"bit {self.bit} of the byte at {where} flipped"
        if self.method == "exchange":
            return f"the page at {where} exchanged with the one at {self.other:#x}"
        what = f"noise {self.value:#x}" if self.method == "noise" else self.method
        return f"{self.size} bytes at {where} overwritten with {what}"

    def to_json(self) -> dict[str, object]:
        """The same with plain types."""
        return asdict(self)


@dataclass(frozen=True)
class Change:
    """Bytes that are not what they were."""

    start: int
    end: int


def _page(span: Span, chance: random.Random) -> int:
    """A page that a span has a part of."""
    first, last = span.start // PAGE, (span.end - 1) // PAGE
    return chance.randint(first, last) * PAGE


def _choose(layout: Layout, chance: random.Random) -> Fault:
    """Any fault: every kind of place is as likely as another, and every method."""
    places = [p for p in PLACES if any(s.place == p for s in layout.spans)]
    place = chance.choice(places)
    span = chance.choice([s for s in layout.spans if s.place == place])
    method = chance.choice([m for m in METHODS if m != "exchange" or place not in _UNSHARED])
    if method == "exchange":
        shared = [s for s in layout.spans if s.place not in _UNSHARED]
        same = [s for s in shared if s.place == place]
        other = _page(chance.choice(chance.choice([shared, same])), chance)
        return Fault(method, place, span.name, _page(span, chance), other=other)
    address = chance.randrange(span.start, span.end)
    if method == "bit":
        return Fault(method, place, span.name, address, bit=chance.randrange(8))
    start = max(span.start, address - address % _WORD)
    size = min(span.end, start - start % _WORD + _WORD) - start
    return Fault(method, place, span.name, start, size=size,
                 value=chance.getrandbits(8 * size) if method == "noise" else 0)


def candidates(seed: int, number: int, layout: Layout) -> Iterator[tuple[Fault, ...]]:
    """What fault `number` of a seed may be, most wanted first: not all change anything."""
    chance = random.Random(f"{seed}/{number}")
    count = 2 if chance.randrange(len(METHODS) + 1) == 0 else 1
    for _ in range(_ATTEMPTS):
        yield tuple(_choose(layout, chance) for _ in range(count))


def _new_bytes(fault: Fault, old: bytes) -> bytes:
    if fault.method == "bit":
        return bytes([old[0] ^ (1 << fault.bit)])
    if fault.method == "noise":
        return fault.value.to_bytes(fault.size, "little")
    return (b"\xff" if fault.method == "ones" else b"\0") * fault.size


def changed(start: int, old: bytes, new: bytes) -> list[Change]:
    """Where two equally long pieces differ."""
    found: list[Change] = []
    for at, (a, b) in enumerate(zip(old, new)):
        if a == b:
            continue
        if found and found[-1].end == start + at:
            found[-1] = Change(found[-1].start, start + at + 1)
        else:
            found.append(Change(start + at, start + at + 1))
    return found


def apply(fault: Fault, memory: Writable) -> bool:
    """Puts a fault into memory. Return: whether that changed anything."""
    size = PAGE if fault.method == "exchange" else max(1, fault.size)
    old = memory.read(fault.address, size)
    if fault.method == "exchange":
        new = memory.read(fault.other, size)
        memory.write(fault.other, old)
    else:
        new = _new_bytes(fault, old)
    memory.write(fault.address, new)
    return new != old


def _pages(faults: tuple[Fault, ...], memory: Writable) -> dict[int, bytes]:
    """What the pages hold that faults can change."""
    found = {address - address % PAGE for f in faults for address in
             (f.address, f.other if f.method == "exchange" else f.address)}
    return {page: memory.read(page, PAGE) for page in sorted(found)}


def inject(seed: int, number: int, layout: Layout,
           memory: Writable) -> tuple[tuple[Fault, ...], list[Change]]:
    """Puts the first candidate into memory that changes anything, and says what it changed."""
    for faults in candidates(seed, number, layout):
        old = _pages(faults, memory)
        did = tuple(fault for fault in faults if apply(fault, memory))
        new = _pages(faults, memory)
        changes = [c for page in old for c in changed(page, old[page], new[page])]
        if changes:
            return did, changes
    raise VmError(f"fault {number} of seed {seed}: no candidate changes anything")
