// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
// Generated, do not edit, from abi-gen/schema/kho.yaml
// (make it again with: cmake --build build --target abi)
//
// The ABI of Kexec HandOver: kho-v2, kho-v3, kho-v4. What depends on the page size is in Layout, of
// which DefaultLayout is the one for 4K pages.
#ifndef KHOB_ABI_HPP
#define KHOB_ABI_HPP

// clang-format off
#include <algorithm>
#include <array>
#include <bit>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>
#include <type_traits>

namespace khob::abi {

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

/// Log2 of the page size in bytes; 12 on x86-64, 14 and 16 as well on arm64. [bits]
inline constexpr unsigned default_page_shift = 12;

/// Whether a version can be used with pages of 2^page_shift bytes.
constexpr bool supported(unsigned page_shift, Version version) {
    // The tree as published is one level short at 16K pages: the key needs 51 bits and the 4 levels
    // cover 50, so two pages may share a bit.
    if (page_shift == 14 && version == Version::kho_v2) {
        return false;
    }
    return page_shift == 12 || page_shift == 14 || page_shift == 16;
}

/// The compatible string.
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

namespace detail {

/// Shifts of 64-bit numbers by any number of bits.
constexpr std::uint64_t shl(std::uint64_t a, std::uint64_t bits) {
    return bits < 64 ? a << bits : 0;
}
constexpr std::uint64_t shr(std::uint64_t a, std::uint64_t bits) {
    return bits < 64 ? a >> bits : 0;
}

/// a / b, rounded up.
constexpr std::uint64_t ceil_div(std::uint64_t a, std::uint64_t b) {
    return a / b + (a % b != 0 ? 1 : 0);
}

/// The number of the highest set bit; 0 if there is none.
constexpr std::uint64_t log2_floor(std::uint64_t a) {
    return a != 0 ? static_cast<std::uint64_t>(std::bit_width(a)) - 1 : 0;
}

}  // namespace detail

/// A physical address in bytes.
class PhysAddr {
  public:
    constexpr PhysAddr() = default;
    constexpr explicit PhysAddr(std::uint64_t value) : value_(value) {}
    constexpr std::uint64_t value() const { return value_; }

    // clang-tidy 14 takes a defaulted comparison for a null pointer.
    // NOLINTNEXTLINE(modernize-use-nullptr)
    friend constexpr auto operator<=>(const PhysAddr&, const PhysAddr&) = default;
    /// The caller makes sure that it does not wrap.
    friend constexpr PhysAddr operator+(PhysAddr a, std::uint64_t bytes) {
        return PhysAddr(a.value_ + bytes);
    }
    /// Bytes from b to a; the caller makes sure that b <= a.
    friend constexpr std::uint64_t operator-(PhysAddr a, PhysAddr b) { return a.value_ - b.value_; }

  private:
    std::uint64_t value_ = 0;
};

/// log2 of a folio's size in pages of 2^page_shift bytes.
template <unsigned page_shift>
class Order {
  public:
    constexpr Order() = default;
    constexpr explicit Order(unsigned value) : value_(value) {}
    constexpr unsigned value() const { return value_; }
    /// Bytes of a folio; 0 if they do not fit 64 bits.
    constexpr std::uint64_t bytes() const {
        return detail::shl(1, std::uint64_t{page_shift} + value_);
    }

    // NOLINTNEXTLINE(modernize-use-nullptr)
    friend constexpr auto operator<=>(const Order&, const Order&) = default;

  private:
    unsigned value_ = 0;
};

/// Pages that are preserved as one: 2^order of them, from pa on.
template <unsigned page_shift>
struct Folio {
    PhysAddr pa;
    Order<page_shift> order;

