/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * Generated, do not edit, from abi-gen/schema/kho.yaml
 * (make it again with: cmake --build build --target abi)
 *
 * The ABI of Kexec HandOver at 4K pages: kho-v2, kho-v3, kho-v4.
 */
#ifndef KHOB_ABI_H
#define KHOB_ABI_H

#include <linux/types.h>
#ifdef __KERNEL__
#include <linux/build_bug.h>
#include <linux/compiler.h>
#include <linux/stddef.h>
#else
#include <assert.h>
#include <stddef.h>
#ifndef __packed
#define __packed __attribute__((__packed__))
#endif
#endif

/* Log2 of the page size in bytes; 12 on x86-64, 14 and 16 as well on arm64. [bits] */
#define KHOB_PAGE_SHIFT 12

/**
 * enum khob_abi - versions of the ABI, oldest first
 * @KHOB_ABI_KHO_V2: The first version with a radix tree; version 1 was a chain of bitmaps.
 * @KHOB_ABI_KHO_V3: Each subnode says the length of its blob in blob-size.
 * @KHOB_ABI_KHO_V4: Adds kho_block for its clients; the radix tree and the root FDT are those
 *	of kho-v3.
 * @KHOB_ABI_NR: number of versions
 */
enum khob_abi {
	KHOB_ABI_KHO_V2,
	KHOB_ABI_KHO_V3,
	KHOB_ABI_KHO_V4,
	KHOB_ABI_NR
};

/* What is written unless something else is asked for. */
#define KHOB_ABI_DEFAULT KHOB_ABI_KHO_V4

#define KHOB_COMPATIBLE_KHO_V2 "kho-v2"
#define KHOB_COMPATIBLE_KHO_V3 "kho-v3"
#define KHOB_COMPATIBLE_KHO_V4 "kho-v4"

/* Whether a version has the property blob_size. */
#define KHOB_HAS_BLOB_SIZE_KHO_V2 0
#define KHOB_HAS_BLOB_SIZE_KHO_V3 1
#define KHOB_HAS_BLOB_SIZE_KHO_V4 1

/*
 * The radix tree of preserved pages: page-sized nodes, the lowest level a bitmap, indexed by keys
 * that hold a page's order and its physical address in one number. Source:
 * include/linux/kho/abi/kexec_handover.h.
 */

#define KHOB_PAGE_SIZE 4096ULL /* Size of a page of order 0, of a node and of a leaf. [bytes] */
/* Bits of a key: a page frame number and the order bit above it. [bits] */
#define KHOB_KEY_WIDTH 53
/* Bit of a key that is the highest set one if the page has order 0. [bit number] */
#define KHOB_ORDER_0_BIT 52
/* Largest order that a key can hold; its only page is all of the 64-bit space. */
#define KHOB_ORDER_MAX 52
#define KHOB_TABLE_ENTRIES 512 /* Physical addresses in a node. [entries] */
#define KHOB_TABLE_LOG2 9 /* Bits of a key that index a node. [bits] */
#define KHOB_LEAF_BITS 32768 /* Keys in a leaf. [bits] */
#define KHOB_LEAF_LOG2 15 /* Bits of a key that index a leaf. [bits] */
#define KHOB_TREE_DEPTH 6 /* Levels of the tree, the leaf included. [levels] */

/**
 * struct khob_node - A node above the leaves.
 * @table: Physical addresses of the nodes one level below, page aligned; 0 is absent. [bytes]
 */
struct khob_node {
	__u64 table[512];
};

static_assert(sizeof(struct khob_node) == 4096, "size of khob_node");
static_assert(offsetof(struct khob_node, table) == 0, "table");

/**
 * struct khob_leaf - A node of the lowest level.
 * @bitmap: Bit n is set if the key whose low KHOB_LEAF_LOG2 bits are n is present.
 */
struct khob_leaf {
	__u64 bitmap[512];
};

