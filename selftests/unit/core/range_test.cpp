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

constexpr std::uint64_t page = khob::test::page_size;
using Ranges = std::vector<std::pair<std::uint64_t, std::uint64_t>>;

Ranges ranges_of(Tree& tree) {
    Ranges all;
    khob_range_iter it{};
    khob_range_iter_init(&it, tree.get());
    std::uint64_t start = 0;
    std::uint64_t end = 0;
    while (khob_range_iter_next(&it, &start, &end)) {
        all.emplace_back(start, end);
    }
    EXPECT_FALSE(khob_range_iter_next(&it, &start, &end));
    return all;
}

/// The maximal runs of true, in bytes from `base`.
Ranges runs_of(const std::vector<bool>& covered, std::uint64_t base) {
    Ranges all;
    for (std::size_t i = 0; i < covered.size(); i++) {
        if (!covered[i]) {
            continue;
        }
        if (i == 0 || !covered[i - 1]) {
            all.emplace_back(base + i * page, 0);
        }
        all.back().second = base + (i + 1) * page;
    }
    return all;
}

TEST(Range, AgreesWithBruteForce) {
    constexpr std::size_t pages = 256;
    auto random = khob::test::seeded(7);
    for (int round = 0; round < 2000; round++) {
        // Low memory, far up, and up to the last byte of the 64-bit space (end 0 there).
        const std::uint64_t base = round % 3 == 0   ? 0
                                   : round % 3 == 1 ? std::uint64_t{5} << 40U
                                                    : std::uint64_t{0} - pages * page;
        Tree tree;
        std::vector<bool> covered(pages);
        const std::uint64_t keys = random() % 40;
        for (std::uint64_t i = 0; i < keys; i++) {
            const unsigned int order = random() % (random() % 8 + 1);
            const std::size_t first = random() % pages >> order << order;
            // Pages of different orders may overlap here; a sound tree has no such pages.
            if (tree.add(khob::test::key_of(base + first * page, order)) == 0) {
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
    tree.add_page(8 * page, 1);
    EXPECT_EQ(ranges_of(tree), (Ranges{{0, 0}}));
}

TEST(Range, MergesAcrossOrders) {
    Tree tree;
    tree.add_page(0x1000, 0);
    tree.add_page(0x2000, 1);
    tree.add_page(0x4000, 2);
    tree.add_page(0x9000, 0);
    EXPECT_EQ(ranges_of(tree), (Ranges{{0x1000, 0x8000}, {0x9000, 0xa000}}));
}

struct Piece {
    std::uint64_t pa;
    unsigned int order;
    bool operator==(const Piece&) const = default;
};

std::vector<Piece> split(std::uint64_t start, std::uint64_t end, unsigned int max_order) {
    std::vector<Piece> pieces;
    const auto collect = [](void* ctx, std::uint64_t pa, unsigned int order) {
        static_cast<std::vector<Piece>*>(ctx)->push_back({pa, order});
        return 0;
    };
    EXPECT_EQ(khob_range_split(start, end, max_order, collect, &pieces), 0);
    return pieces;
}

void expect_sound(std::uint64_t start, std::uint64_t end, unsigned int max_order) {
    std::uint64_t at = start;
    for (const Piece& piece : split(start, end, max_order)) {
        const std::uint64_t size = page << piece.order;
        ASSERT_EQ(piece.pa, at);
        ASSERT_LE(piece.order, max_order);
        ASSERT_EQ(at % size, 0U);
        ASSERT_LE(size, end - at);
        // One order more would not be allowed, not be aligned, or reach too far.
        ASSERT_TRUE(piece.order == max_order || (at & size) != 0 || size > (end - at) / 2);
        at += size;
    }
    ASSERT_EQ(at, end);
}

TEST(RangeSplit, CoversExactlyWithTheLargestPieces) {
    auto random = khob::test::seeded(11);
    for (int round = 0; round < 20000; round++) {
        const unsigned int bits = 1 + random() % 51;
        std::uint64_t start = random() >> (64 - bits) << KHOB_PAGE_SHIFT;
        std::uint64_t end = random() >> (64 - bits) << KHOB_PAGE_SHIFT;
        if (start > end) {
            std::swap(start, end);
        }
        if (start == end) {
            end += page;
        }
        // The largest piece bounds how many there are.
        const unsigned int max_order = bits > 16 ? bits - 10 : random() % 12;
        expect_sound(start, end, max_order);
        if (HasFatalFailure()) {
            return;
        }
    }
    expect_sound(0, ~std::uint64_t{0} << KHOB_PAGE_SHIFT, KHOB_ORDER_MAX);
    expect_sound(page, ~std::uint64_t{0} << KHOB_PAGE_SHIFT, ~0U);
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
        const std::uint64_t start = random() % 100000 * page;
        const std::uint64_t end = start + (1 + random() % 5000) * page;
        const unsigned int max_order = random() % 11;
        ASSERT_EQ(khob_range_split(start, end, max_order, add, &tree), 0);
        EXPECT_EQ(ranges_of(tree), (Ranges{{start, end}}));
        ASSERT_EQ(khob_range_split(start, end, max_order, del, &tree), 0);
        EXPECT_EQ(tree->nr_keys, 0U);
    }
}

TEST(RangeSplit, RefusesWhatIsNoRange) {
    const auto never = [](void* /*ctx*/, std::uint64_t /*pa*/, unsigned int /*order*/) {
        ADD_FAILURE();
        return 0;
    };
    for (const auto& [start, end] :
         Ranges{{0, 0}, {page, page}, {2 * page, page}, {1, page}, {0, page - 1}, {page, 0}}) {
        EXPECT_EQ(khob_range_split(start, end, 0, never, nullptr), -EINVAL) << start << " " << end;
    }
}

TEST(RangeSplit, EndsWithWhatItsCallbackReturns) {
    int calls = 0;
    const auto second = [](void* ctx, std::uint64_t /*pa*/, unsigned int /*order*/) {
        return ++*static_cast<int*>(ctx) == 2 ? -EEXIST : 0;
    };
    EXPECT_EQ(khob_range_split(0, 8 * page, 0, second, &calls), -EEXIST);
    EXPECT_EQ(calls, 2);
}

}  // namespace
