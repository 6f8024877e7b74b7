// SPDX-License-Identifier: GPL-2.0-only
// Schemas of a device: what is read, and every complaint at its place.
#include <gtest/gtest.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "device_fixture.hpp"
#include "emit.hpp"
#include "json.hpp"

namespace khob::gen::test {
namespace {

Errors device_errors(const std::string& text) {
    const auto schema = parse_schema(text, file);
    if (!schema) {
        return schema.error();
    }
    const auto proved = prove(*schema);
    return proved ? Errors{} : proved.error();
}

/// Expects so many errors, the first where needle first stands in the schema once old is replaced.
void expect_refused(const std::string& old, const std::string& now, const std::string& needle,
                    const std::string& says, std::size_t count = 1) {
    const std::string text = device_with(old, now);
    const Errors errors = device_errors(text);
    ASSERT_EQ(errors.size(), count) << now << "\n" << listing(errors);
    EXPECT_EQ(errors[0].text.find(says), 0U) << listing(errors);
    EXPECT_EQ(errors[0].at, position_of(text, needle)) << listing(errors);
}

Schema parsed(const std::string& text) {
    auto schema = parse_schema(text, file);
    EXPECT_TRUE(schema) << text << listing(schema.error());
    return std::move(*schema);
}

nlohmann::json json_of(const std::string& text) {
    const Schema schema = parsed(text);
    const auto model = build_model(schema, {schema.default_version}, 0);
    EXPECT_TRUE(model) << listing(model.error());
    return nlohmann::json::parse(model_json(*model, file));
}

TEST(Device, IsSoundInEachOfItsVersions) {
    EXPECT_EQ(listing(device_errors(device_text)), "");
    const Schema schema = parsed(device_text);
    ASSERT_EQ(schema.versions.size(), 2U);
    const auto first = resolve(schema, 0, 0);
    const auto second = resolve(schema, 1, 0);
    ASSERT_TRUE(first && second);
    EXPECT_EQ(first->structs.at("open").size, 40U);
    EXPECT_EQ(second->structs.at("open").size, 48U);
    EXPECT_EQ(second->constants.at("is_some"), 1U);
}

TEST(Device, TheModelHasWhatHeadersAreMadeOf) {
    const auto json = json_of(device_text);
    EXPECT_EQ(json["device"]["version"], 2);
    EXPECT_EQ(json["device"]["path"], "/dev/t");
    EXPECT_EQ(json["device"]["errors"]["EPERM"], "d");
    EXPECT_FALSE(json.contains("key"));
    const auto& section = json["sections"][0];
    EXPECT_EQ(section["groups"][0]["flags"], true);
    EXPECT_EQ(section["groups"][1]["name"], "state");
    EXPECT_EQ(section["ioctls"][0]["needs"], "CAP_SYS_ADMIN");
    EXPECT_EQ(section["ioctls"][1]["returns_fd"], true);
    EXPECT_TRUE(section["ioctls"][2]["argument"].is_null());
    EXPECT_EQ(section["structs"][2]["stream"], true);
    EXPECT_EQ(section["structs"][1]["fields"][3]["since"], "version 2");
    const auto& constants = section["constants"];
    const auto some = std::find_if(constants.begin(), constants.end(),
                                   [](const auto& c) { return c["name"] == "is_some"; });
    ASSERT_NE(some, constants.end());
    EXPECT_EQ((*some)["group"], "state");
    EXPECT_EQ((*some)["within"], "some");
    EXPECT_EQ((*some)["type"], "u32");
}

TEST(Device, HasNoVectors) {
    const Schema schema = parsed(device_text);
    for (const char* language : {"c-vectors", "json-vectors"}) {
        const auto text = emit(schema, {{std::nullopt, 0, language, ""}}, {});
        ASSERT_FALSE(text);
        EXPECT_EQ(text.error()[0].text, "the schema has no key, of which alone there are vectors");
    }
    EXPECT_EQ(every_target(schema, "out").size(), 5U);
    const auto text = emit(schema, {{std::nullopt, 0, "json-model", ""}}, {file, "", ""});
    ASSERT_TRUE(text);
    EXPECT_EQ(nlohmann::json::parse(*text), json_of(device_text));
}

TEST(Device, OfUpstreamHasItsNames) {
    std::string text = device_with("path: /dev/t\n",
                                   "path: /dev/t\nheader: h.h\nguard: T_H\nnamespace: a::t\n"
                                   "ioctl_type: kind\n");
    for (const auto& [old, now] :
         {std::pair{"      type: {",
                    "      cmd_stop: {value: 7, doc: d}\n"
                    "      kind: {"},
          std::pair{"stop: {nr: 2", "stop: {nr: cmd_stop"},
          std::pair{"{name: reserved, type: u32, doc: d}", "{name: fd, type: s32, doc: d}"}}) {
        text.replace(text.find(old), std::string(old).size(), now);
    }
    const auto json = json_of(text);
    EXPECT_EQ(json["namespace"], "a::t");
    EXPECT_EQ(json["device"]["guard"], "T_H");
    EXPECT_EQ(json["device"]["ioctl_type"], "kind");
    const auto& section = json["sections"][0];
    EXPECT_EQ(section["ioctls"][2]["number"], 7);
    EXPECT_EQ(section["ioctls"][2]["number_name"], "cmd_stop");
    EXPECT_EQ(section["ioctls"][2]["upstream"], "T_STOP");
    EXPECT_EQ(section["structs"][1]["upstream"], "struct t_open");
    EXPECT_EQ(section["structs"][1]["header"], "h.h");
    EXPECT_EQ(section["structs"][1]["fields"][1]["type"], "s32");
    EXPECT_TRUE(json_of(device_text)["sections"][0]["ioctls"][2]["upstream"].is_null());
    expect_refused("nr: 2", "nr: twelve", "twelve",
                   "'nr' of ioctl stop: there is no constant 'twelve'");
    expect_refused("path: /dev/t\n", "path: /dev/t\nioctl_type: other\n", "format: 1",
                   "a device needs the constant other: the one that its ioctls have");
}

TEST(Device, IsOneOfTwoKinds) {
    expect_refused("kind: device", "kind: file", "file",
                   "the schema's kind has to be abi or device");
    EXPECT_EQ(listing(errors_of(schema_with("format: 1\n", "format: 1\nkind: abi\n"))), "");
    const Errors errors = device_errors(schema_with("format: 1\n", "format: 1\nkind: device\n"));
    EXPECT_NE(listing(errors).find("the schema has an unknown key 'versions'"), std::string::npos);
}

struct Wrong {
    const char* old;
    const char* now;
    const char* needle;  ///< where in now the error is
    const char* says;
    std::size_t errors = 1;  ///< others follow from it
};

class DeviceRefuses : public testing::TestWithParam<Wrong> {};

TEST_P(DeviceRefuses, AtItsPlace) {
    const Wrong& wrong = GetParam();
    expect_refused(wrong.old, wrong.now, wrong.needle, wrong.says, wrong.errors);
}

INSTANTIATE_TEST_SUITE_P(
    Forms, DeviceRefuses,
    testing::Values(
        Wrong{"version: 2", "version: 0", "0\nprefix", "the version has to be 1 to 32", 2},
        Wrong{"version: 2", "version: 33", "33", "the version has to be 1 to 32", 2},
        Wrong{"version: 2", "version: two", "two", "the version has to be a number", 2},
        Wrong{"since: 2", "since: 3", "3, doc: d}\n      row",
              "'since' of a field of struct open: there is no version '3'"},
        Wrong{"since: 2", "until: 1", "until", "a field of struct open has an unknown key 'until'"},
        Wrong{"any: {", "any: {source: s, ", "source", "constant any has an unknown key 'source'"},
        Wrong{"EPERM", "perm", "perm", "'perm' is no errno's name"},
        Wrong{"ENOENT", "Enoent", "Enoent", "'Enoent' is no errno's name"},
        Wrong{"CAP_SYS_ADMIN", "root", "root", "'root' is no capability's name"},
        Wrong{"returns: fd", "returns: file", "file",
              "'returns' of ioctl open is 'file', not one of: 0, fd"},
        Wrong{"nr: 2", "nr: three", "three", "'nr' of ioctl stop: there is no constant 'three'"},
        Wrong{"nr: 2", "nr: 2x", "2x", "'nr' of ioctl stop has to be a number"},
        Wrong{"name: count, type: u64", "name: count, type: u32 *", "u32 *",
              "count of struct look is a pointer, which a program of 32 bits has in another size"},
        Wrong{"prefix: is", "prefix: IS", "IS", "prefix of enumeration state 'IS' is no name"},
        Wrong{"{state_none}", "{state_nine}", "some:",
              "the doc of is_some refers to 'state_nine', which is no constant, group, value, "
              "ioctl or struct"},
        Wrong{"stop:", "delete:", "delete", "ioctl delete has the name of a word of C or C++"},
        Wrong{"two:", "new:", "new", "new of bits has the name of a word of C or C++"},
        Wrong{"any:", "row:", "row:\n", "struct row has the name of constant row"},
        Wrong{"any:", "row_fields:", "row:\n",
              "fields of struct row has the name of constant row_fields"},
        Wrong{"any:", "stop:", "stop: {nr", "ioctl stop has the macro of constant stop"},
        Wrong{"any:", "is_none:", "none: {value: 0, doc",
              "none of state has the macro of constant is_none"},
        Wrong{"any:", "request:", "request",
              "constant request: 'request' is a name that what is emitted has of its own"},
        Wrong{
            "    enums:", "      ioctl_info: {doc: d, values: {x: {value: 1, doc: d}}}\n    enums:",
            "ioctl_info", "ioctl_info is called in C++ and Python as what is emitted with it is"}));

INSTANTIATE_TEST_SUITE_P(
    Values, DeviceRefuses,
    testing::Values(
        Wrong{"      type: {value: 0xbc", "      kind: {value: 0xbc", "format: 1",
              "a device needs the constant type"},
        Wrong{"type: {value: 0xbc", "type: {value: 0x100", "format: 1",
              "the type of ioctls is 256, more than 255"},
        Wrong{"nr: 2", "nr: 256", "256", "ioctl stop has the number 256, more than 255"},
        Wrong{"nr: 2", "nr: 1", "1, doc: d}\n    structs", "ioctl stop has the number of open"},
        Wrong{"argument: look", "argument: book", "book", "ioctl look: there is no struct 'book'",
              2},
        Wrong{"argument: look", "argument: row", "look:\n",
              "struct look is neither an ioctl's argument nor a field of another", 3},
        Wrong{"two: {value: 0x2", "two: {value: 0x3", "0x3",
              "flag two of bits is 0x3, which is not one bit"},
        Wrong{"two: {value: 0x2", "two: {value: 0x1", "0x1, doc: d}\n    enums",
              "two of bits has the value of one"},
        Wrong{"some: {value: 1", "some: {value: 0", "0, doc: \"After",
              "some of state has the value of none"},
        Wrong{"stream: true\n        doc: d", "doc: d", "row:\n",
              "struct row is neither an ioctl's argument nor a field of another: say 'stream"},
        Wrong{"      look:\n        doc: d", "      look:\n        stream: true\n        doc: d",
              "look:\n", "struct look is an ioctl's argument, which may grow, and no stream"},
        Wrong{"name: size, type: u32, doc: d}\n          - {name: reserved, type: u32, doc: d}\n",
              "name: size, type: u64, doc: d}\n", "size, type: u64",
              "the first field of struct open has to be size, a u32"},
        Wrong{"name: size, type: u32, doc: d}\n          - {name: flags",
              "name: length, type: u32, doc: d}\n          - {name: flags", "length, type",
              "the first field of struct look has to be size, a u32"},
        Wrong{"reserved, type: u32, length: 3", "reserved, type: u32, length: 2", "count",
              "there are 4 bytes before field count of struct look that no field has; name them"},
        Wrong{"          - {name: reserved, type: u64, doc: d}\n",
              "          - {name: last, type: u32, doc: d}\n", "row:\n",
              "struct row ends in 4 bytes that no field has; name them"},
        Wrong{"count, type: u64", "count, type: u32", "look:\n",
              "struct look has 28 bytes, which is no multiple of 8"},
        Wrong{"count, type: u64", "count, type: u64, length: flexible", "count",
              "field count of struct look may have any length, which no caller could say"},
        Wrong{"flags, type: u32, values: bits", "flags, type: be32", "be32",
              "field flags of struct look is a be32; a device's numbers are the machine's"},
        Wrong{"values: bits", "values: bytes", "bytes",
              "field flags of struct look: there are no flags and no enumeration 'bytes'"},
        Wrong{"reserved, type: u32, length: 3", "reserved, type: u32, values: bits, length: 3",
              "u32, values: bits, length",
              "field reserved of struct look has values and is no u32"},
        Wrong{"name: start, type: u64", "name: start, type: look", "look, needs",
              "ioctl look: struct look is a field of another and could not grow"},
        Wrong{"name_max + 1", "nam_max + 1", "nam_max",
              "length of field name of struct open: there is no constant 'nam_max' in version 1",
              2},
        Wrong{"name_max + 1", "page_shift", "page_shift",
              "length of field name of struct open: there is no constant 'page_shift' in version 1",
              2}),
    [](const auto& info) { return "Number" + std::to_string(info.index); });

}  // namespace
}  // namespace khob::gen::test