static_assert(sizeof(struct khob_leaf) == 4096, "size of khob_leaf");
static_assert(offsetof(struct khob_leaf, bitmap) == 0, "bitmap");

/*
 * The root FDT names the tree's root node and every subtree. Its values are native-endian numbers,
 * not the cells that device trees usually hold. Source: Documentation/core-api/kho/abi.rst,
 * include/linux/kho/abi/kexec_handover.h.
 */

/* The version's compatible string; a kernel refuses any but its own. */
#define KHOB_PROP_COMPATIBLE "compatible"
/* Physical address of the tree's root node. [bytes] */
#define KHOB_PROP_MEMORY_MAP "preserved-memory-map"
#define KHOB_PROP_DATA "preserved-data" /* Physical address of the subtree's blob. [bytes] */
#define KHOB_PROP_BLOB_SIZE "blob-size" /* Length of the subtree's blob. [bytes, since kho-v3] */

/*
 * How upstream's clients hand over memory that is contiguous in virtual space only. Source:
 * include/linux/kho/abi/kexec_handover.h (struct kho_vmalloc, kho_vmalloc_chunk).
 */

/* Of struct khob_vmalloc's flags: the area was made by vmalloc() (VM_ALLOC). */
#define KHOB_VMALLOC_ALLOC 0x1U
/* Of struct khob_vmalloc's flags: it may be mapped by huge pages (VM_ALLOW_HUGE_VMAP). */
#define KHOB_VMALLOC_HUGE_VMAP 0x2U
/* Pages that a struct khob_vmalloc_chunk names at most. [entries] */
#define KHOB_VMALLOC_CHUNK_PAGES 511

/**
 * struct khob_vmalloc - A preserved vmalloc area.
 * @first: Physical address of the first chunk. [bytes]
 * @total_pages: Pages of order 0 in the area. [pages]
 * @flags: KHOB_VMALLOC_ALLOC, KHOB_VMALLOC_HUGE_VMAP.
 * @order: Order of each of the pages.
 */
struct khob_vmalloc {
	__u64 first;
	__u32 total_pages;
	__u16 flags;
	__u16 order;
};

static_assert(sizeof(struct khob_vmalloc) == 16, "size of khob_vmalloc");
static_assert(offsetof(struct khob_vmalloc, first) == 0, "first");
static_assert(offsetof(struct khob_vmalloc, total_pages) == 8, "total_pages");
static_assert(offsetof(struct khob_vmalloc, flags) == 12, "flags");
static_assert(offsetof(struct khob_vmalloc, order) == 14, "order");

/**
 * struct khob_vmalloc_chunk - A page of physical addresses; the chunks of an area are a list.
 * @next: Physical address of the next chunk or 0. [bytes]
 * @phys: Physical addresses of pages; 0 behind the last one. [bytes]
 */
struct khob_vmalloc_chunk {
	__u64 next;
	__u64 phys[511];
};

static_assert(sizeof(struct khob_vmalloc_chunk) == 4096, "size of khob_vmalloc_chunk");
static_assert(offsetof(struct khob_vmalloc_chunk, next) == 0, "next");
static_assert(offsetof(struct khob_vmalloc_chunk, phys) == 8, "phys");

/*
 * A subtree that says from which kernel this one was started. Source:
 * include/linux/kho/abi/kexec_metadata.h.
 */

/* The version of struct khob_kexec_metadata that this schema describes. */
#define KHOB_KEXEC_METADATA_VERSION 1

#define KHOB_KEXEC_METADATA_NAME "kexec-metadata" /* Name of the subtree. */

/**
 * struct khob_kexec_metadata - The blob of the subtree, without padding.
 * @version: KHOB_KEXEC_METADATA_VERSION.
 * @previous_release: Release of the outgoing kernel (as uname -r prints it), NUL-terminated.
 *	[bytes]
 * @kexec_count: Kexecs since the last cold boot.
 */
