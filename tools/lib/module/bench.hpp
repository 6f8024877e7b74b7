// SPDX-License-Identifier: GPL-2.0-only
// What the module's sandbox/bench says: how long its tree took for its work, and how long the
// kernel's own took for the same, where there is one.
#ifndef KHOB_BENCH_HPP
#define KHOB_BENCH_HPP

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.hpp"
#include "base/value.hpp"

namespace khob {

/// Bounds and default of what sandbox/bench takes as keys=.
inline constexpr std::uint64_t least_bench_keys = 1024;
inline constexpr std::uint64_t default_bench_keys = 262144;
inline constexpr std::uint64_t most_bench_keys = 4194304;

class Bench {
  public:
    /// "name: value" lines. An error (failure) if there is no row, or one without keys or a time.
    static Result<Bench> parse(std::string_view text);

    /// Tables of times for a key, and of the nodes that are left where everything was deleted.
    Value to_value() const;

  private:
    /// One side's figures.
    struct Side {
        std::uint64_t ns = 0;
        std::optional<std::uint64_t> nodes;
    };
    struct Row {
        std::string work;
        std::uint64_t keys = 0;
        Side ours;
        std::optional<Side> upstream;
    };

    std::uint64_t keys_ = 0;
    std::uint64_t repetitions_ = 0;
    std::vector<Row> rows_;
};

}  // namespace khob

#endif  // KHOB_BENCH_HPP
