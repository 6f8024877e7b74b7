// SPDX-License-Identifier: GPL-2.0-only
// One value, two renderers; the module's status through both.
#include "base/value.hpp"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "base/exit_codes.hpp"
#include "module/status.hpp"
#include "module/text.hpp"

namespace khob {
namespace {

Value sample() {
    Value inner;
    inner.set("addr", Address{0x1000}).set("none", Value());
    Value v;
    v.set("yes", true)
        .set("n", ~std::uint64_t{0})
        .set("size", Bytes{4096})
        .set("ms", Millis{1.23456})
        .set("orders", Counts{{{0, 12}, {3, 4}}})
        .set("name", "a \"b\"")
        .set("in", inner)
        .set("rows", Table{{"name", "size"}, {{"x", Bytes{1}}, {"long", Bytes{2}}}});
    return v;
}

TEST(Value, Text) {
    EXPECT_EQ(render(sample(), Format::text),
              "yes: yes\nn: 18446744073709551615\nsize: 4096 (4.0 KiB)\nms: 1.235\n"
              "orders: 0:12 3:4\nname: a \"b\"\nin.addr: 0x1000\nin.none: -\n"
              "rows:\nname  size\nx        1\nlong     2\n");
}

TEST(Value, JsonHasTypes) {
    const auto json = nlohmann::json::parse(render(sample(), Format::json));
    EXPECT_EQ(json["yes"], true);
    EXPECT_EQ(json["n"].get<std::uint64_t>(), ~0ULL);
    EXPECT_EQ(json["size"], 4096);
    EXPECT_DOUBLE_EQ(json["ms"].get<double>(), 1.235);
    EXPECT_EQ(json["orders"]["3"], 4);
    EXPECT_EQ(json["name"], "a \"b\"");
    EXPECT_EQ(json["in"]["addr"], 0x1000);
    EXPECT_TRUE(json["in"]["none"].is_null());
    EXPECT_EQ(json["rows"][1]["name"], "long");
    EXPECT_EQ(json["rows"][1]["size"], 2);
}

TEST(Value, EmptyTables) {
    const Value table(Table{{"a", "b"}, {}});
    EXPECT_EQ(table.text(), "a  b\n");
    EXPECT_EQ(table.json(), "[]\n");
    Value v;
    v.set("n", 1).set("rows", Table{{"a"}, {}});
    EXPECT_EQ(v.text(), "n: 1\n");
}

TEST(Value, ALastColumnMayGoBelow) {
    Value v;
    v.set("list", Table{{"name", "state", "note"}, {{"a", "good", {}}, {"bb", "x", "why"}}, true});
    EXPECT_EQ(v.text(), "list:\nname  state\na     good\nbb    x\n      note: why\n");
    EXPECT_EQ(nlohmann::json::parse(v.json())["list"][1]["note"], "why");
}

TEST(Value, TextThatIsNoUtf8DoesNotThrow) {
    Value v;
    v.set("bad", std::string("\xff\xfe"));
    EXPECT_NE(v.json().find("bad"), std::string::npos);
}

TEST(Status, TypesAndNesting) {
    device::status from;
    from.version = text_in<sizeof(from.version)>("0.1");
    from.flags = device::status_flags::test_build;
    from.out_orders[0] = 12;
    from.out_orders[3] = 4;
    from.out_bytes = 4096;
    from.out_root_phys = 0x1000;
    from.in_previous_release = text_in<sizeof(from.in_previous_release)>("7");
    from.last_error = text_in<sizeof(from.last_error)>("a: b");
    const Status status(from);
    EXPECT_FALSE(status.frozen());
    EXPECT_FALSE(status.attached());
    EXPECT_EQ(status.number("out.bytes"), 4096);
    EXPECT_EQ(status.number("absent"), std::nullopt);
    EXPECT_EQ(status.number_or("last_error", 9), 9);
    EXPECT_EQ(status.text("last_error"), "a: b");
    const auto json = nlohmann::json::parse(status.to_value().json());
    EXPECT_EQ(json["test_build"], true);
    EXPECT_EQ(json["out"]["state"], "open");
    EXPECT_EQ(json["out"]["orders"]["0"], 12);
    EXPECT_EQ(json["out"]["orders"]["3"], 4);
    EXPECT_EQ(json["out"]["root_phys"], 0x1000);
    EXPECT_TRUE(json["in"]["orders"].empty());
    // What is a text stays one, whatever it looks like.
    EXPECT_EQ(json["in"]["previous_release"], "7");
    EXPECT_FALSE(json.contains("size"));
}

TEST(Status, HasEachFieldOnce) {
    const Status status{device::status{}};
    const auto json = nlohmann::json::parse(status.to_value().json());
    for (const char* group : {"out", "in", "scratch", "native"}) {
        EXPECT_TRUE(json[group].is_object()) << group;
    }
    EXPECT_EQ(json["in"]["state"], "none");
    EXPECT_EQ(json["source"], "bridge");
    EXPECT_EQ(json["in"]["method"], "");
    EXPECT_TRUE(json["in"].contains("kexec_count"));
    EXPECT_FALSE(json.contains("in_kexec_count"));
}

TEST(ExitCodes, AreAnInterface) {
    EXPECT_EQ(to_int(ExitCode::ok), 0);
    EXPECT_EQ(to_int(ExitCode::failure), 1);
    EXPECT_EQ(to_int(ExitCode::usage), 2);
    EXPECT_EQ(to_int(ExitCode::refused), 3);
    EXPECT_EQ(to_int(ExitCode::absent), 4);
    EXPECT_EQ(to_int(ExitCode::data_damaged), 5);
    EXPECT_EQ(to_int(ExitCode::nothing_handed), 6);
    EXPECT_EQ(to_int(ExitCode::interrupted), 130);
}

}  // namespace
}  // namespace khob
