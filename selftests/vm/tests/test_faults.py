# SPDX-License-Identifier: GPL-2.0-only
"""`make faults` without a VM: packets, the walk through memory, which faults, what they do."""

from __future__ import annotations

import struct
import unittest
from collections import Counter

from khobvm import keep, late_room, luo, memfd
from khobvm.errors import VmError
from khobvm.faults import gdb, plan
from khobvm.faults.abi import load_abi
from khobvm.faults.plan import Change, Fault
from khobvm.faults.walk import PLACES, Layout, Span, walk

ABI = load_abi()


class Ram:
    """Physical memory."""

    def __init__(self, size: int) -> None:
        self.data = bytearray(size)

    def read(self, address: int, size: int) -> bytes:
        """Bytes at an address."""
        return bytes(self.data[address:address + size])

    def write(self, address: int, data: bytes) -> None:
        """Changes bytes at an address."""
        self.data[address:address + len(data)] = data

    def numbers(self, address: int, form: str, *values: int | bytes) -> None:
        """Writes numbers, and texts."""
        self.write(address, struct.pack(form, *values))


def _fdt(subtrees: dict[str, tuple[int, int]], root: int) -> bytes:
    """A root FDT as the ABI has it."""
    strings = f"{ABI.PROP_MEMORY_MAP}\0{ABI.PROP_DATA}\0{ABI.PROP_BLOB_SIZE}\0".encode()
    data, size = strings.index(ABI.PROP_DATA.encode()), strings.index(ABI.PROP_BLOB_SIZE.encode())

    def node(name: str) -> bytes:
        text = name.encode() + b"\0"
        return struct.pack(">I", ABI.FDT_BEGIN_NODE) + text + bytes(-len(text) % 4)

    def number(name: int, value: int) -> bytes:
        return struct.pack(">3I", ABI.FDT_PROP, 8, name) + struct.pack("<Q", value)

    body = node("") + number(0, root) + struct.pack(">I", ABI.FDT_NOP)
    for name, (address, length) in subtrees.items():
        body += node(name) + number(data, address) + number(size, length)
        body += struct.pack(">I", ABI.FDT_END_NODE)
    body += struct.pack(">2I", ABI.FDT_END_NODE, ABI.FDT_END)
    head = struct.pack(">10I", ABI.FDT_MAGIC, 40 + len(body) + len(strings), 40, 40 + len(body),
                       0, ABI.FDT_VERSION, ABI.FDT_COMP_VERSION, 0, len(strings), len(body))
    return head + body + strings


def _live(ram: Ram, root: int) -> None:
    """A session of two memfds: one of three folios and a hole, one without any."""
    session, files = root + 0x1000, root + 0x2000
    first, second, chunk, pages = (root + 0x1000 * n for n in (3, 4, 5, 6))
    ram.numbers(root, "<8s3Q", luo.COMPATIBLE.encode(), 1, session, 0)
    ram.numbers(session, "<2Q64s2Q", 0, 1, b"name", files, 2)
    ram.numbers(files, "<2Q", 0, 2)
    for at, data, token in ((16, first, 7), (80, second, 8)):
        ram.numbers(files + at, "<48s2Q", memfd.COMPATIBLE.encode(),
                    data, token)
    ram.numbers(first, memfd.STRUCTS["ser"].format or "", 0, 0x4000, 0, 0, 4, chunk, 1, 1, 0)
    ram.numbers(second, memfd.STRUCTS["ser"].format or "", 0, 0, 0, 0, 0, 0, 0, 0, 0)
    ram.numbers(chunk, "<2Q", 0, pages)
    for index, page in enumerate((0x3a, 0x3b, 0, 0x3d)):
        ram.numbers(pages + 16 * index, "<2Q", page | (3 << 52 if page else 0), index)


