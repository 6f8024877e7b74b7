// SPDX-License-Identifier: GPL-2.0-only
// Batches of keys in any order, with some twice and some that are none: all are added, or
// the tree is what it was.
#include <gtest/gtest.h>

#include <algorithm>
#include <cerrno>
#include <cstdint>

#include "memory.hpp"
#include "model.hpp"

namespace {

using khob::test::Keys;
using khob::test::KeySet;
using khob::test::listed;
using khob::test::one;
using khob::test::State;
using khob::test::Tree;
constexpr std::uint64_t key_max = khob::test::key_max;

int add_batch(Tree& tree, const Keys& keys) {
    return khob_radix_add_batch(tree.get(), keys.data(), keys.size());
}

/// What adding the keys one by one would end with.
int expected(KeySet model, const Keys& keys) {
    for (const std::uint64_t key : keys) {
        if (key == 0 || key > key_max) {
            return -EINVAL;
        }
        if (!model.insert(key).second) {
            return -EEXIST;
        }
    }
    return 0;
}

Keys draw(std::mt19937_64& random) {
    Keys keys(random() % (random() % 4 == 0 ? 700 : 20));
    const std::uint64_t reach = random() % 2 == 0 ? 2000 : one << 20U;
    const std::uint64_t center = khob::test::near_border(random, 100);
    for (std::uint64_t& key : keys) {
        // Mostly close to each other, as pages are, and some anywhere.
        key = random() % 8 == 0 ? khob::test::near_border(random, 5000)
                                : std::min(center + random() % reach, key_max);
    }
    if (random() % 2 == 0) {
        std::sort(keys.begin(), keys.end());
        if (random() % 4 != 0) {
            keys.erase(std::unique(keys.begin(), keys.end()), keys.end());
        }
    }
    if (random() % 8 == 0 && !keys.empty()) {
        keys[random() % keys.size()] = random() % 2 == 0 ? 0 : key_max + 1 + random() % 1000;
    }
    return keys;
}

class RadixBatch : public testing::TestWithParam<unsigned int> {};

TEST_P(RadixBatch, AgreesWithASet) {
    auto random = khob::test::seeded(51);
    Tree tree(GetParam());
    KeySet model;
    std::map<int, int> results;
    for (int round = 0; round < 1000; round++) {
        const Keys keys = draw(random);
        const int ret = expected(model, keys);
        const State before = ret == 0 ? State{} : tree.state();
        ASSERT_EQ(add_batch(tree, keys), ret) << round;
        results[ret]++;
        if (ret == 0) {
            model.insert(keys.begin(), keys.end());
        } else {
            ASSERT_TRUE(tree.state() == before) << round;
        }
        if (round % 10 == 0) {
            ASSERT_EQ(tree.flaw(), "");
            ASSERT_EQ(tree.keys(), listed(model));
            // Half of it goes, so that there is room for more.
            for (const std::uint64_t key : listed(model)) {
                if (random() % 2 == 0) {
                    ASSERT_EQ(tree.del(key), 0);
                    model.erase(key);
                }
            }
        }
    }
    EXPECT_GT(results[0], 100);
    EXPECT_GT(results[-EEXIST], 100);
    EXPECT_GT(results[-EINVAL], 30);
    for (const std::uint64_t key : model) {
        ASSERT_EQ(tree.del(key), 0);
    }
    EXPECT_EQ(tree.memory().live(), 1U);
}

// A bad key at each place of a batch that is longer than what is added in one go.
TEST_P(RadixBatch, WithABadKeyAnywhereChangesNothing) {
    Tree tree(GetParam());
    Keys good;
    for (std::uint64_t i = 0; i < 300; i++) {
        good.push_back(1000 + i * 997);
    }
    ASSERT_EQ(tree.add(999), 0);
    const State before = tree.state();
    for (std::size_t place = 0; place < good.size(); place++) {
        for (const std::uint64_t bad :
             {std::uint64_t{0}, key_max + 1, std::uint64_t{999}, good[(place + 150) % 300]}) {
            Keys keys = good;
            keys[place] = bad;
            ASSERT_EQ(add_batch(tree, keys), bad == 0 || bad > key_max ? -EINVAL : -EEXIST);
            ASSERT_TRUE(tree.state() == before) << place << " " << bad;
        }
    }
    EXPECT_EQ(add_batch(tree, good), 0);
    EXPECT_EQ(tree.flaw(), "");
}

TEST_P(RadixBatch, OrderDoesNotMatter) {
    auto random = khob::test::seeded(52);
    KeySet model;
    while (model.size() < 1000) {
        model.insert(khob::test::near_border(random, 70000));
    }
    Keys keys = listed(model);
    const Keys sorted = keys;
    for (int round = 0; round < 4; round++) {
        Tree tree(GetParam());
        ASSERT_EQ(add_batch(tree, keys), 0);
        EXPECT_EQ(tree.keys(), sorted);
        EXPECT_EQ(tree.flaw(), "");
        if (round == 0) {
            std::reverse(keys.begin(), keys.end());
        } else {
            std::shuffle(keys.begin(), keys.end(), random);
        }
    }
}

TEST_P(RadixBatch, OfNothing) {
    Tree tree(GetParam());
    const State before = tree.state();
    EXPECT_EQ(khob_radix_add_batch(tree.get(), nullptr, 0), 0);
    EXPECT_TRUE(tree.state() == before);
}

INSTANTIATE_TEST_SUITE_P(Kinds, RadixBatch, testing::Values(0U, unsigned{KHOB_RADIX_SHARED}));

TEST(RadixBatchKinds, NeedCounts) {
    Tree tree(KHOB_RADIX_UNCOUNTED);
    EXPECT_EQ(add_batch(tree, {10, 20}), -EINVAL);
    EXPECT_TRUE(tree.keys().empty());
}

}  // namespace
