// SPDX-License-Identifier: GPL-2.0-only
// What the module's bench says: how long its tree took for its work, and how long the kernel's
// own took for the same, where there is one.
#ifndef KHOB_BENCH_HPP
#define KHOB_BENCH_HPP

#include <cstdint>
#include <span>

#include "base/value.hpp"
#include "khob/device.hpp"

namespace khob {

/// Bounds and default of what a bench takes.
inline constexpr std::uint64_t least_bench_keys = 1024;
inline constexpr std::uint64_t default_bench_keys = 262144;
inline constexpr std::uint64_t most_bench_keys = 4194304;

/// Tables of times for a key, and of the nodes that are left where everything was deleted, of a
/// bench with so many keys. `rows` are as decode_bench() has checked them.
Value bench_value(std::uint64_t keys, std::span<const device::bench_row> rows);

}  // namespace khob

#endif  // KHOB_BENCH_HPP