def _kept(ram: Ram, root: int) -> None:
    """One file of one folio that was kept, none that was carried."""
    files, data, chunk, pages = (root + 0x1000 * n for n in (1, 2, 3, 4))
    ram.numbers(root, "<24s6Q", keep.COMPATIBLE.encode(), files, 1, 0, 0, 0, 0)
    ram.numbers(files, "<2Q", 0, 1)
    ram.numbers(files + 16, "<48s2Q", memfd.COMPATIBLE.encode(), data, 99)
    ram.numbers(data, memfd.STRUCTS["ser"].format or "", 0, 0x1000, 0, 0, 1, chunk, 1, 1, 0)
    ram.numbers(chunk, "<2Q", 0, pages)
    ram.numbers(pages, "<2Q", 0x3e | 3 << 52, 0)


def handover() -> tuple[Ram, int]:
    """A small handover. Return: the memory, and where the chain begins."""
    ram = Ram(0x40000)
    chain, fdt, meta, records, blob = 0x1000, 0x2000, 0x3000, 0x4000, 0x5000
    ram.numbers(chain, "<Q2I4Q", chain + 0x100, ABI.SETUP_KEXEC_KHO, 32, fdt, 0x1000, 0, 0)
    # A node of another type between ours is none of ours.
    ram.numbers(chain + 0x100, "<Q2I", chain + 0x180, 9, 32)
    ram.numbers(chain + 0x180, "<Q2I", chain + 0x200, ABI.SETUP_SEAL, 32)
    ram.numbers(chain + 0x200, "<Q2I2I2Q", 0, ABI.SETUP_INDIRECT, 24, ABI.SETUP_INDIRECT_RANGE,
                0, 0x3f000, 0x1000)
    _live(ram, 0x30000)
    _kept(ram, 0x28000)
    ram.numbers(0x38000, "<24sQ", late_room.COMPATIBLE.encode(), 2)
    subtrees = {ABI.META_NAME: (meta, 136), ABI.RECORDS_NAME: (records, 96), "file": (blob, 100),
                luo.NAME: (0x30000, 32), keep.NAME: (0x28000, 72), late_room.NAME: (0x38000, 3848),
                ABI.KEXEC_METADATA_NAME: (meta + 0x800, 73)}
    ram.write(fdt, _fdt(subtrees, 0x10000))
    for level in range(ABI.TREE_DEPTH - 1):
        ram.numbers(0x10000 + level * 0x1000, "<Q", 0x11000 + level * 0x1000)
    record = ABI.STRUCTS["record"].format
    ram.numbers(records, record, 0x20000, 0x2000, 7, 0, 1, ABI.RECORD_FILL, 0)
    ram.numbers(records + 48, record, blob, 100, 0, 0, 2, ABI.RECORD_BLOB, 0)
    return ram, chain


class PacketTest(unittest.TestCase):
    """gdb's packets."""

    def test_known_sums(self) -> None:
        """As gdb's manual and QEMU have them."""
        self.assertEqual(gdb.encode(b"D"), b"$D#44")
        self.assertEqual(gdb.encode(b"OK"), b"$OK#9a")
        self.assertEqual(gdb.encode(b""), b"$#00")

    def test_what_would_be_escaped(self) -> None:
        """Nothing that needs an escape is sent."""
        for text in (b"a$", b"a#", b"a}", b"a*"):
            with self.assertRaises(ValueError):
                gdb.encode(text)

    def test_every_split(self) -> None:
        """A stream gives the same packets however it is cut, acknowledgements left out."""
        stream = b"+" + gdb.encode(b"OK") + b"++" + gdb.encode(b"0011") + gdb.encode(b"")
        for cut in range(len(stream) + 1):
            decoder = gdb.Decoder()
            self.assertEqual(decoder.feed(stream[:cut]) + decoder.feed(stream[cut:]),
                             [b"OK", b"0011", b""])

    def test_wrong_sum(self) -> None:
        """A packet that was damaged on its way is no answer."""
        with self.assertRaises(VmError):
            gdb.Decoder().feed(b"$OK#9b")


