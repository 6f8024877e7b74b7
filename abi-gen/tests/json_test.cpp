// SPDX-License-Identifier: GPL-2.0-only
// The JSON model: versions, variants, and that it is the same each time.
#include "json.hpp"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "fixture.hpp"

namespace khob::gen::test {
namespace {

const std::string elements = R"(    constants:
      same:
        - {value: 2 + 2, until: v1, doc: as a sum}
        - {value: 2 * 2, since: v2, doc: as a product}
      differs:
        - {value: 1, until: v1, doc: one}
        - {value: 2, since: v2, doc: two}
      late: {value: 3, since: v2, unit: bytes, doc: d}
    strings:
      name: {value: x, until: v1, doc: d}
    properties:
      size: {node: subnode, property: blob-size, type: u64, since: v2, doc: d}
    structs:
      grows:
        doc: d
        fields:
          - {name: a, type: u32, doc: d}
          - {name: b, type: u64, since: v2, doc: d}
          - {name: c, type: u32, doc: d}
)";

nlohmann::json model_of(const std::vector<std::size_t>& versions) {
    const auto schema = parse_schema(schema_text(elements), file);
    EXPECT_TRUE(schema) << listing(schema.error());
    const auto model = build_model(*schema, versions, 12);
    EXPECT_TRUE(model) << listing(model.error());
    return nlohmann::json::parse(model_json(*model, "name"));
}

nlohmann::json find(const nlohmann::json& list, const std::string& name) {
    nlohmann::json found = nlohmann::json::array();
    for (const auto& item : list) {
        if (item["name"] == name) {
            found.push_back(item);
        }
    }
    return found;
}

TEST(Json, AgreeingVariantsAreOne) {
    const auto same = find(model_of({0, 1})["sections"][1]["constants"], "same");
    ASSERT_EQ(same.size(), 1U);
    EXPECT_EQ(same[0]["value"], 4);
    EXPECT_EQ(same[0]["doc"], "as a product");
    EXPECT_TRUE(same[0]["variant"].is_null());
    EXPECT_TRUE(same[0]["since"].is_null());
    EXPECT_TRUE(same[0]["until"].is_null());
}

TEST(Json, DifferingVariantsNameTheirVersion) {
    const auto differs = find(model_of({0, 1})["sections"][1]["constants"], "differs");
    ASSERT_EQ(differs.size(), 2U);
    EXPECT_EQ(differs[0]["variant"], "v1");
    EXPECT_EQ(differs[0]["value"], 1);
    EXPECT_EQ(differs[1]["variant"], "v2");
    EXPECT_EQ(differs[1]["value"], 2);
    const auto alone = find(model_of({0})["sections"][1]["constants"], "differs");
    ASSERT_EQ(alone.size(), 1U);
    EXPECT_TRUE(alone[0]["variant"].is_null());
    EXPECT_EQ(alone[0]["value"], 1);
}

TEST(Json, AVersionHasOnlyWhatIsInIt) {
    const auto first = model_of({0})["sections"][1];
    EXPECT_TRUE(find(first["constants"], "late").empty());
    EXPECT_EQ(find(first["strings"], "name").size(), 1U);
    EXPECT_TRUE(first["properties"].empty());
    const auto second = model_of({1})["sections"][1];
    EXPECT_EQ(find(second["constants"], "late")[0]["since"], "v2");
    EXPECT_EQ(find(second["constants"], "late")[0]["unit"], "bytes");
    EXPECT_TRUE(second["strings"].empty());
    EXPECT_EQ(second["properties"][0]["property"], "blob-size");
}

TEST(Json, AStructThatGrowsIsAVariant) {
    const auto grows = find(model_of({0, 1})["sections"][1]["structs"], "grows");
    ASSERT_EQ(grows.size(), 2U);
    EXPECT_EQ(grows[0]["variant"], "v1");
    EXPECT_EQ(grows[0]["size"], 8);
    EXPECT_EQ(grows[0]["fields"].size(), 2U);
    EXPECT_EQ(grows[0]["fields"][1]["offset"], 4);
    EXPECT_EQ(grows[1]["size"], 24);
    EXPECT_EQ(grows[1]["fields"].size(), 3U);
    EXPECT_EQ(grows[1]["fields"][2]["offset"], 16);
}

TEST(Json, VersionsSayWhichPropertiesTheyHave) {
    const auto versions = model_of({0, 1})["versions"];
    EXPECT_EQ(versions[0]["has"]["size"], false);
    EXPECT_EQ(versions[1]["has"]["size"], true);
    EXPECT_EQ(versions[1]["compatible"], "b");
}

TEST(Json, TheDefaultVersionIsOneOfThem) {
    EXPECT_EQ(model_of({0, 1})["default_version"], "v2");
    EXPECT_EQ(model_of({0})["default_version"], "v1");
}

TEST(Json, InvariantsShowTheirSides) {
    const auto invariant = model_of({0, 1})["invariants"][0];
    EXPECT_EQ(invariant["name"], "fine");
    ASSERT_EQ(invariant["sides"].size(), 2U);
    EXPECT_EQ(invariant["sides"][0]["left"], 1);
    EXPECT_EQ(invariant["sides"][0]["right"], 2);
}

TEST(Json, SaysWhatDependsOnVersionAndPageSize) {
    const auto model = model_of({0, 1});
    std::string names;
    for (const auto& dependent : model["dependents"]) {
        names += dependent["kind"].get<std::string>() + " " + dependent["name"].get<std::string>() +
                 "\n";
    }
    // What is used stands before what uses it.
    EXPECT_EQ(names,
              "constant page_size\nconstant key_width\nconstant order_max\n"
              "constant table_log2\nconstant leaf_log2\nconstant tree_depth\n"
              "constant same\nconstant differs\nstruct grows\n");
    EXPECT_FALSE(find(model["sections"][1]["constants"], "late")[0]["dependent"]);
    const auto same = find(model["sections"][1]["constants"], "same")[0]["definitions"];
    ASSERT_EQ(same.size(), 2U);
    EXPECT_EQ(same[0]["rpn"], "2 2 +");
    EXPECT_EQ(same[1]["versions"], nlohmann::json::array({"v2"}));
}

// Its field has to name one of the variants, so it is one too.
TEST(Json, AStructOfOneVersionThatHoldsAVariantIsOne) {
    const auto schema =
        parse_schema(schema_text(elements + "      late_one:\n        doc: d\n"
                                            "        since: v2\n        fields:\n"
                                            "          - {name: x, type: grows, doc: d}\n"),
                     file);
    ASSERT_TRUE(schema) << listing(schema.error());
    const auto both = build_model(*schema, {0, 1}, 12);
    const auto alone = build_model(*schema, {1}, 12);
    ASSERT_TRUE(both && alone);
    const auto of = [](const Model& model) {
        const auto json = nlohmann::json::parse(model_json(model, "name"));
        return find(json["sections"][1]["structs"], "late_one")[0];
    };
    EXPECT_EQ(of(*both)["variant"], "v2");
    EXPECT_EQ(of(*both)["fields"][0]["type_variant"], "v2");
    EXPECT_TRUE(of(*alone)["variant"].is_null());
    EXPECT_TRUE(of(*alone)["fields"][0]["type_variant"].is_null());
}

TEST(Json, AStructThatHoldsAVariantIsOne) {
    const auto schema =
        parse_schema(schema_text(elements + "      holds:\n        doc: d\n        fields:\n"
                                            "          - {name: g, type: grows, doc: d}\n"),
                     file);
    ASSERT_TRUE(schema) << listing(schema.error());
    const auto model = build_model(*schema, {0, 1}, 12);
    ASSERT_TRUE(model) << listing(model.error());
    const auto json = nlohmann::json::parse(model_json(*model, "name"));
    const auto holds = find(json["sections"][1]["structs"], "holds");
    ASSERT_EQ(holds.size(), 2U);
    EXPECT_EQ(holds[1]["fields"][0]["type_variant"], "v2");
}

TEST(Json, TheSameInputGivesTheSameBytes) {
    const auto schema = parse_schema(schema_text(elements), file);
    ASSERT_TRUE(schema);
    const auto one = build_model(*schema, {0, 1}, 12);
    const auto two = build_model(*schema, {0, 1}, 12);
    ASSERT_TRUE(one && two);
    EXPECT_EQ(model_json(*one, "n"), model_json(*two, "n"));
}

}  // namespace
}  // namespace khob::gen::test
