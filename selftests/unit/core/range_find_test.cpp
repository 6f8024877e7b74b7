// SPDX-License-Identifier: GPL-2.0-only
// What a tree says of a range without changing: whether any page of it is there, of whatever
// order, and whether all of its own keys are; and how many keys there are at all.
#include <gtest/gtest.h>

#include <cerrno>
#include <cstdint>

#include "memory.hpp"
#include "model.hpp"

namespace {

using khob::test::key_of;
using khob::test::Keys;
using khob::test::keys_of_range;
using khob::test::KeySet;
using khob::test::one;
using khob::test::Tree;

class RangeFind : public testing::TestWithParam<unsigned int> {};

INSTANTIATE_TEST_SUITE_P(Kinds, RangeFind, testing::Values(0U, KHOB_RADIX_SHARED));

/// The smallest key, which is of the largest order, whose page shares memory with the range.
std::uint64_t first_overlap(const KeySet& keys, std::uint64_t pfn, std::uint64_t nr) {
    for (const std::uint64_t key : keys) {
        std::uint64_t pa = 0;
        unsigned int order = 0;
        EXPECT_EQ(khob_key_decode(key, &pa, &order), 0);
        const std::uint64_t start = pa >> KHOB_PAGE_SHIFT;
        if (start < pfn + nr && pfn < start + (one << order)) {
            return key;
        }
    }
    return 0;
}

TEST_P(RangeFind, OverlapsAsByComparingEveryPage) {
    auto random = khob::test::seeded(61);
    for (int round = 0; round < 60; round++) {
        Tree tree(GetParam());
        KeySet model;
        const std::uint64_t space = one << (6 + random() % 18);
        for (std::uint64_t i = random() % 40; i != 0; i--) {
            const auto order = static_cast<unsigned int>(random() % 11);
            const std::uint64_t pfn = random() % space >> order << order;
            const std::uint64_t key = key_of(pfn << KHOB_PAGE_SHIFT, order);
            if (model.insert(key).second) {
                ASSERT_EQ(tree.add(key), 0);
            }
        }
        ASSERT_EQ(khob_radix_count(tree.get()), model.size());
        ASSERT_EQ(khob_radix_empty(tree.get()), model.empty());
        for (int i = 0; i < 300; i++) {
            const std::uint64_t pfn = random() % (space + 2048);
            const std::uint64_t nr = 1 + random() % (i % 2 == 0 ? 4 : space);
            const std::uint64_t expected = first_overlap(model, pfn, nr);
            std::uint64_t key = 0;
            ASSERT_EQ(khob_radix_overlap(tree.get(), pfn, nr, &key), expected != 0)
                << round << ": " << pfn << " " << nr;
            if (expected != 0) {
                ASSERT_EQ(key, expected);
            }
        }
    }
}

TEST_P(RangeFind, OverlapsAtTheEndsOfTheSpace) {
    Tree tree(GetParam());
    std::uint64_t key = 0;
    EXPECT_FALSE(khob_radix_overlap(tree.get(), 0, KHOB_PFN_END, &key));
    tree.add_page((KHOB_PFN_END - 1) << KHOB_PAGE_SHIFT, 0);
    EXPECT_TRUE(khob_radix_overlap(tree.get(), 0, KHOB_PFN_END, &key));
    EXPECT_EQ(key, key_of((KHOB_PFN_END - 1) << KHOB_PAGE_SHIFT, 0));
    EXPECT_FALSE(khob_radix_overlap(tree.get(), 0, KHOB_PFN_END - 1, &key));
    EXPECT_TRUE(khob_radix_overlap(tree.get(), KHOB_PFN_END - 1, 1, &key));
    EXPECT_FALSE(khob_radix_overlap(tree.get(), KHOB_PFN_END - 1, 2, &key));
    EXPECT_FALSE(khob_radix_overlap(tree.get(), KHOB_PFN_END, 1, &key));
    EXPECT_FALSE(khob_radix_overlap(tree.get(), 0, 0, &key));
    // The one page of the largest order is all there is.
    tree.add_page(0, KHOB_ORDER_MAX);
    EXPECT_TRUE(khob_radix_overlap(tree.get(), 12345, 1, &key));
    EXPECT_EQ(key, key_of(0, KHOB_ORDER_MAX));
}

TEST_P(RangeFind, HasARangeOnlyAsItWasAdded) {
    auto random = khob::test::seeded(67);
    for (int round = 0; round < 300; round++) {
        Tree tree(GetParam());
        const std::uint64_t pfn = random() % 5000;
        const std::uint64_t nr = 1 + random() % 3000;
        const auto max_order = static_cast<unsigned int>(random() % 12);
        ASSERT_EQ(khob_radix_add_range(tree.get(), pfn, nr, max_order), 0);
        EXPECT_TRUE(khob_radix_has_range(tree.get(), pfn, nr, max_order));
        EXPECT_FALSE(khob_radix_has_range(tree.get(), pfn, nr + 1, max_order));
        const Keys keys = keys_of_range(pfn, nr, max_order);
        EXPECT_EQ(khob_radix_count(tree.get()), keys.size());
        ASSERT_EQ(tree.del(keys[random() % keys.size()]), 0);
        EXPECT_FALSE(khob_radix_has_range(tree.get(), pfn, nr, max_order));
    }
}

TEST_P(RangeFind, HasNoRangeThatIsNone) {
    Tree tree(GetParam());
    EXPECT_FALSE(khob_radix_has_range(tree.get(), 0, 0, 0));
    EXPECT_FALSE(khob_radix_has_range(tree.get(), KHOB_PFN_END, 1, 0));
    EXPECT_FALSE(khob_radix_has_range(tree.get(), 1, KHOB_PFN_END, 0));
    EXPECT_FALSE(khob_radix_has_range(tree.get(), 0, 1, KHOB_ORDER_MAX + 1));
}

// Who is alone with a tree for a while finds, changes and leaves it as one that is shared.
TEST(RadixShare, GoesOnWithWhatTheOtherKindHas) {
    auto random = khob::test::seeded(71);
    Tree tree(KHOB_RADIX_SHARED);
    KeySet model;
    for (int round = 0; round < 200; round++) {
        khob_radix_set_shared(tree.get(), round % 2 == 0);
        for (int i = 0; i < 50; i++) {
            const std::uint64_t key = khob::test::near_border(random, 3);
            const bool there = model.contains(key);
            if (random() % 2 == 0) {
                ASSERT_EQ(tree.add(key), there ? -EEXIST : 0) << round;
                model.insert(key);
            } else {
                ASSERT_EQ(tree.del(key), there ? 0 : -ENOENT) << round;
                model.erase(key);
            }
        }
        ASSERT_EQ(tree.keys(), khob::test::listed(model));
        ASSERT_EQ(khob_radix_count(tree.get()), model.size());
        // Of a tree that is not shared it would look at nr_keys, too.
        khob_radix_set_shared(tree.get(), true);
        ASSERT_EQ(tree.flaw(), "");
    }
}

// Counted anew, whoever deletes: what is empty again says so.
TEST_P(RangeFind, IsEmptyOnceAllIsDeleted) {
    Tree tree(GetParam());
    EXPECT_TRUE(khob_radix_empty(tree.get()));
    ASSERT_EQ(khob_radix_add_range(tree.get(), 3, 100000, 10), 0);
    EXPECT_FALSE(khob_radix_empty(tree.get()));
    ASSERT_EQ(khob_radix_del_range(tree.get(), 3, 100000, 10), 0);
    EXPECT_TRUE(khob_radix_empty(tree.get()));
    EXPECT_EQ(khob_radix_count(tree.get()), 0U);
}

}  // namespace
