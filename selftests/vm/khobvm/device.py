# SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
# Generated, do not edit, from abi-gen/schema/device.yaml
# (make it again with: cmake --build build --target abi)
"""/dev/kho_bridge: numbers of ioctls, values of fields, layouts of structs.

STRUCTS holds the layouts, each with a format for the module struct; ARGUMENTS says which of
them an ioctl takes, if any.
"""

from __future__ import annotations

import enum
from typing import NamedTuple


class Field(NamedTuple):
    """A field: offset and size in bytes, the size that of all of an array; length of an array."""

    type: str
    offset: int
    size: int
    length: int | None


class Struct(NamedTuple):
    """A struct, in bytes; a stream is read one after the other and cannot grow."""

    size: int
    format: str
    stream: bool
    fields: dict[str, Field]


PATH = "/dev/kho_bridge"
VERSION = 1

# The type that the numbers of all ioctls have.
TYPE = 0xbc
# Length of the longest name of a subtree. [bytes]
NAME_MAX = 63
# Orders that there are; the largest one is less by 1.
ORDERS = 53
# A sentence fits this with its 0. [bytes]
SENTENCE_MAX = 256
# The compatible string of a version of the ABI fits this with its 0. [bytes]
ABI_MAX = 16
# The release of a kernel fits this with its 0. [bytes]
RELEASE_MAX = 72
# The name of a task fits this with its 0. [bytes]
COMM_MAX = 16
# The largest gap that an extent passes over. [bytes]
EXTENT_GAP = 0x100000
# In place of an order, that folios of several orders are wanted.
ORDER_MIXED = 0xffffffff
# In place of a NUMA node, that any will do.
NODE_ANY = 0xffffffff


class StatusFlags(enum.IntFlag):
    """What holds."""

    # The module was built for tests.
    TEST_BUILD = 0x1
    # The kernel's own KHO is the source.
    NATIVE = 0x2
    # What is handed over does not change.
    FROZEN = 0x4
    # It is frozen, and the kernel's own KHO hands over.
    BY_KERNEL = 0x8
    # The kernel's own KHO took what came in.
    IN_NATIVE = 0x10
    # The chain of setup_data is damaged.
    CHAIN_DAMAGED = 0x20


class CompactFlags(enum.IntFlag):
    """How to compact."""

    # All, and what lies in chunks at most half full as well.
    ALL = 0x1


class ScratchFlags(enum.IntFlag):
    """Where an area of scratch is to lie."""

    # Below 4 GiB.
    LOW = 0x1


class SubtreeFlags(enum.IntFlag):
    """What is known of a subtree."""

    # Its maker has told its digest.
    HAS_DIGEST = 0x1


class BenchRowFlags(enum.IntFlag):
    """Which fields of a row count."""

    # The kernel's own tree did the same work.
    HAS_UPSTREAM = 0x1
    # Everything was deleted; nodes are counted.
    HAS_NODES = 0x2


class InState(enum.IntEnum):
    """What was handed to this kernel."""

    # Nothing is attached.
    NONE = 0
    # It is attached.
    ATTACHED = 1
    # It was refused; the reason is in the status.
    REFUSED = 2


class ImageState(enum.IntEnum):
    """What has become of the kernel that was loaded."""

    # Nothing is frozen.
    NONE = 0
    # It is frozen, and whoever froze it goes on.
    LOADING = 1
    # What is frozen goes to the kernel that is loaded.
    LOADED = 2
    # Another kernel has been loaded since: it gets nothing.
    REPLACED = 3
    # That kernel is no longer loaded, nor is another.
    UNLOADED = 4


class OpenWhat(enum.IntEnum):
    """What to open, and what is read there."""

    # Keys that are handed over, each a u64.
    OUT_KEYS = 0
    # Physical ranges that are handed over, each a range.
    OUT_RANGES = 1
    # Areas of scratch, each a range.
    OUT_SCRATCH = 2
    # Subtrees that are handed over, each a subtree.
    OUT_SUBTREES = 3
    # The bytes of the one of that name, to read, write and map.
    OUT_SUBTREE = 4
    # Preserved memory; an offset is a physical address.
    OUT_DATA = 5
    # The bytes of the root FDT.
    OUT_FDT = 6
    # Keys of data pages that are still held, each a u64.
    IN_KEYS = 7
    # Physical ranges that are still held, each a range.
    IN_RANGES = 8
    # Subtrees that were handed over, each a subtree.
    IN_SUBTREES = 9
    # The bytes of the one of that name, to read and map.
    IN_SUBTREE = 10
    # Memory that is still held; an offset is a physical address.
    IN_DATA = 11
    # The bytes of the root FDT that came in.
    IN_FDT = 12
    # Times of the tree at its work, each a bench_row.
    BENCH = 13
    # Ranges and the small gaps between them, each piece a extent.
    OUT_EXTENTS = 14


