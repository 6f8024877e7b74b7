// SPDX-License-Identifier: GPL-2.0-only
// Ranges that are added and deleted whole: exactly the keys that they split into, up to the
// ends of the physical space, and nothing at all if one of those keys is in the way.
#include <gtest/gtest.h>

#include <algorithm>
#include <cerrno>
#include <cstdint>

#include "memory.hpp"
#include "model.hpp"

namespace {

using khob::test::Keys;
using khob::test::keys_of_range;
using khob::test::KeySet;
using khob::test::listed;
using khob::test::Node;
using khob::test::one;
using khob::test::Ranges;
using khob::test::State;
using khob::test::Tree;

constexpr std::uint64_t leaf = KHOB_LEAF_BITS;

Keys sorted(Keys keys) {
    std::sort(keys.begin(), keys.end());
    return keys;
}

Ranges ranges_of(Tree& tree) {
    Ranges all;
    khob_range_iter it{};
    khob_range_iter_init(&it, tree.get(), 0);
    const auto collect = [](void* ctx, std::uint64_t pfn, std::uint64_t nr) {
        static_cast<Ranges*>(ctx)->emplace_back(pfn, nr);
        return 0;
    };
    EXPECT_EQ(khob_radix_walk_ranges(&it, KHOB_PFN_END, collect, &all), 0);
    return all;
}

void operate(Tree& tree, KeySet& model, const std::pair<std::uint64_t, std::uint64_t>& range,
             unsigned int max_order, bool add) {
    const std::uint64_t pfn = range.first;
    const std::uint64_t nr = range.second;
    const Keys keys = keys_of_range(pfn, nr, max_order);
    khob::test::all_or_nothing(tree, model, keys, add, [&] {
        return add ? khob_radix_add_range(tree.get(), pfn, nr, max_order)
                   : khob_radix_del_range(tree.get(), pfn, nr, max_order);
    });
}

class RangeAdd : public testing::TestWithParam<unsigned int> {};

TEST_P(RangeAdd, AgreesWithASet) {
    struct Added {
        std::pair<std::uint64_t, std::uint64_t> range;
        unsigned int max_order;
    };
    auto random = khob::test::seeded(41);
    Tree tree(GetParam());
    KeySet model;
    std::vector<Added> added;
    for (int round = 0; round < 800; round++) {
        // A scale, so that pages of every order are drawn and their number is bounded.
        const unsigned int scale = random() % 4 == 0 ? random() % (KHOB_ORDER_MAX - 10) : 0;
        const unsigned int max_order =
            std::min<unsigned int>(scale + random() % 12, KHOB_ORDER_MAX);
        Added what{{random() % 60000 << scale, (1 + random() % 800) << scale}, max_order};
        if (scale > 0) {
            what.range.first += random() % (one << scale);
        }
        what.range.first %= KHOB_PFN_END;
        what.range.second = std::min(what.range.second, KHOB_PFN_END - what.range.first);
        const bool add = random() % 5 < 3 && added.size() < 100;
        if (!add && !added.empty() && random() % 8 != 0) {
            std::swap(added[random() % added.size()], added.back());
            what = added.back();
            added.pop_back();
        }
        const std::size_t before = model.size();
        ASSERT_NO_FATAL_FAILURE(operate(tree, model, what.range, what.max_order, add))
            << what.range.first << " " << what.range.second << " " << what.max_order;
        if (model.size() > before) {
            added.push_back(what);
        }
        if (round % 100 == 0) {
            ASSERT_EQ(tree.keys(), listed(model));
            ASSERT_EQ(tree.flaw(), "");
            ASSERT_EQ(ranges_of(tree), khob::test::merged(model));
        }
    }
    EXPECT_GT(added.size(), 50U);
    for (const Added& what : added) {
        ASSERT_EQ(
            khob_radix_del_range(tree.get(), what.range.first, what.range.second, what.max_order),
            0);
    }
    EXPECT_EQ(tree.memory().live(), 1U);
    EXPECT_EQ(tree.flaw(), "");
}

TEST_P(RangeAdd, OfEveryLargestOrderAtBothEnds) {
    for (unsigned int order = 0; order <= KHOB_ORDER_MAX; order++) {
        const std::uint64_t most = std::min(KHOB_PFN_END, 40 * (one << std::min(order, 46U)));
        for (const std::uint64_t nr : {one, std::min(one << order, KHOB_PFN_END), most - 1, most}) {
            for (const std::uint64_t pfn :
                 {std::uint64_t{0}, one, KHOB_PFN_END - nr, KHOB_PFN_END / 2 - nr / 2}) {
                if (nr == 0 || nr > KHOB_PFN_END - pfn) {
                    continue;
                }
                Tree tree(GetParam());
                ASSERT_EQ(khob_radix_add_range(tree.get(), pfn, nr, order), 0);
                ASSERT_EQ(tree.keys(), sorted(keys_of_range(pfn, nr, order)))
                    << pfn << " " << nr << " " << order;
                ASSERT_EQ(ranges_of(tree), (Ranges{{pfn, nr}}));
                ASSERT_EQ(tree.flaw(), "");
                ASSERT_EQ(khob_radix_del_range(tree.get(), pfn, nr, order), 0);
                ASSERT_EQ(tree.memory().live(), 1U);
            }
        }
    }
}

TEST_P(RangeAdd, OfTheWholeSpace) {
    for (unsigned int order = KHOB_ORDER_MAX; order >= KHOB_ORDER_MAX - 20; order--) {
        Tree tree(GetParam());
        ASSERT_EQ(khob_radix_add_range(tree.get(), 0, KHOB_PFN_END, order), 0);
        EXPECT_EQ(ranges_of(tree), (Ranges{{0, KHOB_PFN_END}}));
        EXPECT_EQ(tree.flaw(), "");
        std::uint64_t first = 0;
        std::uint64_t last = 0;
        ASSERT_TRUE(khob_radix_next_run(tree.get(), 0, &first, &last));
        EXPECT_EQ(first, one << (KHOB_ORDER_MAX - order));
        EXPECT_EQ(last, 2 * first - 1);
        ASSERT_EQ(khob_radix_del_range(tree.get(), 0, KHOB_PFN_END, order), 0);
        EXPECT_EQ(tree.memory().live(), 1U);
    }
    Tree tree(GetParam());
    ASSERT_EQ(khob_radix_add_range(tree.get(), 0, KHOB_PFN_END, KHOB_ORDER_MAX), 0);
    EXPECT_EQ(tree.keys(), Keys{1});
}

// 512 GiB and odd ends in pages of order 0: two bytes of node for a gigabyte at a time.
TEST_P(RangeAdd, OfManyGib) {
    Tree tree(GetParam());
    constexpr std::uint64_t pfn = 3 * leaf - 5;
    constexpr std::uint64_t nr = (std::uint64_t{512} << 18U) + 10;
    ASSERT_EQ(khob_radix_add_range(tree.get(), pfn, nr, 0), 0);
    EXPECT_EQ(tree.flaw(), "");
    Node ones{};
    ones.fill(~std::uint64_t{0});
    std::uint64_t full = 0;
    for (const auto& [pa, node] : tree.memory().snapshot()) {
        full += node == ones ? 1 : 0;
    }
    EXPECT_EQ(full, (nr - 10) / leaf);
    EXPECT_EQ(ranges_of(tree), (Ranges{{pfn, nr}}));
    // One page more makes the whole fail, at its very end.
    EXPECT_EQ(khob_radix_del_range(tree.get(), pfn, nr + 1, 0), -ENOENT);
    EXPECT_EQ(khob_radix_add_range(tree.get(), pfn + nr - 1, 2, 0), -EEXIST);
    EXPECT_EQ(ranges_of(tree), (Ranges{{pfn, nr}}));
    ASSERT_EQ(khob_radix_del_range(tree.get(), pfn, nr, 0), 0);
    EXPECT_EQ(tree.memory().live(), 1U);
}

TEST_P(RangeAdd, RefusesWhatIsNone) {
    Tree tree(GetParam());
    ASSERT_EQ(khob_radix_add_range(tree.get(), 0, 100, 10), 0);
    const State before = tree.state();
    struct Bad {
        std::uint64_t pfn;
        std::uint64_t nr;
        unsigned int max_order;
    };
    for (const Bad& bad :
         {Bad{5, 0, 0}, Bad{KHOB_PFN_END, 1, 0}, Bad{0, KHOB_PFN_END + 1, 0},
          Bad{1, KHOB_PFN_END, 52}, Bad{KHOB_PFN_END - 1, 2, 0}, Bad{~std::uint64_t{0}, 1, 0},
          Bad{~std::uint64_t{0}, 2, 0}, Bad{2, ~std::uint64_t{0}, 0},
          Bad{0, 100, KHOB_ORDER_MAX + 1}, Bad{0, 100, 64}, Bad{0, 100, ~0U}}) {
        EXPECT_EQ(khob_radix_add_range(tree.get(), bad.pfn, bad.nr, bad.max_order), -EINVAL);
        EXPECT_EQ(khob_radix_del_range(tree.get(), bad.pfn, bad.nr, bad.max_order), -EINVAL);
    }
    EXPECT_TRUE(tree.state() == before);
}

/// Ranges of several orders: small odd ones, and some over many leaves.
struct Shape {
    std::uint64_t pfn;
    std::uint64_t nr;
    unsigned int max_order;
};

constexpr std::array<Shape, 4> shapes = {{
    {1, 2 * leaf - 3, 20},
    {leaf - 77, 154, 3},
    {5 * leaf + 3, 3 * leaf, 1},
    {(one << 36U) - 12345, 54321, 9},
}};

/// The first and last keys of every order in a range, and each in some more.
Keys places(const Shape& shape) {
    const Keys keys = sorted(keys_of_range(shape.pfn, shape.nr, shape.max_order));
    Keys all;
    for (std::size_t i = 0; i < keys.size(); i++) {
        if (i == 0 || i + 1 == keys.size() || keys[i - 1] + 1 != keys[i] ||
            keys[i] + 1 != keys[i + 1] || i % (keys.size() / 8 + 1) == 0) {
            all.push_back(keys[i]);
        }
    }
    return all;
}

TEST_P(RangeAdd, ThatMeetsAKeyChangesNothing) {
    for (const Shape& shape : shapes) {
        for (const std::uint64_t key : places(shape)) {
            Tree tree(GetParam());
            ASSERT_EQ(tree.add(key), 0);
            const State before = tree.state();
            ASSERT_EQ(khob_radix_add_range(tree.get(), shape.pfn, shape.nr, shape.max_order),
                      -EEXIST)
                << key;
            ASSERT_TRUE(tree.state() == before) << key;
        }
    }
}

TEST_P(RangeAdd, ThatLacksAKeyIsNotDeleted) {
    for (const Shape& shape : shapes) {
        Tree tree(GetParam());
        ASSERT_EQ(khob_radix_add_range(tree.get(), shape.pfn, shape.nr, shape.max_order), 0);
        for (const std::uint64_t key : places(shape)) {
            ASSERT_EQ(tree.del(key), 0);
            const State before = tree.state();
            ASSERT_EQ(khob_radix_del_range(tree.get(), shape.pfn, shape.nr, shape.max_order),
                      -ENOENT)
                << key;
            ASSERT_TRUE(tree.state() == before) << key;
            ASSERT_EQ(tree.add(key), 0);
        }
        ASSERT_EQ(khob_radix_del_range(tree.get(), shape.pfn, shape.nr, shape.max_order), 0);
        ASSERT_EQ(tree.memory().live(), 1U);
    }
}

INSTANTIATE_TEST_SUITE_P(Kinds, RangeAdd, testing::Values(0U, unsigned{KHOB_RADIX_SHARED}));

}  // namespace