    // NOLINTNEXTLINE(modernize-use-nullptr)
    friend constexpr auto operator<=>(const Folio&, const Folio&) = default;
};

/// A page of order o at physical address pa has the order bit at order_0_bit - o and below it the
/// page's number among the pages of its order.
template <unsigned page_shift>
class Key {
  public:
    constexpr Key() = default;
    constexpr explicit Key(std::uint64_t value) : value_(value) {}
    constexpr std::uint64_t value() const { return value_; }

    // NOLINTNEXTLINE(modernize-use-nullptr)
    friend constexpr auto operator<=>(const Key&, const Key&) = default;

  private:
    std::uint64_t value_ = 0;
};

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

/// Of vmalloc's flags: the area was made by vmalloc() (VM_ALLOC).
inline constexpr std::uint32_t vmalloc_alloc = 0x1;
/// Of vmalloc's flags: it may be mapped by huge pages (VM_ALLOW_HUGE_VMAP).
inline constexpr std::uint32_t vmalloc_huge_vmap = 0x2;

/// A preserved vmalloc area.
struct vmalloc {
    std::uint64_t first;  ///< Physical address of the first chunk. [bytes]
    std::uint32_t total_pages;  ///< Pages of order 0 in the area. [pages]
    std::uint16_t flags;  ///< vmalloc_alloc, vmalloc_huge_vmap.
    std::uint16_t order;  ///< Order of each of the pages.
};

static_assert(sizeof(vmalloc) == 16);
static_assert(offsetof(vmalloc, first) == 0);
static_assert(offsetof(vmalloc, total_pages) == 8);
static_assert(offsetof(vmalloc, flags) == 12);
static_assert(offsetof(vmalloc, order) == 14);

// A subtree that says from which kernel this one was started. Source:
// include/linux/kho/abi/kexec_metadata.h.

/// The version of kexec_metadata that this schema describes.
inline constexpr unsigned kexec_metadata_version = 1;

inline constexpr std::string_view kexec_metadata_name = "kexec-metadata";  ///< Name of the subtree.

/// The blob of the subtree, without padding.
struct [[gnu::packed]] kexec_metadata {
    std::uint32_t version;  ///< kexec_metadata_version.
    /// Release of the outgoing kernel (as uname -r prints it), NUL-terminated. [bytes]
    std::array<char, 65> previous_release;
    std::uint32_t kexec_count;  ///< Kexecs since the last cold boot.
};

static_assert(sizeof(kexec_metadata) == 73);
static_assert(offsetof(kexec_metadata, version) == 0);
static_assert(offsetof(kexec_metadata, previous_release) == 4);
static_assert(offsetof(kexec_metadata, kexec_count) == 69);

// How upstream's clients hand over arrays of any length, as a list of pages. Source:
// include/linux/kho/abi/block.h.

/// A longer list is taken for a damaged one; none is written. [blocks, since kho-v4]
inline constexpr unsigned blocks_max = 10000;

/// First bytes of a block; count entries follow. [since kho-v4]
struct [[gnu::packed]] block_header {
    std::uint64_t next;  ///< Physical address of the next block or 0. [bytes, since kho-v4]
    std::uint64_t count;  ///< Entries in this block. [entries, since kho-v4]
};

static_assert(sizeof(block_header) == 16);
static_assert(offsetof(block_header, next) == 0);
static_assert(offsetof(block_header, count) == 8);

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
    std::uint64_t next;  ///< Physical address of the next node or 0. [bytes]
    std::uint32_t type;  ///< What the data is.
    std::uint32_t len;  ///< Length of the data. [bytes]
};

static_assert(sizeof(setup_data) == 16);
static_assert(offsetof(setup_data, next) == 0);
static_assert(offsetof(setup_data, type) == 8);
static_assert(offsetof(setup_data, len) == 12);

/// Data of a node of type setup_indirect_type.
struct setup_indirect {
    std::uint32_t type;  ///< setup_indirect_type with the type of what is there.
    std::uint32_t reserved;  ///< Written as 0; see hidden_range.
    std::uint64_t len;  ///< Length of the range. [bytes]
    std::uint64_t addr;  ///< Physical address of the range. [bytes]
};

