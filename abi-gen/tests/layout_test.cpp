// SPDX-License-Identifier: GPL-2.0-only
// Resolving: names, cycles, ranges, and layouts against this compiler's own.
#include <gtest/gtest.h>

#include <cstddef>
#include <string>
#include <vector>

#include "fixture.hpp"

// The same structs as the schema snippets below, in plain C.
// NOLINTBEGIN(modernize-avoid-c-arrays,modernize-use-using)
namespace plain {
struct Mixed {
    std::uint8_t a;
    std::uint16_t b;
    std::uint8_t c;
    std::uint64_t d;
    char e[3];
    std::uint32_t f;
    std::uint8_t g;
};
struct [[gnu::packed]] Packed {
    std::uint8_t a;
    std::uint64_t b;
    char c[65];
    std::uint32_t d;
};
struct Inner {
    std::uint16_t a;
    std::uint8_t b;
};
struct Outer {
    std::uint8_t a;
    Inner b[3];
    std::uint32_t c;
    Packed d;
    std::uint8_t e;
};
}  // namespace plain
// NOLINTEND(modernize-avoid-c-arrays,modernize-use-using)

namespace khob::gen::test {
namespace {

const std::string structs = R"(    structs:
      outer:
        doc: d
        fields:
          - {name: a, type: u8, doc: d}
          - {name: b, type: inner, length: three, doc: d}
          - {name: c, type: be32, doc: d}
          - {name: d, type: packed, doc: d}
          - {name: e, type: u8, doc: d}
      mixed:
        doc: d
        fields:
          - {name: a, type: u8, doc: d}
          - {name: b, type: u16, doc: d}
          - {name: c, type: u8, doc: d}
          - {name: d, type: u64, doc: d}
          - {name: e, type: char, length: 3, doc: d}
          - {name: f, type: u32, doc: d}
          - {name: g, type: u8, doc: d}
      packed:
        doc: d
        packed: true
        fields:
          - {name: a, type: u8, doc: d}
          - {name: b, type: u64, doc: d}
          - {name: c, type: char, length: 65, doc: d}
          - {name: d, type: u32, doc: d}
      inner:
        doc: d
        fields:
          - {name: a, type: u16, doc: d}
          - {name: b, type: u8, doc: d}
      flexible:
        doc: d
        fields:
          - {name: a, type: u8, doc: d}
          - {name: b, type: inner, length: flexible, doc: d}
    constants:
      three: {value: sizeof(inner) - 1, doc: d}
)";

Layout layout_of(const std::string& name) {
    const auto schema = parse_schema(schema_text(structs), file);
    EXPECT_TRUE(schema) << listing(schema.error());
    const auto resolved = resolve(*schema, 0, 12);
    EXPECT_TRUE(resolved) << listing(resolved.error());
    return resolved->structs.at(name);
}

std::vector<std::uint64_t> offsets(const Layout& layout) {
    std::vector<std::uint64_t> all;
    for (const FieldLayout& field : layout.fields) {
        all.push_back(field.offset);
    }
    return all;
}

TEST(Layout, OfMixedFieldsIsTheCompilers) {
    using plain::Mixed;
    const Layout layout = layout_of("mixed");
    EXPECT_EQ(layout.size, sizeof(Mixed));
    EXPECT_EQ(layout.alignment, alignof(Mixed));
    EXPECT_EQ(offsets(layout),
              (std::vector<std::uint64_t>{
                  offsetof(Mixed, a), offsetof(Mixed, b), offsetof(Mixed, c), offsetof(Mixed, d),
                  offsetof(Mixed, e), offsetof(Mixed, f), offsetof(Mixed, g)}));
}

TEST(Layout, OfPackedFieldsIsTheCompilers) {
    using plain::Packed;
    const Layout layout = layout_of("packed");
    EXPECT_EQ(layout.size, sizeof(Packed));
    EXPECT_EQ(layout.alignment, alignof(Packed));
    EXPECT_EQ(offsets(layout),
              (std::vector<std::uint64_t>{offsetof(Packed, a), offsetof(Packed, b),
                                          offsetof(Packed, c), offsetof(Packed, d)}));
}

TEST(Layout, OfNestedStructsIsTheCompilers) {
    using plain::Outer;
    const Layout layout = layout_of("outer");
    EXPECT_EQ(layout.size, sizeof(Outer));
    EXPECT_EQ(layout.alignment, alignof(Outer));
    EXPECT_EQ(offsets(layout), (std::vector<std::uint64_t>{offsetof(Outer, a), offsetof(Outer, b),
                                                           offsetof(Outer, c), offsetof(Outer, d),
                                                           offsetof(Outer, e)}));
    EXPECT_EQ(layout.fields[1].length, 3U);
    EXPECT_EQ(layout.fields[1].size, 3 * sizeof(plain::Inner));
}

TEST(Layout, OfAFlexibleArrayEndsWithItsPadding) {
    const Layout layout = layout_of("flexible");
    EXPECT_EQ(layout.size, 2U);
    EXPECT_EQ(offsets(layout), (std::vector<std::uint64_t>{0, 2}));
    EXPECT_FALSE(layout.fields[1].length);
}

TEST(Resolve, Cycles) {
    const std::string text = schema_text(
        "    constants:\n"
        "      a: {value: 1 + b, doc: d}\n"
        "      b: {value: c, doc: d}\n"
        "      c: {value: 2 * a, doc: d}\n");
    const Errors errors = errors_of(text);
    ASSERT_EQ(errors.size(), 2U) << listing(errors);  // one for each version
    EXPECT_NE(errors[0].text.find("'a' depends on itself: a -> b -> c -> a"), std::string::npos);
    EXPECT_EQ(errors[0].at, position_of(text, "a, doc: d}\nkey"));
    expect_error(schema_text("    structs:\n      s: {doc: d, fields: "
                             "[{name: x, type: s, doc: d}]}\n"),
                 "s, doc: d}]", "depends on itself: struct s -> struct s");
    expect_error(schema_text("    structs:\n      s: {doc: d, fields: "
                             "[{name: x, type: u8, length: n, doc: d}]}\n"
                             "    constants:\n      n: {value: sizeof(s), doc: d}\n"),
                 "n, doc: d}]}\n    constants", "'n' depends on itself: n -> struct s -> n");
}

TEST(Resolve, UnresolvedNames) {
    expect_error(schema_text("    constants:\n      a: {value: 1 + nothing, doc: d}\n"), "nothing",
                 "there is no constant 'nothing' in v1");
    expect_error(schema_text("    structs:\n      s: {doc: d, fields: "
                             "[{name: x, type: nothing, doc: d}]}\n"),
                 "nothing", "there is no type 'nothing' in v1");
    expect_error(schema_text("    constants:\n      a: {value: 1, since: v2, doc: d}\n"
                             "      b: {value: a, doc: d}\n"),
                 "a, doc: d}\nkey", "there is no constant 'a' in v1");
}

TEST(Resolve, ValuesFitTheirTypes) {
    expect_error(schema_text("    constants:\n      a: {value: 1 << 31, doc: d}\n"), "1 << 31",
                 "2147483648, more than its type's 2147483647");
    expect_error(schema_text("    constants:\n      a: {value: 1 << 32, type: u32, doc: d}\n"),
                 "1 << 32", "more than its type's 4294967295");
    EXPECT_EQ(listing(errors_of(
                  schema_text("    constants:\n      a: {value: 1 << 63, type: u64, doc: d}\n"))),
              "");
}

TEST(Resolve, Overflow) {
    const std::string text =
        schema_text("    constants:\n      a: {value: 1 + (page_size << 60), type: u64, doc: d}\n");
    expect_error(text, "<< 60", "4096 << 60 does not fit in 64 bits (v1 at page_shift 12)");
}

TEST(Resolve, ArraysAreBounded) {
    expect_error(schema_text("    structs:\n      s: {doc: d, fields: "
                             "[{name: x, type: u8, length: 1 - 1, doc: d}]}\n"),
                 "1 - 1", "an array without elements");
    expect_error(schema_text("    structs:\n      s: {doc: d, fields: "
                             "[{name: x, type: u64, length: 1 << 62, doc: d}]}\n"),
                 "x, type: u64", "larger than 4294967296 bytes");
    expect_error(schema_text("    structs:\n      f: {doc: d, fields: "
                             "[{name: x, type: u8, length: flexible, doc: d}]}\n"
                             "      s: {doc: d, fields: [{name: y, type: f, doc: d}]}\n"),
                 "f, doc: d}]", "ends in a flexible array");
}

TEST(Resolve, OneErrorIsNotRepeatedByWhatDependsOnIt) {
    const Errors errors =
        errors_of(schema_text("    constants:\n"
                              "      a: {value: 1 / 0, doc: d}\n"
                              "      b: {value: a, doc: d}\n"
                              "      c: {value: a + b, doc: d}\n"));
    EXPECT_EQ(errors.size(), 2U) << listing(errors);  // one for each version
}

// Each version can be computed, but a header for all of them has to define one first.
TEST(Resolve, ACircleThroughVersions) {
    expect_error(schema_text("    constants:\n"
                             "      a: [{until: v1, value: b + 1, doc: d}, "
                             "{since: v2, value: 1, doc: d}]\n"
                             "      b: [{until: v1, value: 1, doc: d}, "
                             "{since: v2, value: a + 1, doc: d}]\n"),
                 "a: [{", "'a' depends on itself, though in no version alone");
    expect_error(schema_text("    constants:\n"
                             "      c: [{until: v1, value: sizeof(s), doc: d}, "
                             "{since: v2, value: 1, doc: d}]\n"
                             "    structs:\n      s:\n        doc: d\n        fields:\n"
                             "          - {name: x, type: u8, doc: d}\n"
                             "          - {name: y, type: u8, length: c, since: v2, doc: d}\n"),
                 "c: [{", "'c' depends on itself, though in no version alone");
}

}  // namespace
}  // namespace khob::gen::test
