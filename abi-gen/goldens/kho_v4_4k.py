# SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
# Generated, do not edit, from abi-gen/schema/kho.yaml
# (make it again with: cmake --build build --target abi)
"""The ABI of Kexec HandOver at 4K pages: kho-v4.

For scripts in drgn and crash. STRUCTS holds the layouts, each with a format for
the module struct; key_encode(), key_decode() and key_index() code keys.
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
VERSIONS = ("kho-v4",)
VERSION = "kho-v4"

# The compatible string.
COMPATIBLE = "kho-v4"

# Whether the version has the property blob_size.
HAS_BLOB_SIZE = True

# The radix tree of preserved pages: page-sized nodes, the lowest level a bitmap, indexed by keys
# that hold a page's order and its physical address in one number. Source:
# include/linux/kho/abi/kexec_handover.h.

# Size of a page of order 0, of a node and of a leaf. [bytes]
PAGE_SIZE = 4096

# Bits of a key: a page frame number and the order bit above it. [bits]
KEY_WIDTH = 53

# Bit of a key that is the highest set one if the page has order 0. [bit number]
ORDER_0_BIT = 52

# Largest order that a key can hold; its only page is all of the 64-bit space.
ORDER_MAX = 52

# Physical addresses in a node. [entries]
TABLE_ENTRIES = 512

# Bits of a key that index a node. [bits]
TABLE_LOG2 = 9

# Keys in a leaf. [bits]
LEAF_BITS = 32768

# Bits of a key that index a leaf. [bits]
LEAF_LOG2 = 15

# Levels of the tree, the leaf included. [levels]
TREE_DEPTH = 6

# The root FDT names the tree's root node and every subtree. Its values are native-endian numbers,
# not the cells that device trees usually hold. Source: Documentation/core-api/kho/abi.rst,
# include/linux/kho/abi/kexec_handover.h.

# The version's compatible string; a kernel refuses any but its own.
PROP_COMPATIBLE = "compatible"

# Physical address of the tree's root node. [bytes]
PROP_MEMORY_MAP = "preserved-memory-map"

# Physical address of the subtree's blob. [bytes]
PROP_DATA = "preserved-data"

# Length of the subtree's blob. [bytes, since kho-v3]
PROP_BLOB_SIZE = "blob-size"

# How upstream's clients hand over memory that is contiguous in virtual space only. Source:
# include/linux/kho/abi/kexec_handover.h (struct kho_vmalloc, kho_vmalloc_chunk).

# Of vmalloc's flags: the area was made by vmalloc() (VM_ALLOC).
VMALLOC_ALLOC = 0x1

# Of vmalloc's flags: it may be mapped by huge pages (VM_ALLOW_HUGE_VMAP).
VMALLOC_HUGE_VMAP = 0x2

# Pages that a vmalloc_chunk names at most. [entries]
VMALLOC_CHUNK_PAGES = 511

# A subtree that says from which kernel this one was started. Source:
# include/linux/kho/abi/kexec_metadata.h.

# The version of kexec_metadata that this schema describes.
KEXEC_METADATA_VERSION = 1

# Name of the subtree.
KEXEC_METADATA_NAME = "kexec-metadata"

# How upstream's clients hand over arrays of any length, as a list of pages. Source:
# include/linux/kho/abi/block.h.

# Length of a block, its block_header included. [bytes, since kho-v4]
BLOCK_SIZE = 4096

# A longer list is taken for a damaged one; none is written. [blocks, since kho-v4]
BLOCKS_MAX = 10000

# The x86 boot protocol's list of setup_data nodes: how a loader tells the incoming kernel of a
# handover. Source: arch/x86/include/uapi/asm/setup_data.h, Documentation/arch/x86/boot.rst.

# Type of the setup_data node whose data is one kho_data.
SETUP_KEXEC_KHO = 10

# Type of a setup_data node whose data is one setup_indirect; the incoming kernel reserves the range
# that it names.
SETUP_INDIRECT = 0x80000000

# What kho-bridge writes as the type in a setup_indirect: the range belongs to a handover.
SETUP_INDIRECT_RANGE = 0x8000000a

# The flattened device tree format; every number is big-endian. Source: Devicetree Specification
# v0.4, chapter 5.

# First word of every FDT.
FDT_MAGIC = 0xd00dfeed

# Version of the format that is written.
FDT_VERSION = 17

# Oldest version that what is written is compatible with.
FDT_COMP_VERSION = 16

# Token that opens a node; its name follows.
FDT_BEGIN_NODE = 1

# Token that closes a node.
FDT_END_NODE = 2

# Token of a property: length, name offset, value.
FDT_PROP = 3

# Token that means nothing.
FDT_NOP = 4

# Token that ends the structure block.
FDT_END = 9

# What kho-bridge hands over about itself, in subtrees of its own; upstream ignores them. Source:
# kho-bridge.

# First word of meta ("KHOBRIDG", most significant byte first).
META_MAGIC = 0x4b484f4252494447

# Version of meta that this schema describes. Version 1, of kho_bridge 0.1.0, had no seal and no
# digest of the records and of itself; in version 2 that digest left kexec_tsc out.
META_VERSION = 3

# A meta names no more pieces of metadata. [entries]
META_CHUNKS_MAX = 1024

# Type of a setup_data node whose data is one seal ("KHOS", most significant byte first).
SETUP_SEAL = 0x4b484f53

# First word of seal ("KHOBSEAL", most significant byte first).
SEAL_MAGIC = 0x4b484f425345414c

# Version of seal that this schema describes.
SEAL_VERSION = 1

# Kind of a record: a page that the fill stream filled from a seed.
RECORD_FILL = 1

# Kind of a record: a subtree's blob, of which only the digest is known.
RECORD_BLOB = 2

# Kind of a record: a page that the hardware cannot hold any more, wherever it is.
RECORD_POISON = 3

# The fill stream: 64-bit word j of the folio with a seed and an index is mix(seed + FILL_GAMMA *
# ((index << 32) + j + 1)), modulo 2^64; mix(x) is x ^= x >> 30, x *= FILL_M1, x ^= x >> 27, x *=
# FILL_M2, x ^= x >> 31.
FILL_GAMMA = 0x9e3779b97f4a7c15

# First multiplier of the fill stream's mix.
FILL_M1 = 0xbf58476d1ce4e5b9

# Second multiplier of the fill stream's mix.
FILL_M2 = 0x94d049bb133111eb

# Name of the subtree whose blob is one meta.
META_NAME = "kho-bridge"

# Name of the subtree whose blob is an array of record.
RECORDS_NAME = "kho-bridge-records"

# Compatible of the FDT that wraps a blob under kho-v2, which has no blob-size: there a blob tells
# its own length because it is an FDT.
BLOB_COMPATIBLE = "kho-bridge-blob"

# Property of that FDT's root that holds the blob's bytes.
BLOB_PROP = "data"

STRUCTS: dict[str, Struct] = {
    # A node above the leaves.
    "node": Struct(4096, 8, "<512Q", {
        # Physical addresses of the nodes one level below, page aligned; 0 is absent. [bytes]
        "table": Field("u64", 0, 4096, 512),
    }),
    # A node of the lowest level.
    "leaf": Struct(4096, 8, "<512Q", {
        # Bit n is set if the key whose low LEAF_LOG2 bits are n is present.
        "bitmap": Field("u64", 0, 4096, 512),
    }),
    # A preserved vmalloc area.
    "vmalloc": Struct(16, 8, "<QI2H", {
        # Physical address of the first chunk. [bytes]
        "first": Field("u64", 0, 8, None),
        # Pages of order 0 in the area. [pages]
        "total_pages": Field("u32", 8, 4, None),
        # VMALLOC_ALLOC, VMALLOC_HUGE_VMAP.
        "flags": Field("u16", 12, 2, None),
        # Order of each of the pages.
        "order": Field("u16", 14, 2, None),
    }),
    # A page of physical addresses; the chunks of an area are a list.
    "vmalloc_chunk": Struct(4096, 8, "<512Q", {
        # Physical address of the next chunk or 0. [bytes]
        "next": Field("u64", 0, 8, None),
        # Physical addresses of pages; 0 behind the last one. [bytes]
        "phys": Field("u64", 8, 4088, 511),
    }),
    # The blob of the subtree, without padding.
    "kexec_metadata": Struct(73, 1, "<I65sI", {
        # KEXEC_METADATA_VERSION.
        "version": Field("u32", 0, 4, None),
        # Release of the outgoing kernel (as uname -r prints it), NUL-terminated. [bytes]
        "previous_release": Field("char", 4, 65, 65),
        # Kexecs since the last cold boot.
        "kexec_count": Field("u32", 69, 4, None),
    }),
    # First bytes of a block; count entries follow. [since kho-v4]
    "block_header": Struct(16, 1, "<2Q", {
        # Physical address of the next block or 0. [bytes, since kho-v4]
        "next": Field("u64", 0, 8, None),
        # Entries in this block. [entries, since kho-v4]
        "count": Field("u64", 8, 8, None),
    }),
    # Header of a setup_data node; len bytes of data follow.
    "setup_data": Struct(16, 8, "<Q2I", {
        # Physical address of the next node or 0. [bytes]
        "next": Field("u64", 0, 8, None),
        # What the data is.
        "type": Field("u32", 8, 4, None),
        # Length of the data. [bytes]
        "len": Field("u32", 12, 4, None),
    }),
    # Data of a node of type SETUP_INDIRECT.
    "setup_indirect": Struct(24, 8, "<2I2Q", {
        # SETUP_INDIRECT with the type of what is there.
        "type": Field("u32", 0, 4, None),
        # Written as 0; see hidden_range.
        "reserved": Field("u32", 4, 4, None),
        # Length of the range. [bytes]
        "len": Field("u64", 8, 8, None),
        # Physical address of the range. [bytes]
        "addr": Field("u64", 16, 8, None),
    }),
    # Data of a node of type SETUP_KEXEC_KHO.
    "kho_data": Struct(32, 1, "<4Q", {
        # Physical address of the root FDT. [bytes]
        "fdt_addr": Field("u64", 0, 8, None),
        # Length of the root FDT. [bytes]
        "fdt_size": Field("u64", 8, 8, None),
        # Physical address of an array of scratch. [bytes]
        "scratch_addr": Field("u64", 16, 8, None),
        # Length of that array. [bytes]
        "scratch_size": Field("u64", 24, 8, None),
    }),
    # A scratch area: nothing in it is preserved, the incoming kernel allocates from it only.
    "scratch": Struct(16, 8, "<2Q", {
        # Physical address of the area. [bytes]
        "addr": Field("u64", 0, 8, None),
        # Length of the area. [bytes]
        "size": Field("u64", 8, 8, None),
    }),
    # First bytes of an FDT.
    "fdt_header": Struct(40, 4, ">10I", {
        # FDT_MAGIC. [big-endian]
        "magic": Field("be32", 0, 4, None),
        # Length of the whole FDT. [bytes, big-endian]
        "totalsize": Field("be32", 4, 4, None),
        # Offset of the structure block. [bytes, big-endian]
        "off_dt_struct": Field("be32", 8, 4, None),
        # Offset of the strings block. [bytes, big-endian]
        "off_dt_strings": Field("be32", 12, 4, None),
        # Offset of the memory reservation block. [bytes, big-endian]
        "off_mem_rsvmap": Field("be32", 16, 4, None),
        # Version of the format. [big-endian]
        "version": Field("be32", 20, 4, None),
        # Oldest version that it is compatible with. [big-endian]
        "last_comp_version": Field("be32", 24, 4, None),
        # Physical number of the boot processor. [big-endian]
        "boot_cpuid_phys": Field("be32", 28, 4, None),
        # Length of the strings block. [bytes, big-endian]
        "size_dt_strings": Field("be32", 32, 4, None),
        # Length of the structure block. [bytes, big-endian]
        "size_dt_struct": Field("be32", 36, 4, None),
    }),
    # A contiguous piece of the metadata arena (tree nodes, root FDT, subtrees).
    "chunk": Struct(16, 8, "<2Q", {
        # Physical address of the piece. [bytes]
        "addr": Field("u64", 0, 8, None),
        # Length of the piece. [bytes]
        "size": Field("u64", 8, 8, None),
    }),
    # What the incoming side needs to know to check a handover and to give it back.
    "meta": Struct(120, 8, "<Q2I13Q", {
        # META_MAGIC.
        "magic": Field("u64", 0, 8, None),
        # META_VERSION.
        "version": Field("u32", 8, 4, None),
        # Elements of chunks. [entries]
        "nr_chunks": Field("u32", 12, 4, None),
        # Keys in the tree. [keys]
        "nr_keys": Field("u64", 16, 8, None),
        # Nodes of the tree, the root included. [nodes]
        "nr_nodes": Field("u64", 24, 8, None),
        # Digest of all nodes of the tree.
        "tree_digest": Field("u64", 32, 8, None),
        # xxh64 (seed 0) of the root FDT, totalsize bytes.
        "fdt_digest": Field("u64", 40, 8, None),
        # Time stamp counter just before the kexec. It is written at the last moment, and the digest
        # anew. [ticks]
        "kexec_tsc": Field("u64", 48, 8, None),
        # Frequency of the time stamp counter. [kHz]
        "tsc_khz": Field("u64", 56, 8, None),
        # Handovers up to and with this one. [kexecs]
        "boot_count": Field("u64", 64, 8, None),
        # Physical address of the root FDT that these digests are of, if the kernel's own KHO hands
        # another one over that names this blob; else 0. [bytes]
        "fdt_addr": Field("u64", 72, 8, None),
        # Length of that root FDT, else 0. [bytes]
        "fdt_size": Field("u64", 80, 8, None),
        # xxh64 (seed 0) of all records.
        "records_digest": Field("u64", 88, 8, None),
        # Physical address of the root of a second tree: keys of the first one that clients of the
        # outgoing kernel's own KHO have preserved; 0 if there are none. [bytes]
        "others_root": Field("u64", 96, 8, None),
        # Digest of all nodes of that tree, else 0.
        "others_digest": Field("u64", 104, 8, None),
        # xxh64 (seed 0) of this struct with its chunks, as if this field were 0.
        "digest": Field("u64", 112, 8, None),
        # The metadata arena.
        "chunks": Field("chunk", 120, 0, 0),
    }),
    # What a loader knows of the chain once it is complete, so that no flipped bit of it makes other
    # memory of a handover. It stands in the chain, and says that a meta exists.
    "seal": Struct(32, 8, "<Q2I2Q", {
        # SEAL_MAGIC.
        "magic": Field("u64", 0, 8, None),
        # SEAL_VERSION.
        "version": Field("u32", 8, 4, None),
        # Intervals of the chain. [entries]
        "nr_intervals": Field("u32", 12, 4, None),
        # xxh64 (seed 0) of the kho_data of the chain.
        "kho_digest": Field("u64", 16, 8, None),
        # xxh64 (seed 0) of a chunk for each interval, in the chain's order and with whole pages.
        "intervals_digest": Field("u64", 24, 8, None),
    }),
    # What a setup_indirect of type SETUP_INDIRECT_RANGE becomes, in place, when the incoming
    # kernel's module first sees it. That kernel goes on showing what the node names to whoever may
    # read sysfs, so the node names nothing from then on, and a later reader still finds the range.
    # A range that is no whole pages is not kept.
    "hidden_range": Struct(24, 8, "<2I2Q", {
        # SETUP_INDIRECT_RANGE, as it was.
        "type": Field("u32", 0, 4, None),
        # The lower 32 bits of the range's length. [pages]
        "pages": Field("u32", 4, 4, None),
        # 0, where the length was. [bytes]
        "len": Field("u64", 8, 8, None),
        # Physical address of the range, as it was; the bits below those of a whole page are the
        # length's upper ones, 0 for what is shorter than 16 TiB. [bytes]
        "addr": Field("u64", 16, 8, None),
    }),
    # What one folio or subtree must hold.
    "record": Struct(48, 8, "<5Q2I", {
        # Physical address. [bytes]
        "addr": Field("u64", 0, 8, None),
        # Length. [bytes]
        "size": Field("u64", 8, 8, None),
        # Seed of the fill stream, 0 for RECORD_BLOB.
        "seed": Field("u64", 16, 8, None),
        # Index in the fill stream, 0 for RECORD_BLOB.
        "index": Field("u64", 24, 8, None),
        # xxh64 (seed 0) of the bytes.
        "digest": Field("u64", 32, 8, None),
        # RECORD_FILL, RECORD_BLOB or RECORD_POISON.
        "kind": Field("u32", 40, 4, None),
        # Written as 0.
        "reserved": Field("u32", 44, 4, None),
    }),
}


def _log2_floor(a: int) -> int:
    if a <= 0:
        raise ValueError(f"log2_floor({a}) has no value")
    return a.bit_length() - 1


def _encode(pa: int, order: int) -> int:
    return 1 << (ORDER_0_BIT - order) | pa >> (PAGE_SHIFT + order)


def _decode(key: int) -> tuple[int, int]:
    order = ORDER_0_BIT - _log2_floor(key)
    pa = (key - (1 << _log2_floor(key))) << (PAGE_SHIFT + ORDER_0_BIT - _log2_floor(key))
    return pa, order


def key_encode(pa: int, order: int) -> int:
    """Return the key of 2^order pages at a physical address; ValueError if they have none."""
    try:
        key = _encode(pa, order)
        if pa >= 0 and order >= 0 and _decode(key) == (pa, order):
            return key
    except ValueError:  # a shift by less than zero
        pass
    raise ValueError(f"{pa:#x} is not where pages of order {order} can be")


def key_decode(key: int) -> tuple[int, int]:
    """Return the physical address and the order of a key; ValueError if it is none."""
    try:
        pa, order = _decode(key)
        if pa >= 0 and order >= 0 and _encode(pa, order) == key:
            return pa, order
    except ValueError:  # a shift by less than zero
        pass
    raise ValueError(f"{key:#x} is no key")


def key_index(key: int, level: int) -> int:
    """Return where a key is in its node of a level: a bit of the leaf, level 0, or an entry."""
    if level == 0:
        return key % LEAF_BITS
    return (key >> ((level - 1) * TABLE_LOG2 + LEAF_LOG2)) % TABLE_ENTRIES
