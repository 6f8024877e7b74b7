// SPDX-License-Identifier: GPL-2.0-only
// Covers what the module preserves.
#ifndef KHOB_PRESERVED_HPP
#define KHOB_PRESERVED_HPP

#include <cstddef>
#include <span>

#include "base/error.hpp"
#include "base/types.hpp"
#include "machine/memory_map.hpp"
#include "module/module.hpp"
#include "plan/boot_image.hpp"
#include "plan/covering.hpp"
#include "plan/method.hpp"

namespace khob {

/// Keys up to which every gap counts. With more of them those that are smaller than
/// device::extent_gap are covered, as long as nothing is in the way: where pages are that many and
/// that scattered, splitting at one of them saves next to nothing.
inline constexpr std::uint64_t exact_keys = 4096;

/// What has to be covered, and how.
struct CoverRequest {
    Method method = Method::indirect;  ///< only `indirect` takes intervals; else figures count
    std::span<const Range> scratch{};  ///< to be left out
    std::size_t max_intervals = default_max_intervals;
    Range fdt{};  ///< if not empty: must be preserved as well
};

/// Errors: those of cover(); failure if `fdt` is not preserved.
Result<Covering> cover_preserved(const Module& module, const MemoryMap& map,
                                 const CoverRequest& request);

/**
 * What the incoming kernel is left, with all that is preserved now, and whether that is enough.
 * Errors: those of cover() and of check_memory().
 */
Result<MemoryBudget> budget_now(const Module& module, const MemoryMap& map, const BzImage& kernel,
                                std::uint64_t initrd_bytes, const MethodChoice& choice,
                                std::size_t max_intervals = default_max_intervals);

}  // namespace khob

#endif  // KHOB_PRESERVED_HPP
