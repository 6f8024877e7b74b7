# SPDX-License-Identifier: GPL-2.0-only
"""Finds in a guest's physical memory everything that a handover consists of.

The layouts are those that abi-gen has emitted for Python (abi-gen/goldens). What is read was
handed over a moment ago and is sound: whatever is not is an error of the rig.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from types import ModuleType

from khobvm.errors import VmError
from khobvm.faults import live
from khobvm.faults.abi import load_abi
from khobvm.faults.live import Memory

# In the order in which they are found.
PLACES = ("chain", "interval", "fdt", "node", "leaf", "metadata", "records", "blob", "page",
          *live.PLACES)
_NODES_LIMIT = 4096


@dataclass(frozen=True)
class Span:
    """A piece of the handover: what kind of place it is, and which one."""

    place: str
    name: str
    start: int
    end: int


@dataclass(frozen=True)
class Record:
    """What the records say of one folio or blob."""

    start: int
    end: int
    blob: bool


@dataclass(frozen=True)
class Layout:
    """All pieces of a handover."""

    spans: tuple[Span, ...]
    records: tuple[Record, ...]

    def at(self, start: int, end: int) -> list[Span]:
        """The pieces that have bytes in [start, end)."""
        return [s for s in self.spans if s.start < end and start < s.end]

    def only(self, places: Sequence[str]) -> Layout:
        """Without pieces of other places; of all places if none is named."""
        return Layout(tuple(s for s in self.spans if not places or s.place in places),
                      self.records)

    def to_json(self) -> dict[str, object]:
        """The same with plain types."""
        return asdict(self)

    @staticmethod
    def from_json(value: dict[str, list[dict[str, object]]]) -> Layout:
        """The reverse of to_json()."""
        return Layout(tuple(Span(**s) for s in value["spans"]),  # type: ignore[arg-type]
                      tuple(Record(**r) for r in value["records"]))  # type: ignore[arg-type]


@dataclass(frozen=True)
class _Subtree:
    name: str
    start: int
    size: int


class _Walker:
    def __init__(self, memory: Memory) -> None:
        self._memory = memory
        self._abi = load_abi()
        self._nodes = 0
        self.spans: list[Span] = []
        self.records: list[Record] = []

    def _struct(self, name: str, address: int) -> dict[str, int]:
        """A struct's numbers, by the names of its fields."""
        kind = self._abi.STRUCTS[name]
        data = self._memory.read(address, kind.size)
        return {field: int.from_bytes(data[f.offset:f.offset + f.size],
                                      "big" if f.type.startswith("be") else "little")
                for field, f in kind.fields.items() if f.length is None}

    def _add(self, place: str, name: str, start: int, end: int) -> None:
        self.spans.append(Span(place, name, start, end))

    def chain(self, node: int) -> int:
        """The setup_data nodes. Return: the root FDT's address."""
        size = self._abi.STRUCTS["setup_data"].size
        fdt, count = 0, 0
        while node:
            head = self._struct("setup_data", node)
            data = node + size
            if head["type"] == self._abi.SETUP_KEXEC_KHO:
                fdt = self._struct("kho_data", data)["fdt_addr"]
                self._add("chain", "kho_data", node, data + head["len"])
            elif head["type"] == self._abi.SETUP_INDIRECT:
                self._add("interval", f"{count}", node, data + head["len"])
                count += 1
            elif head["type"] == self._abi.SETUP_SEAL:
                self._add("chain", "seal", node, data + head["len"])
            node = head["next"]
        if not fdt:
            raise VmError("the setup_data chain tells of no handover")
        return fdt

    def fdt(self, address: int, name: str) -> tuple[int, list[_Subtree]]:
        """A root FDT. Return: the address of the tree's root node, and the subtrees."""
        head = self._struct("fdt_header", address)
        if head["magic"] != self._abi.FDT_MAGIC:
            raise VmError(f"there is no FDT at {address:#x}")
        self._add("fdt", name, address, address + head["totalsize"])
        data = self._memory.read(address, head["totalsize"])
        root = 0
        found: dict[str, dict[str, int]] = {}
        for node, key, value in _properties(self._abi, head, data):
            if key == self._abi.PROP_MEMORY_MAP:
                root = int.from_bytes(value, "little")
            elif key in (self._abi.PROP_DATA, self._abi.PROP_BLOB_SIZE):
                found.setdefault(node, {})[key] = int.from_bytes(value, "little")
        return root, [_Subtree(node, values[self._abi.PROP_DATA],
                               values[self._abi.PROP_BLOB_SIZE])
                      for node, values in found.items()]

    def tree(self, address: int, level: int) -> None:
        """A node of the tree and all below it."""
        self._nodes += 1
        if self._nodes > _NODES_LIMIT:
            raise VmError("the tree has too many nodes")
        self._add("node" if level else "leaf", f"level {level}", address,
                  address + int(self._abi.PAGE_SIZE))
        if level:
            page = self._memory.read(address, self._abi.PAGE_SIZE)
            for child in struct.unpack(self._abi.STRUCTS["node"].format, page):
                if child:
                    self.tree(child, level - 1)

    def _record_list(self, subtree: _Subtree) -> None:
        kind = self._abi.STRUCTS["record"]
        self._add("records", subtree.name, subtree.start, subtree.start + subtree.size)
        data = self._memory.read(subtree.start, subtree.size)
        for values in struct.iter_unpack(kind.format, data):
            one = dict(zip(kind.fields, values))
            blob = one["kind"] == self._abi.RECORD_BLOB
            if not blob and one["kind"] != self._abi.RECORD_FILL:
                continue
            self.records.append(Record(one["addr"], one["addr"] + one["size"], blob))
            if not blob:
                self._add("page", f"{one['addr']:#x}", one["addr"], one["addr"] + one["size"])

    def subtrees(self, found: list[_Subtree]) -> int:
        """Blobs. Return: the address of a root FDT besides the kernel's own, or 0."""
        own = 0
        for one in found:
            if any(s.start == one.start and s.name == one.name for s in self.spans):
                continue
            if one.name == self._abi.META_NAME:
                self._add("metadata", one.name, one.start, one.start + one.size)
                meta = self._struct("meta", one.start)
                own = meta["fdt_addr"]
                if meta["others_root"]:
                    self.tree(meta["others_root"], self._abi.TREE_DEPTH - 1)
            elif one.name == self._abi.RECORDS_NAME:
                self._record_list(one)
            elif one.name in live.NAMES:
                for piece in live.pieces(self._memory, one.name, one.start):
                    self._add(*piece)
            else:
                # What upstream says of the kernel before is no client's, and has no record.
                place = "metadata" if one.name == self._abi.KEXEC_METADATA_NAME else "blob"
                self._add(place, one.name, one.start, one.start + one.size)
        return own

    def walk(self, setup_data: int) -> Layout:
        """All of it, from the address of the first setup_data node on."""
        root, found = self.fdt(self.chain(setup_data), "root")
        own = self.subtrees(found)
        if own:
            # The kernel's own tree is gone: of it upstream preserves no node.
            root, found = self.fdt(own, "kho-bridge's root")
            self.subtrees(found)
        self.tree(root, self._abi.TREE_DEPTH - 1)
        return Layout(tuple(self.spans), tuple(self.records))


def _properties(abi: ModuleType, head: dict[str, int],
                data: bytes) -> Iterator[tuple[str, str, bytes]]:
    """Every property of an FDT: its node's name ("" is the root), its own, its value."""
    def text(at: int) -> str:
        return data[at:data.index(b"\0", at)].decode("ascii")

    at, node = head["off_dt_struct"], ""
    while True:
        token = int.from_bytes(data[at:at + 4], "big")
        at += 4
        if token == abi.FDT_BEGIN_NODE:
            node = text(at)
            at += len(node) + 1
        elif token == abi.FDT_PROP:
            size, name = struct.unpack_from(">2I", data, at)
            yield node, text(head["off_dt_strings"] + name), data[at + 8:at + 8 + size]
            at += 8 + size
        elif token == abi.FDT_END_NODE:
            node = ""
        elif token == abi.FDT_END:
            return
        at += -at % 4


def walk(memory: Memory, setup_data: int) -> Layout:
    """All pieces of the handover that a setup_data chain leads to."""
    return _Walker(memory).walk(setup_data)
