// SPDX-License-Identifier: GPL-2.0-only
// Reading a tree that another kernel wrote: sound ones in full, damaged ones not at all.
#include "core/check.h"

#include <gtest/gtest.h>

#include <cerrno>
#include <cstdint>
#include <functional>
#include <set>
#include <string>
#include <vector>

#include "memory.hpp"

namespace {

using khob::test::key_of;
using khob::test::Memory;
using khob::test::Node;
using khob::test::page_size;
using khob::test::Tree;

constexpr std::uint64_t gib = std::uint64_t{1} << 30U;
constexpr std::uint64_t end_pa = 64 * gib;

/// What an incoming module knows: each node is claimed once, keys are collected.
struct Reader {
    explicit Reader(Memory& m) : memory(m) {}

    int check(std::uint64_t root_pa) {
        const khob_check_ops ops = {.node = node, .key = key, .word = takes_words ? word : nullptr};
        claimed.clear();
        keys.clear();
        words = 0;
        return khob_check_tree(root_pa, &ops, this, &limits, &result);
    }
    [[nodiscard]] std::string why() const { return result.why == nullptr ? "" : result.why; }

    Memory& memory;
    khob_check_limits limits{.end_pa = end_pa, .max_nodes = 1000};
    khob_check_result result{};
    std::set<std::uint64_t> claimed;
    std::vector<std::uint64_t> keys;
    std::uint64_t refused_pa = ~std::uint64_t{0};
    bool takes_words = false;
    std::uint64_t words = 0;  ///< taken at once

