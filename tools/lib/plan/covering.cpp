// SPDX-License-Identifier: GPL-2.0-only
// The covering: split where one must, then where it saves most.
#include "plan/covering.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace khob {

namespace {

/// The first of sorted, disjoint `barriers` that overlaps `range`, if any.
const Range* first_overlap(const std::vector<Range>& barriers, const Range& range) {
    const auto it =
        std::upper_bound(barriers.begin(), barriers.end(), range.start,
                         [](PhysAddr start, const Range& barrier) { return start < barrier.end; });
    return it != barriers.end() && it->overlaps(range) ? &*it : nullptr;
}

struct Gap {
    std::size_t before = 0;  // the range behind it
    std::uint64_t bytes = 0;
};

}  // namespace

Result<Covering> cover(std::span<const Range> preserved, std::span<const Range> barriers,
                       std::size_t max) {
    const std::vector<Range> walls = merged({barriers.begin(), barriers.end()});
    std::vector<bool> split(preserved.size(), false);
    std::vector<Gap> gaps;
    std::size_t forced = preserved.empty() ? 0 : 1;
    for (std::size_t i = 0; i < preserved.size(); ++i) {
        if (const Range* wall = first_overlap(walls, preserved[i])) {
            return fail(ExitCode::refused,
                        fmt::format("preserved memory {} lies on {}, which is no RAM of the "
                                    "incoming kernel's, below 1 MiB, or scratch",
                                    to_string(preserved[i]), to_string(*wall)));
        }
        if (i == 0) {
            continue;
        }
        const Range gap{preserved[i - 1].end, preserved[i].start};
        if (!gap.empty() && first_overlap(walls, gap) != nullptr) {
            split[i] = true;
            ++forced;
        } else {
            gaps.push_back(Gap{i, gap.size()});
        }
    }
    if (forced > max) {
        return fail(
            ExitCode::refused,
            fmt::format("what is preserved needs at least {} intervals, because of holes "
                        "in memory, and at most {} are allowed",
                        forced, max),
            "bring it together with `khoctl compact` or load --compact, raise --max-ranges if "
            "the incoming kernel takes more, or preserve less");
    }

    // Gaps of no bytes are never worth an interval.
    const std::size_t keep = std::min(max - forced, gaps.size());
    std::partial_sort(gaps.begin(), gaps.begin() + static_cast<std::ptrdiff_t>(keep), gaps.end(),
                      [](const Gap& a, const Gap& b) {
                          return a.bytes != b.bytes ? a.bytes > b.bytes : a.before < b.before;
                      });
    for (std::size_t i = 0; i < keep && gaps[i].bytes > 0; ++i) {
        split[gaps[i].before] = true;
    }

    Covering out;
    for (std::size_t i = 0; i < preserved.size(); ++i) {
        if (i == 0 || split[i]) {
            out.intervals.push_back(preserved[i]);
        } else {
            out.gap_bytes += preserved[i].start - out.intervals.back().end;
            out.intervals.back().end = preserved[i].end;
        }
        out.preserved_bytes += preserved[i].size();
    }
    return out;
}

}  // namespace khob
