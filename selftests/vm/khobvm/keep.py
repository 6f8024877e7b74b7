# SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
# Generated, do not edit, from abi-gen/schema/keep.yaml
# (make it again with: cmake --build build --target abi)
"""The ABI of kept files at 4K pages: keep-v1.

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
VERSIONS = ("keep-v1",)
VERSION = "keep-v1"

# The compatible string.
COMPATIBLE = "khob-keep-v1"

# The blob of the subtree, one page. Source: kho-bridge.

# The compatible string fits this with its NUL. [bytes]
COMPATIBLE_LENGTH = 24

# Name of the subtree, whose blob is one ser.
NAME = "kho-bridge-shmem"

STRUCTS: dict[str, Struct] = {
    # Some of the files. Each one's compatible string is memfd-v2.
    "set": Struct(16, 8, "<2Q", {
        # Physical address of the first block of files as LUO has them, 0 if there is none. [bytes]
        "files": Field("u64", 0, 8, None),
        # Files in all blocks together. [files]
        "count": Field("u64", 8, 8, None),
    }),
    # All kept files. No two have the same token.
    "ser": Struct(72, 8, "<24s6Q", {
        # The version's compatible string, NULs behind it.
        "compatible": Field("char", 0, 24, 24),
        # Those that this kernel has kept.
        "kept": Field("set", 24, 16, None),
        # Those that it was handed over itself and that nobody has asked for.
        "carried": Field("set", 40, 16, None),
        # Of all files, in order: 0, then for each xxh64 (seed 0) of what it was so far (u64) and of
        # the file as it stands in its block. It is written at the last moment.
        "files_digest": Field("u64", 56, 8, None),
        # xxh64 (seed 0) of all that is in front of it.
        "digest": Field("u64", 64, 8, None),
    }),
}
