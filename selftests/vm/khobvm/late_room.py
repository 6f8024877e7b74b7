# SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
# Generated, do not edit, from abi-gen/schema/late_room.yaml
# (make it again with: cmake --build build --target abi)
"""The ABI of the late room at 4K pages: late-room-v1.

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
VERSIONS = ("late-room-v1",)
VERSION = "late-room-v1"

# The compatible string.
COMPATIBLE = "khob-late-room-v1"

# The blob of the subtree, one page. Source: kho-bridge.

# The compatible string fits this with its NUL. [bytes]
COMPATIBLE_LENGTH = 24

# What a piece has, one after the other. [pages]
PIECE_PAGES = 1024

# There are no more pieces.
PIECES_MAX = 28

# Name of the subtree, whose blob is one ser.
NAME = "kho-luo-late-room"

STRUCTS: dict[str, Struct] = {
    # Memory in one piece.
    "piece": Struct(136, 8, "<17Q", {
        # Physical address, a multiple of its length. [bytes]
        "pa": Field("u64", 0, 8, None),
        # A bit for each page, the first page's is the first word's lowest. What is set belongs to a
        # session; what is not is nobody's.
        "used": Field("u64", 8, 128, 16),
    }),
    # The late room.
    "ser": Struct(3848, 8, "<24s478Q", {
        # The version's compatible string, NULs behind it.
        "compatible": Field("char", 0, 24, 24),
        # Pieces that there are. [entries]
        "nr": Field("u64", 24, 8, None),
        # The pieces, in any order, disjoint.
        "pieces": Field("piece", 32, 3808, 28),
        # xxh64 (seed 0) of all that is in front of it. It is written at the last moment.
        "digest": Field("u64", 3840, 8, None),
    }),
}
