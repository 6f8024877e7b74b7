// SPDX-License-Identifier: GPL-2.0-only
// A shared tree under several threads that each own some of the keys, between the others'
// in the same words, leaves and tables: whatever the others do, each finds its own keys as
// if it were alone, and in the end every one is there and counted. Compiled a second time
// for ThreadSanitizer.
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdint>
#include <deque>

#include "core/radix_node.h"
#include "memory.hpp"
#include "model.hpp"
#include "threads.hpp"

namespace {

using khob::test::in_parallel;
using khob::test::Keys;
using khob::test::keys_between;
using khob::test::keys_of_range;
using khob::test::KeySet;
using khob::test::one;
using khob::test::Ranges;
using khob::test::threads;
using khob::test::Tree;

constexpr std::uint64_t leaf = KHOB_LEAF_BITS;
constexpr std::uint64_t order_0 = one << KHOB_ORDER_0_BIT;
// Shorter than a word and no divisor of one: words and leaves have several owners.
constexpr std::uint64_t block = 24;
// So many leaves that most are empty most of the time: they come and go.
constexpr std::uint64_t window_leaves = 10;
// Half of them under one table, half under the next.
constexpr std::uint64_t window = order_0 + (one << 33U) - window_leaves / 2 * leaf;
// Page ranges are elsewhere, in blocks of which orders above 0 are split between leaves.
constexpr std::uint64_t range_block = 1000;
constexpr std::uint64_t range_base = one << 27U;

/// What one thread does, and what it therefore expects.
class Owner {
  public:
    Owner(Tree& tree, unsigned int number)
        : tree_(*tree.get()), number_(number), random_(khob::test::seeded(number)) {}

    void operate() {
        switch (random_() % 16) {
            case 0:
            case 1:
            case 2: {
                const std::uint64_t key = own_key();
                return added(khob_radix_add(&tree_, key), {key});
            }
            case 3:
            case 4:
            case 5: {
                const std::uint64_t key = present_key();
                return deleted(khob_radix_del(&tree_, key), {key});
            }
            case 6: {
                const Keys keys = own_run();
                return added(khob_radix_add_run(&tree_, keys.front(), keys.back()), keys);
            }
            case 7: {
                const Keys keys = own_run();
                return deleted(khob_radix_del_run(&tree_, keys.front(), keys.back()), keys);
            }
            case 8:
                return batch();
            case 9:
                return range(true);
            case 10:
                return range(false);
            case 11:
                return large_run();
            case 12:
                return walk();
            case 13:
                return walk_ranges();
            default:
                return look_up();
        }
    }
    /// Deletes all that is left.
    void clear() {
        if (large_) {
            large_run();
        }
        while (!model_.empty()) {
            const std::uint64_t key = *model_.begin();
            deleted(khob_radix_del(&tree_, key), {key});
            if (testing::Test::HasFailure()) {
                return;
            }
        }
    }
    /// Adds what is there to a set.
    void tell(KeySet& all) const {
        all.insert(model_.begin(), model_.end());
        if (large_) {
            const Keys keys = keys_between(large_first(), large_last());
            all.insert(keys.begin(), keys.end());
        }
    }
    [[nodiscard]] std::uint64_t out_of_memory() const { return out_of_memory_; }

  private:
    [[nodiscard]] bool owns(std::uint64_t key) const { return key / block % threads == number_; }
    /// The first key of one of its blocks.
    std::uint64_t own_block() {
        const std::uint64_t first = window / block / threads + 1;
        const std::uint64_t count = window_leaves * leaf / block / threads - 2;
        return ((first + random_() % count) * threads + number_) * block;
    }
    std::uint64_t own_key() { return own_block() + random_() % block; }
    std::uint64_t present_key() {
        const std::uint64_t key = own_key();
        const auto present = model_.lower_bound(key);
        return present != model_.end() && random_() % 8 != 0 ? *present : key;
    }
    Keys own_run() {
        const std::uint64_t key = present_key();
        // Only in the window do keys have their block's owner.
        const std::uint64_t start = owns(key) && key >= window ? key / block * block : own_block();
        const std::uint64_t first = random_() % block;
        return keys_between(start + first, start + first + random_() % (block - first));
    }
    [[nodiscard]] std::uint64_t large_first() const {
        return order_0 + (one << 20U) + number_ * (3 * leaf + 100);
    }
    [[nodiscard]] std::uint64_t large_last() const { return large_first() + 3 * leaf + 99; }

