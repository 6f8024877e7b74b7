// SPDX-License-Identifier: GPL-2.0-only
// Text into numbers, keys and ranges; ranges merged; sizes for people.
#include "base/numbers.hpp"

#include <gtest/gtest.h>

namespace khob {
namespace {

TEST(Numbers, AllOrNothing) {
    EXPECT_EQ(parse_u64("0"), 0);
    EXPECT_EQ(parse_u64("0x1fF"), 0x1ff);
    EXPECT_EQ(parse_u64("18446744073709551615"), ~0ULL);
    EXPECT_EQ(parse_u64("0xffffffffffffffff"), ~0ULL);
    for (const char* bad : {"", "0x", "-1", "+1", "1 ", " 1", "18446744073709551616", "12a",
                            "0x10000000000000000", "abc", "1.5"}) {
        EXPECT_EQ(parse_u64(bad), std::nullopt) << bad;
    }
}

TEST(Numbers, WordsAndLines) {
    EXPECT_EQ(words("  a\tbc  d\n"), (std::vector<std::string_view>{"a", "bc", "d"}));
    EXPECT_TRUE(words(" \t ").empty());
    EXPECT_EQ(lines("a\n\nb"), (std::vector<std::string_view>{"a", "", "b"}));
    EXPECT_EQ(trimmed(" x y \n"), "x y");
    EXPECT_EQ(trimmed(" \n"), "");
}

TEST(Numbers, Keys) {
    const auto keys = parse_keys("0x200000 9\n0x1000 0\n");
    ASSERT_TRUE(keys);
    ASSERT_EQ(keys->size(), 2);
    EXPECT_EQ(keys->at(0).range(), make_range(0x200000, 0x400000));
    EXPECT_TRUE(parse_keys("")->empty());
    for (const char* bad :
         {"0x1000\n", "0x1000 0 0\n", "x 0\n", "0x1001 0\n", "0x1000 1\n", "0x0 53\n", "0x0 52\n",
          "0x8000000000000000 51\n", "0x1000 0\n\n", "0x1000 4294967296\n"}) {
        EXPECT_FALSE(parse_keys(bad)) << bad;
    }
    EXPECT_NE(parse_keys("0x1000 0\n0x1001 0\n").error().what.find("line 2"), std::string::npos);
}

TEST(Numbers, Ranges) {
    const auto ranges = parse_ranges("0x1000 0x3000\n0x3000 0x4000\n");
    ASSERT_TRUE(ranges);
    EXPECT_EQ(ranges->at(1), make_range(0x3000, 0x4000));
    for (const char* bad : {"0x1000\n", "0x1000 0x1000\n", "0x2000 0x1000\n", "0x1001 0x2000\n",
                            "0x1000 0x3000\n0x2000 0x4000\n", "a b\n"}) {
        EXPECT_FALSE(parse_ranges(bad)) << bad;
    }
}

TEST(Numbers, NumberLists) {
    EXPECT_EQ(*parse_numbers("0x10\n20\n"), (std::vector<std::uint64_t>{16, 20}));
    EXPECT_FALSE(parse_numbers("1\nx\n"));
}

TEST(Types, MergedJoinsWhatTouches) {
    EXPECT_EQ(merged({make_range(5, 6), make_range(1, 3), make_range(3, 4), make_range(2, 3),
                      make_range(8, 8)}),
              (std::vector<Range>{make_range(1, 4), make_range(5, 6)}));
}

TEST(Types, AlignUpKnowsItsLimits) {
    EXPECT_EQ(align_up(1, 4096), 4096);
    EXPECT_EQ(align_up(4096, 4096), 4096);
    EXPECT_EQ(align_up(~0ULL, 4096), std::nullopt);
}

TEST(Types, OrderBytes) {
    EXPECT_EQ(Order(0).bytes(), 4096);
    EXPECT_EQ(Order(51).bytes(), 1ULL << 63);
    EXPECT_EQ(Order(52).bytes(), 0);
}

TEST(Types, SizesForPeople) {
    EXPECT_EQ(human_bytes(1023), "1023 B");
    EXPECT_EQ(human_bytes(1536), "1.5 KiB");
    EXPECT_EQ(human_bytes(256ULL << 20), "256.0 MiB");
    EXPECT_EQ(human_bytes(3ULL << 30), "3.0 GiB");
}

}  // namespace
}  // namespace khob
