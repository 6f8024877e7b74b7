// SPDX-License-Identifier: GPL-2.0-only
// What the module's bench says, as a table. That it measures anything is for selftests/vm.
#include "module/bench.hpp"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "module/text.hpp"

namespace khob {
namespace {

namespace flags = device::bench_row_flags;

std::vector<device::bench_row> rows(bool compared) {
    device::bench_row add;
    add.work = text_in<sizeof(add.work)>("add");
    add.keys = 1024;
    add.ns = 2048;
    add.repetitions = 3;
    device::bench_row del = add;
    del.work = text_in<sizeof(del.work)>("del-range");
    del.keys = 4096;
    del.ns = 2;
    del.nodes = 1;
    del.flags = flags::has_nodes;
    if (compared) {
        add.upstream_ns = 4096;
        add.flags |= flags::has_upstream;
        del.upstream_ns = 8192;
        del.upstream_nodes = 7;
        del.flags |= flags::has_upstream;
    }
    return {add, del};
}

nlohmann::json json(bool compared) {
    return nlohmann::json::parse(bench_value(1024, rows(compared)).json());
}

TEST(Bench, BothSides) {
    const auto got = json(true);
    EXPECT_EQ(got["keys"], 1024);
    EXPECT_EQ(got["repetitions"], 3);
    ASSERT_EQ(got["rows"].size(), 2);
    EXPECT_EQ(got["rows"][0], nlohmann::json::parse(R"({"work": "add", "keys": 1024,
        "ours_ns_per_key": 2.0, "upstream_ns_per_key": 4.0, "ratio": 2.0})"));
    // What rounds to nothing for people is still a number.
    EXPECT_GT(got["rows"][1]["ours_ns_per_key"], 0);
    EXPECT_EQ(got["rows"][1]["ratio"], 4096);
    EXPECT_EQ(got["nodes_left"], nlohmann::json::parse(R"([{"work": "del-range", "ours": 1,
        "upstream": 7}])"));
}

TEST(Bench, WithoutUpstream) {
    const auto got = json(false);
    EXPECT_EQ(got["rows"][0]["ours_ns_per_key"], 2.0);
    EXPECT_EQ(got["rows"][0]["upstream_ns_per_key"], nullptr);
    EXPECT_EQ(got["rows"][0]["ratio"], nullptr);
    EXPECT_EQ(got["nodes_left"][0]["upstream"], nullptr);
}

TEST(Bench, IsATable) {
    EXPECT_EQ(bench_value(1024, rows(false)).text(),
              "keys: 1024\n"
              "repetitions: 3\n"
              "rows:\n"
              "work       keys  ours_ns_per_key  upstream_ns_per_key  ratio\n"
              "add        1024            2.000                    -      -\n"
              "del-range  4096            0.000                    -      -\n"
              "nodes_left:\n"
              "work       ours  upstream\n"
              "del-range     1         -\n");
}

}  // namespace
}  // namespace khob