struct khob_kexec_metadata {
	__u32 version;
	char previous_release[65];
	__u32 kexec_count;
} __packed;

static_assert(sizeof(struct khob_kexec_metadata) == 73, "size of khob_kexec_metadata");
static_assert(offsetof(struct khob_kexec_metadata, version) == 0, "version");
static_assert(offsetof(struct khob_kexec_metadata, previous_release) == 4, "previous_release");
static_assert(offsetof(struct khob_kexec_metadata, kexec_count) == 69, "kexec_count");

/*
 * How upstream's clients hand over arrays of any length, as a list of pages. Source:
 * include/linux/kho/abi/block.h.
 */

/* Length of a block, its struct khob_block_header included. [bytes, since kho-v4] */
#define KHOB_BLOCK_SIZE 4096ULL
/* A longer list is taken for a damaged one; none is written. [blocks, since kho-v4] */
#define KHOB_BLOCKS_MAX 10000

/**
 * struct khob_block_header - First bytes of a block; count entries follow. [since kho-v4]
 * @next: Physical address of the next block or 0. [bytes, since kho-v4]
 * @count: Entries in this block. [entries, since kho-v4]
 */
struct khob_block_header {
	__u64 next;
	__u64 count;
} __packed;

static_assert(sizeof(struct khob_block_header) == 16, "size of khob_block_header");
static_assert(offsetof(struct khob_block_header, next) == 0, "next");
static_assert(offsetof(struct khob_block_header, count) == 8, "count");

/*
 * The x86 boot protocol's list of setup_data nodes: how a loader tells the incoming kernel of a
 * handover. Source: arch/x86/include/uapi/asm/setup_data.h, Documentation/arch/x86/boot.rst.
 */

/* Type of the setup_data node whose data is one struct khob_kho_data. */
#define KHOB_SETUP_KEXEC_KHO 10U
/*
 * Type of a setup_data node whose data is one struct khob_setup_indirect; the incoming kernel
 * reserves the range that it names.
 */
#define KHOB_SETUP_INDIRECT 0x80000000U
/*
 * What kho-bridge writes as the type in a struct khob_setup_indirect: the range belongs to a
 * handover.
 */
#define KHOB_SETUP_INDIRECT_RANGE 0x8000000aU

/**
 * struct khob_setup_data - Header of a setup_data node; len bytes of data follow.
 * @next: Physical address of the next node or 0. [bytes]
 * @type: What the data is.
 * @len: Length of the data. [bytes]
 */
struct khob_setup_data {
	__u64 next;
	__u32 type;
	__u32 len;
};

static_assert(sizeof(struct khob_setup_data) == 16, "size of khob_setup_data");
static_assert(offsetof(struct khob_setup_data, next) == 0, "next");
static_assert(offsetof(struct khob_setup_data, type) == 8, "type");
static_assert(offsetof(struct khob_setup_data, len) == 12, "len");

/**
 * struct khob_setup_indirect - Data of a node of type KHOB_SETUP_INDIRECT.
 * @type: KHOB_SETUP_INDIRECT with the type of what is there.
 * @reserved: Written as 0; see struct khob_hidden_range.
 * @len: Length of the range. [bytes]
 * @addr: Physical address of the range. [bytes]
 */
struct khob_setup_indirect {
	__u32 type;
	__u32 reserved;
	__u64 len;
	__u64 addr;
};

static_assert(sizeof(struct khob_setup_indirect) == 24, "size of khob_setup_indirect");
static_assert(offsetof(struct khob_setup_indirect, type) == 0, "type");
static_assert(offsetof(struct khob_setup_indirect, reserved) == 4, "reserved");
static_assert(offsetof(struct khob_setup_indirect, len) == 8, "len");
static_assert(offsetof(struct khob_setup_indirect, addr) == 16, "addr");

