// SPDX-License-Identifier: GPL-2.0-only
// Runs of keys: against a set, at every border that the tree has, and what a run that cannot
// be added or deleted leaves behind, which is every byte as it was.
#include <gtest/gtest.h>

#include <cerrno>
#include <cstdint>

#include "memory.hpp"
#include "model.hpp"

namespace {

using khob::test::borders;
using khob::test::Keys;
using khob::test::keys_between;
using khob::test::KeySet;
using khob::test::listed;
using khob::test::Node;
using khob::test::one;
using khob::test::State;
using khob::test::Tree;
constexpr std::uint64_t key_max = khob::test::key_max;
constexpr std::uint64_t leaf = KHOB_LEAF_BITS;

/// Each run from `from` on, as khob_radix_next_run() has them.
khob::test::Ranges runs_of(Tree& tree, std::uint64_t from) {
    khob::test::Ranges all;
    std::uint64_t first = 0;
    std::uint64_t last = 0;
    while (khob_radix_next_run(tree.get(), from, &first, &last)) {
        all.emplace_back(first, last);
        from = last + 1;
    }
    return all;
}

khob::test::Ranges runs_of(const KeySet& model, std::uint64_t from) {
    khob::test::Ranges all;
    for (auto it = model.lower_bound(from); it != model.end(); ++it) {
        // A power of two is the first key of an order.
        if (all.empty() || *it != all.back().second + 1 || (*it & (*it - 1)) == 0) {
            all.emplace_back(*it, *it);
        }
        all.back().second = *it;
    }
    return all;
}

struct Span {
    std::uint64_t first;
    std::uint64_t last;
};

Span draw(std::mt19937_64& random) {
    const std::uint64_t first = khob::test::near_border(random, 300);
    const std::uint64_t length =
        random() % 64 == 0 ? 1 + random() % (2 * leaf) : 1 + random() % (1 + random() % 400);
    return {first, std::min(first + length - 1, key_max)};
}

void operate(Tree& tree, KeySet& model, const Span& run, bool add) {
    const Keys keys = keys_between(run.first, run.last);
    khob::test::all_or_nothing(tree, model, keys, add, [&] {
        return add ? khob_radix_add_run(tree.get(), run.first, run.last)
                   : khob_radix_del_run(tree.get(), run.first, run.last);
    });
}

class RadixRun : public testing::TestWithParam<unsigned int> {};

TEST_P(RadixRun, AgreesWithASet) {
    auto random = khob::test::seeded(31);
    Tree tree(GetParam());
    KeySet model;
    for (int round = 0; round < 3000; round++) {
        Span run = draw(random);
        const bool add = random() % 3 != 0;
        const auto present = model.lower_bound(run.first);
        if (!add && present != model.end()) {
            // A piece of what is there, which may be a part of what was added at once.
            run.first = *present;
            run.last = run.first;
            while (model.contains(run.last + 1) && random() % 200 != 0) {
                run.last++;
            }
        }
        ASSERT_NO_FATAL_FAILURE(operate(tree, model, run, add)) << run.first << " " << run.last;
        if (round % 100 == 0) {
            ASSERT_EQ(tree.flaw(), "");
            ASSERT_EQ(tree.keys(), listed(model));
            ASSERT_EQ(tree->nr_nodes, khob::test::expected_nodes(model));
            ASSERT_EQ(runs_of(tree, run.first), runs_of(model, run.first));
        }
    }
    EXPECT_EQ(runs_of(tree, 0), runs_of(model, 0));
    for (const auto& [first, last] : runs_of(tree, 0)) {
        ASSERT_EQ(khob_radix_del_run(tree.get(), first, last), 0);
    }
    EXPECT_EQ(tree.memory().live(), 1U);
    EXPECT_EQ(tree.flaw(), "");
}

TEST_P(RadixRun, AtEveryBorder) {
    for (const std::uint64_t border : borders()) {
        for (const std::uint64_t below : {0U, 1U, 2U, 63U, 64U, 65U}) {
            for (const std::uint64_t above : {0U, 1U, 63U, 64U}) {
                if (border <= below || border + above > key_max) {
                    continue;
                }
                Tree tree(GetParam());
                const Keys keys = keys_between(border - below, border + above);
                ASSERT_EQ(khob_radix_add_run(tree.get(), border - below, border + above), 0);
                ASSERT_EQ(tree.keys(), keys) << border << " " << below << " " << above;
                ASSERT_EQ(tree.flaw(), "");
                const KeySet model(keys.begin(), keys.end());
                ASSERT_EQ(runs_of(tree, 0), runs_of(model, 0));
                ASSERT_EQ(khob_radix_del_run(tree.get(), border - below, border + above), 0);
                ASSERT_EQ(tree.memory().live(), 1U);
            }
        }
    }
}

TEST_P(RadixRun, RefusesWhatIsNone) {
    Tree tree(GetParam());
    ASSERT_EQ(khob_radix_add_run(tree.get(), 10, 20), 0);
    const State before = tree.state();
    for (const auto& [first, last] : khob::test::Ranges{{0, 0},
                                                        {0, 5},
                                                        {30, 29},
                                                        {key_max, key_max - 1},
                                                        {key_max, key_max + 1},
                                                        {key_max + 1, key_max + 1},
                                                        {1, ~std::uint64_t{0}},
                                                        {~std::uint64_t{0}, 1}}) {
        EXPECT_EQ(khob_radix_add_run(tree.get(), first, last), -EINVAL) << first << " " << last;
        EXPECT_EQ(khob_radix_del_run(tree.get(), first, last), -EINVAL) << first << " " << last;
    }
    EXPECT_TRUE(tree.state() == before);
}

/// Places in a run that begins and ends inside of leaves and has two whole ones between.
constexpr std::uint64_t first_key = (one << 24U) - 2 * leaf + 100;
constexpr std::uint64_t last_key = (one << 24U) + 2 * leaf - 100;

Keys places() {
    Keys all;
    for (const std::uint64_t at : {first_key, (one << 24U) - leaf, one << 24U, (one << 24U) + leaf,
                                   (one << 24U) + 6400, last_key}) {
        for (const std::uint64_t key : {at - 1, at, at + 1, at + 63, at + 64}) {
            if (key >= first_key && key <= last_key) {
                all.push_back(key);
            }
        }
    }
    return all;
}

TEST_P(RadixRun, ThatMeetsAKeyChangesNothing) {
    for (const std::uint64_t place : places()) {
        Tree tree(GetParam());
        ASSERT_EQ(tree.add(place), 0);
        ASSERT_EQ(tree.add(first_key - 1), 0);
        ASSERT_EQ(tree.add(last_key + 1), 0);
        const State before = tree.state();
        ASSERT_EQ(khob_radix_add_run(tree.get(), first_key, last_key), -EEXIST) << place;
        ASSERT_TRUE(tree.state() == before) << place;
        ASSERT_EQ(khob_radix_del_run(tree.get(), first_key, last_key), -ENOENT) << place;
        ASSERT_TRUE(tree.state() == before) << place;
    }
}

TEST_P(RadixRun, ThatLacksAKeyChangesNothing) {
    for (const std::uint64_t place : places()) {
        Tree tree(GetParam());
        ASSERT_EQ(khob_radix_add_run(tree.get(), first_key, last_key), 0);
        ASSERT_EQ(tree.del(place), 0);
        const State before = tree.state();
        ASSERT_EQ(khob_radix_del_run(tree.get(), first_key, last_key), -ENOENT) << place;
        ASSERT_TRUE(tree.state() == before) << place;
        ASSERT_EQ(khob_radix_add_run(tree.get(), first_key, last_key), -EEXIST) << place;
        ASSERT_TRUE(tree.state() == before) << place;
        ASSERT_EQ(tree.add(place), 0);
        ASSERT_EQ(khob_radix_del_run(tree.get(), first_key, last_key), 0);
        ASSERT_EQ(tree.memory().live(), 1U);
    }
}

TEST_P(RadixRun, FillsWholeLeaves) {
    Tree tree(GetParam());
    const std::uint64_t first = (one << KHOB_ORDER_0_BIT) + 7 * leaf;
    ASSERT_EQ(khob_radix_add_run(tree.get(), first, first + 600 * leaf - 1), 0);
    EXPECT_EQ(tree.flaw(), "");
    std::uint64_t full = 0;
    Node ones{};
    ones.fill(~std::uint64_t{0});
    for (const auto& [pa, node] : tree.memory().snapshot()) {
        full += node == ones ? 1 : 0;
    }
    EXPECT_EQ(full, 600U);
    EXPECT_EQ(runs_of(tree, 0), (khob::test::Ranges{{first, first + 600 * leaf - 1}}));
    // A hole, which is one leaf, and half of its neighbour.
    ASSERT_EQ(khob_radix_del_run(tree.get(), first + 9 * leaf, first + 10 * leaf + leaf / 2), 0);
    EXPECT_EQ(tree.flaw(), "");
    EXPECT_EQ(runs_of(tree, 0),
              (khob::test::Ranges{{first, first + 9 * leaf - 1},
                                  {first + 10 * leaf + leaf / 2 + 1, first + 600 * leaf - 1}}));
    ASSERT_EQ(khob_radix_add_run(tree.get(), first + 9 * leaf, first + 10 * leaf + leaf / 2), 0);
    ASSERT_EQ(khob_radix_del_run(tree.get(), first, first + 600 * leaf - 1), 0);
    EXPECT_EQ(tree.memory().live(), 1U);
    EXPECT_EQ(tree.flaw(), "");
}

INSTANTIATE_TEST_SUITE_P(Kinds, RadixRun, testing::Values(0U, unsigned{KHOB_RADIX_SHARED}));

TEST(RadixRunKinds, NeedCounts) {
    Tree tree(KHOB_RADIX_UNCOUNTED);
    ASSERT_EQ(tree.add(10), 0);
    EXPECT_EQ(khob_radix_add_run(tree.get(), 20, 30), -EINVAL);
    EXPECT_EQ(khob_radix_del_run(tree.get(), 10, 10), -EINVAL);
    EXPECT_EQ(tree.keys(), Keys{10});
}

}  // namespace
