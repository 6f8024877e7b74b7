// SPDX-License-Identifier: GPL-2.0-only
// Ranges against brute force, and what a split must keep.
#include <gtest/gtest.h>

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <utility>
#include <vector>

#include "core/range.h"
#include "memory.hpp"

namespace {

using khob::test::Tree;

/// A page frame number and a number of pages.
using Ranges = std::vector<std::pair<std::uint64_t, std::uint64_t>>;

Ranges ranges_of(Tree& tree) {
    Ranges all;
    khob_range_iter it{};
    khob_range_iter_init(&it, tree.get(), 0);
    std::uint64_t pfn = 0;
    std::uint64_t nr = 0;
    while (khob_range_iter_next(&it, &pfn, &nr)) {
        all.emplace_back(pfn, nr);
    }
    EXPECT_FALSE(khob_range_iter_next(&it, &pfn, &nr));
    return all;
}

/// The maximal runs of true, from page `base` on.
Ranges runs_of(const std::vector<bool>& covered, std::uint64_t base) {
    Ranges all;
    for (std::size_t i = 0; i < covered.size(); i++) {
        if (!covered[i]) {
            continue;
        }
        if (i == 0 || !covered[i - 1]) {
            all.emplace_back(base + i, 0);
        }
        all.back().second++;
    }
    return all;
}

TEST(Range, AgreesWithBruteForce) {
    constexpr std::size_t pages = 256;
    auto random = khob::test::seeded(7);
    for (int round = 0; round < 2000; round++) {
        // Low memory, far up, and up to the last page of the 64-bit space.
        const std::uint64_t base = round % 3 == 0   ? 0
                                   : round % 3 == 1 ? std::uint64_t{5} << 28U
                                                    : KHOB_PFN_END - pages;
        Tree tree;
        std::vector<bool> covered(pages);
        const std::uint64_t keys = random() % 40;
        for (std::uint64_t i = 0; i < keys; i++) {
            const unsigned int order = random() % (random() % 8 + 1);
            const std::size_t first = random() % pages >> order << order;
            // Pages of different orders may overlap here; a sound tree has no such pages.
            if (tree.add(khob::test::key_of((base + first) << KHOB_PAGE_SHIFT, order)) == 0) {
                std::fill_n(covered.begin() + static_cast<std::ptrdiff_t>(first),
                            std::size_t{1} << order, true);
            }
        }
        ASSERT_EQ(ranges_of(tree), runs_of(covered, base)) << round;
    }
}

TEST(Range, OfAnEmptyTree) {
    Tree tree;
    EXPECT_TRUE(ranges_of(tree).empty());
}

TEST(Range, OfAllThereIs) {
    Tree tree;
    tree.add_page(0, KHOB_ORDER_MAX);
    tree.add_page(0x8000, 1);
    EXPECT_EQ(ranges_of(tree), (Ranges{{0, KHOB_PFN_END}}));
}

TEST(Range, MergesAcrossOrders) {
    Tree tree;
    tree.add_page(0x1000, 0);
    tree.add_page(0x2000, 1);
    tree.add_page(0x4000, 2);
    tree.add_page(0x9000, 0);
    EXPECT_EQ(ranges_of(tree), (Ranges{{1, 7}, {9, 1}}));
}

struct Piece {
    std::uint64_t pa;
    unsigned int order;
    bool operator==(const Piece&) const = default;
};

std::vector<Piece> split(std::uint64_t pfn, std::uint64_t nr, unsigned int max_order) {
    std::vector<Piece> pieces;
    const auto collect = [](void* ctx, std::uint64_t pa, unsigned int order) {
        static_cast<std::vector<Piece>*>(ctx)->push_back({pa, order});
        return 0;
    };
    EXPECT_EQ(khob_range_split(pfn, nr, max_order, collect, &pieces), 0);
    return pieces;
}

void expect_sound(std::uint64_t pfn, std::uint64_t nr, unsigned int max_order) {
    std::uint64_t left = nr;
    for (const Piece& piece : split(pfn, nr, max_order)) {
        const std::uint64_t size = std::uint64_t{1} << piece.order;
        ASSERT_EQ(piece.pa, pfn << KHOB_PAGE_SHIFT);
        ASSERT_LE(piece.order, max_order);
        ASSERT_EQ(pfn % size, 0U);
        ASSERT_LE(size, left);
        // One order more would not be allowed, not be aligned, or reach too far.
        ASSERT_TRUE(piece.order == max_order || (pfn & size) != 0 || size > left / 2);
        pfn += size;
        left -= size;
    }
    ASSERT_EQ(left, 0U);
}

TEST(RangeSplit, CoversExactlyWithTheLargestPieces) {
    auto random = khob::test::seeded(11);
    for (int round = 0; round < 20000; round++) {
        const unsigned int bits = 1 + random() % 51;
        std::uint64_t start = random() >> (64 - bits);
        std::uint64_t end = random() >> (64 - bits);
        if (start > end) {
            std::swap(start, end);
        }
        if (start == end) {
            end++;
        }
        // The largest piece bounds how many there are.
        const unsigned int max_order = bits > 16 ? bits - 10 : random() % 12;
        expect_sound(start, end - start, max_order);
        if (HasFatalFailure()) {
            return;
        }
    }
    expect_sound(0, KHOB_PFN_END, KHOB_ORDER_MAX);
    expect_sound(0, KHOB_PFN_END, KHOB_ORDER_MAX - 10);
    expect_sound(0, KHOB_PFN_END - 1, KHOB_ORDER_MAX);
    expect_sound(1, KHOB_PFN_END - 1, KHOB_ORDER_MAX);
    expect_sound(KHOB_PFN_END - 1, 1, KHOB_ORDER_MAX);
}

TEST(RangeSplit, GivesTheSameKeysToPreserveAndUnpreserve) {
    Tree tree;
    const auto add = [](void* ctx, std::uint64_t pa, unsigned int order) {
        return static_cast<Tree*>(ctx)->add(khob::test::key_of(pa, order));
    };
    const auto del = [](void* ctx, std::uint64_t pa, unsigned int order) {
        return static_cast<Tree*>(ctx)->del(khob::test::key_of(pa, order));
    };
    auto random = khob::test::seeded(13);
    for (int round = 0; round < 2000; round++) {
        const std::uint64_t pfn = random() % 100000;
        const std::uint64_t nr = 1 + random() % 5000;
        const unsigned int max_order = random() % 11;
        ASSERT_EQ(khob_range_split(pfn, nr, max_order, add, &tree), 0);
        EXPECT_EQ(ranges_of(tree), (Ranges{{pfn, nr}}));
        ASSERT_EQ(khob_range_split(pfn, nr, max_order, del, &tree), 0);
        EXPECT_EQ(tree->nr_keys, 0U);
    }
}

TEST(RangeSplit, RefusesWhatIsNoRange) {
    const auto never = [](void* /*ctx*/, std::uint64_t /*pa*/, unsigned int /*order*/) {
        ADD_FAILURE();
        return 0;
    };
    for (const auto& [pfn, nr] : Ranges{{0, 0},
                                        {1, 0},
                                        {KHOB_PFN_END, 0},
                                        {KHOB_PFN_END, 1},
                                        {0, KHOB_PFN_END + 1},
                                        {1, KHOB_PFN_END},
                                        {KHOB_PFN_END - 1, 2},
                                        {~std::uint64_t{0}, 1},
                                        {~std::uint64_t{0}, 2},
                                        {1, ~std::uint64_t{0}}}) {
        EXPECT_EQ(khob_range_split(pfn, nr, 0, never, nullptr), -EINVAL) << pfn << " " << nr;
    }
    EXPECT_EQ(khob_range_split(0, 1, KHOB_ORDER_MAX + 1, never, nullptr), -EINVAL);
    EXPECT_EQ(khob_range_split(0, 1, ~0U, never, nullptr), -EINVAL);
}

TEST(RangeSplit, EndsWithWhatItsCallbackReturns) {
    int calls = 0;
    const auto second = [](void* ctx, std::uint64_t /*pa*/, unsigned int /*order*/) {
        return ++*static_cast<int*>(ctx) == 2 ? -EEXIST : 0;
    };
    EXPECT_EQ(khob_range_split(0, 8, 0, second, &calls), -EEXIST);
    EXPECT_EQ(calls, 2);
}

}  // namespace
