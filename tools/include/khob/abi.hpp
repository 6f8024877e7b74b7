// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
// Generated, do not edit, from abi-gen/schema/kho.yaml
// (make it again with: cmake --build build --target abi)
//
// The ABI of Kexec HandOver at 4K pages: kho-v2, kho-v3, kho-v4.
#ifndef KHOB_ABI_HPP
#define KHOB_ABI_HPP

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

namespace khob::abi {

/// Log2 of the page size in bytes; 12 on x86-64, 14 and 16 as well on arm64. [bits]
inline constexpr unsigned page_shift = 12;

/// Versions of the ABI, oldest first.
enum class Version {
    /// The first version with a radix tree; version 1 was a chain of bitmaps.
    kho_v2,
    /// Each subnode says the length of its blob in blob-size.
    kho_v3,
    /// Adds kho_block for its clients; the radix tree and the root FDT are those of kho-v3.
    kho_v4,
};

/// All of them, oldest first.
inline constexpr std::array<Version, 3> versions = {
    Version::kho_v2,
    Version::kho_v3,
    Version::kho_v4,
};

/// What is written unless something else is asked for.
inline constexpr Version default_version = Version::kho_v4;

/// The root FDT's compatible string.
constexpr std::string_view compatible(Version version) {
    switch (version) {
        case Version::kho_v2:
            return "kho-v2";
        case Version::kho_v3:
            return "kho-v3";
        case Version::kho_v4:
            return "kho-v4";
    }
    return {};
}

/// The version that a compatible string names.
constexpr std::optional<Version> version_from(std::string_view name) {
    for (const Version version : versions) {
        if (compatible(version) == name) {
            return version;
        }
    }
    return std::nullopt;
}

/// Whether a version has the property blob_size.
constexpr bool has_blob_size(Version version) {
    return version == Version::kho_v3 || version == Version::kho_v4;
}

// The radix tree of preserved pages: page-sized nodes, the lowest level a bitmap, indexed by keys
// that hold a page's order and its physical address in one number. Source:
// include/linux/kho/abi/kexec_handover.h.

/// Size of a page of order 0, of a node and of a leaf. [bytes]
inline constexpr std::uint64_t page_size = 4096;

/// Bits of a key: a page frame number and the order bit above it. [bits]
inline constexpr unsigned key_width = 53;

/// Bit of a key that is the highest set one if the page has order 0. [bit number]
inline constexpr unsigned order_0_bit = 52;

/// Largest order that a key can hold; its only page is all of the 64-bit space.
inline constexpr unsigned order_max = 52;

/// Physical addresses in a node. [entries]
inline constexpr unsigned table_entries = 512;

/// Bits of a key that index a node. [bits]
inline constexpr unsigned table_log2 = 9;

/// Keys in a leaf. [bits]
inline constexpr unsigned leaf_bits = 32768;

/// Bits of a key that index a leaf. [bits]
inline constexpr unsigned leaf_log2 = 15;

/// Levels of the tree, the leaf included. [levels]
inline constexpr unsigned tree_depth = 6;

/// A node above the leaves.
struct node {
    /// Physical addresses of the nodes one level below, page aligned; 0 is absent. [bytes]
    std::array<std::uint64_t, 512> table;
};

static_assert(sizeof(node) == 4096);
static_assert(offsetof(node, table) == 0);

/// A node of the lowest level.
struct leaf {
    /// Bit n is set if the key whose low leaf_log2 bits are n is present.
    std::array<std::uint64_t, 512> bitmap;
};

static_assert(sizeof(leaf) == 4096);
static_assert(offsetof(leaf, bitmap) == 0);

// The root FDT names the tree's root node and every subtree. Its values are native-endian numbers,
// not the cells that device trees usually hold. Source: Documentation/core-api/kho/abi.rst,
// include/linux/kho/abi/kexec_handover.h.

/// The version's compatible string; a kernel refuses any but its own.
inline constexpr std::string_view prop_compatible = "compatible";

/// Physical address of the tree's root node. [bytes]
inline constexpr std::string_view prop_memory_map = "preserved-memory-map";

/// Physical address of the subtree's blob. [bytes]
inline constexpr std::string_view prop_data = "preserved-data";

/// Length of the subtree's blob. [bytes, since kho-v3]
inline constexpr std::string_view prop_blob_size = "blob-size";

// How upstream's clients hand over memory that is contiguous in virtual space only. Source:
// include/linux/kho/abi/kexec_handover.h (struct kho_vmalloc, kho_vmalloc_chunk).

/// A preserved vmalloc area.
struct vmalloc {
    /// Physical address of the first chunk. [bytes]
    std::uint64_t first;
    /// Pages of order 0 in the area. [pages]
    std::uint32_t total_pages;
    /// Flags of the area.
    std::uint16_t flags;
    /// Order of each of the pages.
    std::uint16_t order;
};

static_assert(sizeof(vmalloc) == 16);
static_assert(offsetof(vmalloc, first) == 0);
static_assert(offsetof(vmalloc, total_pages) == 8);
static_assert(offsetof(vmalloc, flags) == 12);
static_assert(offsetof(vmalloc, order) == 14);

/// A page of physical addresses; the chunks of an area are a list.
struct vmalloc_chunk {
    /// Physical address of the next chunk or 0. [bytes]
    std::uint64_t next;
    /// Physical addresses of pages; 0 behind the last one. [bytes]
    std::array<std::uint64_t, 511> phys;
};

static_assert(sizeof(vmalloc_chunk) == 4096);
static_assert(offsetof(vmalloc_chunk, next) == 0);
static_assert(offsetof(vmalloc_chunk, phys) == 8);

// A subtree that says from which kernel this one was started. Source:
// include/linux/kho/abi/kexec_metadata.h.

/// The version of kexec_metadata that this schema describes.
inline constexpr unsigned kexec_metadata_version = 1;

/// Name of the subtree.
inline constexpr std::string_view kexec_metadata_name = "kexec-metadata";

/// The blob of the subtree, without padding.
struct [[gnu::packed]] kexec_metadata {
    /// kexec_metadata_version.
    std::uint32_t version;
    /// Release of the outgoing kernel (as uname -r prints it), NUL-terminated. [bytes]
    std::array<char, 65> previous_release;
    /// Kexecs since the last cold boot.
    std::uint32_t kexec_count;
};

static_assert(sizeof(kexec_metadata) == 73);
static_assert(offsetof(kexec_metadata, version) == 0);
static_assert(offsetof(kexec_metadata, previous_release) == 4);
static_assert(offsetof(kexec_metadata, kexec_count) == 69);

// The x86 boot protocol's list of setup_data nodes: how a loader tells the incoming kernel of a
// handover. Source: arch/x86/include/uapi/asm/setup_data.h, Documentation/arch/x86/boot.rst.

/// Type of the setup_data node whose data is one kho_data.
inline constexpr std::uint32_t setup_kexec_kho = 10;

/// Type of a setup_data node whose data is one setup_indirect; the incoming kernel reserves the
/// range that it names.
inline constexpr std::uint32_t setup_indirect_type = 0x80000000;

/// What kho-bridge writes as the type in a setup_indirect: the range belongs to a handover.
inline constexpr std::uint32_t setup_indirect_range = 0x8000000a;

/// Header of a setup_data node; len bytes of data follow.
struct setup_data {
    /// Physical address of the next node or 0. [bytes]
    std::uint64_t next;
    /// What the data is.
    std::uint32_t type;
    /// Length of the data. [bytes]
    std::uint32_t len;
};

static_assert(sizeof(setup_data) == 16);
static_assert(offsetof(setup_data, next) == 0);
static_assert(offsetof(setup_data, type) == 8);
static_assert(offsetof(setup_data, len) == 12);

/// Data of a node of type setup_indirect_type.
struct setup_indirect {
    /// setup_indirect_type with the type of what is in the range.
    std::uint32_t type;
    /// Written as 0.
    std::uint32_t reserved;
    /// Length of the range. [bytes]
    std::uint64_t len;
    /// Physical address of the range. [bytes]
    std::uint64_t addr;
};

static_assert(sizeof(setup_indirect) == 24);
static_assert(offsetof(setup_indirect, type) == 0);
static_assert(offsetof(setup_indirect, reserved) == 4);
static_assert(offsetof(setup_indirect, len) == 8);
static_assert(offsetof(setup_indirect, addr) == 16);

/// Data of a node of type setup_kexec_kho.
struct kho_data {
    /// Physical address of the root FDT. [bytes]
    std::uint64_t fdt_addr;
    /// Length of the root FDT. [bytes]
    std::uint64_t fdt_size;
    /// Physical address of an array of scratch. [bytes]
    std::uint64_t scratch_addr;
    /// Length of that array. [bytes]
    std::uint64_t scratch_size;
};

static_assert(sizeof(kho_data) == 32);
static_assert(offsetof(kho_data, fdt_addr) == 0);
static_assert(offsetof(kho_data, fdt_size) == 8);
static_assert(offsetof(kho_data, scratch_addr) == 16);
static_assert(offsetof(kho_data, scratch_size) == 24);

/// A scratch area: nothing in it is preserved, the incoming kernel allocates from it only.
struct scratch {
    /// Physical address of the area. [bytes]
    std::uint64_t addr;
    /// Length of the area. [bytes]
    std::uint64_t size;
};

static_assert(sizeof(scratch) == 16);
static_assert(offsetof(scratch, addr) == 0);
static_assert(offsetof(scratch, size) == 8);

// The flattened device tree format; every number is big-endian. Source: Devicetree Specification
// v0.4, chapter 5.

/// First word of every FDT.
inline constexpr std::uint32_t fdt_magic = 0xd00dfeed;

/// Version of the format that is written.
inline constexpr std::uint32_t fdt_version = 17;

/// Oldest version that what is written is compatible with.
inline constexpr std::uint32_t fdt_comp_version = 16;

/// Token that opens a node; its name follows.
inline constexpr std::uint32_t fdt_begin_node = 1;

/// Token that closes a node.
inline constexpr std::uint32_t fdt_end_node = 2;

/// Token of a property: length, name offset, value.
inline constexpr std::uint32_t fdt_prop = 3;

/// Token that means nothing.
inline constexpr std::uint32_t fdt_nop = 4;

/// Token that ends the structure block.
inline constexpr std::uint32_t fdt_end = 9;

/// First bytes of an FDT.
struct fdt_header {
    /// fdt_magic. [big-endian]
    std::uint32_t magic;
    /// Length of the whole FDT. [bytes, big-endian]
    std::uint32_t totalsize;
    /// Offset of the structure block. [bytes, big-endian]
    std::uint32_t off_dt_struct;
    /// Offset of the strings block. [bytes, big-endian]
    std::uint32_t off_dt_strings;
    /// Offset of the memory reservation block. [bytes, big-endian]
    std::uint32_t off_mem_rsvmap;
    /// Version of the format. [big-endian]
    std::uint32_t version;
    /// Oldest version that it is compatible with. [big-endian]
    std::uint32_t last_comp_version;
    /// Physical number of the boot processor. [big-endian]
    std::uint32_t boot_cpuid_phys;
    /// Length of the strings block. [bytes, big-endian]
    std::uint32_t size_dt_strings;
    /// Length of the structure block. [bytes, big-endian]
    std::uint32_t size_dt_struct;
};

static_assert(sizeof(fdt_header) == 40);
static_assert(offsetof(fdt_header, magic) == 0);
static_assert(offsetof(fdt_header, totalsize) == 4);
static_assert(offsetof(fdt_header, off_dt_struct) == 8);
static_assert(offsetof(fdt_header, off_dt_strings) == 12);
static_assert(offsetof(fdt_header, off_mem_rsvmap) == 16);
static_assert(offsetof(fdt_header, version) == 20);
static_assert(offsetof(fdt_header, last_comp_version) == 24);
static_assert(offsetof(fdt_header, boot_cpuid_phys) == 28);
static_assert(offsetof(fdt_header, size_dt_strings) == 32);
static_assert(offsetof(fdt_header, size_dt_struct) == 36);

// What kho-bridge hands over about itself, in subtrees of its own; upstream ignores them. Source:
// kho-bridge.

/// First word of meta ("KHOBRIDG", most significant byte first).
inline constexpr std::uint64_t meta_magic = 0x4b484f4252494447;

/// Version of meta that this schema describes.
inline constexpr std::uint32_t meta_version = 1;

/// Kind of a record: a page that the fill stream filled from a seed.
inline constexpr std::uint32_t record_fill = 1;

/// Kind of a record: a subtree's blob, of which only the digest is known.
inline constexpr std::uint32_t record_blob = 2;

/// The fill stream: 64-bit word j of the folio with a seed and an index is mix(seed + fill_gamma *
/// ((index << 32) + j + 1)), modulo 2^64; mix(x) is x ^= x >> 30, x *= fill_m1, x ^= x >> 27, x *=
/// fill_m2, x ^= x >> 31.
inline constexpr std::uint64_t fill_gamma = 0x9e3779b97f4a7c15;

/// First multiplier of the fill stream's mix.
inline constexpr std::uint64_t fill_m1 = 0xbf58476d1ce4e5b9;

/// Second multiplier of the fill stream's mix.
inline constexpr std::uint64_t fill_m2 = 0x94d049bb133111eb;

/// Name of the subtree whose blob is one meta.
inline constexpr std::string_view meta_name = "kho-bridge";

/// Name of the subtree whose blob is an array of record.
inline constexpr std::string_view records_name = "kho-bridge-records";

/// Compatible of the FDT that wraps a blob under kho-v2, which has no blob-size: there a blob tells
/// its own length because it is an FDT.
inline constexpr std::string_view blob_compatible = "kho-bridge-blob";

/// Property of that FDT's root that holds the blob's bytes.
inline constexpr std::string_view blob_prop = "data";

/// A contiguous piece of the metadata arena (tree nodes, root FDT, subtrees).
struct chunk {
    /// Physical address of the piece. [bytes]
    std::uint64_t addr;
    /// Length of the piece. [bytes]
    std::uint64_t size;
};

static_assert(sizeof(chunk) == 16);
static_assert(offsetof(chunk, addr) == 0);
static_assert(offsetof(chunk, size) == 8);

/// What the incoming side needs to know to check a handover and to give it back.
/// An array of chunk follows it (chunks): The metadata arena.
struct meta {
    /// meta_magic.
    std::uint64_t magic;
    /// meta_version.
    std::uint32_t version;
    /// Elements of chunks. [entries]
    std::uint32_t nr_chunks;
    /// Keys in the tree. [keys]
    std::uint64_t nr_keys;
    /// Nodes of the tree, the root included. [nodes]
    std::uint64_t nr_nodes;
    /// Digest of all nodes of the tree.
    std::uint64_t tree_digest;
    /// xxh64 (seed 0) of the root FDT, totalsize bytes.
    std::uint64_t fdt_digest;
    /// Time stamp counter just before the kexec. [ticks]
    std::uint64_t kexec_tsc;
    /// Frequency of the time stamp counter. [kHz]
    std::uint64_t tsc_khz;
    /// Handovers up to and with this one. [kexecs]
    std::uint64_t boot_count;
    /// Written as 0 and ignored.
    std::array<std::uint64_t, 6> reserved;
};

static_assert(sizeof(meta) == 120);
static_assert(offsetof(meta, magic) == 0);
static_assert(offsetof(meta, version) == 8);
static_assert(offsetof(meta, nr_chunks) == 12);
static_assert(offsetof(meta, nr_keys) == 16);
static_assert(offsetof(meta, nr_nodes) == 24);
static_assert(offsetof(meta, tree_digest) == 32);
static_assert(offsetof(meta, fdt_digest) == 40);
static_assert(offsetof(meta, kexec_tsc) == 48);
static_assert(offsetof(meta, tsc_khz) == 56);
static_assert(offsetof(meta, boot_count) == 64);
static_assert(offsetof(meta, reserved) == 72);

/// What one folio or subtree must hold.
struct record {
    /// Physical address. [bytes]
    std::uint64_t addr;
    /// Length. [bytes]
    std::uint64_t size;
    /// Seed of the fill stream, 0 for record_blob.
    std::uint64_t seed;
    /// Index in the fill stream, 0 for record_blob.
    std::uint64_t index;
    /// xxh64 (seed 0) of the bytes.
    std::uint64_t digest;
    /// record_fill or record_blob.
    std::uint32_t kind;
    /// Written as 0.
    std::uint32_t reserved;
};

static_assert(sizeof(record) == 48);
static_assert(offsetof(record, addr) == 0);
static_assert(offsetof(record, size) == 8);
static_assert(offsetof(record, seed) == 16);
static_assert(offsetof(record, index) == 24);
static_assert(offsetof(record, digest) == 32);
static_assert(offsetof(record, kind) == 40);
static_assert(offsetof(record, reserved) == 44);

}  // namespace khob::abi

#endif  // KHOB_ABI_HPP
