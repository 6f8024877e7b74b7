// SPDX-License-Identifier: GPL-2.0-only
// Sets of small numbers: 64 at once, at every place in a word, against a vector of bools.
#include "core/bits.h"

#include <gtest/gtest.h>

#include <array>
#include <cstdint>

#include "memory.hpp"

namespace {

constexpr unsigned int size = 256;
using Words = std::array<__u64, size / 64>;

bool is_set(const Words& words, std::uint64_t i) {
    return (words.at(i / 64) >> (i % 64) & 1) != 0;
}

TEST(Bits, SixtyFourAtOnceAreThoseOneByOne) {
    auto random = khob::test::seeded(1);
    for (unsigned int i = 0; i + 64 <= size; i++) {
        const std::uint64_t half = random();
        Words words = {random(), half & random(), 0, random()};
        const Words before = words;
        const std::uint64_t got = khob_bits_get64(words.data(), i);
        const std::uint64_t more = random();
        khob_bits_or64(words.data(), i, more);
        for (unsigned int bit = 0; bit < size; bit++) {
            const bool in = bit >= i && bit < i + 64;
            const bool was = is_set(before, bit);
            if (in) {
                EXPECT_EQ((got >> (bit - i) & 1) != 0, was) << i << " " << bit;
            }
            EXPECT_EQ(is_set(words, bit), was || (in && (more >> (bit - i) & 1) != 0))
                << i << " " << bit;
        }
    }
}

TEST(Bits, OneIsDroppedAlone) {
    for (unsigned int i = 0; i < size; i++) {
        Words words = {~0ULL, ~0ULL, ~0ULL, ~0ULL};
        khob_bits_drop(words.data(), i);
        for (unsigned int bit = 0; bit < size; bit++) {
            EXPECT_EQ(is_set(words, bit), bit != i);
        }
    }
}

}  // namespace