static_assert(sizeof(setup_indirect) == 24);
static_assert(offsetof(setup_indirect, type) == 0);
static_assert(offsetof(setup_indirect, reserved) == 4);
static_assert(offsetof(setup_indirect, len) == 8);
static_assert(offsetof(setup_indirect, addr) == 16);

/// Data of a node of type setup_kexec_kho.
struct [[gnu::packed]] kho_data {
    std::uint64_t fdt_addr;  ///< Physical address of the root FDT. [bytes]
    std::uint64_t fdt_size;  ///< Length of the root FDT. [bytes]
    std::uint64_t scratch_addr;  ///< Physical address of an array of scratch. [bytes]
    std::uint64_t scratch_size;  ///< Length of that array. [bytes]
};

static_assert(sizeof(kho_data) == 32);
static_assert(offsetof(kho_data, fdt_addr) == 0);
static_assert(offsetof(kho_data, fdt_size) == 8);
static_assert(offsetof(kho_data, scratch_addr) == 16);
static_assert(offsetof(kho_data, scratch_size) == 24);

/// A scratch area: nothing in it is preserved, the incoming kernel allocates from it only.
struct scratch {
    std::uint64_t addr;  ///< Physical address of the area. [bytes]
    std::uint64_t size;  ///< Length of the area. [bytes]
};

static_assert(sizeof(scratch) == 16);
static_assert(offsetof(scratch, addr) == 0);
static_assert(offsetof(scratch, size) == 8);

// The flattened device tree format; every number is big-endian. Source: Devicetree Specification
// v0.4, chapter 5.

inline constexpr std::uint32_t fdt_magic = 0xd00dfeed;  ///< First word of every FDT.
inline constexpr std::uint32_t fdt_version = 17;  ///< Version of the format that is written.
/// Oldest version that what is written is compatible with.
inline constexpr std::uint32_t fdt_comp_version = 16;
inline constexpr std::uint32_t fdt_begin_node = 1;  ///< Token that opens a node; its name follows.
inline constexpr std::uint32_t fdt_end_node = 2;  ///< Token that closes a node.
inline constexpr std::uint32_t fdt_prop = 3;  ///< Token of a property: length, name offset, value.
inline constexpr std::uint32_t fdt_nop = 4;  ///< Token that means nothing.
inline constexpr std::uint32_t fdt_end = 9;  ///< Token that ends the structure block.

