// SPDX-License-Identifier: GPL-2.0-only
// Random operations on a tree and on a std::set side by side.
#include <gtest/gtest.h>

#include <cerrno>
#include <cstdint>
#include <random>
#include <set>
#include <vector>

#include "memory.hpp"

namespace {

using khob::test::expected_nodes;
using khob::test::key_max;
using khob::test::key_of;
using khob::test::Tree;

/// Draws keys as memory has them: many in clusters of small orders, some anywhere.
class Keys {
  public:
    explicit Keys(std::uint64_t seed) : random_(seed) {}

    std::uint64_t draw() {
        switch (random_() % 16) {
            case 0:
                return 1 + random_() % key_max;  // any order, any address
            case 1:
                return extreme();
            default:
                return clustered();
        }
    }
    std::mt19937_64& random() { return random_; }

  private:
    std::uint64_t clustered() {
        const unsigned int order = order_(random_) % 11;
        // Four banks of 64 MiB, one of them above 1 TiB.
        const std::uint64_t bank = random_() % 4;
        const std::uint64_t base = bank == 3 ? std::uint64_t{1} << 40U : bank << 32U;
        const std::uint64_t pa = base + random_() % (std::uint64_t{64} << 20U);
        const unsigned int shift = KHOB_PAGE_SHIFT + order;
        return key_of(pa >> shift << shift, order);
    }
    std::uint64_t extreme() {
        // Around each power of two: both ends of every order and of most nodes.
        const std::uint64_t bit = std::uint64_t{1} << random_() % KHOB_KEY_WIDTH;
        const std::uint64_t key = bit + random_() % 5 - 2;
        return key == 0 || key > key_max ? key_max : key;
    }

    std::mt19937_64 random_;
    std::geometric_distribution<unsigned int> order_{0.3};
};

void compare(Tree& tree, const std::set<std::uint64_t>& model) {
    ASSERT_EQ(tree.keys(), std::vector<std::uint64_t>(model.begin(), model.end()));
    ASSERT_EQ(tree->nr_keys, model.size());
    ASSERT_EQ(tree->nr_nodes, expected_nodes(model));
    ASSERT_EQ(tree.flaw(), "");
}

void look_up(Tree& tree, const std::set<std::uint64_t>& model, std::uint64_t key) {
    ASSERT_EQ(tree.has(key), model.contains(key));
    const auto behind = model.lower_bound(key);
    std::uint64_t found = 0;
    ASSERT_EQ(khob_radix_next(tree.get(), key, &found), behind != model.end());
    if (behind != model.end()) {
        ASSERT_EQ(found, *behind);
    }
}

void operate(Tree& tree, std::set<std::uint64_t>& model, Keys& keys, bool growing) {
    std::uint64_t key = keys.draw();
    const std::uint64_t what = keys.random()() % 16;
    if (what < 3) {
        look_up(tree, model, key);
    } else if ((what < 12) == growing) {
        ASSERT_EQ(tree.add(key), model.insert(key).second ? 0 : -EEXIST);
    } else {
        // Half of the time what is there, so that the tree shrinks.
        const auto present = model.lower_bound(key);
        if (what % 2 == 0 && present != model.end()) {
            key = *present;
        }
        ASSERT_EQ(tree.del(key), model.erase(key) != 0 ? 0 : -ENOENT);
    }
}

TEST(RadixModel, AgreesOverAMillionOperations) {
    constexpr int operations = 1'200'000;
    constexpr int check_every = 40'000;
    Tree tree;
    tree.memory().frees_are_empty(true);
    std::set<std::uint64_t> model;
    Keys keys(20240607);

    for (int i = 0; i < operations; i++) {
        // Phases in which the tree grows, then shrinks.
        operate(tree, model, keys, i / 200'000 % 2 == 0);
        if (HasFatalFailure()) {
            return;
        }
        if (i % check_every == 0) {
            compare(tree, model);
            if (HasFatalFailure()) {
                return;
            }
        }
    }
    compare(tree, model);
    for (const std::uint64_t key : model) {
        ASSERT_EQ(tree.del(key), 0);
    }
    EXPECT_EQ(tree.memory().live(), 1U);
    EXPECT_EQ(tree.memory().full_frees(), 0U);
}

}  // namespace
