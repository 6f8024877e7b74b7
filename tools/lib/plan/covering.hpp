// SPDX-License-Identifier: GPL-2.0-only
// Covers everything that must survive with a bounded number of intervals.
//
// Each interval costs the incoming kernel a slot of memblock's static table
// (128 of them, INIT_MEMBLOCK_REGIONS in Linux's mm/memblock.c), which it fills
// before it can grow it; so never one interval per page.
#ifndef KHOB_COVERING_HPP
#define KHOB_COVERING_HPP

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "base/error.hpp"
#include "base/types.hpp"

namespace khob {

/// Intervals that the loader makes at most unless told otherwise. Half of memblock's 128
/// slots: the other half is the incoming kernel's own; selftests/vm measures the limit.
inline constexpr std::size_t default_max_intervals = 64;

/// The module takes a chain of more nodes for a cycle.
inline constexpr std::size_t most_intervals = 4000;

struct Covering {
    std::vector<Range> intervals;       ///< ascending, disjoint, page aligned
    std::vector<Range> occupied;        ///< the same, also where no interval tells of it
    std::uint64_t preserved_bytes = 0;  ///< what had to be covered
    std::uint64_t gap_bytes = 0;        ///< covered without need: lost until the module frees it

    std::uint64_t covered_bytes() const { return preserved_bytes + gap_bytes; }
};

/**
 * The covering of `preserved` by at most `max` intervals with the fewest lost bytes.
 *
 * A gap that holds any part of a barrier is never covered; of the others the largest stay
 * open. `preserved` ascends and is disjoint; `barriers` may come in any order.
 * Errors (refused): a preserved range on a barrier; more intervals forced than `max`.
 */
Result<Covering> cover(std::span<const Range> preserved, std::span<const Range> barriers,
                       std::size_t max);

}  // namespace khob

#endif  // KHOB_COVERING_HPP