  private:
    static const void* node(void* ctx, std::uint64_t pa, unsigned int level, const char** why) {
        auto& self = *static_cast<Reader*>(ctx);
        EXPECT_LT(level, unsigned{KHOB_TREE_DEPTH});
        EXPECT_NE(pa, 0U);
        EXPECT_EQ(pa % page_size, 0U);
        EXPECT_LE(pa + page_size, self.limits.end_pa);
        const Node* found = self.memory.find(pa);
        if (found == nullptr) {
            return nullptr;
        }
        if (!self.claimed.insert(pa).second) {
            *why = "claimed before";
            return nullptr;
        }
        return found;
    }
    static int key(void* ctx, std::uint64_t pa, unsigned int order, const char** why) {
        auto& self = *static_cast<Reader*>(ctx);
        EXPECT_LE(order, unsigned{KHOB_ORDER_MAX});
        EXPECT_LE(pa + (page_size << order), self.limits.end_pa);
        if (pa == self.refused_pa) {
            *why = "not that one";
            return -EBUSY;
        }
        self.keys.push_back(key_of(pa, order));
        return 0;
    }
    static bool word(void* ctx, u64 pa, u64 bits) {
        auto& self = *static_cast<Reader*>(ctx);
        EXPECT_NE(bits, 0U);
        EXPECT_EQ(pa % (64 * page_size), 0U);
        EXPECT_LE(pa + 64 * page_size, self.limits.end_pa);
        if (self.refused_pa - pa < 64 * page_size) {
            return false;
        }
        for (; bits != 0; bits &= bits - 1) {
            self.keys.push_back(key_of(pa + khob_first_bit(bits) * page_size, 0));
        }
        self.words++;
        return true;
    }
};

/// A few pages of several orders, so that the tree branches at several levels.
void fill(Tree& tree) {
    tree.add_page(0x1000, 0);
    tree.add_page(3 * gib, 0);
    tree.add_page(3 * gib + 0x1000, 0);
    tree.add_page(40 * gib, 0);
    tree.add_page(2 * gib, 9);
    tree.add_page(63 * gib, 18);
}

/// The addresses of the nodes from the root to the leaf of `key`, the leaf first.
std::vector<std::uint64_t> path(Tree& tree, std::uint64_t key) {
    std::vector<std::uint64_t> all = {tree->root_pa};
    for (unsigned int level = KHOB_TREE_DEPTH - 1; level > 0; level--) {
        const Node* node = tree.memory().find(all.front());
        all.insert(all.begin(), node->at(khob_key_index(key, level)));
    }
    return all;
}

TEST(Check, TakesPagesAWordAtATime) {
    Tree tree;
    Reader reader(tree.memory());
    reader.takes_words = true;
    fill(tree);
    // The last page that there is: what is behind it in its word is behind the end of memory.
    reader.limits.end_pa = end_pa + 3 * page_size;
    tree.add_page(end_pa + 2 * page_size, 0);
    ASSERT_EQ(reader.check(tree->root_pa), 0) << reader.why();
    EXPECT_EQ(reader.keys, tree.keys());
    EXPECT_EQ(reader.result.nr_keys, tree->nr_keys);
    EXPECT_EQ(reader.words, 3U);
    // What the words' taker leaves is asked for one by one, and refused there.
    reader.refused_pa = 3 * gib + 0x1000;
    EXPECT_EQ(reader.check(tree->root_pa), -EBUSY);
    EXPECT_EQ(reader.why(), "not that one");
    EXPECT_EQ(reader.result.bad_pa, reader.refused_pa);
    EXPECT_EQ(reader.words, 1U);
    EXPECT_EQ(reader.keys.size(), 4U);
}

TEST(Check, AcceptsWhatTheTreeBuilds) {
    Tree tree;
    Reader reader(tree.memory());
    EXPECT_EQ(reader.check(tree->root_pa), 0);
    EXPECT_EQ(reader.result.nr_nodes, 1U);
    fill(tree);
    ASSERT_EQ(reader.check(tree->root_pa), 0) << reader.why();
    EXPECT_EQ(reader.keys, tree.keys());
    EXPECT_EQ(reader.result.nr_keys, tree->nr_keys);
    EXPECT_EQ(reader.result.nr_nodes, tree->nr_nodes);
    EXPECT_EQ(reader.result.digest, khob_radix_digest(tree.get()));
    EXPECT_EQ(reader.claimed.size(), tree->nr_nodes);
    EXPECT_EQ(reader.result.why, nullptr);
}

// Upstream's delete leaves empty nodes behind.
TEST(Check, AcceptsEmptyNodes) {
    Tree tree;
    fill(tree);
    Reader reader(tree.memory());
    const auto nodes = path(tree, key_of(2 * gib, 9));
    const Node leaf = *tree.memory().find(nodes[0]);
    const Node table = *tree.memory().find(nodes[1]);
    *tree.memory().find(nodes[0]) = {};
    EXPECT_EQ(reader.check(tree->root_pa), 0) << reader.why();
    EXPECT_EQ(reader.result.nr_keys, tree->nr_keys - 1);
    *tree.memory().find(nodes[1]) = {};
    EXPECT_EQ(reader.check(tree->root_pa), 0) << reader.why();
    EXPECT_NE(reader.result.digest, khob_radix_digest(tree.get()) + 1);
    *tree.memory().find(nodes[0]) = leaf;
    *tree.memory().find(nodes[1]) = table;
}

TEST(Check, RefusesARootThatIsNone) {
    Tree tree;
    Reader reader(tree.memory());
    for (const std::uint64_t root :
         {std::uint64_t{0}, tree->root_pa + 1, tree->root_pa + 8, tree->root_pa + page_size, end_pa,
          end_pa - 1, ~std::uint64_t{0}, ~std::uint64_t{0} << KHOB_PAGE_SHIFT}) {
        EXPECT_EQ(reader.check(root), -EINVAL) << root;
        EXPECT_NE(reader.why(), "");
        EXPECT_EQ(reader.result.bad_pa, root);
    }
    for (const std::uint64_t end : {std::uint64_t{0}, std::uint64_t{1}, tree->root_pa}) {
        reader.limits.end_pa = end;
        EXPECT_EQ(reader.check(tree->root_pa), -EINVAL);
    }
}

TEST(Check, RefusesBadChildren) {
    Tree tree;
    fill(tree);
    Reader reader(tree.memory());
    const auto nodes = path(tree, key_of(3 * gib, 0));
    for (unsigned int level = 1; level < KHOB_TREE_DEPTH; level++) {
        Node& node = *tree.memory().find(nodes[level]);
        std::uint64_t& entry = node.at(khob_key_index(key_of(3 * gib, 0), level));
        const std::uint64_t good = entry;
        for (const std::uint64_t bad :
             {good + 1, good | std::uint64_t{1} << 63U, tree.memory().end_pa() + page_size, end_pa,
              nodes[level], tree->root_pa, page_size}) {
            entry = bad;
            EXPECT_EQ(reader.check(tree->root_pa), -EINVAL) << level << " " << std::hex << bad;
            EXPECT_NE(reader.why(), "");
            EXPECT_EQ(reader.result.bad_level, level);
        }
        entry = good;
    }
    EXPECT_EQ(reader.check(tree->root_pa), 0);
}

TEST(Check, RefusesASharedChild) {
    Tree tree;
    fill(tree);
    Reader reader(tree.memory());
    const auto nodes = path(tree, key_of(3 * gib, 0));
    Node& node = *tree.memory().find(nodes[1]);
    std::uint64_t& other = node.at((khob_key_index(key_of(3 * gib, 0), 1) + 1) % node.size());
    other = nodes[0];
    EXPECT_EQ(reader.check(tree->root_pa), -EINVAL);
    EXPECT_EQ(reader.why(), "claimed before");
    other = 0;
}

TEST(Check, RefusesEntriesAboveTheKeyWidth) {
    Tree tree;
    fill(tree);
    Reader reader(tree.memory());
    Node& root = *tree.memory().find(tree->root_pa);
    const unsigned int first_bad =
        1U << (KHOB_KEY_WIDTH - KHOB_LEAF_LOG2 - (KHOB_TREE_DEPTH - 2) * KHOB_TABLE_LOG2);
    for (unsigned int i = first_bad; i < root.size(); i++) {
        root.at(i) = path(tree, key_of(3 * gib, 0))[0];
        EXPECT_EQ(reader.check(tree->root_pa), -EINVAL) << i;
        EXPECT_EQ(reader.why(), "an entry stands for keys that no page has");
        root.at(i) = 0;
    }
}

TEST(Check, RefusesBadKeys) {
    Tree tree;
    fill(tree);
    tree.add_page(0, KHOB_ORDER_MAX - 10);
    Reader reader(tree.memory());
    reader.limits.end_pa = ~std::uint64_t{0};
    const auto nodes = path(tree, key_of(0, KHOB_ORDER_MAX - 10));
    ASSERT_EQ(reader.check(tree->root_pa), 0) << reader.why();
    // Bit 0 of the very first leaf would be key 0.
    tree.memory().find(nodes[0])->at(0) |= 1;
    EXPECT_EQ(reader.check(tree->root_pa), -EINVAL);
    EXPECT_EQ(reader.why(), "a leaf holds a bit that is no page's key");
    // Bit 1 is the page that is all of the 64-bit space.
    tree.memory().find(nodes[0])->at(0) ^= 3;
    EXPECT_EQ(reader.check(tree->root_pa), -EINVAL);
    EXPECT_EQ(reader.why(), "a preserved page reaches behind the end of memory");
    tree.memory().find(nodes[0])->at(0) ^= 2;
    EXPECT_EQ(reader.check(tree->root_pa), 0);
}

TEST(Check, RefusesAPageBehindTheEnd) {
    Tree tree;
    tree.add_page(10 * gib, 18);
    Reader reader(tree.memory());
    reader.limits.end_pa = 11 * gib;
    EXPECT_EQ(reader.check(tree->root_pa), 0);
    for (const std::uint64_t end : {11 * gib - 1, 10 * gib, gib, 10 * gib + page_size}) {
        reader.limits.end_pa = end;
        EXPECT_EQ(reader.check(tree->root_pa), -EINVAL) << end;
        EXPECT_EQ(reader.result.bad_pa, 10 * gib);
    }
}

TEST(Check, ReturnsWhatTheCallerSaysOfAPage) {
    Tree tree;
    fill(tree);
    Reader reader(tree.memory());
    reader.refused_pa = 2 * gib;
    EXPECT_EQ(reader.check(tree->root_pa), -EBUSY);
    EXPECT_EQ(reader.why(), "not that one");
    EXPECT_EQ(reader.result.bad_pa, 2 * gib);
}

TEST(Check, CountsNodes) {
    Tree tree;
    fill(tree);
    Reader reader(tree.memory());
    reader.limits.max_nodes = tree->nr_nodes;
    EXPECT_EQ(reader.check(tree->root_pa), 0);
    for (std::uint64_t max = 0; max < tree->nr_nodes; max++) {
        reader.limits.max_nodes = max;
        EXPECT_EQ(reader.check(tree->root_pa), -EINVAL);
        EXPECT_EQ(reader.why(), "the tree has more nodes than it may have");
        EXPECT_EQ(reader.result.nr_nodes, max);
    }
}

// Whatever single bit flips, it is refused or the digest tells.
TEST(Check, SeesEverySingleBitFlip) {
    Tree tree;
    tree.add_page(gib, 0);
    tree.add_page(3 * gib, 9);
    Reader reader(tree.memory());
    const std::uint64_t digest = khob_radix_digest(tree.get());
    std::uint64_t refused = 0;
    std::uint64_t told = 0;
    for (const auto& [pa, copy] : tree.memory().snapshot()) {
        Node& node = *tree.memory().find(pa);
        for (std::uint64_t& word : node) {
            for (unsigned int bit = 0; bit < 64; bit++) {
                word ^= std::uint64_t{1} << bit;
                if (reader.check(tree->root_pa) != 0) {
                    refused++;
                    ASSERT_NE(reader.result.why, nullptr);
                } else {
                    told++;
                    ASSERT_NE(reader.result.digest, digest) << pa << " " << bit;
                }
                word ^= std::uint64_t{1} << bit;
            }
        }
    }
    EXPECT_EQ(refused + told, tree->nr_nodes * KHOB_LEAF_BITS);
    // Flips in tables lead nowhere; those in leaves mostly make other good keys.
    EXPECT_GT(refused, told);
    EXPECT_GT(told, 0U);
    ASSERT_EQ(reader.check(tree->root_pa), 0);
    EXPECT_EQ(reader.result.digest, digest);
}

}  // namespace