/// First bytes of an FDT.
struct fdt_header {
    std::uint32_t magic;  ///< fdt_magic. [big-endian]
    std::uint32_t totalsize;  ///< Length of the whole FDT. [bytes, big-endian]
    std::uint32_t off_dt_struct;  ///< Offset of the structure block. [bytes, big-endian]
    std::uint32_t off_dt_strings;  ///< Offset of the strings block. [bytes, big-endian]
    std::uint32_t off_mem_rsvmap;  ///< Offset of the memory reservation block. [bytes, big-endian]
    std::uint32_t version;  ///< Version of the format. [big-endian]
    std::uint32_t last_comp_version;  ///< Oldest version that it is compatible with. [big-endian]
    std::uint32_t boot_cpuid_phys;  ///< Physical number of the boot processor. [big-endian]
    std::uint32_t size_dt_strings;  ///< Length of the strings block. [bytes, big-endian]
    std::uint32_t size_dt_struct;  ///< Length of the structure block. [bytes, big-endian]
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
inline constexpr std::uint64_t meta_magic = 0x4b484f4252494447ULL;
/// Version of meta that this schema describes. Version 1, of kho_bridge 0.1.0, had no seal and no
/// digest of the records and of itself; in version 2 that digest left kexec_tsc out.
inline constexpr std::uint32_t meta_version = 3;
/// A meta names no more pieces of metadata. [entries]
inline constexpr std::uint32_t meta_chunks_max = 1024;
/// Type of a setup_data node whose data is one seal ("KHOS", most significant byte first).
inline constexpr std::uint32_t setup_seal = 0x4b484f53;
/// First word of seal ("KHOBSEAL", most significant byte first).
inline constexpr std::uint64_t seal_magic = 0x4b484f425345414cULL;
inline constexpr std::uint32_t seal_version = 1;  ///< Version of seal that this schema describes.
/// Kind of a record: a page that the fill stream filled from a seed.
inline constexpr std::uint32_t record_fill = 1;
/// Kind of a record: a subtree's blob, of which only the digest is known.
inline constexpr std::uint32_t record_blob = 2;
/// Kind of a record: a page that the hardware cannot hold any more, wherever it is.
inline constexpr std::uint32_t record_poison = 3;
/// The fill stream: 64-bit word j of the folio with a seed and an index is mix(seed + fill_gamma *
/// ((index << 32) + j + 1)), modulo 2^64; mix(x) is x ^= x >> 30, x *= fill_m1, x ^= x >> 27, x *=
/// fill_m2, x ^= x >> 31.
inline constexpr std::uint64_t fill_gamma = 0x9e3779b97f4a7c15ULL;
/// First multiplier of the fill stream's mix.
inline constexpr std::uint64_t fill_m1 = 0xbf58476d1ce4e5b9ULL;
/// Second multiplier of the fill stream's mix.
inline constexpr std::uint64_t fill_m2 = 0x94d049bb133111ebULL;

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
    std::uint64_t addr;  ///< Physical address of the piece. [bytes]
    std::uint64_t size;  ///< Length of the piece. [bytes]
};

static_assert(sizeof(chunk) == 16);
static_assert(offsetof(chunk, addr) == 0);
static_assert(offsetof(chunk, size) == 8);