class WalkTest(unittest.TestCase):
    """The walk through a handover in memory."""

    def test_all_places(self) -> None:
        """Every kind of place is found, each where it is."""
        layout = walk(*handover())
        found = Counter(s.place for s in layout.spans)
        self.assertEqual(set(found), set(PLACES))
        self.assertEqual(found["node"], ABI.TREE_DEPTH - 1)
        self.assertEqual([s.name for s in layout.spans if s.place == "chain"],
                         ["kho_data", "seal"])
        self.assertEqual({(s.start, s.end) for s in layout.spans if s.place == "page"},
                         {(0x20000, 0x22000)})
        self.assertEqual({(s.start, s.end) for s in layout.spans if s.place == "interval"},
                         {(0x1200, 0x1228)})
        self.assertEqual([r.blob for r in layout.records], [False, True])
        self.assertEqual(Layout.from_json(layout.to_json()), layout)  # type: ignore[arg-type]

    def test_live_update(self) -> None:
        """Each list as far as it is used, each memfd by its token, and no hole."""
        layout = walk(*handover())

        def spans(place: str) -> list[tuple[str, int, int]]:
            return [(s.name, s.start, s.end) for s in layout.spans
                    if s.place == place and s.name != "kept 0"]

        self.assertEqual(sorted(spans("luo")), [
            ("files", 0x32000, 0x32000 + 16 + 2 * 64), ("late room", 0x38000, 0x38000 + 32 + 272),
            ("late room's digest", 0x38f00, 0x38f08),
            ("root", 0x30000, 0x30020), ("sessions", 0x31000, 0x31000 + 16 + 80)])
        self.assertEqual(spans("memfd"), [("7", 0x33000, 0x33030), ("7", 0x35000, 0x35010),
                                          ("7", 0x36000, 0x36040), ("8", 0x34000, 0x34030)])
        self.assertEqual(spans("contents"), [("7", n << 12, (n + 1) << 12)
                                             for n in (0x3a, 0x3b, 0x3d)])

    def test_kept_files(self) -> None:
        """The root, the lists that there are, and the file by its number."""
        layout = walk(*handover())
        found = [(s.place, s.name, s.start, s.end) for s in layout.spans
                 if 0x28000 <= s.start < 0x2e000 or s.name == "kept 0"]
        self.assertEqual(found, [
            ("keep", "root", 0x28000, 0x28048), ("keep", "files", 0x29000, 0x29000 + 16 + 64),
            ("memfd", "kept 0", 0x2a000, 0x2a030), ("memfd", "kept 0", 0x2b000, 0x2b010),
            ("memfd", "kept 0", 0x2c000, 0x2c010), ("contents", "kept 0", 0x3e000, 0x3f000)])

    def test_endless_sessions(self) -> None:
        """A list that comes back to itself is an error of the rig."""
        ram, chain = handover()
        ram.numbers(0x31000, "<Q", 0x31000)
        with self.assertRaises(VmError):
            walk(ram, chain)

    def test_root_of_its_own(self) -> None:
        """Where the metadata names another root FDT, that one's tree is walked."""
        ram, chain = handover()
        field = ABI.STRUCTS["meta"].fields["fdt_addr"]
        ram.write(0x8000, _fdt({"other": (0x9000, 50)}, 0x10000))
        ram.numbers(0x3000 + field.offset, "<Q", 0x8000)
        layout = walk(ram, chain)
        self.assertEqual(len([s for s in layout.spans if s.place == "fdt"]), 2)
        self.assertIn("other", {s.name for s in layout.spans if s.place == "blob"})

    def test_nothing_there(self) -> None:
        """A chain without a handover is an error of the rig."""
        with self.assertRaises(VmError):
            walk(Ram(0x2000), 0x1000)


