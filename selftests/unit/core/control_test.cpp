// SPDX-License-Identifier: GPL-2.0-only
// The grammar of the debugfs control lines, accepted and refused, line by line.
#include "core/control.h"

#include <gtest/gtest.h>

#include <cerrno>
#include <cstdint>
#include <limits>
#include <string>
#include <string_view>
#include <vector>

namespace {

constexpr std::uint64_t u64_max = std::numeric_limits<std::uint64_t>::max();

/// Runs one parser over a line that ends where its storage ends (no NUL behind it).
template <typename Result>
int parse(int (*parser)(const char*, std::size_t, Result*, const char**), std::string_view line,
          Result* result) {
    const std::vector<char> exact(line.begin(), line.end());
    const char* why = nullptr;
    const int err = parser(exact.data(), exact.size(), result, &why);
    EXPECT_EQ(err == 0, why == nullptr || err == 0) << line;
    if (err != 0) {
        EXPECT_EQ(err, -EINVAL) << line;
        EXPECT_NE(why, nullptr) << line;
        EXPECT_FALSE(std::string_view(why).ends_with('.')) << why;
    }
    return err;
}

template <typename Result>
void expect_refused(int (*parser)(const char*, std::size_t, Result*, const char**),
                    const std::vector<std::string>& lines) {
    for (const std::string& line : lines) {
        Result result{};
        EXPECT_EQ(parse(parser, line, &result), -EINVAL) << line;
    }
}

/// What no line may be, whatever the command.
std::vector<std::string> never() {
    return {"", "\n", " ", "\n\n", std::string(1, '\0'), "\x80", "\x7f", "nonsense"};
}

TEST(Control, Numbers) {
    struct Case {
        std::string_view line;
        std::uint64_t value;
    };
    for (const Case& c :
         {Case{"0", 0}, Case{"1\n", 1}, Case{" 42\t\n", 42}, Case{"0x0", 0},
          Case{"0xdeadBEEF", 0xdeadbeef}, Case{"0X10", 16}, Case{"007", 7},
          Case{"18446744073709551615", u64_max}, Case{"0xffffffffffffffff", u64_max},
          Case{"0x0000000000000000000001", 1}}) {
        std::uint64_t value = 99;
        EXPECT_EQ(parse(khob_parse_u64, c.line, &value), 0) << c.line;
        EXPECT_EQ(value, c.value) << c.line;
    }
    expect_refused(khob_parse_u64, never());
    expect_refused(khob_parse_u64,
                   {"-1", "+1", "1 2", "0x", "x", "0xg", "1a", "1.0", "18446744073709551616",
                    "0x10000000000000000", "99999999999999999999999", "1\n2", "1\n\n", "1\r",
                    std::string("1\0", 2), "1\v"});
}

TEST(Control, Targets) {
    khob_target t{};
    ASSERT_EQ(parse(khob_parse_target, "all\n", &t), 0);
    EXPECT_EQ(t.what, KHOB_WHAT_ALL);
    ASSERT_EQ(parse(khob_parse_target, "0x200000 9", &t), 0);
    EXPECT_EQ(t.what, KHOB_WHAT_PAGE);
    EXPECT_EQ(t.pa, 0x200000U);
    EXPECT_EQ(t.order, 9U);
    ASSERT_EQ(parse(khob_parse_target, "4096 0", &t), 0);
    EXPECT_EQ(t.pa, 4096U);
    ASSERT_EQ(parse(khob_parse_target, "0 52", &t), 0);
    EXPECT_EQ(t.order, unsigned{KHOB_ORDER_MAX});
    ASSERT_EQ(parse(khob_parse_target, "subtree kexec-metadata\n", &t), 0);
    EXPECT_EQ(t.what, KHOB_WHAT_SUBTREE);
    EXPECT_STREQ(t.name, "kexec-metadata");
    const std::string longest(KHOB_SUBTREE_NAME_MAX, 'n');
    ASSERT_EQ(parse(khob_parse_target, "subtree " + longest, &t), 0);
    EXPECT_EQ(t.name, longest);

    expect_refused(khob_parse_target, never());
    expect_refused(khob_parse_target,
                   {"all of them", "All", "0x1000", "0x1000 0 0", "0x1000 1", "0x1001 0", "0 53",
                    "0 4294967296", "0 -1", "0 x", "subtree", "subtree a/b", "subtree a b",
                    "subtree ..", "subtree " + longest + "n", "0x10000000000000000 0"});
}

TEST(Control, Preserve) {
    khob_preserve_req req{};
    ASSERT_EQ(parse(khob_parse_preserve, "pages=2048 order=3 seed=0x2a\n", &req), 0);
    EXPECT_EQ(req.pages, 2048U);
    EXPECT_EQ(req.order, 3U);
    EXPECT_EQ(req.seed, 42U);
    EXPECT_EQ(req.scatter, 0U);
    ASSERT_EQ(parse(khob_parse_preserve, "scatter=50 seed=0  order=mixed\tpages=1", &req), 0);
    EXPECT_EQ(req.order, KHOB_ORDER_MIXED);
    EXPECT_EQ(req.scatter, 50U);
    ASSERT_EQ(parse(khob_parse_preserve, "pages=1 order=0 seed=18446744073709551615", &req), 0);
    EXPECT_EQ(req.seed, u64_max);
    ASSERT_EQ(parse(khob_parse_preserve, "pages=1 order=0 seed=1 scatter=100", &req), 0);

    expect_refused(khob_parse_preserve, never());
    expect_refused(khob_parse_preserve, {"pages=1",
                                         "pages=1 order=0",
                                         "pages=1 seed=1",
                                         "order=0 seed=1",
                                         "pages=0 order=0 seed=1",
                                         "pages=1 order=1 seed=1",
                                         "pages=7 order=2 seed=1",
                                         "pages=1 order=53 seed=1",
                                         "pages=1 order=Mixed seed=1",
                                         "pages= order=0 seed=1",
                                         "pages=1 order= seed=1",
                                         "pages=1 order=0 seed=",
                                         "pages =1 order=0 seed=1",
                                         "pages=1 order=0 seed=1 scatter=101",
                                         "pages=1 order=0 seed=1 scatter=",
                                         "pages=1 order=0 seed=1 scatter=-1",
                                         "pages=1 pages=1 order=0 seed=1",
                                         "pages=1 order=0 seed=1 scatter=0 scatter=0",
                                         "pages=1 order=0 seed=1 more",
                                         "pages=1 order=0 seed=1 color=red",
                                         "pagesx=1 order=0 seed=1",
                                         "page=1 order=0 seed=1",
                                         "pages=18446744073709551616 order=0 seed=1",
                                         "pages=4503599627370497 order=52 seed=1",
                                         "pages=1 order=4294967295 seed=1",
                                         "pages=1 order=4294967296 seed=1"});
}

TEST(Control, Put) {
    khob_fdt_subtree sub{};
    ASSERT_EQ(parse(khob_parse_put, "blob 0xa00000\n", &sub), 0);
    EXPECT_STREQ(sub.name, "blob");
    EXPECT_EQ(sub.size, 0xa00000U);
    EXPECT_EQ(sub.addr, 0U);
    expect_refused(khob_parse_put, never());
    expect_refused(khob_parse_put, {"blob", "blob 0", "blob -1", "blob 1 2", "a/b 1", ". 1",
                                    std::string(64, 'n') + " 1", "blob 18446744073709551616"});
}

TEST(Control, Compact) {
    khob_compact_req req{};
    ASSERT_EQ(parse(khob_parse_compact, " all\n", &req), 0);
    EXPECT_TRUE(req.all);
    EXPECT_EQ(req.most, u64_max);
    ASSERT_EQ(parse(khob_parse_compact, "0x8000000\n", &req), 0);
    EXPECT_FALSE(req.all);
    EXPECT_EQ(req.most, 0x8000000U);
    expect_refused(khob_parse_compact, never());
    expect_refused(khob_parse_compact,
                   {"0", "all 1", "1 all", "1 2", "al", "-1", "1k", "18446744073709551616"});
}

TEST(Control, Scratch) {
    khob_scratch_req req{};
    ASSERT_EQ(parse(khob_parse_scratch, "take 0x2000000 0x200000\n", &req), 0);
    EXPECT_EQ(req.what, KHOB_SCRATCH_TAKE);
    EXPECT_EQ(req.size, 0x2000000U);
    EXPECT_EQ(req.align, 0x200000U);
    EXPECT_FALSE(req.low);
    EXPECT_EQ(req.node, KHOB_NODE_ANY);
    ASSERT_EQ(parse(khob_parse_scratch, "take 1 4096", &req), 0);
    ASSERT_EQ(parse(khob_parse_scratch, "take 1 4096 low", &req), 0);
    EXPECT_TRUE(req.low);
    ASSERT_EQ(parse(khob_parse_scratch, "take 1 4096 node=0x3 low\n", &req), 0);
    EXPECT_TRUE(req.low);
    EXPECT_EQ(req.node, 3U);
    EXPECT_EQ(req.abi, KHOB_ABI_NR);
    ASSERT_EQ(parse(khob_parse_scratch, "take 1 4096 abi=kho-v3", &req), 0);
    EXPECT_EQ(req.abi, KHOB_ABI_KHO_V3);
    ASSERT_EQ(parse(khob_parse_scratch, "give\n", &req), 0);
    EXPECT_EQ(req.what, KHOB_SCRATCH_GIVE);
    ASSERT_EQ(parse(khob_parse_scratch, "kernel\n", &req), 0);
    EXPECT_EQ(req.what, KHOB_SCRATCH_KERNEL);
    expect_refused(khob_parse_scratch, never());
    expect_refused(khob_parse_scratch, {"give all",
                                        "take",
                                        "take 1",
                                        "take 1 4096 2",
                                        "take 0 4096",
                                        "take 4096 0",
                                        "take 4096 1",
                                        "take 4096 2048",
                                        "take 4096 12288",
                                        "take x 4096",
                                        "take 4096 x",
                                        "take 18446744073709551615 4096",
                                        "taken 4096 4096",
                                        "take 1 4096 high",
                                        "take 1 4096 low low",
                                        "take 1 low 4096",
                                        "take 1 4096 node",
                                        "take 1 4096 node=",
                                        "take 1 4096 node=x",
                                        "take 1 4096 node=1 node=1",
                                        "take 1 4096 node=4294967295",
                                        "take 1 4096 node=18446744073709551616",
                                        "give low",
                                        "take 1 4096 abi=",
                                        "take 1 4096 abi=kho-v1",
                                        "take 1 4096 abi",
                                        "take 1 4096 abi=kho-v4 abi=kho-v4",
                                        "take 1 4096 abi=kho-v44444444444444"});
}

}  // namespace