/**
 * struct khob_kho_data - Data of a node of type KHOB_SETUP_KEXEC_KHO.
 * @fdt_addr: Physical address of the root FDT. [bytes]
 * @fdt_size: Length of the root FDT. [bytes]
 * @scratch_addr: Physical address of an array of struct khob_scratch. [bytes]
 * @scratch_size: Length of that array. [bytes]
 */
struct khob_kho_data {
	__u64 fdt_addr;
	__u64 fdt_size;
	__u64 scratch_addr;
	__u64 scratch_size;
} __packed;

static_assert(sizeof(struct khob_kho_data) == 32, "size of khob_kho_data");
static_assert(offsetof(struct khob_kho_data, fdt_addr) == 0, "fdt_addr");
static_assert(offsetof(struct khob_kho_data, fdt_size) == 8, "fdt_size");
static_assert(offsetof(struct khob_kho_data, scratch_addr) == 16, "scratch_addr");
static_assert(offsetof(struct khob_kho_data, scratch_size) == 24, "scratch_size");

/**
 * struct khob_scratch - A scratch area: nothing in it is preserved, the incoming kernel
 *	allocates from it only.
 * @addr: Physical address of the area. [bytes]
 * @size: Length of the area. [bytes]
 */
struct khob_scratch {
	__u64 addr;
	__u64 size;
};

static_assert(sizeof(struct khob_scratch) == 16, "size of khob_scratch");
static_assert(offsetof(struct khob_scratch, addr) == 0, "addr");
static_assert(offsetof(struct khob_scratch, size) == 8, "size");

/*
 * The flattened device tree format; every number is big-endian. Source: Devicetree Specification
 * v0.4, chapter 5.
 */

#define KHOB_FDT_MAGIC 0xd00dfeedU /* First word of every FDT. */
#define KHOB_FDT_VERSION 17U /* Version of the format that is written. */
#define KHOB_FDT_COMP_VERSION 16U /* Oldest version that what is written is compatible with. */
#define KHOB_FDT_BEGIN_NODE 1U /* Token that opens a node; its name follows. */
#define KHOB_FDT_END_NODE 2U /* Token that closes a node. */
#define KHOB_FDT_PROP 3U /* Token of a property: length, name offset, value. */
#define KHOB_FDT_NOP 4U /* Token that means nothing. */
#define KHOB_FDT_END 9U /* Token that ends the structure block. */

/**
 * struct khob_fdt_header - First bytes of an FDT.
 * @magic: KHOB_FDT_MAGIC. [big-endian]
 * @totalsize: Length of the whole FDT. [bytes, big-endian]
 * @off_dt_struct: Offset of the structure block. [bytes, big-endian]
 * @off_dt_strings: Offset of the strings block. [bytes, big-endian]
 * @off_mem_rsvmap: Offset of the memory reservation block. [bytes, big-endian]
 * @version: Version of the format. [big-endian]
 * @last_comp_version: Oldest version that it is compatible with. [big-endian]
 * @boot_cpuid_phys: Physical number of the boot processor. [big-endian]
 * @size_dt_strings: Length of the strings block. [bytes, big-endian]
 * @size_dt_struct: Length of the structure block. [bytes, big-endian]
 */
struct khob_fdt_header {
	__be32 magic;
	__be32 totalsize;
	__be32 off_dt_struct;
	__be32 off_dt_strings;
	__be32 off_mem_rsvmap;
	__be32 version;
	__be32 last_comp_version;
	__be32 boot_cpuid_phys;
	__be32 size_dt_strings;
	__be32 size_dt_struct;
};

