// SPDX-License-Identifier: GPL-2.0-only
// Schemas that are out to take all memory, all time or the stack: each is refused
// with a sentence, and soon. The fuzz target in selftests/fuzz looks for more.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "fixture.hpp"
#include "json.hpp"

namespace khob::gen::test {
namespace {

std::string repeat(const std::string& what, int times) {
    std::string all;
    for (int i = 0; i < times; ++i) {
        all += what;
    }
    return all;
}

/// Section "more" with constants a0..aN, each before + the next one's name + after.
std::string chain(int length, const std::string& before, const std::string& after) {
    std::string text = "    constants:\n";
    for (int i = 0; i < length; ++i) {
        text += fmt::format("      a{}: {{doc: d, value: \"{}a{}{}\"}}\n", i, before, i + 1, after);
    }
    return text + "      a" + std::to_string(length) + ": {doc: d, value: 1}\n";
}

void expect_one_error(const std::string& text, const std::string& part) {
    const Errors errors = errors_of(text);
    ASSERT_FALSE(errors.empty());
    EXPECT_LE(errors.size(), 4U) << errors.size();
    EXPECT_NE(listing(errors).find(part), std::string::npos) << listing({errors.front()});
}

// Found by the fuzz target: the complaint about two values named a version by its
// place, and there were none.
TEST(Hostile, NoVersions) {
    const std::string versions =
        "  v1: {compatible: a, doc: d, source: s}\n"
        "  v2: {compatible: b, doc: d, source: s}\n";
    std::string text = schema_text(
        "    constants:\n      a: [{value: 1, doc: d}, {value: 2, doc: d}]\n"
        "      b: {value: 1, doc: d, since: v2, until: v1}\n");
    text.replace(text.find(versions), versions.size(), "  {}\n");
    const std::string all = listing(errors_of(text));
    EXPECT_NE(all.find("there have to be 1 to 32 versions"), std::string::npos) << all;
    EXPECT_NE(all.find("constant a has two values in every version"), std::string::npos) << all;
}

TEST(Hostile, TooManyVersions) {
    std::string many = "versions:\n";
    for (int i = 0; i < 40; ++i) {
        many += "  w" + std::to_string(i) + ": {compatible: a, doc: d, source: s}\n";
    }
    expect_error(schema_with("versions:\n", many), "w0:", "there have to be 1 to 32 versions");
}

TEST(Hostile, APageSizeTwice) {
    expect_error(schema_with("[12, 14]", "[12, 14, 12]"), "12], default",
                 "page_shift 12 stands here twice");
}

TEST(Hostile, ALargeDocument) {
    expect_one_error("# " + std::string(2U << 20U, 'x') + "\n" + schema_text(),
                     "the document has more than 1048576 bytes");
}

TEST(Hostile, ALongTextThatAliasesRepeat) {
    expect_one_error(schema_text("    constants:\n      a: {value: 1, doc: &d " +
                                 std::string(5000, 'x') + "}\n      b: {value: 1, doc: *d}\n"),
                     "a text of more than 4096 bytes");
    expect_one_error(schema_text() + std::string(101, 'k') + ": 1\n",
                     "a text of more than 100 bytes");
}

TEST(Hostile, TooManyNodes) {
    expect_one_error("a: [" + repeat("1,", 20000) + "1]\n", "too many nodes");
}

TEST(Hostile, DeepDocuments) {
    for (const auto& [open, close] :
         {std::pair{"[", "]"}, std::pair{"{a: ", "}"}, std::pair{"- ", ""}, std::pair{"? ", ""}}) {
        for (const int depth : {40, 400, 100000}) {
            const Errors errors = errors_of(repeat(open, depth) + "1" + repeat(close, depth));
            ASSERT_EQ(errors.size(), 1U) << open << depth;
            EXPECT_NE(errors[0].text.find(*open == '?' && depth < 1000 ? "a key has to be"
                                                                       : "nests too deep"),
                      std::string::npos)
                << open << depth << errors[0].text;
        }
    }
}

TEST(Hostile, WhatIsNoText) {
    const std::vector<std::string> wrong = {
        std::string(1, '\0'), "\x01",     "\x7f", "\x80",         "\xc3",
        "\xc0\xaf",           "\xc2\x85", "\xff", "\xed\xa0\x80", "\xe2\x82",
        "\xf4\x90\x80\x80"};
    for (const std::string& bytes : wrong) {
        const Errors errors = errors_of("a: b\nc: " + bytes + "\n");
        ASSERT_EQ(errors.size(), 1U);
        EXPECT_EQ(errors[0].at.line, 2);
        EXPECT_NE(errors[0].text.find("control character"), std::string::npos);
    }
    for (const char* escape : {"\\0", "\\e", "\\x01", "\\u0080"}) {
        expect_one_error(schema_with("doc: d, source: s}\nversions",
                                     std::string("doc: \"") + escape + "\", source: s}\nversions"),
                         "control character");
    }
}

TEST(Hostile, OtherAlphabetsAreText) {
    const std::string text = schema_with(
        "doc: d, source: s}\nversions",
        "doc: \"\xc3\xa9 \xe2\x82\xac \xf0\x9f\x92\xbe \\u00e9\", source: s}\nversions");
    const auto schema = parse_schema(text, file);
    ASSERT_TRUE(schema) << listing(schema.error());
    const auto model = build_model(*schema, {0}, 12);
    ASSERT_TRUE(model);
    EXPECT_TRUE(nlohmann::json::accept(model_json(*model, file)));
}

TEST(Hostile, ManyOperators) {
    EXPECT_EQ(listing(errors_of(schema_text(chain(1, "", repeat("+0", 99))))), "");
    expect_one_error(schema_text(chain(1, "", repeat("+0", 101))), "more than 100 operators");
}

TEST(Hostile, LongChains) {
    EXPECT_EQ(listing(errors_of(schema_text(chain(60, "1 + ", repeat("+0", 99))))), "");
    const Errors errors = errors_of(schema_text(chain(1000, "", repeat("+0", 99))));
    ASSERT_FALSE(errors.empty());
    EXPECT_NE(errors[0].text.find("more than 64 that need each other, from 'a0' on"),
              std::string::npos)
        << errors[0].text;
}

TEST(Hostile, LongChainsOfStructs) {
    std::string text = "    structs:\n      s0: {doc: d, fields: [{name: a, type: u8, doc: d}]}\n";
    for (int i = 1; i < 1000; ++i) {
        text += "      s" + std::to_string(i) + ": {doc: d, fields: [{name: a, type: s" +
                std::to_string(i - 1) + ", doc: d}]}\n";
    }
    // By name, s0 is resolved first: what is too long comes in the order of names.
    const Errors errors = errors_of(schema_text(text));
    EXPECT_NE(listing(errors).find("that need each other"), std::string::npos);
}

TEST(Hostile, ErrorsDoNotMultiply) {
    const std::string variants =
        "    constants:\n      a: [&a {value: 1, doc: d}" + repeat(", *a", 3000) + "]\n";
    EXPECT_EQ(errors_of(schema_text(variants)).size(), 3000U);
    expect_one_error(
        schema_text("    constants:\n      a: {value: 1, doc: '" + std::string(4000, '{') + "'}\n"),
        "refers to");
}

TEST(Hostile, OrdersThatNoAddressHas) {
    expect_one_error(schema_with("order_max: {value: 64 - page_shift",
                                 "order_max: {type: u64, value: 0xffffffffffffffff"),
                     "order_max is 18446744073709551615: pages of 2^12 bytes have an address of "
                     "64 bits up to order 52 (v1 at page_shift 12)");
}

TEST(Hostile, MoreLevelsThanBits) {
    expect_one_error(schema_with("tree_depth: {value: \"ceil_div(key_width - leaf_log2, "
                                 "table_log2) + 1\"",
                                 "tree_depth: {type: u64, value: 1 << 62"),
                     "tree_depth is 4611686018427387904: a key has 64 bits");
}

}  // namespace
}  // namespace khob::gen::test
