// SPDX-License-Identifier: GPL-2.0-only
// Key coding against vectors that abi-gen computed from the schema.
#include <gtest/gtest.h>

#include <array>
#include <cerrno>
#include <cstdint>

#include "core/radix.h"
#include "memory.hpp"

namespace {

struct Vector {
    std::uint64_t pa;
    unsigned int order;
    std::uint64_t key;
    std::array<unsigned int, KHOB_TREE_DEPTH> index;  // the leaf first
};

constexpr auto vectors = std::to_array<Vector>({
#include "vectors.inc"
});

TEST(Key, MatchesTheSchema) {
    for (const Vector& v : vectors) {
        std::uint64_t key = 0;
        ASSERT_EQ(khob_key_encode(v.pa, v.order, &key), 0) << std::hex << v.pa << " " << v.order;
        EXPECT_EQ(key, v.key);
        std::uint64_t pa = 1;
        unsigned int order = ~0U;
        ASSERT_EQ(khob_key_decode(v.key, &pa, &order), 0) << std::hex << v.key;
        EXPECT_EQ(pa, v.pa);
        EXPECT_EQ(order, v.order);
        for (unsigned int level = 0; level < KHOB_TREE_DEPTH; level++) {
            EXPECT_EQ(khob_key_index(v.key, level), v.index.at(level)) << std::hex << v.key;
        }
    }
    EXPECT_GE(vectors.size(), 100U);
}

TEST(Key, RoundTrips) {
    auto random = khob::test::seeded(1);
    for (unsigned int order = 0; order <= KHOB_ORDER_MAX; order++) {
        for (int i = 0; i < 1000; i++) {
            const unsigned int shift = KHOB_PAGE_SHIFT + order;
            const std::uint64_t page = shift < 64 ? random() >> shift << shift : 0;
            std::uint64_t key = 0;
            std::uint64_t pa = 0;
            unsigned int found = 0;
            ASSERT_EQ(khob_key_encode(page, order, &key), 0);
            EXPECT_EQ(key >> KHOB_KEY_WIDTH, 0U);
            ASSERT_EQ(khob_key_decode(key, &pa, &found), 0);
            EXPECT_EQ(pa, page);
            EXPECT_EQ(found, order);
        }
    }
}

TEST(Key, SortsByOrderThenAddress) {
    std::uint64_t low = 0;
    std::uint64_t high = 0;
    ASSERT_EQ(khob_key_encode(~std::uint64_t{0} << 13U, 1, &low), 0);
    ASSERT_EQ(khob_key_encode(0, 0, &high), 0);
    EXPECT_LT(low, high);
    ASSERT_EQ(khob_key_encode(0x1000, 0, &low), 0);
    EXPECT_EQ(high + 1, low);
}

TEST(Key, RefusesWhatIsNoPage) {
    std::uint64_t key = 42;
    EXPECT_EQ(khob_key_encode(0, KHOB_ORDER_MAX + 1, &key), -EINVAL);
    EXPECT_EQ(khob_key_encode(0, ~0U, &key), -EINVAL);
    EXPECT_EQ(khob_key_encode(1, 0, &key), -EINVAL);
    EXPECT_EQ(khob_key_encode(std::uint64_t{1} << 63U, KHOB_ORDER_MAX, &key), -EINVAL);
    for (unsigned int order = 0; order <= KHOB_ORDER_MAX; order++) {
        const std::uint64_t half = std::uint64_t{1} << (KHOB_PAGE_SHIFT + order - 1);
        EXPECT_EQ(khob_key_encode(half, order, &key), -EINVAL) << order;
    }
    EXPECT_EQ(key, 42U);
}

TEST(Key, RefusesWhatIsNoKey) {
    std::uint64_t pa = 42;
    unsigned int order = 42;
    EXPECT_EQ(khob_key_decode(0, &pa, &order), -EINVAL);
    for (unsigned int bit = KHOB_KEY_WIDTH; bit < 64; bit++) {
        EXPECT_EQ(khob_key_decode(std::uint64_t{1} << bit, &pa, &order), -EINVAL);
        EXPECT_EQ(khob_key_decode(std::uint64_t{1} << bit | 1, &pa, &order), -EINVAL);
    }
    EXPECT_EQ(pa, 42U);
    EXPECT_EQ(order, 42U);
}

TEST(Key, IndexOfALevelThatIsNone) {
    EXPECT_EQ(khob_key_index(~std::uint64_t{0}, KHOB_TREE_DEPTH), 0U);
    EXPECT_EQ(khob_key_index(~std::uint64_t{0}, ~0U), 0U);
}

}  // namespace
