// SPDX-License-Identifier: GPL-2.0-only
// The kinds of tree: all calls mixed on one that counts its entries, one that does not and
// looks for what is left, and one with key 0.
#include <gtest/gtest.h>

#include <cerrno>
#include <cstdint>

#include "core/radix_node.h"
#include "memory.hpp"
#include "model.hpp"

namespace {

using khob::test::Keys;
using khob::test::keys_between;
using khob::test::keys_of_range;
using khob::test::KeySet;
using khob::test::listed;
using khob::test::near_border;
using khob::test::Node;
using khob::test::one;
using khob::test::Ranges;
using khob::test::Tree;
constexpr std::uint64_t key_max = khob::test::key_max;
constexpr std::uint64_t leaf = KHOB_LEAF_BITS;

/// One call of any sort on tree and model.
class Mixer {
  public:
    Mixer(Tree& tree, std::uint64_t seed) : tree_(tree), random_(seed) {}

    void operate() {
        const std::uint64_t key = draw();
        const bool counted = (tree_->flags & KHOB_RADIX_UNCOUNTED) == 0;
        switch (random_() % (counted ? 7 : 2)) {
            case 0:
                return add({key}, tree_.add(key));
            case 1:
                return del({key}, tree_.del(key));
            case 2: {
                const Keys keys = run(key);
                return add(keys, khob_radix_add_run(tree_.get(), keys.front(), keys.back()));
            }
            case 3: {
                const Keys keys = run(key);
                return del(keys, khob_radix_del_run(tree_.get(), keys.front(), keys.back()));
            }
            case 4:
                return range(true);
            case 5:
                return range(false);
            default:
                return batch();
        }
    }
    [[nodiscard]] const KeySet& model() const { return model_; }
    void erase(std::uint64_t key) { model_.erase(key); }

  private:
    std::uint64_t draw() {
        const std::uint64_t key = near_border(random_, 100);
        if ((tree_->flags & KHOB_RADIX_ZERO) != 0 && random_() % 50 == 0) {
            return 0;
        }
        // Half of the time what is there, if anything is.
        const auto present = model_.lower_bound(key);
        return random_() % 2 == 0 && present != model_.end() ? *present : key;
    }
    Keys run(std::uint64_t first) {
        std::uint64_t last = first;
        while (last < key_max && random_() % 16 != 0) {
            last++;
        }
        return keys_between(first, last);
    }
    void range(bool adds) {
        const std::uint64_t pfn = random_() % 200 * 50;
        const std::uint64_t nr = 1 + random_() % 60;
        const Keys keys = keys_of_range(pfn, nr, 4);
        if (adds) {
            add(keys, khob_radix_add_range(tree_.get(), pfn, nr, 4));
        } else {
            del(keys, khob_radix_del_range(tree_.get(), pfn, nr, 4));
        }
    }
    void batch() {
        KeySet keys;
        for (std::uint64_t i = random_() % 40; i > 0; i--) {
            keys.insert(near_border(random_, 100));
        }
        const Keys list = listed(keys);
        add(list, khob_radix_add_batch(tree_.get(), list.data(), list.size()));
    }
    void add(const Keys& keys, int ret) {
        const bool any = khob::test::any_in(model_, keys);
        ASSERT_EQ(ret, any ? -EEXIST : 0);
        if (!any) {
            model_.insert(keys.begin(), keys.end());
        }
    }
    void del(const Keys& keys, int ret) {
        const bool all = khob::test::all_in(model_, keys);
        ASSERT_EQ(ret, all ? 0 : -ENOENT);
        if (all) {
            khob::test::erase(model_, keys);
        }
    }

