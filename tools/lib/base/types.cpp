// SPDX-License-Identifier: GPL-2.0-only
// Ranges, and sizes for people.
#include "base/types.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace khob {

std::vector<Range> merged(std::vector<Range> ranges) {
    std::erase_if(ranges, [](const Range& r) { return r.empty(); });
    std::sort(ranges.begin(), ranges.end());
    std::vector<Range> out;
    for (const Range& r : ranges) {
        if (!out.empty() && r.start <= out.back().end) {
            out.back().end = std::max(out.back().end, r.end);
        } else {
            out.push_back(r);
        }
    }
    return out;
}

std::uint64_t total_bytes(std::span<const Range> ranges) {
    std::uint64_t sum = 0;
    for (const Range& r : ranges) {
        sum += r.size();
    }
    return sum;
}

std::string to_string(const Range& range) {
    return fmt::format("{:#x}-{:#x}", range.start.value(), range.end.value());
}

std::string human_bytes(std::uint64_t bytes) {
    constexpr std::uint64_t kib = 1024;
    if (bytes < kib) {
        return fmt::format("{} B", bytes);
    }
    if (bytes < kib * kib) {
        return fmt::format("{:.1f} KiB", static_cast<double>(bytes) / kib);
    }
    if (bytes < kib * kib * kib) {
        return fmt::format("{:.1f} MiB", static_cast<double>(bytes) / (kib * kib));
    }
    return fmt::format("{:.1f} GiB", static_cast<double>(bytes) / (kib * kib * kib));
}

}  // namespace khob
