// SPDX-License-Identifier: GPL-2.0-only
// Reading a tree as extents, against its ranges: nothing is left out, gaps that are passed over are
// small, and what is held is counted.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <random>
#include <vector>

#include "memory.hpp"
#include "model.hpp"

namespace {

using khob::test::key_of;
using khob::test::KeySet;
using khob::test::Ranges;
using khob::test::Tree;

struct Extent {
    std::uint64_t pfn;
    std::uint64_t nr;
    std::uint64_t held;
    [[nodiscard]] std::uint64_t end() const { return pfn + nr; }
};

std::vector<Extent> extents_of(Tree& tree, std::uint64_t slack) {
    std::vector<Extent> all;
    khob_range_iter it{};
    khob_extent_iter_init(&it, tree.get(), slack);
    Extent next{};
    while (khob_extent_iter_next(&it, &next.pfn, &next.nr, &next.held)) {
        all.push_back(next);
    }
    EXPECT_FALSE(khob_extent_iter_next(&it, &next.pfn, &next.nr, &next.held));
    return all;
}

/// Each extent is some ranges and the gaps between them, none of them above `slack`.
void expect_made_of(const std::vector<Extent>& extents, const Ranges& ranges, std::uint64_t slack) {
    std::size_t i = 0;
    std::uint64_t behind = 0;
    for (const Extent& e : extents) {
        ASSERT_TRUE(i == 0 || e.pfn > behind) << "they ascend, and do not touch";
        ASSERT_LT(i, ranges.size());
        ASSERT_EQ(e.pfn, ranges[i].first);
        std::uint64_t held = 0;
        for (behind = e.pfn; i < ranges.size() && ranges[i].first < e.end(); i++) {
            ASSERT_LE(ranges[i].first - behind, slack);
            behind = ranges[i].first + ranges[i].second;
            held += ranges[i].second;
        }
        ASSERT_EQ(e.end(), behind);
        ASSERT_EQ(e.held, held);
    }
    ASSERT_EQ(i, ranges.size());
}

class RangeExtent : public testing::TestWithParam<unsigned int> {};

TEST_P(RangeExtent, IsRangesAndTheGapsBetween) {
    std::mt19937_64 random(1);  // NOLINT(cert-msc32-c,cert-msc51-cpp)
    for (int round = 0; round < 300; round++) {
        Tree tree(GetParam());
        KeySet model;
        // Around the border of two leaves of order 0; no page is in two keys.
        const std::uint64_t first = 8 * KHOB_LEAF_BITS - 2048;
        const std::uint64_t sparse = 1 + random() % 300;
        for (std::uint64_t pfn = first; pfn < first + 4096;) {
            const unsigned int order = random() % 3 == 0 ? random() % 5 : 0;
            pfn += (std::uint64_t{1} << order) - 1;
            pfn &= ~((std::uint64_t{1} << order) - 1);
            ASSERT_EQ(tree.add(key_of(pfn << KHOB_PAGE_SHIFT, order)), 0);
            model.insert(key_of(pfn << KHOB_PAGE_SHIFT, order));
            pfn += (std::uint64_t{1} << order) + random() % sparse;
        }
        const Ranges ranges = khob::test::merged(model);
        for (const std::uint64_t slack : {0, 127, 128, 256, 4096}) {
            const auto extents = extents_of(tree, slack);
            ASSERT_NO_FATAL_FAILURE(expect_made_of(extents, ranges, slack)) << round;
            if (slack < 128) {
                ASSERT_EQ(extents.size(), ranges.size());
            }
        }
    }
}

TEST_P(RangeExtent, OfEveryOtherPageIsOneALeaf) {
    Tree tree(GetParam());
    for (std::uint64_t i = 0; i < KHOB_LEAF_BITS; i++) {
        tree.add_page((std::uint64_t{4} * KHOB_LEAF_BITS + 2 * i) << KHOB_PAGE_SHIFT, 0);
    }
    const auto extents = extents_of(tree, 256);
    ASSERT_EQ(extents.size(), 2);
    EXPECT_EQ(extents[0].pfn, 4 * KHOB_LEAF_BITS);
    EXPECT_EQ(extents[0].nr, KHOB_LEAF_BITS - 1);
    EXPECT_EQ(extents[0].held, KHOB_LEAF_BITS / 2);
    EXPECT_EQ(extents_of(tree, 0).size(), KHOB_LEAF_BITS);
}

TEST_P(RangeExtent, HoldsNoMoreThanItHas) {
    Tree tree(GetParam());
    tree.add_page(0x10000, 0);
    tree.add_page(0x10000, 4);
    const auto extents = extents_of(tree, 256);
    ASSERT_EQ(extents.size(), 1);
    EXPECT_EQ(extents[0].nr, 16);
    EXPECT_EQ(extents[0].held, 16);
    EXPECT_TRUE(extents_of(tree, 256).size() == 1);
}

TEST(RangeExtentOfNothing, IsNone) {
    Tree tree(0);
    EXPECT_TRUE(extents_of(tree, 256).empty());
}

INSTANTIATE_TEST_SUITE_P(Kinds, RangeExtent, testing::Values(0U, unsigned{KHOB_RADIX_UNCOUNTED}));

}  // namespace
