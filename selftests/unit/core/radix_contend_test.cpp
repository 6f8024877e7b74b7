// SPDX-License-Identifier: GPL-2.0-only
// Threads that want the very same keys of a shared tree: of each key one gets it, one gives
// it back, and every count is right afterwards. Compiled a second time for ThreadSanitizer.
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <cstdint>

#include "memory.hpp"
#include "model.hpp"
#include "threads.hpp"

namespace {

using khob::test::in_parallel;
using khob::test::Keys;
using khob::test::keys_between;
using khob::test::keys_of_range;
using khob::test::KeySet;
using khob::test::less;
using khob::test::listed;
using khob::test::one;
using khob::test::threads;
using khob::test::Tree;

constexpr std::uint64_t leaf = KHOB_LEAF_BITS;

void expect_only_the_root(Tree& tree) {
    EXPECT_EQ(tree.flaw(), "");
    EXPECT_EQ(tree->nr_nodes, 1U);
    EXPECT_EQ(tree.memory().live(), 1U);
}

/// Dense ones in words that all threads write to, and some whose leaves are theirs alone.
Keys contended() {
    Keys keys = keys_between(5 * leaf - 300, 5 * leaf + 300);
    for (std::uint64_t i = 0; i < 30; i++) {
        keys.push_back((one << 24U) + i * leaf);
        keys.push_back((one << 42U) + i * (one << 33U));
    }
    std::sort(keys.begin(), keys.end());
    return keys;
}

class RadixContend : public testing::TestWithParam<unsigned int> {};

TEST_P(RadixContend, OneAddAndOneDelOfEachKeyWin) {
    const Keys keys = contended();
    Tree tree(GetParam());
    for (int round = 0; round < 40 / less; round++) {
        std::array<Keys, threads> won;
        const auto all_won = [&] {
            Keys all;
            for (Keys& some : won) {
                all.insert(all.end(), some.begin(), some.end());
                some.clear();
            }
            std::sort(all.begin(), all.end());
            return all;
        };
        const auto each = [&](unsigned int number, int (*fn)(khob_radix*, u64), int lost) {
            auto random = khob::test::seeded(static_cast<std::uint64_t>(round) * threads + number);
            Keys mine = keys;
            // In the same order they meet at every key, in another they meet in every leaf.
            if (round % 2 == 0) {
                std::shuffle(mine.begin(), mine.end(), random);
            }
            for (const std::uint64_t key : mine) {
                const int ret = fn(tree.get(), key);
                if (ret == 0) {
                    won.at(number).push_back(key);
                } else {
                    EXPECT_EQ(ret, lost);
                }
            }
        };
        in_parallel([&](unsigned int number) { each(number, khob_radix_add, -EEXIST); });
        ASSERT_TRUE(all_won() == keys) << round;
        ASSERT_EQ(tree.flaw(), "") << round;
        ASSERT_TRUE(tree.keys() == keys) << round;
        in_parallel([&](unsigned int number) { each(number, khob_radix_del, -ENOENT); });
        ASSERT_TRUE(all_won() == keys) << round;
        expect_only_the_root(tree);
    }
}

// Few keys, most of them alone in their leaf: nodes are linked and freed all the time, under
// threads that are about to use them. A key is there if it was added once more than deleted.
TEST_P(RadixContend, AddsAndDeletesBalance) {
    Keys keys;
    for (const std::uint64_t at : {leaf, one << 24U, one << 33U, one << 42U, one << 51U}) {
        keys.insert(keys.end(), {at - 1, at, at + 1});
    }
    for (int round = 0; round < 3 / less + 1; round++) {
        Tree tree(GetParam());
        std::array<std::array<int, 15>, threads> net{};
        in_parallel([&](unsigned int number) {
            auto random = khob::test::seeded(static_cast<std::uint64_t>(round) * threads + number);
            for (int i = 0; i < 20000 / less; i++) {
                const std::size_t which = random() % keys.size();
                int& mine = net.at(number).at(which);
                if (random() % 2 == 0) {
                    mine += tree.add(keys[which]) == 0 ? 1 : 0;
                } else {
                    mine -= tree.del(keys[which]) == 0 ? 1 : 0;
                }
                if (i % 4 == 0) {
                    // Nothing but these keys is ever seen, even if they go while they are.
                    std::uint64_t first = 0;
                    std::uint64_t last = 0;
                    EXPECT_TRUE(!khob_radix_next_run(tree.get(), keys[which], &first, &last) ||
                                (std::binary_search(keys.begin(), keys.end(), first) &&
                                 std::binary_search(keys.begin(), keys.end(), last) &&
                                 last >= first && last - first <= 2));
                }
            }
        });
        KeySet left;
        for (std::size_t which = 0; which < keys.size(); which++) {
            int sum = 0;
            for (const auto& mine : net) {
                sum += mine.at(which);
            }
            ASSERT_TRUE(sum == 0 || sum == 1) << sum;
            if (sum == 1) {
                left.insert(keys[which]);
            }
        }
        ASSERT_EQ(tree.keys(), listed(left));
        ASSERT_EQ(tree.flaw(), "");
        ASSERT_EQ(tree->nr_nodes, khob::test::expected_nodes(left));
        for (const std::uint64_t key : left) {
            ASSERT_EQ(tree.del(key), 0);
        }
        expect_only_the_root(tree);
    }
}

INSTANTIATE_TEST_SUITE_P(Kinds, RadixContend,
                         testing::Values(unsigned{KHOB_RADIX_SHARED},
                                         unsigned{KHOB_RADIX_SHARED} | KHOB_RADIX_UNCOUNTED));

/// Adds keys all or none, in one of the ways to do so. Return: those, if they were added.
Keys add_some(Tree& tree, std::mt19937_64& random) {
    const std::uint64_t base = one << KHOB_ORDER_0_BIT;
    const std::uint64_t at = 2 * leaf - 2000 + random() % 4000;
    int ret = 0;
    Keys keys;
    switch (random() % 4) {
        case 0:
            keys = {base + at};
            ret = tree.add(base + at);
            break;
        case 1:
            keys = keys_between(base + at, base + at + random() % 100);
            ret = khob_radix_add_run(tree.get(), keys.front(), keys.back());
            break;
        case 2: {
            const std::uint64_t nr = 1 + random() % 100;
            keys = keys_of_range(at, nr, 3);
            ret = khob_radix_add_range(tree.get(), at, nr, 3);
            break;
        }
        default: {
            KeySet some;
            for (int i = 0; i < 20; i++) {
                some.insert(base + at + random() % 200);
            }
            keys = listed(some);
            std::shuffle(keys.begin(), keys.end(), random);
            ret = khob_radix_add_batch(tree.get(), keys.data(), keys.size());
            break;
        }
    }
    EXPECT_TRUE(ret == 0 || ret == -EEXIST || ret == -ENOMEM) << ret;
    return ret == 0 ? keys : Keys();
}

// What overlaps cannot all be added: what was refused has left nothing, what was not is whole.
void add_overlapping(std::uint64_t fail_every) {
    for (std::uint64_t round = 0; round < 20 / less + 1; round++) {
        Tree tree(KHOB_RADIX_SHARED);
        std::array<Keys, threads> won;
        tree.memory().fail_every(fail_every);
        in_parallel([&](unsigned int number) {
            auto random = khob::test::seeded(round * threads + number);
            for (int i = 0; i < 200; i++) {
                const Keys keys = add_some(tree, random);
                won.at(number).insert(won.at(number).end(), keys.begin(), keys.end());
            }
        });
        tree.memory().fail_every(0);
        Keys all;
        for (const Keys& some : won) {
            all.insert(all.end(), some.begin(), some.end());
        }
        std::sort(all.begin(), all.end());
        // Nobody's keys are another one's as well, as keys() has each once.
        ASSERT_TRUE(tree.keys() == all) << round;
        ASSERT_EQ(tree.flaw(), "") << round;
        in_parallel([&](unsigned int number) {
            for (const std::uint64_t key : won.at(number)) {
                EXPECT_EQ(tree.del(key), 0);
            }
        });
        expect_only_the_root(tree);
    }
}

TEST(RadixOverlap, IsAddedWholeOrNotAtAll) {
    add_overlapping(0);
}

TEST(RadixOverlap, LeavesNothingWithoutMemory) {
    add_overlapping(2);
}

// Who finds all keys there deletes what is left of them; all threads together delete all.
TEST(RadixOverlap, RunsAreDeletedTogether) {
    for (int round = 0; round < 100 / less; round++) {
        Tree tree(KHOB_RADIX_SHARED);
        const std::uint64_t first = (one << 33U) - leaf - 1000;
        const std::uint64_t last = (one << 33U) + leaf + 1000;
        ASSERT_EQ(khob_radix_add_run(tree.get(), first, last), 0);
        std::atomic<int> deleted = 0;
        in_parallel([&](unsigned int /*number*/) {
            const int ret = khob_radix_del_run(tree.get(), first, last);
            EXPECT_TRUE(ret == 0 || ret == -ENOENT) << ret;
            deleted += ret == 0 ? 1 : 0;
        });
        EXPECT_GE(deleted, 1);
        expect_only_the_root(tree);
    }
}

/// Deletes keys of [first, last] in random order until `over`. Return: how many it got.
std::uint64_t del_until(Tree& tree, std::uint64_t first, std::uint64_t last, std::uint64_t seed,
                        const std::atomic<bool>& over) {
    auto random = khob::test::seeded(seed);
    std::uint64_t got = 0;
    while (!over) {
        got += tree.del(first + random() % (last - first + 1)) == 0 ? 1 : 0;
    }
    return got;
}

// A key in the way at the very end: what was set before it is taken back, unless another
// thread has deleted it meanwhile, and the counts tell the two apart.
TEST(RadixOverlap, WhatIsTakenBackMayBeDeletedMeanwhile) {
    struct Way {
        std::uint64_t first;
        std::uint64_t last;
    };
    // Within a leaf that stays, and over leaves that come and go.
    for (const Way& way : {Way{5 * leaf, 6 * leaf - 1}, Way{8 * leaf - 100, 10 * leaf + 100}}) {
        Tree tree(KHOB_RADIX_SHARED);
        ASSERT_EQ(tree.add(way.last), 0);
        std::atomic<bool> over = false;
        std::atomic<std::uint64_t> got = 0;
        in_parallel([&](unsigned int number) {
            if (number > 0) {
                got += del_until(tree, way.first, way.last - 1, number, over);
                return;
            }
            for (int i = 0; i < 4000 / less; i++) {
                EXPECT_EQ(khob_radix_add_run(tree.get(), way.first, way.last), -EEXIST);
            }
            over = true;
        });
        EXPECT_EQ(tree.keys(), Keys{way.last});
        EXPECT_EQ(tree.flaw(), "") << got;
        EXPECT_EQ(tree.del(way.last), 0);
        expect_only_the_root(tree);
    }
}

// The leaf that a batch is in may go while the batch is under way: its keys are deleted as
// fast as they are added, each once.
TEST(RadixOverlap, ABatchMayBeDeletedMeanwhile) {
    constexpr std::uint64_t first = (one << 24U) - 300;
    constexpr std::uint64_t last = (one << 24U) + 299;
    Tree tree(KHOB_RADIX_SHARED);
    std::atomic<bool> over = false;
    std::atomic<std::uint64_t> got = 0;
    std::atomic<std::uint64_t> added = 0;
    in_parallel([&](unsigned int number) {
        if (number > 0) {
            got += del_until(tree, first, last, number, over);
            return;
        }
        const Keys keys = keys_between(first, last);
        for (int i = 0; i < 3000 / less; i++) {
            EXPECT_EQ(khob_radix_add_batch(tree.get(), keys.data(), keys.size()), 0);
            added += keys.size();
            for (const std::uint64_t key : keys) {
                got += tree.del(key) == 0 ? 1 : 0;
            }
        }
        over = true;
    });
    EXPECT_EQ(added, got);
    expect_only_the_root(tree);
}

}  // namespace
