// SPDX-License-Identifier: GPL-2.0-only
// Resolving: names, cycles, ranges, and layouts against this compiler's own.
#include <gtest/gtest.h>

#include <array>
#include <cstddef>
#include <cstring>
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
struct Bits {
    std::uint32_t before;
    std::uint8_t odd : 3;
    std::uint8_t even : 5;
    std::uint8_t whole : 8;
    std::uint16_t half;
    std::uint64_t page : 52;
    std::uint64_t flags : 12;
};
struct [[gnu::packed]] PackedBits {
    std::uint8_t flag;
    std::uint64_t page : 52;
    std::uint64_t flags : 12;
    std::uint64_t index;
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
      bits:
        doc: d
        fields:
          - {name: before, type: u32, doc: d}
          - {name: odd, type: u8, bits: 3, doc: d}
          - {name: even, type: u8, bits: 5, doc: d}
          - {name: whole, type: u8, bits: 8, doc: d}
          - {name: half, type: u16, doc: d}
          - {name: page, type: u64, bits: 52, doc: d}
          - {name: flags, type: u64, bits: 12, doc: d}
      packed_bits:
        doc: d
        packed: true
        fields:
          - {name: flag, type: u8, doc: d}
          - {name: page, type: u64, bits: 52, doc: d}
          - {name: flags, type: u64, bits: 12, doc: d}
          - {name: index, type: u64, doc: d}
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

/// The bits of a struct that a field has, as a layout says, in the order of its bytes.
std::vector<bool> bits_of(const Layout& layout, std::size_t field) {
    const FieldLayout& at = layout.fields.at(field);
    const std::uint64_t first = at.offset * 8 + (at.bits ? at.bits->first : 0);
    const std::uint64_t count = at.bits ? at.bits->count : at.size * 8;
    std::vector<bool> bits(layout.size * 8);
    for (std::uint64_t i = first; i < first + count; ++i) {
        bits[i] = true;
    }
    return bits;
}

/// The bits that are not 0, as this compiler has them.
template <typename Struct>
std::vector<bool> bits_in(const Struct& value) {
    std::array<unsigned char, sizeof(Struct)> bytes{};
    std::memcpy(bytes.data(), &value, bytes.size());
    std::vector<bool> bits;
    for (const unsigned char byte : bytes) {
        for (unsigned bit = 0; bit < 8; ++bit) {
            bits.push_back((byte >> bit & 1U) != 0);
        }
    }
    return bits;
}

TEST(Layout, OfBitFieldsIsTheCompilers) {
    const Layout layout = layout_of("bits");
    EXPECT_EQ(layout.size, sizeof(plain::Bits));
    EXPECT_EQ(layout.alignment, alignof(plain::Bits));
    std::array<plain::Bits, 7> only{};
    only[0].before = UINT32_MAX;
    only[1].odd = 7;
    only[2].even = 31;
    only[3].whole = UINT8_MAX;
    only[4].half = UINT16_MAX;
    only[5].page = (1ULL << 52U) - 1;
    only[6].flags = 0xfff;
    for (std::size_t field = 0; field < only.size(); ++field) {
        EXPECT_EQ(bits_of(layout, field), bits_in(only.at(field))) << field;
    }
}

TEST(Layout, OfPackedBitFieldsIsTheCompilers) {
    const Layout layout = layout_of("packed_bits");
    EXPECT_EQ(layout.size, sizeof(plain::PackedBits));
    EXPECT_EQ(layout.alignment, alignof(plain::PackedBits));
    std::array<plain::PackedBits, 4> only{};
    only[0].flag = UINT8_MAX;
    only[1].page = (1ULL << 52U) - 1;
    only[2].flags = 0xfff;
    only[3].index = UINT64_MAX;
    for (std::size_t field = 0; field < only.size(); ++field) {
        EXPECT_EQ(bits_of(layout, field), bits_in(only.at(field))) << field;
    }
}

TEST(Layout, BitFieldsLeaveNothingToTheCompiler) {
    const auto with = [](const std::string& fields) {
        return schema_text("    structs:\n      a: {doc: d, fields: [" + fields + "]}\n");
    };
    expect_error(with("{name: x, type: u64, bits: 52, doc: d}"), "52, doc",
                 "up to field x of struct a have 52 of the 64 bits of a u64; name the others");
    expect_error(with("{name: x, type: u8, bits: 3, doc: d}, {name: y, type: u8, doc: d}"),
                 "3, doc: d}, {name: y", "up to field x of struct a have 3 of the 8 bits of a u8");
    expect_error(
        with("{name: x, type: u8, bits: 3, doc: d}, {name: y, type: u16, bits: 16, doc: d}"),
        "3, doc: d}, {name: y", "up to field x of struct a have 3 of the 8 bits of a u8");
    expect_error(with("{name: x, type: u8, bits: 3, doc: d}, {name: y, type: u8, bits: 6, doc: d}"),
                 "6, doc", "field y of struct a has 6 bits; there are 1 to 5 left in its u8");
    expect_error(with("{name: x, type: u8, bits: 0, doc: d}"), "0, doc",
                 "x of struct a has 0 bits");
    expect_error(with("{name: x, type: u8, bits: 9, doc: d}"), "9, doc",
                 "x of struct a has 9 bits");
    for (const char* type : {"char", "be32", "other"}) {
        expect_error(with("{name: x, type: " + std::string(type) + ", bits: 8, doc: d}"),
                     std::string(type) + ", bits", "its type none of: u8, u16, u32, u64");
    }
    expect_error(with("{name: x, type: u32, doc: d}, {name: y, type: u64, bits: 64, doc: d}"),
                 "64, doc: d}]",
                 "field y of struct a is a bit field, and 4 bytes before it have no name");
    expect_error(with("{name: x, type: u8, bits: 8, length: 2, doc: d}"), "8, length",
                 "x of struct a has both 'bits' and 'length'");
    expect_error(with("{name: x, type: u8, bits: x, doc: d}"), "x, doc", "has to be a number");
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
