// SPDX-License-Identifier: GPL-2.0-only
// What a change breaks: every kind of change, its grade and its sentence.
#include "conform.hpp"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "fixture.hpp"

namespace khob::gen::test {
namespace {

const std::string section = R"(    constants:
      number: {value: 7, type: u32, doc: d}
      paged: {value: page_size * 2, type: u64, doc: d}
    strings:
      name: {value: x, doc: d}
    properties:
      size: {node: subnode, property: blob-size, type: u64, doc: d}
    structs:
      record:
        doc: d
        fields:
          - {name: a, type: u32, doc: d}
          - {name: b, type: u32, doc: d}
          - {name: c, type: u64, length: 2, doc: d}
          - {name: reserved, type: u64, length: 4, doc: d}
      bits:
        doc: d
        fields:
          - {name: low, type: u64, bits: 48, doc: d}
          - {name: high, type: u64, bits: 4, doc: d}
          - {name: reserved, type: u64, bits: 12, doc: d}
)";

Schema parsed(const std::string& text) {
    auto schema = parse_schema(text, file);
    EXPECT_TRUE(schema) << text << listing(schema.error());
    return std::move(*schema);
}

/// What comes of replacing old in the whole schema, as text.
std::string after(const std::string& old, const std::string& now) {
    std::string text = schema_text(section);
    const std::size_t at = text.find(old);
    EXPECT_NE(at, std::string::npos) << old;
    const auto result =
        conform_schemas(parsed(text), parsed(std::string(text).replace(at, old.size(), now)));
    EXPECT_TRUE(result) << listing(result.error());
    return result ? to_text(*result) : "";
}

struct Change {
    const char* old;
    const char* now;
    const char* says;
};

class Conform : public testing::TestWithParam<Change> {};

TEST_P(Conform, GradesAndNames) {
    const std::string text = after(GetParam().old, GetParam().now);
    for (const char* version : {"v1", "v2"}) {
        std::string line(GetParam().says);
        line.insert(line.find(": ") + 2, std::string(version) + ": ");
        EXPECT_NE(text.find(line + "\n"), std::string::npos) << line << "\nnot in\n" << text;
    }
    const bool breaks = std::string(GetParam().says).starts_with("breaks-layout");
    EXPECT_EQ(text.find("error: v1: the layout breaks and the compatible string stays \"a\"") !=
                  std::string::npos,
              breaks)
        << text;
}

INSTANTIATE_TEST_SUITE_P(
    Changes, Conform,
    testing::Values(
        Change{"number: {value: 7", "number: {value: 8",
               "breaks-layout: constant number changes from 7 to 8"},
        Change{"paged: {value: page_size * 2", "paged: {value: page_size + 4096",
               "breaks-layout: constant paged changes from 32768 to 20480 at 16K pages"},
        Change{"number: {value: 7, type: u32", "number: {value: 7, type: u64",
               "breaks-source: the type of constant number changes from u32 to u64"},
        Change{"number:", "other:", "breaks-source: constant number was 7 and is gone"},
        Change{"number:", "other:", "compatible: constant other is new and has the value 7"},
        Change{"name: {value: x", "name: {value: y",
               "breaks-layout: string name changes from \"x\" to \"y\""},
        Change{"name: {value: x", "label: {value: x",
               "breaks-source: string name was \"x\" and is gone"},
        Change{"name: {value: x", "label: {value: x",
               "compatible: string label is new and has the value \"x\""},
        Change{"property: blob-size", "property: size",
               "breaks-layout: the name of property size changes from \"blob-size\" to \"size\""},
        Change{"node: subnode", "node: root",
               "breaks-layout: the node of property size changes from subnode to root"},
        Change{"blob-size, type: u64", "blob-size, type: string",
               "breaks-layout: the type of property size changes from u64 to string"},
        Change{"blob-size, type: u64", "blob-size, type: u64, optional: true",
               "breaks-layout: property size changes from required to optional"},
        Change{"    properties:\n",
               "    properties:\n"
               "      more: {node: root, property: m, type: u64, optional: true, doc: d}\n",
               "compatible: property more (\"m\" of root) is new and optional"},
        Change{"    properties:\n",
               "    properties:\n      more: {node: root, property: m, type: u64, doc: d}\n",
               "breaks-layout: property more (\"m\" of root) is new and required"},
        Change{"name: b, type: u32", "name: b, type: be32",
               "breaks-layout: field b of struct record changes from u32 at 4 to be32 at 4"},
        Change{"name: b, type: u32", "name: d, type: u32",
               "breaks-source: field b of struct record (u32 at 4) is renamed to d"},
        Change{"length: 2", "length: 3",
               "breaks-layout: the size of struct record changes from 56 to 64 bytes"},
        Change{"length: 2", "length: 3",
               "breaks-layout: field reserved of struct record changes from u64[4] at 24 to "
               "u64[4] at 32"},
        Change{"          - {name: b, type: u32, doc: d}\n", "",
               "breaks-layout: field b of struct record was u32 at 4 and is gone"},
        Change{"          - {name: reserved, type: u64, length: 4, doc: d}\n",
               "          - {name: d, type: u64, doc: d}\n"
               "          - {name: reserved, type: u64, length: 3, doc: d}\n",
               "compatible: field d of struct record is new, u64 at 24, where bytes were reserved"},
        Change{"low, type: u64, bits: 48, doc: d}\n          - {name: high, type: u64, bits: 4",
               "low, type: u64, bits: 50, doc: d}\n          - {name: high, type: u64, bits: 2",
               "breaks-layout: field high of struct bits changes from u64:4 at 0 from bit 48 to "
               "u64:2 at 0 from bit 50"},
        Change{"high, type: u64", "other, type: u64",
               "breaks-source: field high of struct bits (u64:4 at 0 from bit 48) is renamed to "
               "other"},
        Change{"          - {name: high, type: u64, bits: 4, doc: d}\n"
               "          - {name: reserved, type: u64, bits: 12, doc: d}\n",
               "          - {name: reserved, type: u64, bits: 16, doc: d}\n",
               "breaks-layout: field high of struct bits was u64:4 at 0 from bit 48 and is gone"},
        Change{"          - {name: reserved, type: u64, bits: 12, doc: d}\n",
               "          - {name: more, type: u64, bits: 2, doc: d}\n"
               "          - {name: reserved, type: u64, bits: 10, doc: d}\n",
               "compatible: field more of struct bits is new, u64:2 at 0 from bit 52, where bytes "
               "were reserved"},
        Change{
            "low, type: u64, bits: 48, doc: d}\n          - {name: high, type: u64, bits: 4, doc: "
            "d}\n          - {name: reserved, type: u64, bits: 12, doc",
            "low, type: u64, doc",
            "breaks-layout: field low of struct bits changes from u64:48 at 0 from bit 0 to u64 "
            "at 0"},
        Change{"          - {name: reserved, type: u64, length: 4, doc: d}\n",
               "          - {name: d, type: u64, length: 4, doc: d}\n",
               "compatible: field d of struct record is new, u64[4] at 24, where bytes were "
               "reserved"},
        Change{"record:\n        doc: d\n", "record:\n        packed: true\n        doc: d\n",
               "breaks-layout: the alignment of struct record changes from 8 to 1 bytes"},
        Change{"      record:\n", "      entry:\n",
               "breaks-source: struct record had 56 bytes and is gone"},
        Change{"      record:\n", "      entry:\n",
               "compatible: struct entry is new and has 56 bytes"},
        Change{"values: [12, 14]", "values: [12]",
               "breaks-source: 16K pages can no longer be used"},
        Change{"values: [12, 14]", "values: [12, 14, 16]", "compatible: 64K pages can now be used"},
        Change{"leaf_log2: {value: page_shift + 3", "leaf_log2: {value: page_shift + 4",
               "breaks-layout: the way to page 0x0 of order 0, the leaf first, changes from "
               "0.0.0.0.0.2 to 0.0.0.0.0.1 at 4K pages"}),
    [](const auto& info) { return "Number" + std::to_string(info.index); });

TEST(ConformSchemas, TheSameIsNoDifference) {
    const Schema schema = parsed(schema_text(section));
    const auto result = conform_schemas(schema, schema);
    ASSERT_TRUE(result);
    EXPECT_EQ(to_text(*result), "0 breaks-layout, 0 breaks-source, 0 compatible, 0 errors\n");
}

TEST(ConformSchemas, VersionsComeAndGo) {
    const std::string v2 = "  v2: {compatible: b, doc: d, source: s}\n";
    const std::string with = schema_text(section);
    std::string more = with;
    more.insert(more.find(v2) + v2.size(), "  v3: {compatible: b, doc: d, source: s}\n");
    auto result = conform_schemas(parsed(with), parsed(more));
    ASSERT_TRUE(result);
    EXPECT_EQ(to_text(*result),
              "compatible: v3: the version is new\n"
              "0 breaks-layout, 0 breaks-source, 1 compatible, 0 errors\n");
    result = conform_schemas(parsed(more), parsed(with));
    ASSERT_TRUE(result);
    EXPECT_NE(to_text(*result).find("breaks-source: v3: the version is gone\n"), std::string::npos);
}

TEST(ConformSchemas, ANewVersionWithTheOldCompatibleStringIsAnError) {
    const std::string v2 = "  v2: {compatible: b, doc: d, source: s}\n";
    const std::string with = schema_text(section);
    std::string more = with;
    more.insert(more.find(v2) + v2.size(), "  v3: {compatible: b, doc: d, source: s}\n");
    const std::string field = "          - {name: reserved";
    more.insert(more.find(field), "          - {name: late, type: u64, since: v3, doc: d}\n");
    const auto result = conform_schemas(parsed(with), parsed(more));
    ASSERT_TRUE(result);
    ASSERT_EQ(result->errors.size(), 1U) << to_text(*result);
    EXPECT_NE(result->errors[0].find("v2 to v3: the layout breaks and the compatible string "
                                     "stays \"b\""),
              std::string::npos);
}

TEST(ConformVersions, ANewCompatibleStringLetsTheLayoutChange) {
    const Schema schema =
        parsed(schema_text("    constants:\n      c:\n        - {value: 1, until: v1, doc: d}\n"
                           "        - {value: 2, since: v2, doc: d}\n"));
    const auto result = conform_versions(schema, 0, 1);
    ASSERT_TRUE(result);
    EXPECT_TRUE(result->errors.empty());
    EXPECT_EQ(to_text(*result),
              "breaks-layout: v1 to v2: the compatible string changes from \"a\" to \"b\", so that "
              "neither side takes what the other wrote\n"
              "breaks-layout: v1 to v2: constant c changes from 1 to 2\n"
              "2 breaks-layout, 0 breaks-source, 0 compatible, 0 errors\n");
}

TEST(ConformVersions, AnotherEncodingOfKeysIsALayout) {
    const std::string text = schema_text();
    std::string swapped = text;
    const std::string leaf = "leaf_index: key % (1 << leaf_log2)";
    swapped.replace(swapped.find(leaf), leaf.size(), leaf + " + 0");
    auto result = conform_schemas(parsed(text), parsed(swapped));
    ASSERT_TRUE(result);
    EXPECT_TRUE(result->differences.empty()) << to_text(*result);
    const std::string encode = "(1 << (order_max - order)) | (pa >> (page_shift + order))";
    swapped = text;
    swapped.replace(swapped.find(encode), encode.size(),
                    "((1 << (order_max - order)) | (pa >> (page_shift + order))) * 2");
    std::string decode = "key - (1 << log2_floor(key))";
    swapped.replace(swapped.find("order_max - log2_floor(key)"), 27,
                    "order_max - log2_floor(key / 2)");
    swapped.replace(swapped.find(decode), decode.size(), "key / 2 - (1 << log2_floor(key / 2))");
    swapped.replace(swapped.find("order_max - log2_floor(key))"), 28,
                    "order_max - log2_floor(key / 2))");
    swapped.replace(swapped.find("key_width: {value: 65"), 21, "key_width: {value: 66");
    result = conform_schemas(parsed(text), parsed(swapped));
    ASSERT_TRUE(result) << listing(result.error());
    EXPECT_NE(to_text(*result).find("breaks-layout: v1: the key of page 0x0 of order 0 changes "
                                    "from 0x10000000000000 to 0x20000000000000 at 4K pages\n"),
              std::string::npos)
        << to_text(*result);
}

TEST(ConformVersions, JsonHasTheSame) {
    const Schema schema = parsed(schema_text(section));
    const auto result = conform_versions(schema, 0, 1);
    ASSERT_TRUE(result);
    const auto json = nlohmann::json::parse(to_json(*result));
    ASSERT_EQ(json["differences"].size(), 1U);
    EXPECT_EQ(json["differences"][0]["grade"], "breaks-layout");
    EXPECT_EQ(json["differences"][0]["versions"], "v1 to v2");
    EXPECT_EQ(json["differences"][0]["element"], "property compatible");
    EXPECT_EQ(json["counts"]["breaks-layout"], 1);
    EXPECT_EQ(json["counts"]["compatible"], 0);
    EXPECT_TRUE(json["errors"].empty());
}

}  // namespace
}  // namespace khob::gen::test
