// SPDX-License-Identifier: GPL-2.0-only
// The walk over keys: bounded, gone on with at any key, and with a callback that changes the
// tree before it, behind it and under it.
#include <gtest/gtest.h>

#include <cerrno>
#include <cstdint>
#include <functional>

#include "memory.hpp"
#include "model.hpp"

namespace {

using khob::test::Keys;
using khob::test::KeySet;
using khob::test::listed;
using khob::test::near_border;
using khob::test::one;
using khob::test::Tree;
constexpr std::uint64_t key_max = khob::test::key_max;
constexpr std::uint64_t leaf = KHOB_LEAF_BITS;

using Callback = std::function<int(std::uint64_t key)>;

int walk(Tree& tree, std::uint64_t from, std::uint64_t to, Callback fn) {
    const auto call = [](void* ctx, std::uint64_t key) {
        return (*static_cast<Callback*>(ctx))(key);
    };
    return khob_radix_walk(tree.get(), from, to, call, &fn);
}

Keys between(const KeySet& model, std::uint64_t from, std::uint64_t to) {
    if (from > to) {
        return {};
    }
    return {model.lower_bound(from), model.upper_bound(to)};
}

class RadixWalk : public testing::TestWithParam<unsigned int> {
  protected:
    [[nodiscard]] static bool counted() { return (GetParam() & KHOB_RADIX_UNCOUNTED) == 0; }
    static void fill(Tree& tree, KeySet& model, std::mt19937_64& random) {
        for (int i = 0; i < 60; i++) {
            const std::uint64_t key = near_border(random, 100);
            for (std::uint64_t k = key; k < key + random() % 30 && k <= key_max; k++) {
                ASSERT_EQ(tree.add(k), model.insert(k).second ? 0 : -EEXIST);
            }
        }
    }
};

TEST_P(RadixWalk, IsBounded) {
    auto random = khob::test::seeded(61);
    Tree tree(GetParam());
    KeySet model;
    ASSERT_NO_FATAL_FAILURE(fill(tree, model, random));
    Keys edges = {0, 1, key_max, key_max + 1, ~std::uint64_t{0}};
    for (int i = 0; i < 60; i++) {
        edges.push_back(near_border(random, 150));
    }
    for (const std::uint64_t from : edges) {
        for (const std::uint64_t to : edges) {
            Keys seen;
            ASSERT_EQ(walk(tree, from, to,
                           [&](std::uint64_t key) {
                               seen.push_back(key);
                               return 0;
                           }),
                      0);
            ASSERT_EQ(seen, between(model, from, to)) << from << " " << to;
        }
    }
}

TEST_P(RadixWalk, GoesOnBehindTheKeyItWasLeftAt) {
    auto random = khob::test::seeded(62);
    Tree tree(GetParam());
    KeySet model;
    ASSERT_NO_FATAL_FAILURE(fill(tree, model, random));
    Keys seen;
    int ret = -EINTR;
    for (std::uint64_t from = 0; ret != 0; from = seen.back() + 1) {
        ret = walk(tree, from, ~std::uint64_t{0}, [&](std::uint64_t key) {
            seen.push_back(key);
            return random() % 50 == 0 ? -EINTR : 0;
        });
    }
    EXPECT_EQ(seen, listed(model));
}

/// Deletes and adds around a key: a few keys, or runs where the tree may have them.
void change(Tree& tree, KeySet& model, std::mt19937_64& random, std::uint64_t key, bool runs) {
    const std::uint64_t reach = random() % 4 == 0 ? one << 16U : 100;
    const std::uint64_t low = key > reach ? key - reach : 1;
    std::uint64_t at = std::min(low + random() % (2 * reach), key_max);
    const auto present = model.lower_bound(at);
    switch (random() % 8) {
        case 0:  // what it was shown
            ASSERT_EQ(tree.del(key), model.erase(key) != 0 ? 0 : -ENOENT);
            break;
        case 1:
            if (runs) {
                const Keys keys = khob::test::keys_between(at, std::min(at + 40, key_max));
                const bool any = khob::test::any_in(model, keys);
                ASSERT_EQ(khob_radix_add_run(tree.get(), keys.front(), keys.back()),
                          any ? -EEXIST : 0);
                model.insert(any ? keys.end() : keys.begin(), keys.end());
            }
            break;
        case 2:
            ASSERT_EQ(tree.add(at), model.insert(at).second ? 0 : -EEXIST);
            break;
        case 3:
        case 4:
            at = present == model.end() ? at : *present;
            ASSERT_EQ(tree.del(at), model.erase(at) != 0 ? 0 : -ENOENT);
            break;
        default:  // mostly nothing, so that more than a key is read at once
            break;
    }
}

TEST_P(RadixWalk, SeesWhatTheTreeThenHolds) {
    for (std::uint64_t seed = 0; seed < 60; seed++) {
        auto random = khob::test::seeded(seed);
        Tree tree(GetParam());
        KeySet model;
        ASSERT_NO_FATAL_FAILURE(fill(tree, model, random));
        std::uint64_t from = seed % 2 == 0 ? 0 : near_border(random, 1000);
        const std::uint64_t to = seed % 3 == 0 ? key_max : near_border(random, 1000);
        // Changes are bounded, as keys are added in front of the walk as well.
        int changes = 1000;
        const int ret = walk(tree, from, to, [&](std::uint64_t key) {
            const auto expected = model.lower_bound(from);
            EXPECT_TRUE(expected != model.end() && *expected == key) << key;
            from = key + 1;
            if (changes-- > 0) {
                change(tree, model, random, key, counted());
            }
            return testing::Test::HasFailure() ? -EINTR : 0;
        });
        ASSERT_EQ(ret, 0) << seed;
        ASSERT_TRUE(between(model, from, to).empty()) << seed;
        ASSERT_EQ(tree.keys(), listed(model)) << seed;
        ASSERT_EQ(tree.flaw(), "") << seed;
    }
}

// The leaf that the walk is in goes, and another one takes its place and memory.
TEST_P(RadixWalk, SurvivesItsLeaf) {
    Tree tree(GetParam());
    ASSERT_EQ(tree.add(100), 0);
    ASSERT_EQ(tree.add(50 * leaf), 0);
    Keys seen;
    ASSERT_EQ(walk(tree, 0, key_max,
                   [&](std::uint64_t key) {
                       seen.push_back(key);
                       if (key == 100) {
                           EXPECT_EQ(tree.del(100), 0);
                           EXPECT_EQ(tree.add(7 * leaf + 101), 0);
                           EXPECT_EQ(tree.add(leaf - 1), 0);
                       }
                       return 0;
                   }),
              0);
    EXPECT_EQ(seen, (Keys{100, leaf - 1, 7 * leaf + 101, 50 * leaf}));
}

INSTANTIATE_TEST_SUITE_P(Kinds, RadixWalk,
                         testing::Values(0U, unsigned{KHOB_RADIX_SHARED},
                                         unsigned{KHOB_RADIX_UNCOUNTED},
                                         unsigned{KHOB_RADIX_SHARED} | KHOB_RADIX_UNCOUNTED));

}  // namespace
