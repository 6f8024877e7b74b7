# SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
# Generated, do not edit, from abi-gen/schema/luo.yaml
# (make it again with: cmake --build build --target abi)
"""The ABI of the Live Update Orchestrator at 4K pages: luo-v5.

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
VERSIONS = ("luo-v5",)
VERSION = "luo-v5"

# The compatible string.
COMPATIBLE = "luo-v5"

# The subtree. A kernel that has LUO and finds another version in it does not boot, so that whoever
# hands it over has to know the next kernel's. Source: include/linux/kho/abi/luo.h,
# kernel/liveupdate/luo_core.c.

# Length of the compatible string's field; of luo-v5 that is the string with its NUL, up to a
# multiple of 8. [bytes]
COMPATIBLE_LENGTH = 8

# Name of the subtree, whose blob is one ser.
NAME = "LUO"

# Files that are kept, a block list for each session. Which is which userspace knows by its tokens;
# in a session no two are the same, and any number is one. Source: include/linux/kho/abi/luo.h,
# kernel/liveupdate/luo_file.c.

# The compatible string of a file's handler fits this with its NUL. [bytes]
HANDLER_LENGTH = 48

# Files that a block holds at most, and one at least; only the last of a list is written with fewer.
# [entries]
FILES_PER_BLOCK = 63

# A session has no more of them. [files]
FILES_MAX = 630000

# Sessions, in one block list. No two have the same name, and none has an empty one. Source:
# include/linux/kho/abi/luo.h, kernel/liveupdate/luo_session.c.

# The name of a session fits this with its NUL. [bytes]
SESSION_NAME_LENGTH = 64

# Sessions that a block holds at most, and one at least; only the last is written with fewer.
# [entries]
SESSIONS_PER_BLOCK = 51

# There are no more of them. [sessions]
SESSIONS_MAX = 510000

# Objects that files of one kind share and that live as long as one of them (FLB, file lifecycle
# bound), in one array in whole pages. Source: include/linux/kho/abi/luo.h,
# kernel/liveupdate/luo_flb.c.

# The name of an object fits this with its NUL. [bytes]
FLB_NAME_LENGTH = 48

# Pages that the array takes with its header. [pages]
FLB_PAGES = 1

# There are no more objects. [entries]
FLBS_MAX = 63

STRUCTS: dict[str, Struct] = {
    # First bytes of a block; count entries follow. [since kho-v4]
    "block_header": Struct(16, 1, "<2Q", {
        # Physical address of the next block or 0. [bytes, since kho-v4]
        "next": Field("u64", 0, 8, None),
        # Entries in this block. [entries, since kho-v4]
        "count": Field("u64", 8, 8, None),
    }),
    # The blob of the subtree. What is behind it is not looked at.
    "ser": Struct(32, 1, "<8s3Q", {
        # The version's compatible string, NULs behind it. [bytes]
        "compatible": Field("char", 0, 8, 8),
        # How many kexecs have been made with LUO's state, the next one included. [kexecs]
        "liveupdate_num": Field("u64", 8, 8, None),
        # Physical address of the first block of session_ser, 0 if there is no session. [bytes]
        "sessions_pa": Field("u64", 16, 8, None),
        # Physical address of flb_header_ser, 0 if there is none. [bytes]
        "flbs_pa": Field("u64", 24, 8, None),
    }),
    # A file.
    "file_ser": Struct(64, 1, "<48s2Q", {
        # The compatible string of its handler, NUL-terminated; memfd-v2 is one. [bytes]
        "compatible": Field("char", 0, 48, 48),
        # What the handler made of it, mostly a physical address.
        "data": Field("u64", 48, 8, None),
        # What userspace calls it.
        "token": Field("u64", 56, 8, None),
    }),
    # Files that belong together.
    "file_set_ser": Struct(16, 1, "<2Q", {
        # Physical address of the first block of file_ser, 0 if there is no file. [bytes]
        "files": Field("u64", 0, 8, None),
        # Files in all blocks together. [files]
        "count": Field("u64", 8, 8, None),
    }),
    # A session.
    "session_ser": Struct(80, 1, "<64s2Q", {
        # Its name, NUL-terminated. [bytes]
        "name": Field("char", 0, 64, 64),
        # Its files.
        "file_set_ser": Field("file_set_ser", 64, 16, None),
    }),
    # What stands before the array of flb_ser.
    "flb_header_ser": Struct(16, 1, "<2Q", {
        # FLB_PAGES. [pages]
        "pgcnt": Field("u64", 0, 8, None),
        # Objects in the array. [entries]
        "count": Field("u64", 8, 8, None),
    }),
    # An object.
    "flb_ser": Struct(64, 1, "<48s2Q", {
        # Its name, NUL-terminated. [bytes]
        "name": Field("char", 0, 48, 48),
        # What its owner made of it.
        "data": Field("u64", 48, 8, None),
        # Files that use it. [files]
        "count": Field("u64", 56, 8, None),
    }),
}