    void added(int ret, const Keys& keys) {
        const bool any = khob::test::any_in(model_, keys);
        if (ret == -ENOMEM) {
            // Told first or not at all, depending on which leaf is missing.
            out_of_memory_++;
            return;
        }
        EXPECT_EQ(ret, any ? -EEXIST : 0);
        if (!any) {
            model_.insert(keys.begin(), keys.end());
        }
    }
    void deleted(int ret, const Keys& keys) {
        const bool all = khob::test::all_in(model_, keys);
        EXPECT_EQ(ret, all ? 0 : -ENOENT);
        if (all) {
            khob::test::erase(model_, keys);
        }
    }
    void batch() {
        KeySet keys;
        for (std::uint64_t i = random_() % (random_() % 8 == 0 ? 300 : 6); i > 0; i--) {
            keys.insert(own_key());
        }
        Keys list = khob::test::listed(keys);
        std::shuffle(list.begin(), list.end(), random_);
        added(khob_radix_add_batch(&tree_, list.data(), list.size()), list);
    }
    std::pair<std::uint64_t, std::uint64_t> own_pages() {
        const std::uint64_t first = range_base + (random_() % 64 * threads + number_) * range_block;
        const std::uint64_t skip = random_() % 4 * (range_block / 4);
        return {first + skip, 1 + random_() % (range_block - skip)};
    }
    void range(bool add) {
        const auto [pfn, nr] = own_pages();
        if (add) {
            ranges_.emplace_back(pfn, nr);
            const Keys keys = keys_of_range(pfn, nr, 9);
            added(khob_radix_add_range(&tree_, pfn, nr, 9), keys);
        } else if (!ranges_.empty()) {
            const auto [old_pfn, old_nr] = ranges_.front();
            ranges_.pop_front();
            deleted(khob_radix_del_range(&tree_, old_pfn, old_nr, 9),
                    keys_of_range(old_pfn, old_nr, 9));
        }
    }
    /// Several leaves at once; too many keys to hold each in a set.
    void large_run() {
        if (large_) {
            EXPECT_EQ(khob_radix_add_run(&tree_, large_last(), large_last() + 1), -EEXIST);
            EXPECT_EQ(khob_radix_del_run(&tree_, large_first(), large_last()), 0);
            large_ = false;
        } else {
            const int ret = khob_radix_add_run(&tree_, large_first(), large_last());
            EXPECT_TRUE(ret == 0 || ret == -ENOMEM) << ret;
            out_of_memory_ += ret == -ENOMEM ? 1 : 0;
            large_ = ret == 0;
        }
    }
    void look_up() {
        const std::uint64_t key = present_key();
        EXPECT_EQ(khob_radix_has(&tree_, key), model_.contains(key));
        std::uint64_t first = 0;
        std::uint64_t last = 0;
        const auto present = model_.lower_bound(key);
        const bool found = khob_radix_next_run(&tree_, key, &first, &last);
        if (present != model_.end()) {
            // Others' keys may come before its own, nothing else.
            EXPECT_TRUE(found);
            EXPECT_GE(first, key);
            EXPECT_LE(first, *present);
            EXPECT_GE(last, first);
        }
    }
    void walk() {
        struct State {
            const Owner* owner;
            Keys seen;
            std::uint64_t last;
        } state{this, {}, 0};
        const auto collect = [](void* ctx, std::uint64_t key) {
            auto& s = *static_cast<State*>(ctx);
            EXPECT_GT(key, s.last);
            s.last = key;
            if (s.owner->owns(key)) {
                s.seen.push_back(key);
            }
            return 0;
        };
        const std::uint64_t from = own_key();
        const std::uint64_t to = from + leaf * (1 + random_() % 3);
        const std::uint64_t end = std::min(to, window + window_leaves * leaf - 1);
        EXPECT_EQ(khob_radix_walk(&tree_, from, end, collect, &state), 0);
        EXPECT_EQ(state.seen, Keys(model_.lower_bound(from), model_.upper_bound(end)));
    }
    /// In a block of pages that is its own it finds its own, whatever else is in those leaves.
    void walk_ranges() {
        const auto [pfn, nr] = own_pages();
        KeySet keys;
        Ranges seen;
        const auto collect = [](void* ctx, std::uint64_t at, std::uint64_t pages) {
            static_cast<Ranges*>(ctx)->emplace_back(at, pages);
            return 0;
        };
        khob_range_iter it{};
        khob_range_iter_init(&it, &tree_, pfn);
        EXPECT_EQ(khob_radix_walk_ranges(&it, pfn + nr, collect, &seen), 0);
        // Of a tree that changes, ranges may touch: one was seen when it ended there.
        EXPECT_EQ(joined(seen), khob::test::cut(khob::test::merged(model_), pfn, pfn + nr));
    }
    static Ranges joined(const Ranges& ranges) {
        Ranges all;
        for (const auto& [pfn, nr] : ranges) {
            if (!all.empty() && all.back().first + all.back().second == pfn) {
                all.back().second += nr;
            } else {
                EXPECT_TRUE(all.empty() || all.back().first + all.back().second < pfn);
                all.emplace_back(pfn, nr);
            }
        }
        return all;
    }