/// What the incoming side needs to know to check a handover and to give it back.
/// An array of chunk follows at byte 120 (chunks): The metadata arena.
struct meta {
    std::uint64_t magic;  ///< meta_magic.
    std::uint32_t version;  ///< meta_version.
    std::uint32_t nr_chunks;  ///< Elements of chunks. [entries]
    std::uint64_t nr_keys;  ///< Keys in the tree. [keys]
    std::uint64_t nr_nodes;  ///< Nodes of the tree, the root included. [nodes]
    std::uint64_t tree_digest;  ///< Digest of all nodes of the tree.
    std::uint64_t fdt_digest;  ///< xxh64 (seed 0) of the root FDT, totalsize bytes.
    /// Time stamp counter just before the kexec. It is written at the last moment, and the digest
    /// anew. [ticks]
    std::uint64_t kexec_tsc;
    std::uint64_t tsc_khz;  ///< Frequency of the time stamp counter. [kHz]
    std::uint64_t boot_count;  ///< Handovers up to and with this one. [kexecs]
    /// Physical address of the root FDT that these digests are of, if the kernel's own KHO hands
    /// another one over that names this blob; else 0. [bytes]
    std::uint64_t fdt_addr;
    std::uint64_t fdt_size;  ///< Length of that root FDT, else 0. [bytes]
    std::uint64_t records_digest;  ///< xxh64 (seed 0) of all records.
    /// Physical address of the root of a second tree: keys of the first one that clients of the
    /// outgoing kernel's own KHO have preserved; 0 if there are none. [bytes]
    std::uint64_t others_root;
    std::uint64_t others_digest;  ///< Digest of all nodes of that tree, else 0.
    /// xxh64 (seed 0) of this struct with its chunks, as if this field were 0.
    std::uint64_t digest;
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
static_assert(offsetof(meta, fdt_addr) == 72);
static_assert(offsetof(meta, fdt_size) == 80);
static_assert(offsetof(meta, records_digest) == 88);
static_assert(offsetof(meta, others_root) == 96);
static_assert(offsetof(meta, others_digest) == 104);
static_assert(offsetof(meta, digest) == 112);

/// What a loader knows of the chain once it is complete, so that no flipped bit of it makes other
/// memory of a handover. It stands in the chain, and says that a meta exists.
struct seal {
    std::uint64_t magic;  ///< seal_magic.
    std::uint32_t version;  ///< seal_version.
    std::uint32_t nr_intervals;  ///< Intervals of the chain. [entries]
    std::uint64_t kho_digest;  ///< xxh64 (seed 0) of the kho_data of the chain.
    /// xxh64 (seed 0) of a chunk for each interval, in the chain's order and with whole pages.
    std::uint64_t intervals_digest;
};

static_assert(sizeof(seal) == 32);
static_assert(offsetof(seal, magic) == 0);
static_assert(offsetof(seal, version) == 8);
static_assert(offsetof(seal, nr_intervals) == 12);
static_assert(offsetof(seal, kho_digest) == 16);
static_assert(offsetof(seal, intervals_digest) == 24);

/// What a setup_indirect of type setup_indirect_range becomes, in place, when the incoming kernel's
/// module first sees it. That kernel goes on showing what the node names to whoever may read sysfs,
/// so the node names nothing from then on, and a later reader still finds the range. A range that
/// is no whole pages is not kept.
struct hidden_range {
    std::uint32_t type;  ///< setup_indirect_range, as it was.
    std::uint32_t pages;  ///< The lower 32 bits of the range's length. [pages]
    std::uint64_t len;  ///< 0, where the length was. [bytes]
    /// Physical address of the range, as it was; the bits below those of a whole page are the
    /// length's upper ones, 0 for what is shorter than 16 TiB. [bytes]
    std::uint64_t addr;
};

static_assert(sizeof(hidden_range) == 24);
static_assert(offsetof(hidden_range, type) == 0);
static_assert(offsetof(hidden_range, pages) == 4);
static_assert(offsetof(hidden_range, len) == 8);
static_assert(offsetof(hidden_range, addr) == 16);

/// What one folio or subtree must hold.
struct record {
    std::uint64_t addr;  ///< Physical address. [bytes]
    std::uint64_t size;  ///< Length. [bytes]
    std::uint64_t seed;  ///< Seed of the fill stream, 0 for record_blob.
    std::uint64_t index;  ///< Index in the fill stream, 0 for record_blob.
    std::uint64_t digest;  ///< xxh64 (seed 0) of the bytes.
    std::uint32_t kind;  ///< record_fill, record_blob or record_poison.
    std::uint32_t reserved;  ///< Written as 0.
};

static_assert(sizeof(record) == 48);
static_assert(offsetof(record, addr) == 0);
static_assert(offsetof(record, size) == 8);
static_assert(offsetof(record, seed) == 16);
static_assert(offsetof(record, index) == 24);
static_assert(offsetof(record, digest) == 32);
static_assert(offsetof(record, kind) == 40);
static_assert(offsetof(record, reserved) == 44);

/// What depends on the page size, or on the version.
template <unsigned Shift, Version Abi = default_version>
    requires(supported(Shift, Abi))
struct Layout {
    using Order = abi::Order<Shift>;
    using Folio = abi::Folio<Shift>;
    using Key = abi::Key<Shift>;

    static constexpr Version version = Abi;
    static constexpr std::uint64_t page_shift = Shift;

    // The radix tree of preserved pages: page-sized nodes, the lowest level a bitmap, indexed by
    // keys that hold a page's order and its physical address in one number. Source:
    // include/linux/kho/abi/kexec_handover.h.

    /// Size of a page of order 0, of a node and of a leaf. [bytes]
    static constexpr std::uint64_t page_size = 1ULL << page_shift;

    /// Bits of a key: a page frame number and the order bit above it. [bits]
    static constexpr std::uint64_t key_width = 64ULL - page_shift + 1ULL;

