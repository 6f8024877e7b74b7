// SPDX-License-Identifier: GPL-2.0-only
// Text into numbers; ranges merged; sizes for people.
#include "base/numbers.hpp"

#include <gtest/gtest.h>

#include "base/size.hpp"
#include "base/types.hpp"

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

TEST(Numbers, Sizes) {
    EXPECT_EQ(parse_size("12"), 12);
    EXPECT_EQ(parse_size("2M"), 2U << 20U);
    EXPECT_EQ(parse_size("1T"), std::uint64_t{1} << 40U);
    for (const char* text : {"", "M", "1X", "-1", "99999999999T"}) {
        EXPECT_FALSE(parse_size(text)) << text;
    }
}

}  // namespace
}  // namespace khob