    Tree& tree_;
    std::mt19937_64 random_;
    KeySet model_;
};

class RadixKind : public testing::TestWithParam<unsigned int> {};

// flaw() recounts every node, so whatever was done, each count is right.
TEST_P(RadixKind, CountsThroughAnySequence) {
    Tree tree(GetParam());
    Mixer mixer(tree, 81);
    for (int round = 0; round < 20000; round++) {
        ASSERT_NO_FATAL_FAILURE(mixer.operate()) << round;
        if (round % 100 == 0) {
            ASSERT_EQ(tree.flaw(), "") << round;
            ASSERT_EQ(tree.keys(), listed(mixer.model())) << round;
            ASSERT_EQ(tree->nr_nodes, khob::test::expected_nodes(mixer.model())) << round;
        }
    }
    EXPECT_GT(mixer.model().size(), 50U);
    for (const std::uint64_t key : listed(mixer.model())) {
        ASSERT_EQ(tree.del(key), 0);
        mixer.erase(key);
        if (mixer.model().size() % 64 == 0) {
            ASSERT_EQ(tree.flaw(), "");
            ASSERT_EQ(tree->nr_nodes, khob::test::expected_nodes(mixer.model()));
        }
    }
    EXPECT_EQ(tree->nr_nodes, 1U);
    EXPECT_EQ(tree.memory().live(), 1U);
    EXPECT_EQ(*khob_node_used(tree->root) / KHOB_USED_ONE, 0U);
    EXPECT_EQ(tree.flaw(), "");
}

INSTANTIATE_TEST_SUITE_P(Kinds, RadixKind,
                         testing::Values(0U, unsigned{KHOB_RADIX_SHARED},
                                         unsigned{KHOB_RADIX_UNCOUNTED}, unsigned{KHOB_RADIX_ZERO},
                                         unsigned{KHOB_RADIX_UNCOUNTED} | KHOB_RADIX_SHARED,
                                         unsigned{KHOB_RADIX_UNCOUNTED} | KHOB_RADIX_ZERO,
                                         unsigned{KHOB_RADIX_SHARED} | KHOB_RADIX_ZERO));

TEST(RadixZero, IsAKeyLikeAnyOther) {
    for (const unsigned int kind : {0U, unsigned{KHOB_RADIX_SHARED}}) {
        Tree tree(kind | KHOB_RADIX_ZERO);
        EXPECT_EQ(tree.del(0), -ENOENT);
        EXPECT_FALSE(tree.has(0));
        EXPECT_EQ(tree.add(0), 0);
        EXPECT_EQ(tree.add(0), -EEXIST);
        EXPECT_TRUE(tree.has(0));
        std::uint64_t first = 77;
        std::uint64_t last = 77;
        EXPECT_TRUE(khob_radix_next(tree.get(), 0, &first));
        EXPECT_EQ(first, 0U);
        EXPECT_TRUE(khob_radix_next_run(tree.get(), 0, &first, &last));
        EXPECT_EQ(first, 0U);
        EXPECT_EQ(last, 0U);
        EXPECT_FALSE(khob_radix_next(tree.get(), 1, &first));
        EXPECT_EQ(khob_radix_del_run(tree.get(), 0, 0), 0);
        EXPECT_EQ(tree.memory().live(), 1U);
        EXPECT_EQ(khob_radix_add_run(tree.get(), 0, 2 * leaf), 0);
        EXPECT_EQ(tree.keys(), keys_between(0, 2 * leaf));
        EXPECT_EQ(khob_radix_del_run(tree.get(), 0, 2 * leaf), 0);
        const Keys batch = {5, 0, 9};
        EXPECT_EQ(khob_radix_add_batch(tree.get(), batch.data(), batch.size()), 0);
        EXPECT_EQ(tree.keys(), (Keys{0, 5, 9}));
        EXPECT_EQ(khob_radix_add_batch(tree.get(), batch.data(), batch.size()), -EEXIST);
        EXPECT_EQ(tree.add(key_max + 1), -EINVAL);
        EXPECT_EQ(tree.flaw(), "");
    }
}

// No page has key 0: those who look for pages do not see it.
TEST(RadixZero, IsNoPage) {
    Tree tree(KHOB_RADIX_ZERO);
    ASSERT_EQ(tree.add(0), 0);
    khob_range_iter it{};
    std::uint64_t pfn = 0;
    std::uint64_t nr = 0;
    khob_range_iter_init(&it, tree.get(), 0);
    EXPECT_FALSE(khob_range_iter_next(&it, &pfn, &nr));
    tree.add_page(0x5000, 0);
    EXPECT_TRUE(khob_range_iter_next(&it, &pfn, &nr));
    EXPECT_EQ(std::pair(pfn, nr), (std::pair<std::uint64_t, std::uint64_t>(5, 1)));
    EXPECT_FALSE(khob_range_iter_next(&it, &pfn, &nr));
}

/// A tree of another kernel's: nobody counted what is in its nodes, and some are empty.
class Adopted {
  public:
    explicit Adopted(const Keys& keys) {
        for (const std::uint64_t key : keys) {
            EXPECT_EQ(tree_.add(key), 0);
        }
        for (const auto& [pa, node] : tree_.memory().snapshot()) {
            *khob_node_used(khob_node_at(pa)) = 0;
        }
        tree_->flags = KHOB_RADIX_UNCOUNTED;
    }
    Tree& tree() { return tree_; }
    /// Clears a key's leaf without freeing it, as a kernel may do that never frees any.
    void blank(std::uint64_t key) {
        std::uint64_t pa = tree_->root_pa;
        for (unsigned int level = KHOB_TREE_DEPTH - 1; level > 0; level--) {
            pa = tree_.memory().find(pa)->at(khob_key_index(key, level));
        }
        tree_.memory().find(pa)->fill(0);
    }

