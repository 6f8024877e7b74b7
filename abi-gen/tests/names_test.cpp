// SPDX-License-Identifier: GPL-2.0-only
// Names that a header cannot have: each would make one that no compiler takes, or
// one that means something else.
#include <gtest/gtest.h>

#include "fixture.hpp"

namespace khob::gen::test {
namespace {

std::string constant(const std::string& name, const std::string& more = "") {
    return schema_text("    constants:\n      " + name + ": {value: 1, doc: d" + more + "}\n");
}

std::string structure(const std::string& fields) {
    return schema_text(
        "    constants:\n      n: {value: 2, doc: d, alias: number}\n"
        "    structs:\n      a: {doc: d, fields: [{name: x, type: u8, doc: d}]}\n"
        "      b: {doc: d, fields: [" +
        fields + "]}\n");
}

TEST(Names, WhatStandsInAHeaderIsAnIdentifier) {
    expect_error(schema_with("prefix: t", "prefix: 't-1'"), "t-1", "'t-1' is no name");
    expect_error(constant("a", ", alias: 'x y'"), "x y", "alias of constant a 'x y' is no name");
    expect_error(schema_text("    strings:\n      s: {value: v, alias: A, doc: d}\n"), "A, doc",
                 "alias of string s 'A' is no name");
    expect_error(schema_with("  v1:", "  V1:"), "V1:", "'V1' is no version's name");
    expect_error(schema_with("  v1:", "  'v 1':"), "'v 1'", "'v 1' is no version's name");
}

TEST(Names, WordsOfCAndCpp) {
    expect_error(constant("new"), "new", "has the name of a word of C or C++; give it an 'alias'");
    EXPECT_EQ(listing(errors_of(constant("new", ", alias: new_one"))), "");
    expect_error(constant("a", ", alias: delete"), "a: {value: 1", "of a word of C or C++");
    expect_error(schema_text("    structs:\n      union:\n        doc: d\n"
                             "        fields: [{name: x, type: u8, doc: d}]\n"),
                 "union", "of a word of C or C++; it needs another one");
    expect_error(structure("{name: int, type: u8, doc: d}"), "int, type",
                 "field int of struct b has the name of a word");
    expect_error(schema_with("  v1:", "  default:"), "default: {comp", "no version can be called");
}

TEST(Names, WhatEveryHeaderHas) {
    for (const char* name : {"versions", "page_shift", "abi_nr", "level", "encode", "std"}) {
        expect_error(constant(name), std::string(name) + ": {value: 1, doc",
                     std::string("'") + name + "' is a name that what is emitted has of its own");
    }
    expect_error(constant("fine", ", alias: index"), "fine", "'index' is a name");
    EXPECT_EQ(listing(errors_of(structure("{name: version, type: u8, doc: d}"))), "");
}

TEST(Names, VersionsThatAreOneIdentifier) {
    expect_error(schema_with("  v1:",
                             "  v_2: {compatible: c, doc: d, source: s}\n"
                             "  v-2: {compatible: c, doc: d, source: s}\n  v1:"),
                 "v-2", "version v-2 is the same identifier as v_2");
    expect_error(schema_with("  v1:", "  all:"), "all", "no version can be called all");
}

TEST(Names, OfAVariant) {
    expect_error(schema_text("    constants:\n      a: {value: 1, doc: d}\n"
                             "      a_v1: {value: 1, doc: d}\n"),
                 "a_v1", "a_v1 may be what a is called in v1");
    expect_error(constant("compatible_v2"), "compatible_v2", "may be what compatible is called");
    expect_error(constant("abi_v1"), "abi_v1", "abi_v1 may be what abi is called in v1");
    EXPECT_EQ(listing(errors_of(constant("b_v1"))), "");
}

TEST(Names, AFieldMayBeCalledAsWhatItsStructIsMadeOf) {
    EXPECT_EQ(listing(errors_of(structure("{name: a, type: a, doc: d}, "
                                          "{name: number, type: u8, length: n, doc: d}, "
                                          "{name: u8, type: u8, length: 'sizeof(a)', doc: d}"))),
              "");
}

}  // namespace
}  // namespace khob::gen::test
