// SPDX-License-Identifier: GPL-2.0-only
// The tree's promises one by one; radix_model_test.cpp has the random operations.
#include <gtest/gtest.h>

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <set>
#include <vector>

#include "core/radix_node.h"
#include "memory.hpp"

namespace {

using khob::test::expected_nodes;
using khob::test::key_max;
using khob::test::key_of;
using khob::test::Memory;
using khob::test::page_size;
using khob::test::Tree;

constexpr std::uint64_t gib = std::uint64_t{1} << 30U;

TEST(Radix, StartsAsOneNode) {
    Tree tree;
    EXPECT_EQ(tree->nr_nodes, 1U);
    EXPECT_EQ(tree->nr_keys, 0U);
    EXPECT_NE(tree->root_pa, 0U);
    EXPECT_EQ(tree.memory().live(), 1U);
    std::uint64_t key = 0;
    EXPECT_FALSE(khob_radix_next(tree.get(), 0, &key));
}

// The allocator leaves in a page's struct what its last owner kept there.
TEST(Radix, StartsEmptyInAPageThatSaysOtherwise) {
    Memory memory;
    khob_radix radix{};
    ASSERT_EQ(khob_radix_init(&radix, Memory::ops(), &memory, 0), 0);
    const std::uint64_t pa = radix.root_pa;
    khob_radix_destroy(&radix);
    *khob_node_used(khob_node_at(pa)) = 3 * KHOB_USED_ONE;
    ASSERT_EQ(khob_radix_init(&radix, Memory::ops(), &memory, 0), 0);
    ASSERT_EQ(radix.root_pa, pa);
    EXPECT_TRUE(khob_radix_empty(&radix));
    EXPECT_EQ(khob_radix_add(&radix, key_of(gib, 0)), 0);
    EXPECT_EQ(khob_radix_del(&radix, key_of(gib, 0)), 0);
    EXPECT_TRUE(khob_radix_empty(&radix));
    khob_radix_destroy(&radix);
}

TEST(Radix, InitFailsWithoutMemory) {
    Memory memory;
    memory.allow(0);
    khob_radix radix{};
    EXPECT_EQ(khob_radix_init(&radix, Memory::ops(), &memory, 0), -ENOMEM);
    khob_radix_destroy(&radix);
    EXPECT_EQ(memory.live(), 0U);
}

TEST(Radix, DestroyTwiceIsHarmless) {
    Memory memory;
    khob_radix radix{};
    ASSERT_EQ(khob_radix_init(&radix, Memory::ops(), &memory, 0), 0);
    ASSERT_EQ(khob_radix_add(&radix, key_of(gib, 0)), 0);
    khob_radix_destroy(&radix);
    khob_radix_destroy(&radix);
    EXPECT_EQ(memory.live(), 0U);
    EXPECT_EQ(radix.nr_keys, 0U);
    EXPECT_EQ(radix.nr_nodes, 0U);
}

TEST(Radix, RefusesWhatIsNoKey) {
    Tree tree;
    for (const std::uint64_t bad : {std::uint64_t{0}, key_max + 1, ~std::uint64_t{0}}) {
        EXPECT_EQ(tree.add(bad), -EINVAL);
        EXPECT_EQ(tree.del(bad), -EINVAL);
        EXPECT_FALSE(tree.has(bad));
    }
    EXPECT_EQ(tree->nr_nodes, 1U);
}

TEST(Radix, SaysThatAKeyIsPresentOrAbsent) {
    Tree tree;
    const std::uint64_t key = key_of(3 * gib, 4);
    EXPECT_EQ(tree.del(key), -ENOENT);
    EXPECT_EQ(tree.add(key), 0);
    EXPECT_EQ(tree.add(key), -EEXIST);
    EXPECT_TRUE(tree.has(key));
    // Its neighbours in the leaf, and the same page at other orders.
    EXPECT_EQ(tree.del(key - 1), -ENOENT);
    EXPECT_EQ(tree.del(key + 1), -ENOENT);
    EXPECT_FALSE(tree.has(key_of(3 * gib, 3)));
    EXPECT_EQ(tree->nr_keys, 1U);
    EXPECT_EQ(tree.del(key), 0);
    EXPECT_EQ(tree.del(key), -ENOENT);
    EXPECT_EQ(tree->nr_keys, 0U);
}

TEST(Radix, GivesAWordOfKeysAtOnce) {
    for (const unsigned int flags : {0U, unsigned{KHOB_RADIX_SHARED}}) {
        Tree tree(flags);
        const std::uint64_t base = key_of(gib, 0);
        ASSERT_EQ(base % 64, 0U);
        EXPECT_EQ(khob_radix_word(tree.get(), base), 0U);
        ASSERT_EQ(tree.add(base), 0);
        ASSERT_EQ(tree.add(base + 5), 0);
        ASSERT_EQ(tree.add(base + 63), 0);
        ASSERT_EQ(tree.add(base + 64), 0);
        const std::uint64_t word = 1U | 1U << 5U | std::uint64_t{1} << 63U;
        for (const std::uint64_t at : {0U, 5U, 6U, 63U}) {
            EXPECT_EQ(khob_radix_word(tree.get(), base + at), word);
        }
        EXPECT_EQ(khob_radix_word(tree.get(), base + 64), 1U);
        EXPECT_EQ(khob_radix_word(tree.get(), base - 1), 0U);
        EXPECT_EQ(khob_radix_word(tree.get(), key_of(2 * gib, 0)), 0U);
    }
}

TEST(Radix, HoldsTheExtremes) {
    Tree tree;
    const std::set<std::uint64_t> keys = {
        1,  // the page that is all of the 64-bit space
        2,
        3,
        KHOB_LEAF_BITS - 1,
        KHOB_LEAF_BITS,
        std::uint64_t{1} << KHOB_ORDER_0_BIT,
        key_max - 1,
        key_max,
    };
    for (const std::uint64_t key : keys) {
        EXPECT_EQ(tree.add(key), 0);
    }
    EXPECT_EQ(tree.keys(), std::vector<std::uint64_t>(keys.begin(), keys.end()));
    EXPECT_EQ(tree->nr_nodes, expected_nodes(keys));
    for (const std::uint64_t key : keys) {
        EXPECT_EQ(tree.del(key), 0);
    }
    EXPECT_EQ(tree->nr_nodes, 1U);
}

TEST(Radix, DelFreesEveryNodeThatItEmpties) {
    Tree tree;
    tree.memory().frees_are_empty(true);
    std::set<std::uint64_t> keys;
    // Neighbours that part at each level of the tree in turn.
    for (const std::uint64_t distance :
         {std::uint64_t{1}, std::uint64_t{1} << 15U, std::uint64_t{1} << 24U,
          std::uint64_t{1} << 33U, std::uint64_t{1} << 42U, std::uint64_t{1} << 51U}) {
        keys.insert(key_of(0, 0));
        keys.insert(key_of(0, 0) + distance);
        keys.insert(key_of(0, 1) + distance / 2);
    }
    for (const std::uint64_t key : keys) {
        ASSERT_EQ(tree.add(key), 0);
    }
    while (!keys.empty()) {
        EXPECT_EQ(tree->nr_nodes, expected_nodes(keys));
        EXPECT_EQ(tree.memory().live(), tree->nr_nodes);
        auto middle = keys.begin();
        std::advance(middle, keys.size() / 2);
        ASSERT_EQ(tree.del(*middle), 0);
        keys.erase(middle);
    }
    EXPECT_EQ(tree.memory().live(), 1U);
    EXPECT_EQ(tree.memory().full_frees(), 0U);
}

// For each number of nodes that an add may need and each allocation that may fail.
TEST(Radix, FailedAddLeavesTheTreeAsItWas) {
    const std::uint64_t key = key_of(0x123456789000, 0);
    for (unsigned int shared = 0; shared < KHOB_TREE_DEPTH; shared++) {
        Tree tree;
        unsigned int need = KHOB_TREE_DEPTH - 1;
        if (shared > 0) {
            // A key that has its path in common with @key down to one level, so that the
            // add needs exactly the nodes below that.
            need = shared - 1;
            const unsigned int shift = KHOB_LEAF_LOG2 + (shared - 2) * KHOB_TABLE_LOG2;
            ASSERT_EQ(tree.add(shared == 1 ? key ^ 1 : key ^ std::uint64_t{1} << shift), 0);
        }
        const auto nodes = tree.memory().snapshot();
        const std::uint64_t nr_keys = tree->nr_keys;
        const std::uint64_t nr_nodes = tree->nr_nodes;
        const std::uint64_t digest = khob_radix_digest(tree.get());

        for (unsigned int allowed = 0; allowed < need; allowed++) {
            tree.memory().allow(allowed);
            ASSERT_EQ(tree.add(key), -ENOMEM) << shared << " " << allowed;
            EXPECT_EQ(tree.memory().snapshot(), nodes);
            EXPECT_EQ(tree.memory().live(), nr_nodes);
            EXPECT_EQ(tree->nr_keys, nr_keys);
            EXPECT_EQ(tree->nr_nodes, nr_nodes);
            EXPECT_EQ(khob_radix_digest(tree.get()), digest);
            EXPECT_FALSE(tree.has(key));
        }
        tree.memory().allow(need);
        EXPECT_EQ(tree.add(key), 0);
        EXPECT_EQ(tree->nr_nodes, nr_nodes + need);
        EXPECT_TRUE(tree.has(key));
        tree.memory().allow(Memory::never);
        EXPECT_EQ(tree.del(key), 0);
        EXPECT_EQ(khob_radix_digest(tree.get()), digest);
    }
}

TEST(Radix, NextFindsTheFirstAtOrBehind) {
    Tree tree;
    const std::vector<std::uint64_t> keys = {1, 64, 32767, 32768, std::uint64_t{1} << 40U, key_max};
    for (const std::uint64_t key : keys) {
        ASSERT_EQ(tree.add(key), 0);
    }
    std::uint64_t from = 0;
    for (const std::uint64_t key : keys) {
        for (const std::uint64_t at : {from, (from + key) / 2, key}) {
            std::uint64_t found = 0;
            ASSERT_TRUE(khob_radix_next(tree.get(), at, &found)) << at;
            EXPECT_EQ(found, key) << at;
        }
        from = key + 1;
    }
    std::uint64_t found = 42;
    EXPECT_FALSE(khob_radix_next(tree.get(), key_max + 1, &found));
    EXPECT_FALSE(khob_radix_next(tree.get(), ~std::uint64_t{0}, &found));
    EXPECT_EQ(found, 42U);
}

TEST(Radix, WalkGoesOnWhileItsCallbackChangesTheTree) {
    Tree tree;
    for (std::uint64_t pa = 0; pa < 100 * gib; pa += gib) {
        tree.add_page(pa, 0);
    }
    struct State {
        Tree* tree;
        std::vector<std::uint64_t> seen;
    } state{&tree, {}};
    // Deletes what it is shown and adds one key behind and one before it.
    const auto churn = [](void* ctx, std::uint64_t key) {
        auto& s = *static_cast<State*>(ctx);
        s.seen.push_back(key);
        EXPECT_EQ(s.tree->del(key), 0);
        if (s.seen.size() <= 100 && s.seen.size() % 2 == 1) {
            EXPECT_EQ(s.tree->add(key + 5), 0);
            EXPECT_EQ(s.tree->add(key - 5), 0);
        }
        return 0;
    };
    EXPECT_EQ(khob_radix_walk(tree.get(), key_of(0, 0), key_max, churn, &state), 0);
    EXPECT_GT(state.seen.size(), 140U);
    EXPECT_TRUE(std::is_sorted(state.seen.begin(), state.seen.end()));
    // What was added before the key that the walk was at is all that is left.
    for (const std::uint64_t key : tree.keys()) {
        EXPECT_FALSE(std::binary_search(state.seen.begin(), state.seen.end(), key));
    }
}

TEST(Radix, WalkEndsWithWhatItsCallbackReturns) {
    Tree tree;
    for (std::uint64_t pa = 0; pa < 16 * page_size; pa += page_size) {
        tree.add_page(pa, 0);
    }
    std::uint64_t calls = 0;
    const auto third = [](void* ctx, std::uint64_t /*key*/) {
        return ++*static_cast<std::uint64_t*>(ctx) == 3 ? -EINTR : 0;
    };
    EXPECT_EQ(khob_radix_walk(tree.get(), 0, key_max, third, &calls), -EINTR);
    EXPECT_EQ(calls, 3U);
}

TEST(Radix, DigestSumsEveryNode) {
    Tree tree;
    const std::uint64_t empty = khob_radix_digest(tree.get());
    std::set<std::uint64_t> seen = {empty};
    for (std::uint64_t pa = 0; pa < 64 * gib; pa += gib) {
        tree.add_page(pa, 2);
        EXPECT_TRUE(seen.insert(khob_radix_digest(tree.get())).second);
    }
    for (std::uint64_t pa = 0; pa < 64 * gib; pa += gib) {
        EXPECT_EQ(tree.del(key_of(pa, 2)), 0);
    }
    EXPECT_EQ(khob_radix_digest(tree.get()), empty);
    // The same bytes at another address or level are another node.
    const khob_node node{};
    EXPECT_NE(khob_node_digest(&node, 0x1000, 0), khob_node_digest(&node, 0x2000, 0));
    EXPECT_NE(khob_node_digest(&node, 0x1000, 0), khob_node_digest(&node, 0x1000, 1));
}

}  // namespace
