// SPDX-License-Identifier: GPL-2.0-only
// A file of huge pages on tmpfs, kept from the start.
#ifndef KHOB_KEEP_REGION_HPP
#define KHOB_KEEP_REGION_HPP

#include <cstdint>
#include <optional>
#include <string>

#include "base/error.hpp"
#include "base/progress.hpp"
#include "base/system.hpp"
#include "base/value.hpp"

namespace khob::keep {

/// What a huge page of a region has: one that a PMD maps.
inline constexpr std::uint64_t huge_page_bytes = std::uint64_t{2} << 20;

struct RegionPlan {
    std::string path;  ///< absolute; nothing is there yet
    std::uint64_t bytes = 0;
    std::optional<std::uint32_t> node;  ///< NUMA node; any, and the caller's first, if not said
};

struct Region {
    RegionPlan plan;
    double ms = 0;
    Value to_value() const;
};

/**
 * Makes the file, its owner's only, of zeroes, and notes that it is kept from now on.
 *
 * Errors: the size is no multiple of huge_page_bytes; something is there; no tmpfs; no kho_luo; no
 * room, or not as much contiguous memory: then there is no file, and nothing is noted.
 */
Result<Region> create_region(const System& sys, const RegionPlan& plan, Progress& progress);

}  // namespace khob::keep

#endif  // KHOB_KEEP_REGION_HPP
