// SPDX-License-Identifier: GPL-2.0-only
// A schema that is made of another one: what it gets of that, what it must not use, and what a
// change of either breaks.
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "conform.hpp"
#include "emit.hpp"
#include "fixture.hpp"
#include "json.hpp"

namespace khob::gen::test {
namespace {

/// What is used, base.yaml to those who do.
const std::string base = schema_text(R"(    constants:
      moves:
        - {value: 1, until: v1, doc: d}
        - {value: 2, since: v2, doc: d}
      late: {value: 3, since: v2, doc: d}
    structs:
      area: {doc: d, fields: [{name: a, type: u64, doc: d}, {name: b, type: u16, doc: d}]}
      table: {doc: d, fields: [{name: in, type: area, length: page_size / 16, doc: d}]}
      open: {doc: d, fields: [{name: a, type: u8, length: flexible, doc: d}]}
)");

const std::string user = R"(format: 1
prefix: t_user
namespace: t::user
title: What is made of it
uses: {schema: base.yaml, since: v1}
versions:
  u1: {compatible: user-1, doc: d, source: s}
default_version: u1
sections:
  all:
    doc: d
    source: s
    constants:
      per_page: {value: page_size / sizeof(entry), doc: d}
      fixed: {value: sizeof(area), doc: d}
    structs:
      entry:
        doc: d
        packed: true
        fields:
          - {name: flag, type: u8, doc: d}
          - {name: area, type: area, doc: d}
)";

FileReader reader(const std::string& text) {
    return [text](const std::string& path) -> Result<std::string> {
        if (path != "dir/base.yaml") {
            return fail({path, 0, 0}, "is not there");
        }
        return text;
    };
}

Result<Schema> parsed(const std::string& text, const std::string& below = base) {
    return parse_schema(text, "dir/user.yaml", reader(below));
}

std::string replaced(std::string text, const std::string& old, const std::string& now) {
    const std::size_t at = text.find(old);
    EXPECT_NE(at, std::string::npos) << old;
    return at == std::string::npos ? text : text.replace(at, old.size(), now);
}

std::string errors(const std::string& text, const std::string& used = base) {
    const auto schema = parsed(text, used);
    if (!schema) {
        return listing(schema.error());
    }
    const auto proved = prove(*schema);
    return proved ? "" : listing(proved.error());
}

TEST(Uses, ConstantsAndStructsOfTheOtherAreKnown) {
    const auto schema = parsed(user);
    ASSERT_TRUE(schema) << listing(schema.error());
    ASSERT_TRUE(prove(*schema)) << listing(prove(*schema).error());
    const auto resolved = resolve(*schema, 0, 14);
    ASSERT_TRUE(resolved) << listing(resolved.error());
    EXPECT_EQ(resolved->constants.at("fixed"), 16U);
    EXPECT_EQ(resolved->constants.at("per_page"), 16384U / 17);
    EXPECT_EQ(resolved->structs.at("entry").size, 17U);
    EXPECT_FALSE(resolved->constants.contains("page_size"));
}

TEST(Uses, TheModelHasWhatIsUsedAndNothingElse) {
    const auto schema = parsed(user);
    ASSERT_TRUE(schema) << listing(schema.error());
    const auto model = build_model(*schema, {0}, 12);
    ASSERT_TRUE(model) << listing(model.error());
    const auto json = nlohmann::json::parse(model_json(*model, "name"));
    EXPECT_EQ(json["namespace"], "t::user");
    EXPECT_EQ(json["title"], "What is made of it");
    EXPECT_TRUE(json["key"].is_null());
    EXPECT_EQ(json["uses"]["namespace"], "t::abi");
    EXPECT_EQ(json["uses"]["prefix"], "t");
    ASSERT_EQ(json["uses"]["constants"].size(), 1U);
    EXPECT_EQ(json["uses"]["constants"][0]["name"], "page_size");
    ASSERT_EQ(json["uses"]["structs"].size(), 1U);
    EXPECT_EQ(json["uses"]["structs"][0]["name"], "area");
    const auto& fields = json["sections"][0]["structs"][0]["fields"];
    EXPECT_EQ(fields[0]["used"], false);
    EXPECT_EQ(fields[1]["used"], true);
    EXPECT_EQ(fields[1]["struct"], true);
    // What is made of the page size depends on it, wherever that is.
    EXPECT_EQ(json["dependents"],
              nlohmann::json::parse(R"([{"kind": "constant", "name": "per_page"}])"));
}

TEST(Uses, ThereAreNoVectorsWithoutAKey) {
    const auto schema = parsed(user);
    ASSERT_TRUE(schema) << listing(schema.error());
    const auto text = emit(*schema, {{std::nullopt, 12, "c-vectors", ""}}, {});
    ASSERT_FALSE(text);
    EXPECT_EQ(text.error()[0].text, "the schema has no key, of which alone there are vectors");
    for (const Target& target : every_target(*schema, "out")) {
        EXPECT_EQ(target.language.find("vectors"), std::string::npos);
    }
}

TEST(Uses, VersionsThatMayBeTheOtherOneHaveToAgree) {
    const std::string says =
        "the versions of dir/base.yaml from v1 on do not agree on constant 'moves', so that u1 "
        "cannot be made of it";
    EXPECT_NE(errors(replaced(user, "page_size / sizeof(entry)", "moves")).find(says),
              std::string::npos);
    EXPECT_NE(errors(replaced(user, "page_size / sizeof(entry)", "late"))
                  .find("there is no constant 'late' in u1"),
              std::string::npos);
    const std::string newer = replaced(user, "since: v1}", "since: v2}");
    EXPECT_EQ(errors(replaced(newer, "page_size / sizeof(entry)", "moves + late")), "");
    EXPECT_NE(errors(user, replaced(base, "{name: b, type: u16, doc: d}",
                                    "{name: b, type: u64, since: v2, doc: d}"))
                  .find("do not agree on type 'area'"),
              std::string::npos);
}

struct Wrong {
    const char* old;
    const char* now;
    const char* says;
};

class UsesWrong : public testing::TestWithParam<Wrong> {};

TEST_P(UsesWrong, IsAnError) {
    const std::string said = errors(replaced(user, GetParam().old, GetParam().now));
    EXPECT_NE(said.find(GetParam().says), std::string::npos) << said;
}

INSTANTIATE_TEST_SUITE_P(
    All, UsesWrong,
    testing::Values(
        Wrong{"base.yaml", "none.yaml", "dir/none.yaml cannot be read; put it next to this one"},
        Wrong{"base.yaml", "../base.yaml", "name a file in the directory of this one"},
        Wrong{"base.yaml", "''", "name a file in the directory of this one"},
        Wrong{"since: v1}", "since: v9}", "'since' of uses: base.yaml has no version 'v9'"},
        Wrong{", since: v1}", "}", "uses has no 'since'"},
        Wrong{"schema: base.yaml, ", "", "uses has no 'schema'"},
        Wrong{"since: v1}", "since: v1, more: 1}", "uses has an unknown key 'more'"},
        Wrong{"versions:\n",
              "parameters:\n  page_shift: {values: [12], default: 12, doc: d, source: s}\n"
              "versions:\n",
              "the schema has an unknown key 'parameters'"},
        Wrong{"per_page:", "page_size:",
              "constant page_size has a name of the schema that this one uses"},
        Wrong{"      entry:", "      area:",
              "struct area has a name of the schema that this one uses"},
        Wrong{"type: area", "type: open", "struct open ends in a flexible array"},
        Wrong{"type: area", "type: nothing", "there is no type 'nothing' in u1"},
        Wrong{"t::user", "'t::'", "'t::' is no namespace: names parted by ::"},
        Wrong{"t::user", "t:user", "'t:user' is no namespace"},
        Wrong{"t::user", "''", "'' is no namespace"}));

TEST(Uses, OnlyASchemaOfAnAbiThatUsesNoneItself) {
    EXPECT_NE(errors(user, user).find("a schema that is used by another one cannot use one itself"),
              std::string::npos);
    EXPECT_NE(errors(user, replaced(base, "format: 1", "format: 2")).find("dir/base.yaml:1:9"),
              std::string::npos);
}

std::string conformed(const Result<Schema>& from, const Result<Schema>& to) {
    EXPECT_TRUE(from && to);
    const auto result = conform_schemas(*from, *to);
    EXPECT_TRUE(result) << listing(result.error());
    return result ? to_text(*result) : "";
}

TEST(Uses, AChangeOfWhatIsUsedBreaksWhatUsesIt) {
    EXPECT_EQ(conformed(parsed(user), parsed(user)),
              "0 breaks-layout, 0 breaks-source, 0 compatible, 0 errors\n");
    // The struct has its size still, and what is in it is elsewhere.
    const std::string moved =
        replaced(base, "{name: a, type: u64, doc: d}, {name: b, type: u16, doc: d}",
                 "{name: b, type: u16, doc: d}, {name: a, type: u64, doc: d}");
    const std::string said = conformed(parsed(user), parsed(user, moved));
    EXPECT_NE(said.find("breaks-layout: u1: struct area of base.yaml changes\n"), std::string::npos)
        << said;
    EXPECT_NE(said.find("error: u1: the layout breaks and the compatible string stays \"user-1\""),
              std::string::npos)
        << said;
    // What is not used may be anything.
    EXPECT_EQ(conformed(parsed(user), parsed(user, replaced(base, "page_size / 16", "4"))),
              "0 breaks-layout, 0 breaks-source, 0 compatible, 0 errors\n");
}

TEST(Uses, AVersionOfTheOtherOneIsNoneOfThis) {
    const std::string more =
        replaced(base, "default_version: v2",
                 "  v3: {compatible: c, doc: d, source: s}\ndefault_version: v2");
    EXPECT_EQ(conformed(parsed(user), parsed(user, more)),
              "0 breaks-layout, 0 breaks-source, 0 compatible, 0 errors\n");
}

}  // namespace
}  // namespace khob::gen::test
