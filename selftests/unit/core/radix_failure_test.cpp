// SPDX-License-Identifier: GPL-2.0-only
// Memory that runs out at every single allocation of a call in turn: each time the tree is
// what it was, to the byte, and at last the call succeeds.
#include <gtest/gtest.h>

#include <cerrno>
#include <cstdint>
#include <functional>

#include "memory.hpp"
#include "model.hpp"

namespace {

using khob::test::Keys;
using khob::test::keys_between;
using khob::test::keys_of_range;
using khob::test::KeySet;
using khob::test::listed;
using khob::test::Memory;
using khob::test::one;
using khob::test::State;
using khob::test::Tree;
constexpr std::uint64_t key_max = khob::test::key_max;
constexpr std::uint64_t leaf = KHOB_LEAF_BITS;

/// Something that adds keys, all or none.
struct Call {
    std::function<int(khob_radix*)> add;
    Keys keys;
};

Call one_key(std::uint64_t key) {
    return {[=](khob_radix* r) { return khob_radix_add(r, key); }, {key}};
}

Call run(std::uint64_t first, std::uint64_t last) {
    return {[=](khob_radix* r) { return khob_radix_add_run(r, first, last); },
            keys_between(first, last)};
}

Call range(std::uint64_t pfn, std::uint64_t nr, unsigned int max_order) {
    return {[=](khob_radix* r) { return khob_radix_add_range(r, pfn, nr, max_order); },
            keys_of_range(pfn, nr, max_order)};
}

Call batch(const Keys& keys) {
    return {[=](khob_radix* r) { return khob_radix_add_batch(r, keys.data(), keys.size()); }, keys};
}

Keys scattered() {
    auto random = khob::test::seeded(71);
    KeySet keys;
    while (keys.size() < 40) {
        keys.insert(1 + random() % key_max);
    }
    return listed(keys);
}

/// Keys that share leaves, in an order in which the leaves alternate.
Keys alternating() {
    Keys keys;
    for (std::uint64_t i = 0; i < 300; i++) {
        keys.push_back((one << 40U) + i % 7 * 3 * leaf + i);
    }
    return keys;
}

std::vector<Call> calls() {
    return {
        one_key(1),
        one_key(key_max),
        one_key(one << KHOB_ORDER_0_BIT),
        run(5, 5),
        run(leaf - 10, 3 * leaf + 10),
        // The nodes of every level but the root's are two.
        run((one << 51U) - leaf - 1, (one << 51U) + leaf),
        run(key_max - 2 * leaf, key_max),
        range(0, KHOB_PFN_END, KHOB_ORDER_MAX - 17),
        range(1, KHOB_PFN_END - 2, KHOB_ORDER_MAX),
        range(3, 3 * leaf, 0),
        range(leaf * 100 - 3, 4 * leaf, 5),
        range((one << 33U) - 12345, 54321, 9),
        batch({7, 8, 9}),
        batch(scattered()),
        batch(alternating()),
    };
}

/// Makes a call with ever more memory. Return: how many nodes it had to have.
std::uint64_t fail_everywhere(Tree& tree, const Call& call) {
    const State before = tree.state();
    for (std::uint64_t allowed = 0;; allowed++) {
        tree.memory().allow(allowed);
        const int ret = call.add(tree.get());
        if (ret == 0) {
            tree.memory().allow(Memory::never);
            return allowed;
        }
        EXPECT_EQ(ret, -ENOMEM);
        EXPECT_TRUE(tree.state() == before) << allowed;
        EXPECT_EQ(tree.flaw(), "") << allowed;
        if (testing::Test::HasFailure()) {
            return 0;
        }
    }
}

class RadixFailure : public testing::TestWithParam<unsigned int> {
  protected:
    static void fail_every_call(const KeySet& there) {
        int number = 0;
        for (const Call& call : calls()) {
            Tree tree(GetParam());
            for (const std::uint64_t key : there) {
                ASSERT_EQ(tree.add(key), 0);
            }
            KeySet model = there;
            model.insert(call.keys.begin(), call.keys.end());
            const std::uint64_t more =
                khob::test::expected_nodes(model) - khob::test::expected_nodes(there);
            const State before = tree.state();
            // It needs no more than the nodes that it leaves: none is allocated in vain.
            ASSERT_EQ(fail_everywhere(tree, call), more) << number;
            ASSERT_EQ(tree.keys(), listed(model)) << number;
            ASSERT_EQ(tree.flaw(), "") << number;
            for (const std::uint64_t key : call.keys) {
                ASSERT_EQ(tree.del(key), 0) << number;
            }
            ASSERT_EQ(tree.state().digest, before.digest) << number;
            number++;
        }
    }
};

TEST_P(RadixFailure, InAnEmptyTree) {
    fail_every_call({});
}

// Paths that the calls share with what is there, to a different depth each.
TEST_P(RadixFailure, AmongOtherKeys) {
    fail_every_call({2, 11 * leaf, leaf + (one << 24U), (one << 40U) + 100000,
                     (one << KHOB_ORDER_0_BIT) + 2 * leaf + 3 * leaf * 2,
                     (one << KHOB_ORDER_0_BIT) + (one << 33U) - 12346, key_max - 3 * leaf});
}

// A key in the way is told even if there is no memory for those before it, or not at all.
TEST_P(RadixFailure, AndAKeyInTheWay) {
    int number = 0;
    for (const Call& call : calls()) {
        Tree tree(GetParam());
        ASSERT_EQ(tree.add(call.keys.back()), 0);
        const State before = tree.state();
        for (std::uint64_t allowed = 0; allowed < 40; allowed++) {
            tree.memory().allow(allowed);
            const int ret = call.add(tree.get());
            ASSERT_TRUE(ret == -ENOMEM || ret == -EEXIST) << number << " " << ret;
            ASSERT_TRUE(tree.state() == before) << number << " " << allowed;
        }
        tree.memory().allow(Memory::never);
        ASSERT_EQ(call.add(tree.get()), -EEXIST) << number;
        ASSERT_TRUE(tree.state() == before) << number;
        number++;
    }
}

INSTANTIATE_TEST_SUITE_P(Kinds, RadixFailure, testing::Values(0U, unsigned{KHOB_RADIX_SHARED}));

}  // namespace