static_assert(sizeof(struct khob_fdt_header) == 40, "size of khob_fdt_header");
static_assert(offsetof(struct khob_fdt_header, magic) == 0, "magic");
static_assert(offsetof(struct khob_fdt_header, totalsize) == 4, "totalsize");
static_assert(offsetof(struct khob_fdt_header, off_dt_struct) == 8, "off_dt_struct");
static_assert(offsetof(struct khob_fdt_header, off_dt_strings) == 12, "off_dt_strings");
static_assert(offsetof(struct khob_fdt_header, off_mem_rsvmap) == 16, "off_mem_rsvmap");
static_assert(offsetof(struct khob_fdt_header, version) == 20, "version");
static_assert(offsetof(struct khob_fdt_header, last_comp_version) == 24, "last_comp_version");
static_assert(offsetof(struct khob_fdt_header, boot_cpuid_phys) == 28, "boot_cpuid_phys");
static_assert(offsetof(struct khob_fdt_header, size_dt_strings) == 32, "size_dt_strings");
static_assert(offsetof(struct khob_fdt_header, size_dt_struct) == 36, "size_dt_struct");

/*
 * What kho-bridge hands over about itself, in subtrees of its own; upstream ignores them. Source:
 * kho-bridge.
 */

/* First word of struct khob_meta ("KHOBRIDG", most significant byte first). */
#define KHOB_META_MAGIC 0x4b484f4252494447ULL
/*
 * Version of struct khob_meta that this schema describes. Version 1, of kho_bridge 0.1.0, had no
 * struct khob_seal and no digest of the records and of itself; in version 2 that digest left
 * kexec_tsc out.
 */
#define KHOB_META_VERSION 3U
/* A struct khob_meta names no more pieces of metadata. [entries] */
#define KHOB_META_CHUNKS_MAX 1024U
/*
 * Type of a setup_data node whose data is one struct khob_seal ("KHOS", most significant byte
 * first).
 */
#define KHOB_SETUP_SEAL 0x4b484f53U
/* First word of struct khob_seal ("KHOBSEAL", most significant byte first). */
#define KHOB_SEAL_MAGIC 0x4b484f425345414cULL
#define KHOB_SEAL_VERSION 1U /* Version of struct khob_seal that this schema describes. */
/* Kind of a struct khob_record: a page that the fill stream filled from a seed. */
#define KHOB_RECORD_FILL 1U
/* Kind of a struct khob_record: a subtree's blob, of which only the digest is known. */
#define KHOB_RECORD_BLOB 2U
/* Kind of a struct khob_record: a page that the hardware cannot hold any more, wherever it is. */
#define KHOB_RECORD_POISON 3U
/*
 * The fill stream: 64-bit word j of the folio with a seed and an index is mix(seed +
 * KHOB_FILL_GAMMA * ((index << 32) + j + 1)), modulo 2^64; mix(x) is x ^= x >> 30, x *=
 * KHOB_FILL_M1, x ^= x >> 27, x *= KHOB_FILL_M2, x ^= x >> 31.
 */
#define KHOB_FILL_GAMMA 0x9e3779b97f4a7c15ULL
#define KHOB_FILL_M1 0xbf58476d1ce4e5b9ULL /* First multiplier of the fill stream's mix. */
#define KHOB_FILL_M2 0x94d049bb133111ebULL /* Second multiplier of the fill stream's mix. */

#define KHOB_META_NAME "kho-bridge" /* Name of the subtree whose blob is one struct khob_meta. */
/* Name of the subtree whose blob is an array of struct khob_record. */
#define KHOB_RECORDS_NAME "kho-bridge-records"
/*
 * Compatible of the FDT that wraps a blob under kho-v2, which has no blob-size: there a blob tells
 * its own length because it is an FDT.
 */
#define KHOB_BLOB_COMPATIBLE "kho-bridge-blob"
#define KHOB_BLOB_PROP "data" /* Property of that FDT's root that holds the blob's bytes. */

/**
 * struct khob_chunk - A contiguous piece of the metadata arena (tree nodes, root FDT,
 *	subtrees).
 * @addr: Physical address of the piece. [bytes]
 * @size: Length of the piece. [bytes]
 */
struct khob_chunk {
	__u64 addr;
	__u64 size;
};

