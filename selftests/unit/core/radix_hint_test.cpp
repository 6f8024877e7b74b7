// SPDX-License-Identifier: GPL-2.0-only
// Leaves that are remembered, and words of keys: what they add and delete is what single calls
// add and delete, to the last byte and count.
#include <gtest/gtest.h>

#include <cerrno>
#include <cstdint>
#include <set>

#include "core/hint.h"
#include "core/range.h"
#include "memory.hpp"

namespace {

using khob::test::Tree;
constexpr std::uint64_t order0 = std::uint64_t{1} << KHOB_ORDER_0_BIT;
constexpr std::uint64_t leaf = KHOB_LEAF_BITS;

TEST(Hint, NeedsALeafThatIsThere) {
    Tree tree(KHOB_RADIX_SHARED);
    khob_hint hint{};
    EXPECT_FALSE(khob_hint_leaf(tree.get(), &hint, order0 | 5));
    EXPECT_FALSE(khob_hint_leaf(tree.get(), &hint, ~std::uint64_t{0}));
    ASSERT_EQ(tree.add(order0 | 7), 0);
    EXPECT_FALSE(khob_hint_leaf(tree.get(), &hint, order0 | leaf));
    ASSERT_TRUE(khob_hint_leaf(tree.get(), &hint, order0 | 5));
    EXPECT_EQ(*khob_hint_word(&hint, order0 | 5), 1U << 7U);
    EXPECT_FALSE(khob_hint_many(&hint));
}

TEST(Hint, AddsAndDeletesWhatSingleCallsDo) {
    Tree tree(KHOB_RADIX_SHARED);
    std::set<std::uint64_t> model = {order0};
    khob_hint hint{};
    auto random = khob::test::seeded(2);
    ASSERT_EQ(tree.add(order0), 0);
    ASSERT_EQ(tree.add(order0 | leaf), 0);
    for (int i = 0; i < 20000; i++) {
        const std::uint64_t key = order0 | random() % 2 * (leaf - 500) | random() % 300;
        ASSERT_TRUE(khob_hint_leaf(tree.get(), &hint, key));
        if (model.insert(key).second) {
            EXPECT_FALSE(tree.has(key));
            khob_hint_add(tree.get(), &hint, key);
        } else if (khob_hint_many(&hint)) {
            khob_hint_del(tree.get(), &hint, key);
            model.erase(key);
        }
        if (i % 1000 == 0) {
            EXPECT_EQ(tree.flaw(), "");
        }
    }
    model.insert(order0 | leaf);
    const auto keys = tree.keys();
    EXPECT_EQ(std::set<std::uint64_t>(keys.begin(), keys.end()), model);
    EXPECT_EQ(tree.flaw(), "");
    for (const std::uint64_t key : model) {
        EXPECT_EQ(tree.del(key), 0);
    }
    EXPECT_EQ(tree->nr_nodes, 1U);
}

TEST(Hint, ForgetsOnlyItsOwnNode) {
    Tree tree(KHOB_RADIX_SHARED);
    khob_hint hint{};
    ASSERT_EQ(tree.add(order0), 0);
    ASSERT_TRUE(khob_hint_leaf(tree.get(), &hint, order0));
    khob_hint_forget(&hint, tree->root);
    EXPECT_NE(hint.leaf, nullptr);
    khob_hint_forget(&hint, hint.leaf);
    EXPECT_EQ(hint.leaf, nullptr);
    ASSERT_EQ(tree.del(order0), 0);
    EXPECT_FALSE(khob_hint_leaf(tree.get(), &hint, order0));
}

TEST(Word, AddsAllOrNone) {
    Tree words;
    Tree singles;
    auto random = khob::test::seeded(3);
    for (int i = 0; i < 4000; i++) {
        const std::uint64_t base = order0 | random() % (3 * leaf) / 64 * 64;
        std::uint64_t word = random();
        word &= random();
        word &= random();
        bool any = false;
        for (unsigned int bit = 0; bit < 64; bit++) {
            any = any || ((word >> bit & 1) != 0 && singles.has(base + bit));
        }
        const int ret = khob_radix_add_word(words.get(), base, word);
        ASSERT_EQ(ret, word == 0 ? -EINVAL : any ? -EEXIST : 0);
        for (unsigned int bit = 0; ret == 0 && bit < 64; bit++) {
            if ((word >> bit & 1) != 0) {
                ASSERT_EQ(singles.add(base + bit), 0);
            }
        }
    }
    EXPECT_EQ(words.keys(), singles.keys());
    EXPECT_EQ(words->nr_keys, singles->nr_keys);
    EXPECT_EQ(words.flaw(), "");
}

TEST(Word, RefusesWhatItCannotDo) {
    Tree shared(KHOB_RADIX_SHARED);
    Tree tree;
    EXPECT_EQ(khob_radix_add_word(shared.get(), order0, 1), -EINVAL);
    EXPECT_EQ(khob_radix_add_word(tree.get(), order0 | 1, 1), -EINVAL);
    EXPECT_EQ(khob_radix_add_word(tree.get(), 0, 2), -EINVAL);
    EXPECT_EQ(khob_radix_add_word(tree.get(), khob::test::key_max - 62, 1), -EINVAL);
    tree.memory().allow(0);
    const auto before = tree.state();
    EXPECT_EQ(khob_radix_add_word(tree.get(), order0, 3), -ENOMEM);
    EXPECT_EQ(tree.state(), before);
}

TEST(Overlap, OfTheOrdersThatAreAskedFor) {
    Tree tree(KHOB_RADIX_SHARED);
    std::uint64_t key = 0;
    tree.add_page(512 * khob::test::page_size, 9);
    const std::uint64_t order9 = order0 >> 9U;
    EXPECT_TRUE(khob_radix_overlap_of(tree.get(), order9, 700, 1, &key));
    EXPECT_EQ(key, order9 | 1);
    EXPECT_FALSE(khob_radix_overlap_of(tree.get(), order9, 511, 1, &key));
    EXPECT_FALSE(khob_radix_overlap_of(tree.get(), order0 | order9 << 1U, 700, 1, &key));
    EXPECT_FALSE(khob_radix_overlap_of(tree.get(), 0, 700, 1, &key));
}

}  // namespace