class TargetKind(enum.IntEnum):
    """What an ioctl is about."""

    # All that there is.
    ALL = 0
    # The pages of an address and an order.
    PAGE = 1
    # The subtree of a name.
    SUBTREE = 2


class Ioctl(enum.IntEnum):
    """What ioctl() is called with."""

    # Says how everything stands.
    STATUS = 0xbc00
    # Says why the last ioctl or write of this open file was refused.
    REFUSAL = 0xbc01
    # Opens what is handed over, or what was, as a file of its own (O_CLOEXEC).
    OPEN = 0xbc02
    # Sets the version of the ABI that is handed over in.
    SET_ABI = 0xbc03
    # Allocates folios, fills them and preserves them.
    PRESERVE = 0xbc04
    # Gives back what Ioctl.PRESERVE and Ioctl.PUT have made.
    UNPRESERVE = 0xbc05
    # Moves scattered folios of Ioctl.PRESERVE into contiguous memory. What has moved stays where it
    # is, also if it returns an error.
    COMPACT = 0xbc06
    # Makes a subtree of zeroes and opens it.
    PUT = 0xbc07
    # Takes one more area of scratch. The first one freezes: what is handed over does not change
    # from then on until Ioctl.SCRATCH_GIVE, or until this open file is closed without Ioctl.LOADED.
    SCRATCH_TAKE = 0xbc08
    # Freezes for a handover by the kernel's own KHO, without an area.
    SCRATCH_KERNEL = 0xbc09
    # Gives all scratch back and thaws.
    SCRATCH_GIVE = 0xbc0a
    # Says what has become of the kernel that was loaded.
    IMAGE = 0xbc0b
    # Attaches to what the kernel before has left.
    ATTACH = 0xbc0c
    # Makes pages live that were handed over, and gives them to the page allocator.
    RESTORE = 0xbc0d
    # Lets go of what is left of what was handed over.
    RELEASE = 0xbc0e
    # Tells that the kernel is loaded that what is frozen goes to.
    LOADED = 0xbc0f
    # Says how far the Ioctl.ATTACH is that somebody waits for. It does not wait itself.
    PROGRESS = 0xbc10


ARGUMENTS: dict[Ioctl, str | None] = {
    Ioctl.STATUS: "status",
    Ioctl.REFUSAL: "refusal",
    Ioctl.OPEN: "open",
    Ioctl.SET_ABI: "abi",
    Ioctl.PRESERVE: "preserve",
    Ioctl.UNPRESERVE: "target",
    Ioctl.COMPACT: "compact",
    Ioctl.PUT: "put",
    Ioctl.SCRATCH_TAKE: "scratch",
    Ioctl.SCRATCH_KERNEL: None,
    Ioctl.SCRATCH_GIVE: None,
    Ioctl.IMAGE: "image",
    Ioctl.ATTACH: "attach",
    Ioctl.RESTORE: "target",
    Ioctl.RELEASE: "target",
    Ioctl.LOADED: None,
    Ioctl.PROGRESS: "progress",
}

NEEDS: dict[Ioctl, str | None] = {
    Ioctl.STATUS: "CAP_SYS_ADMIN",
    Ioctl.REFUSAL: None,
    Ioctl.OPEN: "CAP_SYS_ADMIN",
    Ioctl.SET_ABI: "CAP_SYS_ADMIN",
    Ioctl.PRESERVE: "CAP_SYS_ADMIN",
    Ioctl.UNPRESERVE: "CAP_SYS_ADMIN",
    Ioctl.COMPACT: "CAP_SYS_ADMIN",
    Ioctl.PUT: "CAP_SYS_ADMIN",
    Ioctl.SCRATCH_TAKE: "CAP_SYS_BOOT",
    Ioctl.SCRATCH_KERNEL: "CAP_SYS_BOOT",
    Ioctl.SCRATCH_GIVE: "CAP_SYS_BOOT",
    Ioctl.IMAGE: "CAP_SYS_BOOT",
    Ioctl.ATTACH: "CAP_SYS_ADMIN",
    Ioctl.RESTORE: "CAP_SYS_ADMIN",
    Ioctl.RELEASE: "CAP_SYS_ADMIN",
    Ioctl.LOADED: "CAP_SYS_BOOT",
    Ioctl.PROGRESS: "CAP_SYS_ADMIN",
}