static_assert(sizeof(struct khob_chunk) == 16, "size of khob_chunk");
static_assert(offsetof(struct khob_chunk, addr) == 0, "addr");
static_assert(offsetof(struct khob_chunk, size) == 8, "size");

/**
 * struct khob_meta - What the incoming side needs to know to check a handover and to give it
 *	back.
 * @magic: KHOB_META_MAGIC.
 * @version: KHOB_META_VERSION.
 * @nr_chunks: Elements of chunks. [entries]
 * @nr_keys: Keys in the tree. [keys]
 * @nr_nodes: Nodes of the tree, the root included. [nodes]
 * @tree_digest: Digest of all nodes of the tree.
 * @fdt_digest: xxh64 (seed 0) of the root FDT, totalsize bytes.
 * @kexec_tsc: Time stamp counter just before the kexec. It is written at the last moment, and
 *	the digest anew. [ticks]
 * @tsc_khz: Frequency of the time stamp counter. [kHz]
 * @boot_count: Handovers up to and with this one. [kexecs]
 * @fdt_addr: Physical address of the root FDT that these digests are of, if the kernel's own
 *	KHO hands another one over that names this blob; else 0. [bytes]
 * @fdt_size: Length of that root FDT, else 0. [bytes]
 * @records_digest: xxh64 (seed 0) of all struct khob_records.
 * @others_root: Physical address of the root of a second tree: keys of the first one that
 *	clients of the outgoing kernel's own KHO have preserved; 0 if there are none. [bytes]
 * @others_digest: Digest of all nodes of that tree, else 0.
 * @digest: xxh64 (seed 0) of this struct with its chunks, as if this field were 0.
 * @chunks: The metadata arena.
 */
struct khob_meta {
	__u64 magic;
	__u32 version;
	__u32 nr_chunks;
	__u64 nr_keys;
	__u64 nr_nodes;
	__u64 tree_digest;
	__u64 fdt_digest;
	__u64 kexec_tsc;
	__u64 tsc_khz;
	__u64 boot_count;
	__u64 fdt_addr;
	__u64 fdt_size;
	__u64 records_digest;
	__u64 others_root;
	__u64 others_digest;
	__u64 digest;
#ifdef __cplusplus
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wpedantic"
#endif
	struct khob_chunk chunks[];
#ifdef __cplusplus
#pragma GCC diagnostic pop
#endif
};

static_assert(sizeof(struct khob_meta) == 120, "size of khob_meta");
static_assert(offsetof(struct khob_meta, magic) == 0, "magic");
static_assert(offsetof(struct khob_meta, version) == 8, "version");
static_assert(offsetof(struct khob_meta, nr_chunks) == 12, "nr_chunks");
static_assert(offsetof(struct khob_meta, nr_keys) == 16, "nr_keys");
static_assert(offsetof(struct khob_meta, nr_nodes) == 24, "nr_nodes");
static_assert(offsetof(struct khob_meta, tree_digest) == 32, "tree_digest");
static_assert(offsetof(struct khob_meta, fdt_digest) == 40, "fdt_digest");
static_assert(offsetof(struct khob_meta, kexec_tsc) == 48, "kexec_tsc");
static_assert(offsetof(struct khob_meta, tsc_khz) == 56, "tsc_khz");
static_assert(offsetof(struct khob_meta, boot_count) == 64, "boot_count");
static_assert(offsetof(struct khob_meta, fdt_addr) == 72, "fdt_addr");
static_assert(offsetof(struct khob_meta, fdt_size) == 80, "fdt_size");
static_assert(offsetof(struct khob_meta, records_digest) == 88, "records_digest");
static_assert(offsetof(struct khob_meta, others_root) == 96, "others_root");
static_assert(offsetof(struct khob_meta, others_digest) == 104, "others_digest");
static_assert(offsetof(struct khob_meta, digest) == 112, "digest");
static_assert(offsetof(struct khob_meta, chunks) == 120, "chunks");

