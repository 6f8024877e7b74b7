// SPDX-License-Identifier: GPL-2.0-only
// Reading a tree as ranges, against a merge of its keys by brute force: bounded, begun and
// gone on with anywhere, and while the tree changes.
#include <gtest/gtest.h>

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <functional>

#include "memory.hpp"
#include "model.hpp"

namespace {

using khob::test::key_of;
using khob::test::KeySet;
using khob::test::one;
using khob::test::Ranges;
using khob::test::Tree;

using Callback = std::function<int(std::uint64_t pfn, std::uint64_t nr)>;

int walk(khob_range_iter& it, std::uint64_t end, Callback fn) {
    const auto call = [](void* ctx, std::uint64_t pfn, std::uint64_t nr) {
        return (*static_cast<Callback*>(ctx))(pfn, nr);
    };
    return khob_radix_walk_ranges(&it, end, call, &fn);
}

Ranges walked(Tree& tree, std::uint64_t from, std::uint64_t end) {
    Ranges all;
    khob_range_iter it{};
    khob_range_iter_init(&it, tree.get(), from);
    EXPECT_EQ(walk(it, end,
                   [&](std::uint64_t pfn, std::uint64_t nr) {
                       all.emplace_back(pfn, nr);
                       return 0;
                   }),
              0);
    return all;
}

/// A window of pages at some place of the physical space, and random pages in it.
class Window {
  public:
    Window(std::uint64_t seed, std::uint64_t base, std::uint64_t pages)
        : random_(seed), base_(base), pages_(pages) {}

    std::uint64_t pfn() { return base_ + random_() % pages_; }
    std::uint64_t key() {
        const unsigned int order = random_() % (1 + random_() % 9);
        return key_of(pfn() >> order << order << KHOB_PAGE_SHIFT, order);
    }
    void fill(Tree& tree, KeySet& model, std::uint64_t keys) {
        for (; keys > 0; keys--) {
            const std::uint64_t next = key();
            ASSERT_EQ(tree.add(next), model.insert(next).second ? 0 : -EEXIST);
        }
    }
    std::uint64_t random(std::uint64_t below) { return random_() % below; }