  private:
    Tree tree_;
};

TEST(RadixUncounted, DeletesFromNodesThatItDidNotMake) {
    auto random = khob::test::seeded(82);
    KeySet model;
    while (model.size() < 2000) {
        model.insert(near_border(random, 5000));
    }
    Adopted adopted(listed(model));
    Tree& tree = adopted.tree();
    tree.memory().frees_are_empty(true);
    Keys order = listed(model);
    std::shuffle(order.begin(), order.end(), random);
    for (const std::uint64_t key : order) {
        ASSERT_EQ(tree.del(key), 0);
        model.erase(key);
        if (model.size() % 100 == 0) {
            ASSERT_EQ(tree.keys(), listed(model));
            ASSERT_EQ(tree->nr_nodes, khob::test::expected_nodes(model));
            ASSERT_EQ(tree.flaw(), "");
        }
    }
    EXPECT_EQ(tree.memory().live(), 1U);
    EXPECT_EQ(tree.memory().full_frees(), 0U);
}

TEST(RadixUncounted, PassesOverEmptyNodes) {
    const std::uint64_t base = one << KHOB_ORDER_0_BIT;
    Adopted adopted({base + 5, base + leaf, base + 3 * leaf, base + (one << 24U)});
    Tree& tree = adopted.tree();
    adopted.blank(base + leaf);
    adopted.blank(base + (one << 24U));
    EXPECT_EQ(tree.keys(), (Keys{base + 5, base + 3 * leaf}));
    std::uint64_t first = 0;
    std::uint64_t last = 0;
    ASSERT_TRUE(khob_radix_next_run(tree.get(), base + 6, &first, &last));
    EXPECT_EQ(first, base + 3 * leaf);
    EXPECT_EQ(last, first);
    EXPECT_FALSE(khob_radix_next(tree.get(), first + 1, &first));
    Ranges seen;
    khob_range_iter it{};
    khob_range_iter_init(&it, tree.get(), 0);
    std::uint64_t pfn = 0;
    std::uint64_t nr = 0;
    while (khob_range_iter_next(&it, &pfn, &nr)) {
        seen.emplace_back(pfn, nr);
    }
    EXPECT_EQ(seen, (Ranges{{5, 1}, {3 * leaf, 1}}));
    EXPECT_EQ(tree.add(base + leaf), 0);
    EXPECT_EQ(tree.del(base + leaf), 0);
    EXPECT_EQ(tree.del(base + leaf), -ENOENT);
}

}  // namespace