STRUCTS: dict[str, Struct] = {
    # How everything stands.
    "status": Struct(1848, "<4I148Q16s16s16s16s72s256s256s", False, {
        "size": Field("u32", 0, 4, None),
        "flags": Field("u32", 4, 4, None),
        "in_state": Field("u32", 8, 4, None),
        "tsc_khz": Field("u32", 12, 4, None),
        "changes": Field("u64", 16, 8, None),
        "out_keys": Field("u64", 24, 8, None),
        "out_folios": Field("u64", 32, 8, None),
        "out_pages": Field("u64", 40, 8, None),
        "out_bytes": Field("u64", 48, 8, None),
        "out_client_pages": Field("u64", 56, 8, None),
        "out_subtrees": Field("u64", 64, 8, None),
        "out_nodes": Field("u64", 72, 8, None),
        "out_metadata_bytes": Field("u64", 80, 8, None),
        "out_arena_bytes": Field("u64", 88, 8, None),
        "out_carried_keys": Field("u64", 96, 8, None),
        "out_others_keys": Field("u64", 104, 8, None),
        "out_poisoned": Field("u64", 112, 8, None),
        "out_root_phys": Field("u64", 120, 8, None),
        "out_fdt_phys": Field("u64", 128, 8, None),
        "out_fdt_len": Field("u64", 136, 8, None),
        "out_preserve_us": Field("u64", 144, 8, None),
        "out_compactions": Field("u64", 152, 8, None),
        "out_compact_folios": Field("u64", 160, 8, None),
        "out_compact_bytes": Field("u64", 168, 8, None),
        "out_compact_left": Field("u64", 176, 8, None),
        "out_compact_us": Field("u64", 184, 8, None),
        "scratch_areas": Field("u64", 192, 8, None),
        "scratch_bytes": Field("u64", 200, 8, None),
        "scratch_largest": Field("u64", 208, 8, None),
        "in_keys": Field("u64", 216, 8, None),
        "in_pages": Field("u64", 224, 8, None),
        "in_bytes": Field("u64", 232, 8, None),
        "in_subtrees": Field("u64", 240, 8, None),
        "in_ranges": Field("u64", 248, 8, None),
        "in_gap_pages": Field("u64", 256, 8, None),
        "in_poisoned": Field("u64", 264, 8, None),
        "in_restored_pages": Field("u64", 272, 8, None),
        "in_attach_us": Field("u64", 280, 8, None),
        "in_kexec_tsc": Field("u64", 288, 8, None),
        "in_tsc_khz": Field("u64", 296, 8, None),
        "in_kexec_count": Field("u64", 304, 8, None),
        "in_setup_data": Field("u64", 312, 8, None),
        "in_fdt_addr": Field("u64", 320, 8, None),
        "in_fdt_size": Field("u64", 328, 8, None),
        "in_scratch_addr": Field("u64", 336, 8, None),
        "in_scratch_size": Field("u64", 344, 8, None),
        "out_orders": Field("u64", 352, 424, 53),
        "in_orders": Field("u64", 776, 424, 53),
        "version": Field("char", 1200, 16, 16),
        "abi": Field("char", 1216, 16, 16),
        "native_abi": Field("char", 1232, 16, 16),
        "in_abi": Field("char", 1248, 16, 16),
        "in_previous_release": Field("char", 1264, 72, 72),
        "in_reason": Field("char", 1336, 256, 256),
        "last_error": Field("char", 1592, 256, 256),
    }),
    # Of the last ioctl or write of this open file that was refused.
    "refusal": Struct(264, "<2I256s", False, {
        "size": Field("u32", 0, 4, None),
        "error": Field("u32", 4, 4, None),
        "sentence": Field("char", 8, 256, 256),
    }),
    # What to open.
    "open": Struct(80, "<2IQ64s", False, {
        "size": Field("u32", 0, 4, None),
        "what": Field("u32", 4, 4, None),
        "keys": Field("u64", 8, 8, None),
        "name": Field("char", 16, 64, 64),
    }),
    # A version of the ABI.
    "abi": Struct(24, "<2I16s", False, {
        "size": Field("u32", 0, 4, None),
        "reserved": Field("u32", 4, 4, None),
        "abi": Field("char", 8, 16, 16),
    }),
    # What to preserve.
    "preserve": Struct(32, "<2I2Q2I", False, {
        "size": Field("u32", 0, 4, None),
        "order": Field("u32", 4, 4, None),
        "pages": Field("u64", 8, 8, None),
        "seed": Field("u64", 16, 8, None),
        "scatter": Field("u32", 24, 4, None),
        "reserved": Field("u32", 28, 4, None),
    }),
    # What to give back, to restore or to let go of.
    "target": Struct(88, "<2IQ2I64s", False, {
        "size": Field("u32", 0, 4, None),
        "what": Field("u32", 4, 4, None),
        "pa": Field("u64", 8, 8, None),
        "order": Field("u32", 16, 4, None),
        "reserved": Field("u32", 20, 4, None),
        "name": Field("char", 24, 64, 64),
    }),
    # How much to compact, and what came of it.
    "compact": Struct(48, "<2I5Q", False, {
        "size": Field("u32", 0, 4, None),
        "flags": Field("u32", 4, 4, None),
        "most": Field("u64", 8, 8, None),
        "folios": Field("u64", 16, 8, None),
        "bytes": Field("u64", 24, 8, None),
        "left": Field("u64", 32, 8, None),
        "us": Field("u64", 40, 8, None),
    }),
    # A subtree to make.
    "put": Struct(80, "<2IQ64s", False, {
        "size": Field("u32", 0, 4, None),
        "reserved": Field("u32", 4, 4, None),
        "len": Field("u64", 8, 8, None),
        "name": Field("char", 16, 64, 64),
    }),
    # An area of scratch to take.
    "scratch": Struct(64, "<2I2Q2I16s2Q", False, {
        "size": Field("u32", 0, 4, None),
        "flags": Field("u32", 4, 4, None),
        "bytes": Field("u64", 8, 8, None),
        "align": Field("u64", 16, 8, None),
        "node": Field("u32", 24, 4, None),
        "reserved": Field("u32", 28, 4, None),
        "abi": Field("char", 32, 16, 16),
        "pa": Field("u64", 48, 8, None),
        "largest": Field("u64", 56, 8, None),
    }),
    # What has become of the kernel that was loaded.
    "image": Struct(32, "<4I16s", False, {
        "size": Field("u32", 0, 4, None),
        "state": Field("u32", 4, 4, None),
        "others_changed": Field("u32", 8, 4, None),
        "pid": Field("u32", 12, 4, None),
        "comm": Field("char", 16, 16, 16),
    }),
    # What to attach to.
    "attach": Struct(16, "<2IQ", False, {
        "size": Field("u32", 0, 4, None),
        "reserved": Field("u32", 4, 4, None),
        "setup_data": Field("u64", 8, 8, None),
    }),
    # How far an attach is with the memory that was handed over.
    "progress": Struct(24, "<2I2Q", False, {
        "size": Field("u32", 0, 4, None),
        "reserved": Field("u32", 4, 4, None),
        "done": Field("u64", 8, 8, None),
        "all": Field("u64", 16, 8, None),
    }),
    # Physical memory.
    "range": Struct(16, "<2Q", True, {
        "start": Field("u64", 0, 8, None),
        "end": Field("u64", 8, 8, None),
    }),
    # Physical memory, and how much of it is meant. It may have gaps of up to EXTENT_GAP; where keys
    # are few and far between there are more extents than that would need.
    "extent": Struct(24, "<3Q", True, {
        "start": Field("u64", 0, 8, None),
        "end": Field("u64", 8, 8, None),
        "bytes": Field("u64", 16, 8, None),
    }),
    # A subtree.
    "subtree": Struct(88, "<64s2Q2I", True, {
        "name": Field("char", 0, 64, 64),
        "len": Field("u64", 64, 8, None),
        "digest": Field("u64", 72, 8, None),
        "flags": Field("u32", 80, 4, None),
        "reserved": Field("u32", 84, 4, None),
    }),
    # How long a piece of work took.
    "bench_row": Struct(80, "<32s5Q2I", True, {
        "work": Field("char", 0, 32, 32),
        "keys": Field("u64", 32, 8, None),
        "ns": Field("u64", 40, 8, None),
        "nodes": Field("u64", 48, 8, None),
        "upstream_ns": Field("u64", 56, 8, None),
        "upstream_nodes": Field("u64", 64, 8, None),
        "flags": Field("u32", 72, 4, None),
        "repetitions": Field("u32", 76, 4, None),
    }),
}
