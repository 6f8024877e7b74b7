// SPDX-License-Identifier: GPL-2.0-only
// Scratch for method kho: besides the image it holds all that the incoming
// kernel allocates before it has read which pages are preserved.
#ifndef KHOB_KHO_SCRATCH_HPP
#define KHOB_KHO_SCRATCH_HPP

#include <cstdint>
#include <span>
#include <vector>

#include "base/error.hpp"
#include "base/system.hpp"
#include "base/types.hpp"
#include "base/value.hpp"
#include "machine/memory_map.hpp"
#include "plan/scratch.hpp"

namespace khob {

/// Areas begin and end at multiples of this: the buddy allocator's largest block of 4 KiB
/// pages, next to which no struct page may be missing (Linux: SCRATCH_ALIGNMENT_BYTES).
inline constexpr std::uint64_t kho_scratch_alignment = 4ULL << 20;

/// More areas than this are not made.
inline constexpr std::size_t max_kho_areas = 64;

/// The root FDT and the array of areas are mapped with so many bytes at most (Linux on x86-64:
/// NR_FIX_BTMAPS pages); a kernel that cannot map them drops what was handed over.
inline constexpr std::uint64_t max_early_map = 64 * page_size;

/// Memory of a node; `bytes` as its /sys/devices/system/node/node*/meminfo says.
struct NodeMemory {
    unsigned node = 0;
    std::uint64_t bytes = 0;
};

/// What the sizes follow from.
struct MachineFacts {
    std::uint64_t ram_bytes = 0;
    bool ram_above_4g = false;
    std::uint64_t cpus = 1;         ///< possible ones
    std::uint64_t keys = 0;         ///< preserved; those of metadata that is still to be made too
    bool kasan = false;             ///< of the incoming kernel
    std::vector<NodeMemory> nodes;  ///< with memory; empty: the kernel knows no nodes
};

MachineFacts machine_facts(const System& sys, const MemoryMap& map, std::uint64_t keys);

/// Bytes that the incoming kernel allocates before it has read the tree.
struct EarlyNeeds {
    std::uint64_t struct_pages = 0;  ///< 64 bytes a page of RAM
    std::uint64_t tables = 0;        ///< page tables and hash tables, which grow with RAM
    std::uint64_t cpus = 0;          ///< per-CPU areas
    std::uint64_t reservations = 0;  ///< its list of what is preserved, which doubles in a copy
    std::uint64_t shadow = 0;        ///< KASAN's, if it has that: a byte for eight of RAM
    std::uint64_t base = 0;          ///< what does not depend on the machine

    std::uint64_t total() const {
        return struct_pages + tables + cpus + reservations + shadow + base;
    }
    Value to_value() const;
};

EarlyNeeds early_needs(const MachineFacts& machine);

/// Bytes that a kernel with KASAN takes of so much RAM, all of it shadowed as it boots.
std::uint64_t kasan_shadow(std::uint64_t ram_bytes);

/// Whether a kernel with KASAN can boot in the running kernel's own scratch, which that has
/// sized by what it took itself. Errors (refused): it is too small.
Result<void> require_shadow_room(std::span<const Range> areas, const EarlyNeeds& early);

/// The areas to ask for, all aligned to kho_scratch_alignment.
struct KhoScratch {
    EarlyNeeds early;
    AreaRequest low;                 ///< below 4 GiB; the first of the array
    std::uint64_t image_bytes = 0;   ///< contiguous: kernel, boot data, initrd
    std::uint64_t early_bytes = 0;   ///< with the image if there is room, else in pieces
    bool image_low = false;          ///< the kernel must lie below 4 GiB
    std::vector<AreaRequest> nodes;  ///< each node's share of what is early; best effort
};

KhoScratch kho_scratch(const ScratchNeeds& needs, const MachineFacts& machine);

}  // namespace khob

#endif  // KHOB_KHO_SCRATCH_HPP