/**
 * struct khob_seal - What a loader knows of the chain once it is complete, so that no flipped
 *	bit of it makes other memory of a handover. It stands in the chain, and says that a struct
 *	khob_meta exists.
 * @magic: KHOB_SEAL_MAGIC.
 * @version: KHOB_SEAL_VERSION.
 * @nr_intervals: Intervals of the chain. [entries]
 * @kho_digest: xxh64 (seed 0) of the struct khob_kho_data of the chain.
 * @intervals_digest: xxh64 (seed 0) of a struct khob_chunk for each interval, in the chain's
 *	order and with whole pages.
 */
struct khob_seal {
	__u64 magic;
	__u32 version;
	__u32 nr_intervals;
	__u64 kho_digest;
	__u64 intervals_digest;
};

static_assert(sizeof(struct khob_seal) == 32, "size of khob_seal");
static_assert(offsetof(struct khob_seal, magic) == 0, "magic");
static_assert(offsetof(struct khob_seal, version) == 8, "version");
static_assert(offsetof(struct khob_seal, nr_intervals) == 12, "nr_intervals");
static_assert(offsetof(struct khob_seal, kho_digest) == 16, "kho_digest");
static_assert(offsetof(struct khob_seal, intervals_digest) == 24, "intervals_digest");

/**
 * struct khob_hidden_range - What a struct khob_setup_indirect of type
 *	KHOB_SETUP_INDIRECT_RANGE becomes, in place, when the incoming kernel's module first sees
 *	it. That kernel goes on showing what the node names to whoever may read sysfs, so the node
 *	names nothing from then on, and a later reader still finds the range. A range that is no
 *	whole pages is not kept.
 * @type: KHOB_SETUP_INDIRECT_RANGE, as it was.
 * @pages: The lower 32 bits of the range's length. [pages]
 * @len: 0, where the length was. [bytes]
 * @addr: Physical address of the range, as it was; the bits below those of a whole page are
 *	the length's upper ones, 0 for what is shorter than 16 TiB. [bytes]
 */
struct khob_hidden_range {
	__u32 type;
	__u32 pages;
	__u64 len;
	__u64 addr;
};

static_assert(sizeof(struct khob_hidden_range) == 24, "size of khob_hidden_range");
static_assert(offsetof(struct khob_hidden_range, type) == 0, "type");
static_assert(offsetof(struct khob_hidden_range, pages) == 4, "pages");
static_assert(offsetof(struct khob_hidden_range, len) == 8, "len");
static_assert(offsetof(struct khob_hidden_range, addr) == 16, "addr");

/**
 * struct khob_record - What one folio or subtree must hold.
 * @addr: Physical address. [bytes]
 * @size: Length. [bytes]
 * @seed: Seed of the fill stream, 0 for KHOB_RECORD_BLOB.
 * @index: Index in the fill stream, 0 for KHOB_RECORD_BLOB.
 * @digest: xxh64 (seed 0) of the bytes.
 * @kind: KHOB_RECORD_FILL, KHOB_RECORD_BLOB or KHOB_RECORD_POISON.
 * @reserved: Written as 0.
 */
struct khob_record {
	__u64 addr;
	__u64 size;
	__u64 seed;
	__u64 index;
	__u64 digest;
	__u32 kind;
	__u32 reserved;
};

static_assert(sizeof(struct khob_record) == 48, "size of khob_record");
static_assert(offsetof(struct khob_record, addr) == 0, "addr");
static_assert(offsetof(struct khob_record, size) == 8, "size");
static_assert(offsetof(struct khob_record, seed) == 16, "seed");
static_assert(offsetof(struct khob_record, index) == 24, "index");
static_assert(offsetof(struct khob_record, digest) == 32, "digest");
static_assert(offsetof(struct khob_record, kind) == 40, "kind");
static_assert(offsetof(struct khob_record, reserved) == 44, "reserved");

#endif /* KHOB_ABI_H */
