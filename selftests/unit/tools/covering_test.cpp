// SPDX-License-Identifier: GPL-2.0-only
// The covering against brute force, and its refusals.
#include "plan/covering.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <limits>
#include <optional>
#include <random>

namespace khob {
namespace {

using Ranges = std::vector<Range>;

Ranges pages(std::initializer_list<std::pair<std::uint64_t, std::uint64_t>> list) {
    Ranges out;
    for (const auto& [start, end] : list) {
        out.push_back(make_range(start * page_size, end * page_size));
    }
    return out;
}

bool touches(const Ranges& barriers, const Range& gap) {
    return std::any_of(barriers.begin(), barriers.end(),
                       [&gap](const Range& b) { return !gap.empty() && b.overlaps(gap); });
}

/// The fewest lost bytes over every way to leave gaps open; nothing if none is allowed.
std::optional<std::uint64_t> brute_force(const Ranges& preserved, const Ranges& barriers,
                                         std::size_t max) {
    const std::size_t gaps = preserved.empty() ? 0 : preserved.size() - 1;
    std::optional<std::uint64_t> best;
    for (std::uint64_t open = 0; open < (1ULL << gaps); ++open) {
        std::size_t intervals = preserved.empty() ? 0 : 1;
        std::uint64_t lost = 0;
        bool valid = true;
        for (std::size_t i = 0; i < gaps; ++i) {
            const Range gap{preserved[i].end, preserved[i + 1].start};
            if ((open >> i & 1) != 0) {
                ++intervals;
            } else {
                lost += gap.size();
                valid = valid && !touches(barriers, gap);
            }
        }
        if (valid && intervals <= max) {
            best = std::min(best.value_or(std::numeric_limits<std::uint64_t>::max()), lost);
        }
    }
    return best;
}

void expect_valid(const Covering& c, const Ranges& preserved, const Ranges& barriers,
                  std::size_t max) {
    EXPECT_LE(c.intervals.size(), max);
    EXPECT_EQ(total_bytes(c.intervals), c.covered_bytes());
    EXPECT_EQ(total_bytes(preserved), c.preserved_bytes);
    for (std::size_t i = 1; i < c.intervals.size(); ++i) {
        EXPECT_LE(c.intervals[i - 1].end, c.intervals[i].start);
    }
    for (const Range& i : c.intervals) {
        EXPECT_FALSE(touches(barriers, i));
    }
    for (const Range& p : preserved) {
        EXPECT_TRUE(std::any_of(c.intervals.begin(), c.intervals.end(),
                                [&p](const Range& i) { return i.contains(p); }));
    }
}

TEST(Covering, IsOptimalOnEverySmallCaseTried) {
    // The same cases in every run.
    std::mt19937_64 random(1);  // NOLINT(cert-msc32-c,cert-msc51-cpp)
    for (int round = 0; round < 4000; ++round) {
        Ranges preserved;
        Ranges barriers;
        std::uint64_t at = 256;
        const std::size_t n = random() % 10;
        for (std::size_t i = 0; i < n; ++i) {
            const std::uint64_t gap = random() % 6;
            if (gap > 1 && random() % 4 == 0) {
                barriers.push_back(
                    make_range((at + 1) * page_size, (at + 1) * page_size + random() % 4000 + 1));
            }
            at += gap;
            const std::uint64_t size = 1 + random() % 3;
            preserved.push_back(make_range(at * page_size, (at + size) * page_size));
            at += size;
        }
        const std::size_t max = 1 + random() % 6;
        const auto best = brute_force(preserved, barriers, max);
        const auto got = cover(preserved, barriers, max);
        ASSERT_EQ(got.has_value(), best.has_value()) << "round " << round;
        if (got) {
            ASSERT_EQ(got->gap_bytes, *best) << "round " << round;
            expect_valid(*got, preserved, barriers, max);
        }
    }
}

TEST(Covering, NothingPreservedNeedsNothing) {
    const auto got = cover({}, {}, 1);
    ASSERT_TRUE(got);
    EXPECT_TRUE(got->intervals.empty());
    EXPECT_EQ(got->covered_bytes(), 0);
}

TEST(Covering, TouchingRangesCostOneInterval) {
    const auto got = cover(pages({{300, 301}, {301, 310}}), {}, 64);
    ASSERT_TRUE(got);
    EXPECT_EQ(got->intervals, pages({{300, 310}}));
}

TEST(Covering, RefusesRangesOnBarriers) {
    for (const auto& bad : {pages({{300, 301}}), pages({{290, 301}}), pages({{305, 400}})}) {
        const auto got = cover(bad, pages({{300, 306}}), 64);
        ASSERT_FALSE(got);
        EXPECT_EQ(got.error().code, ExitCode::refused);
        EXPECT_NE(got.error().what.find("no RAM"), std::string::npos);
    }
    EXPECT_TRUE(cover(pages({{299, 300}, {306, 307}}), pages({{300, 306}}), 64));
}

TEST(Covering, NamesBothFiguresWhenTooManyIntervalsAreForced) {
    const auto got =
        cover(pages({{300, 301}, {310, 311}, {320, 321}}), pages({{305, 306}, {315, 316}}), 2);
    ASSERT_FALSE(got);
    EXPECT_EQ(got.error().code, ExitCode::refused);
    EXPECT_NE(got.error().what.find("at least 3 intervals"), std::string::npos);
    EXPECT_NE(got.error().what.find("at most 2"), std::string::npos);
}

TEST(Covering, ManyRangesInOneIntervalEach) {
    Ranges preserved;
    for (std::uint64_t i = 0; i < 5000; ++i) {
        preserved.push_back(make_range((1000 + 3 * i) * page_size, (1001 + 3 * i) * page_size));
    }
    const auto all = cover(preserved, {}, 5000);
    ASSERT_TRUE(all);
    EXPECT_EQ(all->intervals.size(), 5000);
    EXPECT_EQ(all->gap_bytes, 0);
    const auto few = cover(preserved, {}, default_max_intervals);
    ASSERT_TRUE(few);
    EXPECT_EQ(few->intervals.size(), default_max_intervals);
    EXPECT_EQ(few->gap_bytes, (4999 - (default_max_intervals - 1)) * 2 * page_size);
}

}  // namespace
}  // namespace khob
