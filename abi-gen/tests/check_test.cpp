// SPDX-License-Identifier: GPL-2.0-only
// Invariants and the proof of the key: that they can fail, and what they say.
#include <gtest/gtest.h>

#include "fixture.hpp"

namespace khob::gen::test {
namespace {

TEST(Invariant, ThatFailsSaysBothNumbers) {
    expect_error(schema_text("",
                             "  i: {holds: page_size == 4095 + 2, fails: \"{left} is not "
                             "{right}, so {left} is wrong\", doc: d}\n"),
                 "page_size == 4095",
                 "invariant i fails for v1 at page_shift 12: 4096 is not 4097, so 4096 is wrong");
}

TEST(Invariant, ThatCannotBeComputedSaysWhere) {
    expect_error(schema_text("", "  i: {holds: 1 == nothing, fails: f, doc: d}\n"), "nothing",
                 "there is no constant 'nothing'");
    expect_error(schema_text("", "  i: {holds: sizeof(what) == 1, fails: f, doc: d}\n"),
                 "sizeof(what)", "there is no type 'what'");
    expect_error(schema_text("", "  i: {holds: 1 == 5 - 6, fails: f, doc: d}\n"), "- 6,",
                 "less than zero");
}

TEST(Invariant, KnowsEveryType) {
    EXPECT_EQ(listing(errors_of(schema_text(
                  "    structs:\n      s: {doc: d, fields: [{name: x, type: u16, doc: d}]}\n",
                  "  i: {holds: sizeof(s) + sizeof(u64) == 10, fails: f, doc: d}\n"))),
              "");
}

TEST(Invariant, OfAnotherVersionIsLeftOut) {
    const Errors errors =
        errors_of(schema_text("", "  i: {holds: 1 == 2, fails: no, since: v2, doc: d}\n"));
    ASSERT_EQ(errors.size(), 1U) << listing(errors);
    EXPECT_NE(errors[0].text.find("fails for v2"), std::string::npos);
}

TEST(Key, ThatLosesTheOrderHasCollisions) {
    const std::string text =
        schema_with("(1 << (order_max - order)) | (pa >> (page_shift + order))",
                    "(1 << order_max) | (pa >> page_shift)");
    const Errors errors = errors_of(text);
    ASSERT_FALSE(errors.empty());
    EXPECT_EQ(errors[0].at.line, position_of(text, "decode_pa").line - 2) << listing(errors);
    EXPECT_NE(errors[0].text.find("same key"), std::string::npos) << listing(errors);
}

TEST(Key, ThatIsDecodedWronglyIsFound) {
    const Errors errors =
        errors_of(schema_with("decode_order: order_max - log2_floor(key)", "decode_order: 0"));
    ASSERT_FALSE(errors.empty());
    EXPECT_NE(errors[0].text.find("page 0x0 of order 1 is decoded to page 0x0 of order 0"),
              std::string::npos)
        << listing(errors);
}

TEST(Key, ThatIsTooWideIsFound) {
    const Errors errors = errors_of(schema_with("key_width: {value: 65", "key_width: {value: 64"));
    ASSERT_FALSE(errors.empty());
    EXPECT_NE(errors[0].text.find("more than 52 bits"), std::string::npos) << listing(errors);
}

TEST(Key, WithALevelTooFewHasCollisionsInTheTree) {
    const Errors errors =
        errors_of(schema_with("\"ceil_div(key_width - leaf_log2, table_log2) + 1\"", "\"5\""));
    ASSERT_FALSE(errors.empty());
    EXPECT_NE(errors[0].text.find("have the same place in a tree of 5 levels"), std::string::npos)
        << listing(errors);
}

TEST(Key, WithAnIndexBehindTheTableIsFound) {
    const std::string nodes = schema_with(" % (1 << table_log2)", "");
    const Errors of_a_node = errors_of(nodes);
    ASSERT_FALSE(of_a_node.empty());
    EXPECT_EQ(of_a_node[0].at, position_of(nodes, "(key >> ((level"));
    EXPECT_EQ(of_a_node[0].text,
              "page 0x0 of order 0 has the index 137438953472 at level 1, which has 512 "
              "entries (v1 at page_shift 12)");
    const std::string leaves = schema_with("leaf_index: key % (1 << leaf_log2)", "leaf_index: key");
    const Errors of_a_leaf = errors_of(leaves);
    ASSERT_FALSE(of_a_leaf.empty());
    EXPECT_EQ(of_a_leaf[0].at, position_of(leaves, "key\n  node_index"));
    EXPECT_EQ(of_a_leaf[0].text,
              "page 0x0 of order 0 has the index 4503599627370496 at level 0, which has 32768 "
              "entries (v1 at page_shift 12)");
}

TEST(Key, ThatCannotBeComputedSaysWhere) {
    expect_error(schema_with("leaf_index: key % (1 << leaf_log2)", "leaf_index: key % nothing"),
                 "nothing", "there is no constant 'nothing'");
    const Errors errors = errors_of(schema_with("order_max: {value: 64 - page_shift, doc: d}",
                                                "order_top: {value: 64 - page_shift, doc: d}"));
    EXPECT_NE(listing(errors).find("the key needs the constants"), std::string::npos);
}

}  // namespace
}  // namespace khob::gen::test
