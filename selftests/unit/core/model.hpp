// SPDX-License-Identifier: GPL-2.0-only
// What the tests hold a tree against: sets of keys, and ranges by brute force.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <set>
#include <utility>
#include <vector>

#include "core/range.h"
#include "memory.hpp"

namespace khob::test {

using Keys = std::vector<std::uint64_t>;
using KeySet = std::set<std::uint64_t>;
/// A page frame number and a number of pages.
using Ranges = std::vector<std::pair<std::uint64_t, std::uint64_t>>;

inline constexpr std::uint64_t one = 1;

inline Keys listed(const KeySet& keys) {
    return {keys.begin(), keys.end()};
}

/// Every key of [first, last].
inline Keys keys_between(std::uint64_t first, std::uint64_t last) {
    Keys all;
    for (std::uint64_t key = first; key <= last; key++) {
        all.push_back(key);
    }
    return all;
}

inline bool any_in(const KeySet& set, const Keys& keys) {
    return std::any_of(keys.begin(), keys.end(),
                       [&](std::uint64_t key) { return set.contains(key); });
}

inline bool all_in(const KeySet& set, const Keys& keys) {
    return std::all_of(keys.begin(), keys.end(),
                       [&](std::uint64_t key) { return set.contains(key); });
}

inline void erase(KeySet& set, const Keys& keys) {
    for (const std::uint64_t key : keys) {
        set.erase(key);
    }
}

/// Adds or deletes `keys` by one call that does all of it or nothing, in the tree and in the model.
template <typename Call>
void all_or_nothing(Tree& tree, KeySet& model, const Keys& keys, bool add, Call call) {
    const bool good = add ? !any_in(model, keys) : all_in(model, keys);
    // A copy of all nodes is dear, and only a refusal must leave them as they were.
    const State before = good ? State{} : tree.state();
    const int ret = call();
    if (!good) {
        ASSERT_EQ(ret, add ? -EEXIST : -ENOENT);
        ASSERT_TRUE(tree.state() == before);
        return;
    }
    ASSERT_EQ(ret, 0);
    if (add) {
        model.insert(keys.begin(), keys.end());
    } else {
        erase(model, keys);
    }
}

/// The keys of a range, one piece after the other; none if it is no range.
inline Keys keys_of_range(std::uint64_t pfn, std::uint64_t nr, unsigned int max_order) {
    Keys all;
    const auto piece = [](void* ctx, std::uint64_t pa, unsigned int order) {
        static_cast<Keys*>(ctx)->push_back(key_of(pa, order));
        return 0;
    };
    khob_range_split(pfn, nr, max_order, piece, &all);
    return all;
}

/// Ranges of pages, as the keys have them, that touch or overlap are one.
inline Ranges merged(const KeySet& keys) {
    Ranges pieces;
    for (const std::uint64_t key : keys) {
        std::uint64_t pa = 0;
        unsigned int order = 0;
        if (khob_key_decode(key, &pa, &order) == 0) {
            pieces.emplace_back(pa >> KHOB_PAGE_SHIFT, one << order);
        }
    }
    std::sort(pieces.begin(), pieces.end());
    Ranges all;
    for (const auto& [pfn, nr] : pieces) {
        if (all.empty() || pfn > all.back().first + all.back().second) {
            all.emplace_back(pfn, nr);
        } else {
            all.back().second = std::max(all.back().second, pfn + nr - all.back().first);
        }
    }
    return all;
}

/// The first of the ranges, cut to [from, end); no pages if there is none.
inline std::pair<std::uint64_t, std::uint64_t> first_in(const Ranges& ranges, std::uint64_t from,
                                                        std::uint64_t end) {
    for (const auto& [pfn, nr] : ranges) {
        const std::uint64_t start = std::max(pfn, from);
        const std::uint64_t stop = std::min(pfn + nr, end);
        if (start < stop) {
            return {start, stop - start};
        }
    }
    return {0, 0};
}

/// All of the ranges, cut to [from, end).
inline Ranges cut(const Ranges& ranges, std::uint64_t from, std::uint64_t end) {
    Ranges all;
    for (;;) {
        const auto [pfn, nr] = first_in(ranges, from, end);
        if (nr == 0) {
            return all;
        }
        all.emplace_back(pfn, nr);
        from = pfn + nr;
    }
}

/// Where nodes of each level meet, where orders do, and the ends of it all.
inline Keys borders() {
    Keys all = {1,          KHOB_LEAF_BITS, 5 * one * KHOB_LEAF_BITS, one << 24U, one << 33U,
                one << 42U, one << 51U};
    for (unsigned int bit = 0; bit <= KHOB_ORDER_0_BIT; bit++) {
        all.push_back(one << bit);
    }
    all.push_back((one << KHOB_ORDER_0_BIT) + KHOB_LEAF_BITS);
    all.push_back((one << KHOB_ORDER_0_BIT) + (one << 24U));
    all.push_back(key_max);
    return all;
}

/// A key close to a border.
template <typename Random>
std::uint64_t near_border(Random& random, std::uint64_t reach) {
    static const Keys all = borders();
    const std::uint64_t border = all[random() % all.size()];
    const std::uint64_t low = border > reach ? border - reach : 1;
    const std::uint64_t high = border + reach < key_max ? border + reach : key_max;
    return low + random() % (high - low + 1);
}

}  // namespace khob::test
