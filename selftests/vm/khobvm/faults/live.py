# SPDX-License-Identifier: GPL-2.0-only
"""Finds the Live Update state in a guest's physical memory: sessions, memfds, kept files, what is
in them.

Pieces are (place, name, start, end). A memfd's name is its token, a kept file's its number.
"""

from __future__ import annotations

import itertools
import struct
from collections.abc import Callable, Iterator
from types import ModuleType
from typing import Protocol

from khobvm import keep, late_room, luo, memfd
from khobvm.errors import VmError
from khobvm.faults.abi import load_abi

# The lists, and the late room; descriptions of memfds and their lists of folios; what they hold,
# of which nobody has a digest; the lists of kept files, which have one.
PLACES = ("luo", "memfd", "contents", "keep")
NAMES = (luo.NAME, late_room.NAME, keep.NAME)
_BLOCKS_LIMIT = 64

Piece = tuple[str, str, int, int]


class Memory(Protocol):
    """Physical memory."""

    def read(self, address: int, size: int) -> bytes:
        """Bytes at an address."""


class _Walker:
    def __init__(self, memory: Memory) -> None:
        self._memory = memory
        self._abi = load_abi()

    def _number(self, kind: ModuleType, name: str, field: str, address: int) -> int:
        one = kind.STRUCTS[name].fields[field]
        return int.from_bytes(self._memory.read(address + one.offset, one.size), "little")

    def _blocks(self, address: int, size: int) -> Iterator[tuple[int, int, list[int]]]:
        """Blocks of entries of so many bytes: where each is, its end, and its entries."""
        head = luo.STRUCTS["block_header"].size
        for _ in range(_BLOCKS_LIMIT):
            if not address:
                return
            count = self._number(luo, "block_header", "count", address)
            first = address + head
            yield address, first + count * size, [first + i * size for i in range(count)]
            address = self._number(luo, "block_header", "next", address)
        raise VmError("a list of LUO's has too many blocks")

    def _list(self, first: int, total: int, order: int) -> Iterator[tuple[int, int, list[int]]]:
        """The chunks of a vmalloc area: where each is, the end of its entries, its pages."""
        per = self._abi.STRUCTS["vmalloc_chunk"].fields["phys"].length
        word = 8
        while first and total > 0:
            count = min(per, total >> order)
            data = self._memory.read(first + word, count * word)
            yield first, first + word + count * word, list(struct.unpack(f"<{count}Q", data))
            total -= count << order
            first = int.from_bytes(self._memory.read(first, word), "little")

    def memfd(self, name: str, address: int) -> Iterator[Piece]:
        """A memfd."""
        kind = memfd.STRUCTS["ser"]
        yield "memfd", name, address, address + kind.size
        nr = self._number(memfd, "ser", "nr_folios", address)
        area = address + kind.fields["folios"].offset
        total, order, first = (self._number(memfd, "vmalloc", field, area)
                               for field in ("total_pages", "order", "first"))
        left = nr * memfd.STRUCTS["folio_ser"].size
        for chunk, end, pages in self._list(first, total, order):
            yield "memfd", name, chunk, end
            for page in pages:
                size = min(left, int(self._abi.PAGE_SIZE) << order)
                if size:
                    yield "memfd", name, page, page + size
                    yield from self._folios(name, self._memory.read(page, size))
                left -= size

    def _folios(self, name: str, data: bytes) -> Iterator[Piece]:
        kind = memfd.STRUCTS["folio_ser"]
        bits = kind.fields["pfn"].bits
        assert bits is not None
        for word, _ in struct.iter_unpack(kind.format or "", data):
            start = (word >> bits[0] & (1 << bits[1]) - 1) << memfd.PAGE_SHIFT
            if start:
                # How many pages a folio has only its key says; the first is enough.
                yield "contents", name, start, start + int(self._abi.PAGE_SIZE)

    def _files(self, place: str, first: int, name: Callable[[int], str]) -> Iterator[Piece]:
        """A list of files, and what each is; name: of the one whose entry is at an address."""
        for block, end, entries in self._blocks(first, luo.STRUCTS["file_ser"].size):
            yield place, "files", block, end
            for entry in entries:
                yield from self.memfd(name(entry), self._number(luo, "file_ser", "data", entry))

    def sessions(self, root: int) -> Iterator[Piece]:
        """The root, and all below it."""
        yield "luo", "root", root, root + luo.STRUCTS["ser"].size
        session = luo.STRUCTS["session_ser"]
        at = self._number(luo, "ser", "sessions_pa", root)
        for block, end, entries in self._blocks(at, session.size):
            yield "luo", "sessions", block, end
            for entry in entries:
                files = entry + session.fields["file_set_ser"].offset
                yield from self._files(
                    "luo", self._number(luo, "file_set_ser", "files", files),
                    lambda file: f"{self._number(luo, 'file_ser', 'token', file)}")

    def kept(self, root: int) -> Iterator[Piece]:
        """The root of kept files, and all below it."""
        yield "keep", "root", root, root + keep.STRUCTS["ser"].size
        number = itertools.count()
        for name in ("kept", "carried"):
            files = root + keep.STRUCTS["ser"].fields[name].offset
            yield from self._files("keep", self._number(keep, "set", "files", files),
                                   lambda _: f"kept {next(number)}")

    def room(self, address: int) -> Iterator[Piece]:
        """The late room's description, as far as there are pieces, and its digest."""
        fields = late_room.STRUCTS["ser"].fields
        nr, digest = self._number(late_room, "ser", "nr", address), fields["digest"]
        yield "luo", "late room", address, (address + fields["pieces"].offset
                                            + nr * late_room.STRUCTS["piece"].size)
        yield ("luo", "late room's digest", address + digest.offset,
               address + digest.offset + digest.size)


def pieces(memory: Memory, name: str, address: int) -> list[Piece]:
    """All pieces of a subtree that is one of NAMES."""
    walker = _Walker(memory)
    ways = {luo.NAME: walker.sessions, late_room.NAME: walker.room, keep.NAME: walker.kept}
    return list(ways[name](address))