    khob_radix& tree_;
    unsigned int number_;
    std::mt19937_64 random_;
    KeySet model_;
    std::deque<std::pair<std::uint64_t, std::uint64_t>> ranges_;
    bool large_ = false;
    std::uint64_t out_of_memory_ = 0;
};

void own(std::uint64_t fail_every, int operations) {
    Tree tree(KHOB_RADIX_SHARED);
    std::vector<Owner> owners;
    for (unsigned int number = 0; number < threads; number++) {
        owners.emplace_back(tree, number);
    }
    tree.memory().fail_every(fail_every);
    in_parallel([&](unsigned int number) {
        for (int i = 0; i < operations && !testing::Test::HasFailure(); i++) {
            owners.at(number).operate();
        }
    });
    tree.memory().fail_every(0);
    KeySet all;
    std::uint64_t failures = 0;
    for (const Owner& owner : owners) {
        owner.tell(all);
        failures += owner.out_of_memory();
    }
    EXPECT_EQ(failures > 0, fail_every != 0);
    EXPECT_EQ(failures > 0, tree.memory().failures() > 0);
    ASSERT_EQ(tree.flaw(), "");
    ASSERT_TRUE(tree.keys() == khob::test::listed(all));
    ASSERT_EQ(tree->nr_nodes, khob::test::expected_nodes(all));
    in_parallel([&](unsigned int number) { owners.at(number).clear(); });
    EXPECT_EQ(tree.flaw(), "");
    EXPECT_EQ(tree->nr_nodes, 1U);
    EXPECT_EQ(tree.memory().live(), 1U);
    EXPECT_EQ(*khob_node_used(tree->root) / KHOB_USED_ONE, 0U);
}

TEST(RadixShared, EachThreadFindsItsOwnKeys) {
    own(0, 8000 / khob::test::less);
}

TEST(RadixShared, EachThreadIsOutOfMemoryAlone) {
    own(3, 8000 / khob::test::less);
}

}  // namespace