    /// Bit of a key that is the highest set one if the page has order 0. [bit number]
    static constexpr std::uint64_t order_0_bit = 64ULL - page_shift;

    /// Largest order that a key can hold; its only page is all of the 64-bit space.
    static constexpr std::uint64_t order_max = order_0_bit;

    /// Physical addresses in a node. [entries]
    static constexpr std::uint64_t table_entries = page_size / sizeof(std::uint64_t);

    /// Bits of a key that index a node. [bits]
    static constexpr std::uint64_t table_log2 = detail::log2_floor(table_entries);

    /// Keys in a leaf. [bits]
    static constexpr std::uint64_t leaf_bits = page_size * 8ULL;

    /// Bits of a key that index a leaf. [bits]
    static constexpr std::uint64_t leaf_log2 = detail::log2_floor(leaf_bits);

    /// Levels of the tree, the leaf included. [levels]
    static constexpr std::uint64_t tree_depth = [] {
        if constexpr (version <= Version::kho_v2) {
            return detail::ceil_div(64ULL - page_shift - leaf_log2, table_log2) + 1ULL;
        } else {
            return detail::ceil_div(key_width - leaf_log2, table_log2) + 1ULL;
        }
    }();

    /// A node above the leaves.
    struct node {
        /// Physical addresses of the nodes one level below, page aligned; 0 is absent. [bytes]
        std::array<std::uint64_t, table_entries> table;
    };

    /// A node of the lowest level.
    struct leaf {
        /// Bit n is set if the key whose low leaf_log2 bits are n is present.
        std::array<std::uint64_t, leaf_bits / 64ULL> bitmap;
    };

    /// Pages that a vmalloc_chunk names at most. [entries]
    static constexpr std::uint64_t vmalloc_chunk_pages = page_size / sizeof(std::uint64_t) - 1ULL;

    /// A page of physical addresses; the chunks of an area are a list.
    struct vmalloc_chunk {
        std::uint64_t next;  ///< Physical address of the next chunk or 0. [bytes]
        /// Physical addresses of pages; 0 behind the last one. [bytes]
        std::array<std::uint64_t, vmalloc_chunk_pages> phys;
    };

    /// Length of a block, its block_header included. [bytes, since kho-v4]
    static constexpr std::uint64_t block_size = page_size;

    /// The key of pages for which is_folio() holds.
    static constexpr Key encode(PhysAddr at, Order of) {
        const std::uint64_t pa = at.value();
        const std::uint64_t order = of.value();
        return Key(detail::shl(1ULL, order_0_bit - order) | detail::shr(pa, page_shift +
            order));
    }

    /// The pages of a key for which is_key() holds.
    static constexpr Folio decode(Key of) {
        const std::uint64_t key = of.value();
        const std::uint64_t order = order_0_bit - detail::log2_floor(key);
        const std::uint64_t pa =
            detail::shl(key - detail::shl(1ULL, detail::log2_floor(key)), page_shift +
                order_0_bit - detail::log2_floor(key));
        return Folio{PhysAddr(pa), Order(static_cast<unsigned>(order))};
    }

    /// Whether a key can hold them: there is the order, and the address is a multiple of the size.
    static constexpr bool is_folio(PhysAddr at, Order of) {
        return decode(encode(at, of)) == Folio{at, of};
    }

    /// Whether some pages have this key.
    static constexpr bool is_key(Key key) {
        const Folio folio = decode(key);
        return encode(folio.pa, folio.order) == key;
    }

