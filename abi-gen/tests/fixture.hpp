// SPDX-License-Identifier: GPL-2.0-only
// A small schema that tests alter, and ways to look at what comes of it.
#ifndef KHOB_ABI_GEN_TESTS_FIXTURE_HPP
#define KHOB_ABI_GEN_TESTS_FIXTURE_HPP

#include <gtest/gtest.h>

#include <string>

#include "error.hpp"
#include "model.hpp"
#include "schema.hpp"

namespace khob::gen::test {

inline const std::string file = "test.yaml";

/// The smallest schema that is right, as kho.yaml has it; section "more" gets elements
/// (indented by four spaces) and the end of the file gets invariants (by two).
inline std::string schema_text(const std::string& elements = "",
                               const std::string& invariants = "") {
    return R"(format: 1
prefix: t
parameters:
  page_shift: {values: [12, 14], default: 12, doc: d, source: s}
versions:
  v1: {compatible: a, doc: d, source: s}
  v2: {compatible: b, doc: d, source: s}
default_version: v2
sections:
  base:
    doc: d
    source: s
    constants:
      page_size: {value: 1 << page_shift, type: u64, doc: d}
      key_width: {value: 65 - page_shift, doc: d}
      order_max: {value: 64 - page_shift, doc: d}
      table_log2: {value: page_shift - 3, doc: d}
      leaf_log2: {value: page_shift + 3, doc: d}
      tree_depth: {value: "ceil_div(key_width - leaf_log2, table_log2) + 1", doc: d}
  more:
    doc: d
    source: s
)" + elements +
           R"(key:
  doc: d
  source: s
  encode: (1 << (order_max - order)) | (pa >> (page_shift + order))
  decode_order: order_max - log2_floor(key)
  decode_pa: (key - (1 << log2_floor(key))) << (page_shift + order_max - log2_floor(key))
  leaf_index: key % (1 << leaf_log2)
  node_index: (key >> ((level - 1) * table_log2 + leaf_log2)) % (1 << table_log2)
invariants:
  fine: {holds: 1 < 2, fails: never, doc: d}
)" + invariants;
}

/// The smallest schema with old (which has to be in it) replaced.
inline std::string schema_with(const std::string& old, const std::string& now) {
    std::string text = schema_text();
    const std::size_t at = text.find(old);
    EXPECT_NE(at, std::string::npos) << old;
    return text.replace(at, old.size(), now);
}

/// All stages over both versions at 12.
inline Errors errors_of(const std::string& text) {
    const auto schema = parse_schema(text, file);
    if (!schema) {
        return schema.error();
    }
    const auto model = build_model(*schema, {0, 1}, 12);
    return model ? Errors{} : model.error();
}

/// Where needle first stands in text.
inline Position position_of(const std::string& text, const std::string& needle) {
    const std::size_t at = text.find(needle);
    EXPECT_NE(at, std::string::npos) << needle;
    Position position{file, 1, 1};
    for (std::size_t i = 0; i < at && i < text.size(); ++i) {
        position.column = text[i] == '\n' ? 1 : position.column + 1;
        position.line += text[i] == '\n' ? 1 : 0;
    }
    return position;
}

inline std::string listing(const Errors& errors) {
    std::string all;
    for (const Error& error : errors) {
        all += to_string(error) + "\n";
    }
    return all;
}

/// Expects an error where needle stands whose sentence holds part.
inline void expect_error(const std::string& text, const std::string& needle,
                         const std::string& part) {
    const Position at = position_of(text, needle);
    const Errors errors = errors_of(text);
    for (const Error& error : errors) {
        if (error.at == at && error.text.find(part) != std::string::npos) {
            return;
        }
    }
    ADD_FAILURE() << "no error at " << at.line << ":" << at.column << " that says '" << part
                  << "' but:\n"
                  << listing(errors);
}

}  // namespace khob::gen::test

#endif  // KHOB_ABI_GEN_TESTS_FIXTURE_HPP
