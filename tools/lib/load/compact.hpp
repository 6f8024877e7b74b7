// SPDX-License-Identifier: GPL-2.0-only
// Compaction: the module moves what it owns close together, so that a covering costs less.
#ifndef KHOB_COMPACT_HPP
#define KHOB_COMPACT_HPP

#include <cstddef>
#include <cstdint>
#include <optional>

#include "base/error.hpp"
#include "base/progress.hpp"
#include "base/value.hpp"
#include "machine/memory_map.hpp"
#include "module/module.hpp"
#include "plan/covering.hpp"

namespace khob {

/// How far apart what is preserved lies, and what covering it would cost.
struct Spread {
    std::uint64_t ranges = 0;          ///< contiguous ones
    std::optional<Covering> covering;  ///< empty: so few intervals cannot cover it

    /// Reads it from the module. `max` intervals at most, as for a load by `indirect`.
    static Result<Spread> read(const Module& module, const MemoryMap& map, std::size_t max);
    Value to_value() const;
};

struct CompactReport {
    Spread before;
    Spread after;
    std::uint64_t folios = 0;      ///< that have moved
    std::uint64_t bytes = 0;       ///< that have moved
    std::uint64_t left_bytes = 0;  ///< that should have moved and have not
    std::uint64_t module_us = 0;   ///< what it took in the kernel
    double total_ms = 0;
    std::optional<Error> error;  ///< why it ended early; what has moved stays where it is

    Value to_value() const;
};

/**
 * Compacts, some megabytes at a time, with progress. The caller holds an InterruptGuard:
 * Ctrl-C ends it between two pieces.
 *
 * Errors: the module refuses (frozen), or something cannot be read. What ends it halfway is
 * in the report, with how far it came.
 */
Result<CompactReport> compact(const Module& module, const MemoryMap& map, std::size_t max,
                              Progress& progress);

}  // namespace khob

#endif  // KHOB_COMPACT_HPP
