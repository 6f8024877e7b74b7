# SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
# Generated, do not edit, from abi-gen/schema/memfd.yaml
# (make it again with: cmake --build build --target abi)
"""The ABI of a memfd that is handed over at 4K pages: memfd-v2.

For scripts in drgn and crash. STRUCTS holds the layouts, each with a format for
the module struct.
"""

from __future__ import annotations

from typing import NamedTuple


class Field(NamedTuple):
    """A field: offset and size in bytes; of an array its length, which is 0 if it may be any.

    A bit field is in the number at offset: bits are its lowest one and how many it has.
    """

    type: str
    offset: int
    size: int
    length: int | None
    bits: tuple[int, int] | None = None


class Struct(NamedTuple):
    """A struct, in bytes; the format is None if the byte orders of its fields differ."""

    size: int
    alignment: int
    format: str | None
    fields: dict[str, Field]


# Log2 of the page size in bytes; 12 on x86-64, 14 and 16 as well on arm64. [bits]
PAGE_SHIFT = 12

# Versions of the ABI, oldest first, and the one that is written unless something else is asked for.
VERSIONS = ("memfd-v2",)
VERSION = "memfd-v2"

# The compatible string.
COMPATIBLE = "memfd-v2"

# The seals that a memfd may have. One that is not among them keeps a memfd from being handed over,
# and from being taken. Source: include/uapi/linux/fcntl.h.

# No seal is added.
SEAL_SEAL = 0x1

# It gets no shorter.
SEAL_SHRINK = 0x2

# It gets no longer.
SEAL_GROW = 0x4

# Nobody writes to it.
SEAL_WRITE = 0x8

# Nobody writes to it but through the mappings that there were.
SEAL_FUTURE_WRITE = 0x10

# It stays executable or not.
SEAL_EXEC = 0x20

# All that this version knows.
SEALS_ALL = 0x3f

# The struct is page-sized at least and preserved as a folio; its physical address is the file's
# data to LUO. Source: include/linux/kho/abi/memfd.h, mm/memfd_luo.c.

# Of folio_ser's flags: somebody has written to it. All that are preserved have it.
FOLIO_DIRTY = 0x1

# Of folio_ser's flags: it holds what the file holds. Without it the kernel that takes it fills it
# with zeroes.
FOLIO_UPTODATE = 0x2

# A file of more pages is not handed over (EFBIG). [pages]
FOLIOS_MAX = 0xffffffff

STRUCTS: dict[str, Struct] = {
    # A preserved vmalloc area.
    "vmalloc": Struct(16, 8, "<QI2H", {
        # Physical address of the first chunk. [bytes]
        "first": Field("u64", 0, 8, None),
        # Pages of order 0 in the area. [pages]
        "total_pages": Field("u32", 8, 4, None),
        # vmalloc_alloc, vmalloc_huge_vmap.
        "flags": Field("u16", 12, 2, None),
        # Order of each of the pages.
        "order": Field("u16", 14, 2, None),
    }),
    # A folio of the file.
    "folio_ser": Struct(16, 1, "<2Q", {
        # Number of its first page frame.
        "pfn": Field("u64", 0, 8, None, (0, 52)),
        # FOLIO_DIRTY, FOLIO_UPTODATE.
        "flags": Field("u64", 0, 8, None, (52, 12)),
        # Where it is in the file. [pages]
        "index": Field("u64", 8, 8, None),
    }),
    # A memfd.
    "ser": Struct(48, 1, "<2Q2I2QI2H", {
        # Where the file is read and written next. [bytes]
        "pos": Field("u64", 0, 8, None),
        # Length of the file. [bytes]
        "size": Field("u64", 8, 8, None),
        # Its seals.
        "seals": Field("u32", 16, 4, None),
        # Written as 0.
        "flags": Field("u32", 20, 4, None),
        # Folios of the file; holes have none. [entries]
        "nr_folios": Field("u64", 24, 8, None),
        # The area that an array of folio_ser is in, in the file's order.
        "folios": Field("vmalloc", 32, 16, None),
    }),
}
