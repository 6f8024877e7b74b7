// SPDX-License-Identifier: GPL-2.0-only
// The schema of KHO itself: known figures, and the fact about kho-v2 at 16K.
#include <gtest/gtest.h>

#include <fstream>
#include <iterator>
#include <nlohmann/json.hpp>
#include <set>

#include "fixture.hpp"
#include "json.hpp"

namespace khob::gen::test {
namespace {

Schema kho() {
    std::ifstream in(KHOB_SCHEMA);
    const std::string text((std::istreambuf_iterator<char>(in)), std::istreambuf_iterator<char>());
    auto schema = parse_schema(text, "kho.yaml");
    EXPECT_TRUE(schema) << listing(schema.error());
    return std::move(*schema);
}

TEST(Kho, EveryVersionIsSoundAt4K) {
    const Schema schema = kho();
    const auto model = build_model(schema, {0, 1, 2}, 12);
    EXPECT_TRUE(model) << listing(model.error());
}

struct Geometry {
    std::uint64_t page_shift;
    std::uint64_t key_width;
    std::uint64_t table_log2;
    std::uint64_t leaf_log2;
    std::uint64_t depth;
};

class KhoGeometry : public testing::TestWithParam<Geometry> {};

TEST_P(KhoGeometry, IsAsDesigned) {
    const Schema schema = kho();
    for (const std::size_t version : {std::size_t{1}, std::size_t{2}}) {
        const auto resolved = resolve(schema, version, GetParam().page_shift);
        ASSERT_TRUE(resolved) << listing(resolved.error());
        EXPECT_EQ(resolved->constants.at("key_width"), GetParam().key_width);
        EXPECT_EQ(resolved->constants.at("table_log2"), GetParam().table_log2);
        EXPECT_EQ(resolved->constants.at("leaf_log2"), GetParam().leaf_log2);
        EXPECT_EQ(resolved->constants.at("tree_depth"), GetParam().depth);
        const auto checked = check(schema, *resolved);
        EXPECT_TRUE(checked) << listing(checked.error());
    }
}

INSTANTIATE_TEST_SUITE_P(PageSizes, KhoGeometry,
                         testing::Values(Geometry{12, 53, 9, 15, 6}, Geometry{14, 51, 11, 17, 5},
                                         Geometry{16, 49, 13, 19, 4}));

TEST(Kho, V2AsPublishedFailsAt16KOnly) {
    const Schema schema = kho();
    const auto fails = build_model(schema, {0}, 14);
    ASSERT_FALSE(fails);
    ASSERT_EQ(fails.error().size(), 1U) << listing(fails.error());
    EXPECT_NE(fails.error()[0].text.find("invariant levels_cover_key fails for kho-v2 at "
                                         "page_shift 14: the levels cover 50 bits and the key "
                                         "needs 51"),
              std::string::npos)
        << listing(fails.error());
    EXPECT_TRUE(build_model(schema, {0}, 12));
    EXPECT_TRUE(build_model(schema, {0}, 16));
    EXPECT_TRUE(build_model(schema, {1, 2}, 14));
}

TEST(Kho, VectorsHoldEveryOrderAndBothEnds) {
    const Schema schema = kho();
    const auto resolved = resolve(schema, 2, 12);
    ASSERT_TRUE(resolved);
    const auto vectors = make_vectors(schema, *resolved);
    ASSERT_TRUE(vectors) << listing(vectors.error());
    EXPECT_GE(vectors->size(), 400U);
    std::set<std::uint64_t> lowest;
    std::set<std::uint64_t> highest;
    for (const Vector& vector : *vectors) {
        ASSERT_EQ(vector.index.size(), 6U);
        if (vector.pa == 0) {
            lowest.insert(vector.order);
        }
        const std::uint64_t shift = 12 + vector.order;
        if (vector.pa == (shift < 64 ? ~((std::uint64_t{1} << shift) - 1) : 0)) {
            highest.insert(vector.order);
        }
        // The path through the tree holds every bit of the key.
        std::uint64_t key = vector.index[0];
        for (std::size_t level = 1; level < vector.index.size(); ++level) {
            key |= vector.index[level] << ((level - 1) * 9 + 15);
        }
        EXPECT_EQ(key, vector.key);
    }
    EXPECT_EQ(lowest.size(), 53U);
    EXPECT_EQ(highest.size(), 53U);
}

TEST(Kho, EveryElementHasASource) {
    const Schema schema = kho();
    const auto model = build_model(schema, {0, 1, 2}, 12);
    ASSERT_TRUE(model);
    const auto json = nlohmann::json::parse(model_json(*model, "kho.yaml"));
    for (const auto& section : json["sections"]) {
        for (const char* kind : {"constants", "strings", "properties", "structs"}) {
            for (const auto& element : section[kind]) {
                EXPECT_FALSE(element["doc"].get<std::string>().empty()) << element["name"];
                EXPECT_FALSE(element["source"].get<std::string>().empty()) << element["name"];
            }
        }
    }
}

}  // namespace
}  // namespace khob::gen::test
