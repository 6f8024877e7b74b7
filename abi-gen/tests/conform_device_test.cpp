// SPDX-License-Identifier: GPL-2.0-only
// What a change of a device breaks: whatever a program could notice is an error,
// whatever is only added is none.
#include <gtest/gtest.h>

#include "conform.hpp"
#include "device_fixture.hpp"

namespace khob::gen::test {
namespace {

Schema parsed(const std::string& text) {
    auto schema = parse_schema(text, file);
    EXPECT_TRUE(schema) << text << listing(schema.error());
    return std::move(*schema);
}

Conformance changed(const std::string& from, const std::string& to) {
    auto result = conform_schemas(parsed(from), parsed(to));
    EXPECT_TRUE(result) << listing(result.error());
    return result ? std::move(*result) : Conformance{};
}

struct Change {
    const char* old;
    const char* now;
    const char* says;
};

class ConformDevice : public testing::TestWithParam<Change> {};

TEST_P(ConformDevice, GradesAndNames) {
    const Change& change = GetParam();
    const Conformance result = changed(device_text, device_with(change.old, change.now));
    std::string line = change.says;
    line.insert(line.find(": ") + 2, "version 2: ");
    EXPECT_NE(to_text(result).find(line + "\n"), std::string::npos) << line << "\nnot in\n"
                                                                    << to_text(result);
    const bool breaks = !line.starts_with("compatible");
    EXPECT_EQ(result.errors.size(), breaks ? 1U : 0U) << to_text(result);
    if (breaks) {
        EXPECT_EQ(result.errors[0].find("version 2: a program that works today no longer does"),
                  0U);
    }
}

INSTANTIATE_TEST_SUITE_P(
    Ioctls, ConformDevice,
    testing::Values(
        Change{"      stop: {nr: 2, doc: d}\n", "", "breaks-layout: ioctl stop (0x02) is gone"},
        Change{"nr: 2", "nr: 3",
               "breaks-layout: the number of ioctl stop changes from 0x02 to 0x03"},
        Change{"stop: {nr: 2", "halt: {nr: 2",
               "breaks-source: ioctl stop (0x02) is renamed to halt"},
        Change{"stop: {nr: 2", "halt: {nr: 2, returns: fd",
               "breaks-layout: what ioctl stop returns changes from 0 to a file descriptor"},
        Change{"nr: 2, doc", "nr: 2, argument: look, doc",
               "breaks-layout: the argument of ioctl stop changes from nothing to look"},
        Change{"nr: 2, doc", "nr: 2, needs: CAP_SYS_BOOT, doc",
               "breaks-layout: what ioctl stop needs changes from nothing to CAP_SYS_BOOT"},
        Change{"needs: CAP_SYS_ADMIN", "needs: CAP_SYS_BOOT",
               "breaks-layout: what ioctl look needs changes from CAP_SYS_ADMIN to CAP_SYS_BOOT"},
        Change{"needs: CAP_SYS_ADMIN, ", "",
               "compatible: what ioctl look needs changes from CAP_SYS_ADMIN to nothing"},
        Change{"ENOENT: d", "ENOENT: d, EBUSY: d", "compatible: ioctl look may now return EBUSY"},
        Change{", errors: {ENOENT: d}", "", "compatible: ioctl look no longer returns ENOENT"},
        Change{"EPERM: d", "EPERM: d, EINTR: d", "compatible: any ioctl may now return EINTR"},
        Change{"      stop:", "      more: {nr: 3, argument: look, doc: d}\n      stop:",
               "compatible: ioctl more (0x03) is new"}),
    [](const auto& info) { return "Number" + std::to_string(info.index); });

INSTANTIATE_TEST_SUITE_P(
    Constants, ConformDevice,
    testing::Values(
        Change{"value: 0xbc", "value: 0xbd",
               "breaks-layout: constant type changes from 188 to 189"},
        Change{"any: {value: 0xffffffff", "any: {value: 7",
               "breaks-layout: constant any changes from 4294967295 to 7"},
        Change{"type: u32, doc: d}\n    flags", "type: u64, doc: d}\n    flags",
               "breaks-source: the type of constant any changes from u32 to u64"},
        Change{"      any: {value: 0xffffffff, type: u32, doc: d}\n", "",
               "breaks-source: constant any was 4294967295 and is gone"},
        Change{"any:", "every:", "breaks-source: constant any (4294967295) is renamed to every"},
        Change{"any:", "more: {value: 7, doc: d}\n      any:",
               "compatible: constant more is new and has the value 7"},
        Change{"value: 0x2", "value: 0x4", "breaks-layout: two of bits changes from 2 to 4"},
        Change{"          two: {value: 0x2, doc: d}\n", "",
               "breaks-source: two of bits was 2 and is gone"},
        Change{"          two:", "          second:",
               "breaks-source: two of bits (2) is renamed to second"},
        Change{"          two:", "          four: {value: 0x4, doc: d}\n          two:",
               "compatible: four of bits is new and has the value 4"},
        Change{"          some:", "          more: {value: 2, doc: d}\n          some:",
               "compatible: more of state is new and has the value 2"},
        Change{"some: {value: 1", "some: {value: 2",
               "breaks-layout: some of state changes from 1 to 2"},
        Change{"    enums:\n      state:", "      state:",
               "breaks-source: state changes from an enumeration to flags"},
        Change{"    enums:",
               "      more:\n        doc: d\n        values: {four: {value: 4, doc: "
               "d}}\n    enums:",
               "compatible: more is new"}),
    [](const auto& info) { return "Number" + std::to_string(info.index); });

INSTANTIATE_TEST_SUITE_P(
    Structs, ConformDevice,
    testing::Values(
        Change{"name: count, type: u64, doc: d}\n",
               "name: count, type: u64, doc: d}\n          - {name: more, type: u64, doc: d}\n",
               "compatible: field more of struct look is new, u64 at 32, behind all others"},
        Change{"name: count, type: u64, doc: d}\n",
               "name: count, type: u64, doc: d}\n          - {name: more, type: u64, doc: d}\n",
               "compatible: the size of struct look changes from 32 to 40 bytes"},
        Change{
            "{name: reserved, type: u32, length: 3, doc: d}",
            "{name: more, type: u32, doc: d}\n"
            "          - {name: reserved, type: u32, length: 2, doc: d}",
            "compatible: field more of struct look is new, u32 at 12, where bytes were reserved"},
        Change{"          - {name: count, type: u64, doc: d}\n", "",
               "breaks-layout: field count of struct look was u64 at 24 and is gone"},
        Change{"          - {name: more, type: u64, since: 2, doc: d}\n", "",
               "breaks-layout: the size of struct open changes from 48 to 40 bytes"},
        Change{"name: count, type: u64", "name: count, type: u8, length: 8",
               "breaks-layout: field count of struct look changes from u64 at 24 to u8[8] at 24"},
        Change{"name: count", "name: number",
               "breaks-source: field count of struct look (u64 at 24) is renamed to number"},
        Change{"{name: count, type: u64, doc: d}",
               "{name: more, type: u64, doc: d}\n          - {name: count, type: u64, doc: d}",
               "breaks-layout: field count of struct look changes from u64 at 24 to u64 at 32"},
        Change{"{name: count, type: u64, doc: d}",
               "{name: more, type: u64, doc: d}\n          - {name: count, type: u64, doc: d}",
               "breaks-layout: field more of struct look is new, u64 at 24"},
        Change{"values: state", "values: bits",
               "breaks-layout: what field state of struct look has changes from state to bits"},
        Change{"name: start, type: u64, doc: d}\n",
               "name: start, type: u64, doc: d}\n          - {name: end, type: u64, doc: d}\n",
               "breaks-layout: the size of struct row changes from 16 to 24 bytes"},
        Change{"          - {name: reserved, type: u64, doc: d}\n",
               "          - {name: reserved, type: u64, doc: d}\n"
               "          - {name: end, type: u64, doc: d}\n",
               "breaks-layout: field end of struct row is new, u64 at 16"},
        Change{"          - {name: reserved, type: u64, doc: d}\n",
               "          - {name: end, type: u64, doc: d}\n",
               "compatible: field end of struct row is new, u64 at 8, where bytes were reserved"},
        Change{
            "      row:\n",
            "      part:\n        stream: true\n        doc: d\n        fields: [{name: a, type: "
            "u64, doc: d}]\n      row:\n",
            "compatible: struct part is new and has 8 bytes"},
        Change{"path: /dev/t", "path: /dev/u",
               "breaks-layout: the path changes from /dev/t to /dev/u"},
        Change{"prefix: t\n", "prefix: u\n",
               "breaks-source: the prefix of all names changes from t to u"}),
    [](const auto& info) { return "Number" + std::to_string(info.index); });

TEST(ConformDevices, TheSameIsNoDifference) {
    EXPECT_EQ(to_text(changed(device_text, device_text)),
              "0 breaks-layout, 0 breaks-source, 0 compatible, 0 errors\n");
}

TEST(ConformDevices, ALimitMayBecomeLargerIfItSizesNothing) {
    const std::string unused = device_with("name_max + 1", "32");
    const auto with = [&](const char* value) {
        std::string text = unused;
        return text.replace(text.find("{value: 31"), 10, std::string("{value: ") + value);
    };
    EXPECT_EQ(to_text(changed(unused, with("63"))),
              "compatible: version 2: the limit name_max changes from 31 to 63\n"
              "0 breaks-layout, 0 breaks-source, 1 compatible, 0 errors\n");
    EXPECT_EQ(changed(unused, with("30")).errors.size(), 1U);
    // It is the length of a name that others stand behind.
    const Conformance moved = changed(device_text, device_with("value: 31", "value: 63"));
    EXPECT_EQ(moved.errors.size(), 1U);
    EXPECT_NE(to_text(moved).find("breaks-layout: version 2: field more of struct open changes "
                                  "from u64 at 40 to u64 at 72\n"),
              std::string::npos)
        << to_text(moved);
}

TEST(ConformDevices, AStreamStaysOne) {
    const std::string arguments = device_with("          - {name: start, type: u64, doc: d}\n",
                                              "          - {name: size, type: u32, doc: d}\n"
                                              "          - {name: start, type: u32, doc: d}\n");
    std::string no_stream = arguments;
    no_stream.replace(no_stream.find("        stream: true\n"), 21, "");
    no_stream.replace(no_stream.find("nr: 2,"), 6, "nr: 2, argument: row,");
    const std::string text = to_text(changed(arguments, no_stream));
    EXPECT_NE(text.find("breaks-layout: version 2: struct row is no stream any more\n"),
              std::string::npos)
        << text;
}

TEST(ConformDevices, TheVersionGoesForward) {
    const std::string third = device_with("version: 2", "version: 3");
    EXPECT_EQ(to_text(changed(device_text, third)),
              "0 breaks-layout, 0 breaks-source, 0 compatible, 0 errors\n");
    const Conformance back = changed(third, device_text);
    EXPECT_EQ(to_text(back).find("breaks-source: version 3 to version 2: the version goes back\n"),
              0U)
        << to_text(back);
    EXPECT_EQ(back.errors.size(), 1U);
}

TEST(ConformDevices, AVersionHasWhatTheOneBeforeItHas) {
    const Schema schema = parsed(device_text);
    const auto result = conform_versions(schema, 0, 1);
    ASSERT_TRUE(result);
    EXPECT_EQ(to_text(*result),
              "compatible: version 1 to version 2: the size of struct open changes from 40 to 48 "
              "bytes\n"
              "compatible: version 1 to version 2: field more of struct open is new, u64 at 40, "
              "behind all others\n"
              "0 breaks-layout, 0 breaks-source, 2 compatible, 0 errors\n");
}

TEST(ConformDevices, AreNoAbi) {
    const auto result = conform_schemas(parsed(schema_text()), parsed(device_text));
    ASSERT_FALSE(result);
    EXPECT_EQ(result.error()[0].text, "is no schema of the kind that test.yaml is of");
}

}  // namespace
}  // namespace khob::gen::test