  private:
    std::mt19937_64 random_;
    std::uint64_t base_;
    std::uint64_t pages_;
};

class RangeWalk : public testing::TestWithParam<unsigned int> {
  protected:
    /// Low, across the border of two leaves and of two tables, and up to the very end.
    static constexpr std::array<std::uint64_t, 4> bases = {
        0, KHOB_LEAF_BITS - 512, (std::uint64_t{1} << 33U) - 512, KHOB_PFN_END - 1024};
};

TEST_P(RangeWalk, IsCutAtItsBounds) {
    for (std::uint64_t round = 0; round < 200; round++) {
        Window window(round, bases.at(round % bases.size()), 1024);
        Tree tree(GetParam());
        KeySet model;
        ASSERT_NO_FATAL_FAILURE(window.fill(tree, model, window.random(150)));
        const Ranges all = khob::test::merged(model);
        for (int i = 0; i < 20; i++) {
            const std::uint64_t from = window.pfn();
            const std::uint64_t end = window.pfn() + 1;
            ASSERT_EQ(walked(tree, from, end), khob::test::cut(all, from, end))
                << round << " " << from << " " << end;
        }
        ASSERT_EQ(walked(tree, 0, KHOB_PFN_END), all);
    }
}

TEST_P(RangeWalk, GoesOnWhereItWasCut) {
    for (std::uint64_t round = 0; round < 200; round++) {
        Window window(1000 + round, bases.at(round % bases.size()), 1024);
        Tree tree(GetParam());
        KeySet model;
        ASSERT_NO_FATAL_FAILURE(window.fill(tree, model, window.random(150)));
        const Ranges all = khob::test::merged(model);
        khob_range_iter it{};
        khob_range_iter_init(&it, tree.get(), 0);
        std::uint64_t from = 0;
        Ranges seen;
        Ranges expected;
        while (from < KHOB_PFN_END) {
            const std::uint64_t end =
                window.random(40) == 0 ? KHOB_PFN_END : std::max(from, window.pfn()) + 1;
            ASSERT_EQ(walk(it, end,
                           [&](std::uint64_t pfn, std::uint64_t nr) {
                               seen.emplace_back(pfn, nr);
                               return 0;
                           }),
                      0);
            const Ranges part = khob::test::cut(all, from, end);
            expected.insert(expected.end(), part.begin(), part.end());
            from = end;
        }
        ASSERT_EQ(seen, expected) << round;
    }
}

// What is added behind the end, before the walk goes on, belongs to what is still to come.
TEST_P(RangeWalk, SeesWhatIsAddedBetweenTwoParts) {
    Tree tree(GetParam());
    tree.add_page(0x10000, 0);
    tree.add_page(0x100000, 0);
    khob_range_iter it{};
    khob_range_iter_init(&it, tree.get(), 0);
    Ranges seen;
    const Callback collect = [&](std::uint64_t pfn, std::uint64_t nr) {
        seen.emplace_back(pfn, nr);
        return 0;
    };
    ASSERT_EQ(walk(it, 0x20, collect), 0);
    EXPECT_EQ(seen, (Ranges{{0x10, 1}}));
    tree.add_page(0x20000, 0);
    tree.add_page(0x40000, 1);
    ASSERT_EQ(walk(it, KHOB_PFN_END, collect), 0);
    EXPECT_EQ(seen, (Ranges{{0x10, 1}, {0x20, 1}, {0x40, 2}, {0x100, 1}}));
}

TEST_P(RangeWalk, EndsWithWhatItsCallbackReturns) {
    Tree tree(GetParam());
    for (std::uint64_t pfn = 0; pfn < 20; pfn += 2) {
        tree.add_page(pfn << KHOB_PAGE_SHIFT, 0);
    }
    khob_range_iter it{};
    khob_range_iter_init(&it, tree.get(), 0);
    Ranges seen;
    const Callback until_4 = [&](std::uint64_t pfn, std::uint64_t nr) {
        seen.emplace_back(pfn, nr);
        return pfn == 4 ? -EINTR : 0;
    };
    EXPECT_EQ(walk(it, KHOB_PFN_END, until_4), -EINTR);
    EXPECT_EQ(seen, (Ranges{{0, 1}, {2, 1}, {4, 1}}));
    // It goes on behind the range that it was left at.
    EXPECT_EQ(walk(it, 9, until_4), 0);
    EXPECT_EQ(seen, (Ranges{{0, 1}, {2, 1}, {4, 1}, {6, 1}, {8, 1}}));
}

/// Changes tree and model alike, somewhere in the window.
void change(Window& window, Tree& tree, KeySet& model) {
    const std::uint64_t key = window.key();
    const auto present = model.lower_bound(key);
    const std::uint64_t gone = present == model.end() ? key : *present;
    if (window.random(2) == 0) {
        ASSERT_EQ(tree.add(key), model.insert(key).second ? 0 : -EEXIST);
    } else {
        ASSERT_EQ(tree.del(gone), model.erase(gone) != 0 ? 0 : -ENOENT);
    }
}

TEST_P(RangeWalk, ReadsAnewWhatItsCallbackChanges) {
    for (std::uint64_t round = 0; round < 300; round++) {
        Window window(2000 + round, bases.at(round % bases.size()), 1024);
        Tree tree(GetParam());
        KeySet model;
        ASSERT_NO_FATAL_FAILURE(window.fill(tree, model, window.random(150)));
        const std::uint64_t end = round % 2 == 0 ? KHOB_PFN_END : window.pfn();
        std::uint64_t from = round % 3 == 0 ? 0 : window.pfn();
        khob_range_iter it{};
        khob_range_iter_init(&it, tree.get(), from);
        const Callback check = [&](std::uint64_t pfn, std::uint64_t nr) {
            EXPECT_EQ(std::pair(pfn, nr),
                      khob::test::first_in(khob::test::merged(model), from, end));
            from = pfn + nr;
            for (std::uint64_t i = window.random(4); i > 0; i--) {
                change(window, tree, model);
            }
            return testing::Test::HasFailure() ? -EINTR : 0;
        };
        ASSERT_EQ(walk(it, end, check), 0) << round;
        ASSERT_EQ(khob::test::first_in(khob::test::merged(model), from, end).second, 0U) << round;
    }
}

TEST_P(RangeWalk, IteratorReadsAnewWhatChanges) {
    for (std::uint64_t round = 0; round < 300; round++) {
        Window window(3000 + round, bases.at(round % bases.size()), 1024);
        Tree tree(GetParam());
        KeySet model;
        ASSERT_NO_FATAL_FAILURE(window.fill(tree, model, window.random(150)));
        std::uint64_t from = window.pfn();
        khob_range_iter it{};
        khob_range_iter_init(&it, tree.get(), from);
        for (bool more = true; more;) {
            std::uint64_t pfn = 0;
            std::uint64_t nr = 0;
            more = khob_range_iter_next(&it, &pfn, &nr);
            const auto expected =
                khob::test::first_in(khob::test::merged(model), from, KHOB_PFN_END);
            ASSERT_EQ(more, expected.second != 0) << round;
            if (more) {
                ASSERT_EQ(std::pair(pfn, nr), expected) << round;
            }
            from = pfn + nr;
            // Mostly it changes nothing, so that cursors that were set before are used.
            if (window.random(3) == 0) {
                ASSERT_NO_FATAL_FAILURE(change(window, tree, model));
            }
        }
    }
}

// A callback that frees what it is shown, the whole way: the tree shrinks below the walk.
TEST_P(RangeWalk, MayDeleteEverythingThatItIsShown) {
    Tree tree(GetParam());
    Ranges added;
    for (std::uint64_t i = 0; i < 300; i++) {
        added.emplace_back(i * 5 * KHOB_LEAF_BITS / 4 + i, 1 + i * 37 % 3000);
        ASSERT_EQ(khob_radix_add_range(tree.get(), added.back().first, added.back().second, 9), 0);
    }
    Ranges seen;
    khob_range_iter it{};
    khob_range_iter_init(&it, tree.get(), 0);
    ASSERT_EQ(walk(it, KHOB_PFN_END,
                   [&](std::uint64_t pfn, std::uint64_t nr) {
                       seen.emplace_back(pfn, nr);
                       return khob_radix_del_range(tree.get(), pfn, nr, 9);
                   }),
              0);
    EXPECT_EQ(seen, added);
    EXPECT_EQ(tree.memory().live(), 1U);
    EXPECT_EQ(tree.flaw(), "");
}

// A page of every order, each touching the one before: one range that all cursors are in.
TEST_P(RangeWalk, MergesEveryOrder) {
    Tree tree(GetParam());
    std::uint64_t end = 1;
    for (unsigned int order = 0; order < KHOB_ORDER_MAX; order++) {
        tree.add_page(end << KHOB_PAGE_SHIFT, order);
        end += one << order;
    }
    EXPECT_EQ(end, KHOB_PFN_END);
    EXPECT_EQ(walked(tree, 0, KHOB_PFN_END), (Ranges{{1, KHOB_PFN_END - 1}}));
    EXPECT_EQ(walked(tree, 77, KHOB_PFN_END - 5), (Ranges{{77, KHOB_PFN_END - 82}}));
    EXPECT_TRUE(walked(tree, 5, 5).empty());
    EXPECT_TRUE(walked(tree, 9, 5).empty());
    EXPECT_TRUE(walked(tree, KHOB_PFN_END, KHOB_PFN_END).empty());
    EXPECT_TRUE(walked(tree, ~std::uint64_t{0}, ~std::uint64_t{0}).empty());
}

INSTANTIATE_TEST_SUITE_P(Kinds, RangeWalk, testing::Values(0U, unsigned{KHOB_RADIX_SHARED}));

}  // namespace
