// SPDX-License-Identifier: GPL-2.0-only
// The expression language: values, precedence, and every way to fail.
#include "expr.hpp"

#include <gtest/gtest.h>

#include <string>

namespace khob::gen {
namespace {

tl::expected<std::uint64_t, ExprError> value_of(const std::string& text) {
    const auto expr = parse_expr(text);
    if (!expr) {
        return tl::unexpected<ExprError>(expr.error());
    }
    return evaluate(*expr,
                    Scope{[](const std::string& name) -> tl::expected<std::uint64_t, std::string> {
                              if (name == "seven") {
                                  return 7;
                              }
                              return tl::unexpected<std::string>("no name " + name);
                          },
                          [](const std::string& type) -> tl::expected<std::uint64_t, std::string> {
                              if (type == "u64") {
                                  return 8;
                              }
                              return tl::unexpected<std::string>("no type " + type);
                          }});
}

struct Good {
    const char* text;
    std::uint64_t value;
};

class GoodExpr : public testing::TestWithParam<Good> {};

TEST_P(GoodExpr, HasTheValue) {
    const auto value = value_of(GetParam().text);
    ASSERT_TRUE(value) << value.error().text;
    EXPECT_EQ(*value, GetParam().value);
}

INSTANTIATE_TEST_SUITE_P(
    Values, GoodExpr,
    testing::Values(Good{"0", 0}, Good{"18446744073709551615", UINT64_MAX},
                    Good{"0xFFffFFffFFffFFff", UINT64_MAX}, Good{"1 + 2 * 3", 7},
                    Good{"(1 + 2) * 3", 9}, Good{"10 - 3 - 2", 5}, Good{"100 / 10 / 5", 2},
                    Good{"17 % 5", 2}, Good{"1 << 2 + 1", 8}, Good{"1 | 2 & 3 << 1", 3},
                    Good{"6 & 3 | 8", 10}, Good{"1 << 63", 1ULL << 63U}, Good{"0 << 64", 0},
                    Good{"5 >> 64", 0}, Good{"256 >> 4", 16}, Good{"ceil_div(7, 2)", 4},
                    Good{"ceil_div(8, 2)", 4},
                    Good{"ceil_div(18446744073709551615, 2)", 1ULL << 63U}, Good{"log2(4096)", 12},
                    Good{"log2(1)", 0}, Good{"log2_floor(4097)", 12},
                    Good{"sizeof(u64) * seven", 56}, Good{" ( seven ) ", 7}));

struct Bad {
    const char* text;
    std::size_t offset;
    const char* part;
};

class BadExpr : public testing::TestWithParam<Bad> {};

TEST_P(BadExpr, SaysWhatAndWhere) {
    const auto value = value_of(GetParam().text);
    ASSERT_FALSE(value) << *value;
    EXPECT_EQ(value.error().offset, GetParam().offset) << value.error().text;
    EXPECT_NE(value.error().text.find(GetParam().part), std::string::npos) << value.error().text;
}

INSTANTIATE_TEST_SUITE_P(
    Failures, BadExpr,
    testing::Values(Bad{"18446744073709551615 + 1", 21, "does not fit in 64 bits"},
                    Bad{"1 - 2", 2, "1 - 2 is less than zero"},
                    Bad{"4294967296 * 4294967296", 11, "does not fit"},
                    Bad{"3 << 63", 2, "does not fit"}, Bad{"1 << 64", 2, "does not fit"},
                    Bad{"1 / 0", 2, "divides by zero"}, Bad{"1 % (1 - 1)", 2, "divides by zero"},
                    Bad{"ceil_div(1, 0)", 0, "divides by zero"}, Bad{"log2(12)", 0, "power of two"},
                    Bad{"log2(0)", 0, "no value"}, Bad{"log2_floor(0)", 0, "no value"},
                    Bad{"1 + other", 4, "no name other"}, Bad{"sizeof(what)", 0, "no type what"},
                    Bad{"sizeof(1)", 0, "name of a type"}, Bad{"f(1)", 0, "no function 'f'"},
                    Bad{"ceil_div(1)", 0, "takes 2 arguments, not 1"},
                    Bad{"log2(1, 2)", 0, "takes 1 arguments, not 2"}, Bad{"", 0, "ends where"},
                    Bad{"1 +", 3, "ends where"}, Bad{"(1", 2, "expected ')'"},
                    Bad{"1 2", 2, "unexpected '2'"}, Bad{"1 $ 2", 2, "unexpected '$'"},
                    Bad{"~1", 0, "found '~'"}, Bad{"18446744073709551616", 0, "does not fit"},
                    Bad{"0x", 0, "not a number"}, Bad{"12ab", 0, "not a number"},
                    Bad{"010", 0, "leading zero"}));

TEST(Expr, BoundsItsDepthAndLength) {
    const auto deep = parse_expr(std::string(100, '(') + "1" + std::string(100, ')'));
    ASSERT_FALSE(deep);
    EXPECT_NE(deep.error().text.find("nested"), std::string::npos);
    const auto calls = parse_expr([] {
        std::string text = "1";
        for (int i = 0; i < 100; ++i) {
            text.insert(0, "log2(").append(")");
        }
        return text;
    }());
    ASSERT_FALSE(calls);
    EXPECT_NE(calls.error().text.find("nested"), std::string::npos);
    const auto along = parse_expr("1" + std::string(1000, ' '));
    ASSERT_FALSE(along);
    EXPECT_NE(along.error().text.find("1000 characters"), std::string::npos);
}

TEST(Comparison, NeedsOneOperator) {
    const auto good = parse_comparison("1 + 1 <= 2 << 1");
    ASSERT_TRUE(good) << good.error().text;
    EXPECT_EQ(good->op, "<=");
    EXPECT_FALSE(parse_comparison("1"));
    EXPECT_FALSE(parse_comparison("1 = 1"));
    EXPECT_FALSE(parse_comparison("1 == 1 == 1"));
    EXPECT_FALSE(parse_comparison("== 1"));
    EXPECT_FALSE(parse_comparison("1 =="));
}

TEST(Comparison, ComparesUnsigned) {
    EXPECT_TRUE(compare(1, "==", 1));
    EXPECT_TRUE(compare(1, "!=", 2));
    EXPECT_TRUE(compare(1, "<", UINT64_MAX));
    EXPECT_TRUE(compare(UINT64_MAX, ">", 1));
    EXPECT_TRUE(compare(2, "<=", 2));
    EXPECT_TRUE(compare(2, ">=", 2));
    EXPECT_FALSE(compare(2, "<", 2));
    EXPECT_FALSE(compare(2, ">", 2));
}

}  // namespace
}  // namespace khob::gen