class PlanTest(unittest.TestCase):
    """Which faults a seed stands for, and what they do to memory."""

    def test_same_again(self) -> None:
        """A seed and a number give the same fault, whatever ran before; others give others."""
        layout = walk(*handover())
        results = []
        for number in range(50):
            once, twice = handover()[0], handover()[0]
            first = plan.inject(3, number, layout, once)
            self.assertEqual(first, plan.inject(3, number, layout, twice))
            self.assertEqual(once.data, twice.data)
            results.append(first)
        self.assertGreater(len({repr(r) for r in results}), 45)
        self.assertNotEqual(results, [plan.inject(4, n, layout, handover()[0])
                                      for n in range(50)])

    def test_changes_are_what_changed(self) -> None:
        """What inject() says has changed is what memory says, and is never nothing."""
        layout = walk(*handover())
        for number in range(100):
            ram = handover()[0]
            old = bytes(ram.data)
            faults, changes = plan.inject(1, number, layout, ram)
            wrong = {at for at, (a, b) in enumerate(zip(old, ram.data)) if a != b}
            self.assertEqual(wrong, {at for c in changes for at in range(c.start, c.end)})
            self.assertTrue(wrong)
            self.assertIn(len(faults), (1, 2))

    def test_even(self) -> None:
        """Every kind of place and every method has its turn."""
        layout = walk(*handover())
        faults = [next(plan.candidates(1, n, layout)) for n in range(1800)]
        places = Counter(f.place for both in faults for f in both)
        self.assertEqual(set(places), set(PLACES))
        self.assertGreater(2 * min(places.values()), max(places.values()))
        self.assertEqual({f.method for both in faults for f in both}, set(plan.METHODS))
        self.assertTrue(200 < sum(len(both) == 2 for both in faults) < 400)

    def test_foreign_memory_is_left_alone(self) -> None:
        """No fault reaches beyond its piece, and no page with the boot loader's moves."""
        layout = walk(*handover())
        for number in range(1000):
            for fault in next(plan.candidates(2, number, layout)):
                if fault.method == "exchange":
                    self.assertNotIn(fault.place, ("chain", "interval"))
                    self.assertNotEqual(fault.other // plan.PAGE, 1)
                    continue
                end = fault.address + max(1, fault.size)
                self.assertTrue([s for s in layout.spans if s.place == fault.place
                                 and s.start <= fault.address and end <= s.end])

    def test_methods(self) -> None:
        """What each does."""
        ram = Ram(0x3000)
        ram.write(0x1000, bytes(range(8)))
        for fault, result in (
                (Fault("bit", "page", "", 0x1001, bit=7), b"\0\x81\2\3\4\5\6\7"),
                (Fault("ones", "page", "", 0x1000, size=2), b"\xff\xff\2\3\4\5\6\7"),
                (Fault("zeroes", "page", "", 0x1000, size=4), b"\0\0\0\0\4\5\6\7"),
                (Fault("noise", "page", "", 0x1006, size=2, value=0x1234),
                 b"\0\0\0\0\4\5\x34\x12")):
            self.assertTrue(plan.apply(fault, ram))
            self.assertEqual(ram.read(0x1000, 8), result)
        self.assertFalse(plan.apply(Fault("zeroes", "page", "", 0x1000, size=4), ram))
        self.assertTrue(plan.apply(Fault("exchange", "page", "", 0x1000, other=0x2000), ram))
        self.assertEqual(ram.read(0x1000, 8), bytes(8))
        self.assertEqual(ram.read(0x2006, 2), b"\x34\x12")

    def test_nothing_to_change(self) -> None:
        """A place of zeroes that is only overwritten with zeroes is told, not passed over."""
        layout = Layout((Span("page", "x", 0x1000, 0x1000),), ())
        with self.assertRaises((VmError, ValueError)):
            plan.inject(1, 0, layout, Ram(0x2000))

    def test_where_bytes_differ(self) -> None:
        """Neighbours are one change."""
        self.assertEqual(plan.changed(10, b"abcdef", b"aXXdeY"),
                         [Change(11, 13), Change(15, 16)])


if __name__ == "__main__":
    unittest.main()
