// SPDX-License-Identifier: GPL-2.0-only
// Every complaint about a schema: it is made, at the right place, and with the
// others.
#include "schema.hpp"

#include <gtest/gtest.h>

#include "fixture.hpp"

namespace khob::gen::test {
namespace {

TEST(Schema, TheSmallestIsRight) {
    EXPECT_EQ(listing(errors_of(schema_text())), "");
}

TEST(Schema, NotYaml) {
    const Errors errors = errors_of("format: [1\n");
    ASSERT_EQ(errors.size(), 1U);
    EXPECT_EQ(errors[0].at.file, file);
    EXPECT_NE(errors[0].text.find("not YAML"), std::string::npos);
}

TEST(Schema, NotAMap) {
    EXPECT_FALSE(errors_of("").empty());
    EXPECT_FALSE(errors_of("- 1\n").empty());
    EXPECT_FALSE(errors_of("word\n").empty());
    EXPECT_FALSE(errors_of("? [a]\n: b\n").empty());
}

TEST(Schema, TooManyNodesThroughAliases) {
    std::string text = "a0: &a0 [1,1,1,1,1,1,1,1,1,1]\n";
    for (int i = 1; i < 10; ++i) {
        const std::string last = "*a" + std::to_string(i - 1);
        text += "a" + std::to_string(i) + ": &a" + std::to_string(i) + " [" + last;
        for (int j = 0; j < 9; ++j) {
            text += "," + last;
        }
        text += "]\n";
    }
    const Errors errors = errors_of(text);
    ASSERT_EQ(errors.size(), 1U);
    EXPECT_NE(errors[0].text.find("too many nodes"), std::string::npos);
}

TEST(Schema, TooDeep) {
    const Errors errors = errors_of("a: " + std::string(40, '[') + std::string(40, ']') + "\n");
    ASSERT_EQ(errors.size(), 1U);
    EXPECT_NE(errors[0].text.find("too deep"), std::string::npos);
}

TEST(Schema, WrongFormat) {
    const std::string text = schema_with("format: 1", "format: 2");
    expect_error(text, "2\nprefix", "format has to be 1");
}

TEST(Schema, UnknownKey) {
    expect_error(schema_text("    constants:\n      a: {value: 1, doc: d, valeu: 2}\n"), "valeu",
                 "unknown key 'valeu'");
    expect_error(schema_text() + "extra: 1\n", "extra", "unknown key 'extra'");
}

TEST(Schema, DuplicateKeyAndName) {
    expect_error(schema_text("    constants:\n      a: {value: 1, doc: d, value: 2}\n"),
                 "value: 2}", "has 'value' twice");
    expect_error(schema_text("    constants:\n      a: {value: 1, doc: d}\n"
                             "      a: {value: 2, doc: d}\n"),
                 "a: {value: 2", "has 'a' twice");
    expect_error(schema_text("    constants:\n      page_size: {value: 2, doc: d}\n"),
                 "page_size: {value: 2", "has the name of constant page_size");
    expect_error(schema_text("    strings:\n      page_size: {value: x, doc: d}\n"),
                 "page_size: {value: x", "has the name of constant page_size");
    expect_error(schema_text("    constants:\n      prop_x: {value: 2, doc: d}\n"
                             "    properties:\n"
                             "      x: {node: root, property: x, type: u64, doc: d}\n"),
                 "x: {node", "has the name of constant prop_x");
    EXPECT_EQ(
        listing(errors_of(schema_text("    constants:\n      s: {alias: s_type, value: 2, doc: d}\n"
                                      "    structs:\n      s: {doc: d, fields: "
                                      "[{name: a, type: u8, doc: d}]}\n"))),
        "");
}

TEST(Schema, MissingDocValueAndSource) {
    expect_error(schema_text("    constants:\n      a: {value: 1}\n"), "{value: 1}", "no 'doc'");
    expect_error(schema_text("    constants:\n      a: {doc: d}\n"), "{doc: d}\n", "no 'value'");
    const Errors errors =
        errors_of(schema_with("  more:\n    doc: d\n    source: s\n", "  more:\n    doc: d\n"));
    EXPECT_NE(listing(errors).find("section more has no 'source'"), std::string::npos);
}

TEST(Schema, WrongForm) {
    expect_error(schema_text("    constants: [1]\n"), "[1]", "has to be a map");
    expect_error(schema_text("    constants:\n      a: 7\n"), "7\n", "has to be a map");
    expect_error(schema_text("    constants:\n      Big: {value: 1, doc: d}\n"), "Big",
                 "'Big' is no name");
    expect_error(schema_text("    constants:\n      a: {value: 1, doc: d, type: s8}\n"), "s8",
                 "'s8', not one of: int, u32, u64");
    expect_error(schema_text("    constants:\n      a: {value: [], doc: d}\n"), "[], doc",
                 "has to be a text");
    expect_error(schema_text("    structs:\n      a: {doc: d, fields: []}\n"), "[]}",
                 "has to be a list");
    expect_error(schema_text("    properties:\n"
                             "      x: {node: leaf, property: x, type: u64, doc: d}\n"),
                 "leaf, property", "not one of: root, subnode");
}

TEST(Schema, BadPageShift) {
    const std::string text = schema_with("[12, 14]", "[2, x]");
    expect_error(text, "2, x]", "page_shift 2 is not in 3..30");
    expect_error(text, "x]", "has to be a number");
    expect_error(text, "12, doc", "is not one of its values");
}

TEST(Schema, SyntaxInAnExpression) {
    expect_error(schema_text("    constants:\n      a: {value: 1 + * 2, doc: d}\n"), "* 2",
                 "expected a value, found '*'");
    expect_error(schema_text("    constants:\n      a: {value: \"1 + * 2\", doc: d}\n"), "* 2",
                 "expected a value, found '*'");
    expect_error(schema_text("", "  i: {holds: 1 + 1, fails: f, doc: d}\n"), ", fails: f, doc",
                 "expected one of ==");
}

TEST(Schema, Versions) {
    expect_error(schema_text("    constants:\n      a: {value: 1, doc: d, since: v9}\n"), "v9",
                 "there is no version 'v9'");
    expect_error(schema_text("    constants:\n      a: {value: 1, doc: d, since: v2, until: v1}\n"),
                 "{value: 1, doc: d, since", "ends before it begins: since v2, until v1");
    expect_error(schema_text("    constants:\n      a:\n        - {value: 1, doc: d}\n"
                             "        - {value: 2, doc: d, since: v2}\n"),
                 "{value: 2", "has two values in v2");
    expect_error(schema_text("    constants:\n      a: []\n"), "[]\n", "constant a has no value");
    const std::string three =
        schema_with("  v2: {", "  v0: {compatible: z, doc: d, source: s}\n  v2: {");
    expect_error(std::string(three).insert(three.find("key:\n"),
                                           "    constants:\n      a:\n"
                                           "        - {value: 2, doc: d, since: v2}\n"
                                           "        - {value: 1, doc: d, until: v1}\n"),
                 "a:\n        - {value: 2", "a value before and after v0 and none in it");
    const std::string text = schema_with("default_version: v2", "default_version: v7");
    expect_error(text, "v7", "there is no version 'v7'");
}

TEST(Schema, WhatIsInEveryVersionHasNoSince) {
    expect_error(schema_with("key:\n", "key:\n  since: v2\n"), "since: v2",
                 "key has an unknown key 'since'");
    expect_error(schema_with("default: 12,", "default: 12, until: v1,"), "until: v1",
                 "parameter page_shift has an unknown key 'until'");
    expect_error(schema_with("v2: {", "v2: {since: v1, "), "since: v1",
                 "version v2 has an unknown key 'since'");
}

TEST(Schema, Fields) {
    expect_error(schema_text("    structs:\n      a:\n        doc: d\n        fields:\n"
                             "          - {name: x, type: u8, doc: d}\n"
                             "          - {name: x, type: u16, doc: d}\n"),
                 "x, type: u16", "has the field 'x' twice");
    expect_error(schema_text("    structs:\n      a:\n        doc: d\n        fields:\n"
                             "          - {name: f, type: u8, length: flexible, doc: d}\n"
                             "          - {name: g, type: u16, doc: d}\n"),
                 "f, type: u8", "flexible and not the last");
    expect_error(schema_text("    structs:\n      a: {doc: d, fields: [{type: u8, doc: d}]}\n"),
                 "{type: u8", "no 'name'");
}

TEST(Schema, ReferencesInDocs) {
    EXPECT_EQ(listing(errors_of(schema_text("    constants:\n      a: {value: 1, doc: "
                                            "\"as {page_size}\"}\n"))),
              "");
    expect_error(schema_text("    constants:\n      a: {value: 1, doc: \"as {nothing}\"}\n"),
                 "a: {value: 1", "refers to 'nothing'");
    expect_error(schema_text("    constants:\n      a: {value: 1, doc: \"as {page_size\"}\n"),
                 "a: {value: 1", "refers to 'page_size'");
}

TEST(Schema, ReportsEverythingAtOnce) {
    const Errors errors =
        errors_of(schema_text("    constants:\n"
                              "      a: {value: 1 +, doc: d}\n"
                              "      b: {value: 1}\n"
                              "      c: {value: 1, doc: d, what: 1}\n"));
    EXPECT_EQ(errors.size(), 3U) << listing(errors);
}

TEST(Schema, ReportsFormAndValueAtOnce) {
    const std::string text = schema_text(
        "    constants:\n"
        "      a: {value: 1}\n"
        "      b: {value: 1, doc: d, what: 1}\n"
        "      page_size: {value: 1, doc: d}\n"
        "      c: {value: 1 << 64, doc: d}\n"
        "      e: {value: 1 + nothing, doc: d}\n"
        "      f: {value: g + 1, doc: d}\n"
        "      g: {value: f, doc: d}\n",
        "  i: {holds: 1 == 2, doc: d}\n"
        "  j: {holds: leaf_log2 == 2, fails: no, doc: d}\n");
    expect_error(text, "{value: 1}", "constant a has no 'doc'");
    expect_error(text, "what: 1", "constant b has an unknown key 'what'");
    expect_error(text, "page_size: {value: 1, doc", "has the name of constant page_size");
    expect_error(text, "<< 64", "does not fit");
    expect_error(text, "nothing", "there is no constant 'nothing'");
    expect_error(text, "f, doc: d}\nkey", "'f' depends on itself: f -> g -> f");
    expect_error(text, "{holds: 1 == 2", "invariant i has no 'fails'");
}

TEST(Schema, WhatIsWrongInFormIsNotFoundWrongAgain) {
    // Of v1 and v2 at 12 and 14, and used by others: each is said once.
    for (const char* wrong :
         {"a: {value: 1 +, doc: d}", "a: {valeu: 1, doc: d}", "a: {value: 1}", "a: 7", "a: []",
          "a: [{value: 1, doc: d, since: v2}, {value: 1, doc: d, since: v2}]",
          "a: {value: 1, doc: d, since: v9}"}) {
        const Errors errors = errors_of(
            schema_text("    constants:\n      " + std::string(wrong) +
                            "\n      b: {value: a + 1, doc: d}\n    structs:\n      s: {doc: "
                            "d, fields: [{name: x, type: u8, length: a, doc: d}]}\n",
                        "  i: {holds: sizeof(s) == a, fails: f, doc: d}\n"));
        EXPECT_FALSE(errors.empty()) << wrong;
        for (const Error& error : errors) {
            EXPECT_EQ(error.text.find("page_shift 1"), std::string::npos) << listing(errors);
        }
    }
    for (const char* wrong :
         {"{doc: d}", "{doc: d, fields: []}", "{doc: d, fields: [{type: u8, doc: d}]}",
          "{doc: d, fields: [{name: x, doc: d}]}", "{doc: d, fields: [{name: x, type: u8}]}"}) {
        const Errors errors =
            errors_of(schema_text("    constants:\n      a: {value: log2(sizeof(s) / 8), doc: d}\n"
                                  "    structs:\n      s: " +
                                  std::string(wrong) + "\n"));
        EXPECT_FALSE(errors.empty()) << wrong;
        for (const Error& error : errors) {
            EXPECT_EQ(error.text.find("page_shift 1"), std::string::npos) << listing(errors);
        }
    }
}

TEST(Schema, APageSizeIsRefusedForAReason) {
    const std::string v1 = "v1: {compatible: a, doc: d, source: s";
    expect_error(schema_with(v1, v1 + ", refused: [{page_shift: 13, doc: d}]"), "{page_shift: 13",
                 "page_shift 13 is none of the schema's values: 12, 14");
    expect_error(schema_with(v1, v1 + ", refused: [{page_shift: 12}]"), "{page_shift: 12}",
                 "has no 'doc'");
    expect_error(
        schema_with(v1, v1 + ", refused: [{page_shift: 12, doc: d}, {page_shift: 12, doc: e}]"),
        "{page_shift: 12, doc: e}", "v1 refuses page_shift 12 twice");
    const auto schema =
        parse_schema(schema_with(v1, v1 + ", refused: [{page_shift: 14, doc: d}]"), file);
    ASSERT_TRUE(schema) << listing(schema.error());
    const auto proved = prove(*schema);
    ASSERT_FALSE(proved);
    EXPECT_EQ(proved.error()[0].text, "v1 refuses page_shift 14, where nothing fails");
}

TEST(Schema, AStructStandsBeforeThoseThatHoldIt) {
    expect_error(schema_text("    structs:\n      a:\n        doc: d\n        fields:\n"
                             "          - {name: x, type: b, doc: d}\n"
                             "      b:\n        doc: d\n        fields:\n"
                             "          - {name: y, type: u8, doc: d}\n"),
                 "b, doc: d}", "struct b is a field of struct a and has to stand before it");
}

TEST(Schema, AnElementIsInNoVersionThatItsSectionIsNotIn) {
    expect_error(schema_with("  more:\n    doc: d\n",
                             "  more:\n    doc: d\n    since: v2\n"
                             "    strings:\n      x: {value: x, since: v1, doc: d}\n"),
                 "{value: x", "string x is in versions that more is not in");
}

}  // namespace
}  // namespace khob::gen::test
