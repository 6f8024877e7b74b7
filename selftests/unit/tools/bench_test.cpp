// SPDX-License-Identifier: GPL-2.0-only
// What sandbox/bench says, as a table. That the module measures anything is for selftests/vm.
#include "module/bench.hpp"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

namespace khob {
namespace {

constexpr std::string_view alone =
    "keys: 1024\nrepetitions: 3\n"
    "add.keys: 1024\nadd.ours_ns: 2048\n"
    "del-range.keys: 4096\ndel-range.ours_ns: 2\ndel-range.ours_nodes: 1\n";
constexpr std::string_view both =
    "keys: 1024\nrepetitions: 3\n"
    "add.keys: 1024\nadd.ours_ns: 2048\nadd.upstream_ns: 4096\n"
    "del-range.keys: 4096\ndel-range.ours_ns: 2\ndel-range.ours_nodes: 1\n"
    "del-range.upstream_ns: 8192\ndel-range.upstream_nodes: 7\n";

nlohmann::json json(std::string_view text) {
    const auto bench = Bench::parse(text);
    EXPECT_TRUE(bench);
    return bench ? nlohmann::json::parse(bench->to_value().json()) : nlohmann::json();
}

TEST(Bench, BothSides) {
    const auto got = json(both);
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
    const auto got = json(alone);
    EXPECT_EQ(got["rows"][0]["ours_ns_per_key"], 2.0);
    EXPECT_EQ(got["rows"][0]["upstream_ns_per_key"], nullptr);
    EXPECT_EQ(got["rows"][0]["ratio"], nullptr);
    EXPECT_EQ(got["nodes_left"][0]["upstream"], nullptr);
}

TEST(Bench, IsATable) {
    EXPECT_EQ(Bench::parse(alone)->to_value().text(),
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

TEST(Bench, MakesNoSense) {
    for (const char* bad :
         {"", "keys=1024\n", "keys: 1024\n", "add.keys: 0\nadd.ours_ns: 1\n", "add.keys: 5\n",
          "add.keys: 5\nadd.ours_ns: 0\n", "add.keys: x\nadd.ours_ns: 1\n"}) {
        const auto bench = Bench::parse(bad);
        ASSERT_FALSE(bench) << bad;
        EXPECT_EQ(bench.error().code, ExitCode::failure);
        EXPECT_FALSE(bench.error().what.empty());
    }
}

}  // namespace
}  // namespace khob