    /// Where a key is in its node of a level: a bit of the leaf, which is level 0, or an entry.
    static constexpr std::uint64_t index(Key of, unsigned at) {
        const std::uint64_t key = of.value();
        const std::uint64_t level = at;
        if (level == 0) {
            return key % leaf_bits;
        }
        return detail::shr(key, (level - 1ULL) * table_log2 + leaf_log2) % table_entries;
    }
};

/// With the page size and the version that are used unless something else is asked for.
using DefaultLayout = Layout<default_page_shift>;

// At 4K pages the formulas give what abi-gen computed and proved.
namespace detail {

using kho_v2 = Layout<default_page_shift, Version::kho_v2>;
static_assert(kho_v2::page_size == 4096ULL);
static_assert(kho_v2::key_width == 53ULL);
static_assert(kho_v2::order_0_bit == 52ULL);
static_assert(kho_v2::order_max == 52ULL);
static_assert(kho_v2::table_entries == 512ULL);
static_assert(kho_v2::table_log2 == 9ULL);
static_assert(kho_v2::leaf_bits == 32768ULL);
static_assert(kho_v2::leaf_log2 == 15ULL);
static_assert(kho_v2::tree_depth == 6ULL);
static_assert(sizeof(kho_v2::node) == 4096);
static_assert(offsetof(kho_v2::node, table) == 0);
static_assert(sizeof(kho_v2::leaf) == 4096);
static_assert(offsetof(kho_v2::leaf, bitmap) == 0);
static_assert(kho_v2::vmalloc_chunk_pages == 511ULL);
static_assert(sizeof(kho_v2::vmalloc_chunk) == 4096);
static_assert(offsetof(kho_v2::vmalloc_chunk, next) == 0);
static_assert(offsetof(kho_v2::vmalloc_chunk, phys) == 8);

using kho_v3 = Layout<default_page_shift, Version::kho_v3>;
static_assert(kho_v3::page_size == 4096ULL);
static_assert(kho_v3::key_width == 53ULL);
static_assert(kho_v3::order_0_bit == 52ULL);
static_assert(kho_v3::order_max == 52ULL);
static_assert(kho_v3::table_entries == 512ULL);
static_assert(kho_v3::table_log2 == 9ULL);
static_assert(kho_v3::leaf_bits == 32768ULL);
static_assert(kho_v3::leaf_log2 == 15ULL);
static_assert(kho_v3::tree_depth == 6ULL);
static_assert(sizeof(kho_v3::node) == 4096);
static_assert(offsetof(kho_v3::node, table) == 0);
static_assert(sizeof(kho_v3::leaf) == 4096);
static_assert(offsetof(kho_v3::leaf, bitmap) == 0);
static_assert(kho_v3::vmalloc_chunk_pages == 511ULL);
static_assert(sizeof(kho_v3::vmalloc_chunk) == 4096);
static_assert(offsetof(kho_v3::vmalloc_chunk, next) == 0);
static_assert(offsetof(kho_v3::vmalloc_chunk, phys) == 8);

using kho_v4 = Layout<default_page_shift, Version::kho_v4>;
static_assert(kho_v4::page_size == 4096ULL);
static_assert(kho_v4::key_width == 53ULL);
static_assert(kho_v4::order_0_bit == 52ULL);
static_assert(kho_v4::order_max == 52ULL);
static_assert(kho_v4::table_entries == 512ULL);
static_assert(kho_v4::table_log2 == 9ULL);
static_assert(kho_v4::leaf_bits == 32768ULL);
static_assert(kho_v4::leaf_log2 == 15ULL);
static_assert(kho_v4::tree_depth == 6ULL);
static_assert(sizeof(kho_v4::node) == 4096);
static_assert(offsetof(kho_v4::node, table) == 0);
static_assert(sizeof(kho_v4::leaf) == 4096);
static_assert(offsetof(kho_v4::leaf, bitmap) == 0);
static_assert(kho_v4::vmalloc_chunk_pages == 511ULL);
static_assert(sizeof(kho_v4::vmalloc_chunk) == 4096);
static_assert(offsetof(kho_v4::vmalloc_chunk, next) == 0);
static_assert(offsetof(kho_v4::vmalloc_chunk, phys) == 8);
static_assert(kho_v4::block_size == 4096ULL);

}  // namespace detail
// clang-format on

}  // namespace khob::abi

#endif  // KHOB_ABI_HPP
