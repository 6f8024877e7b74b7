// SPDX-License-Identifier: GPL-2.0-only
// What is asked of the module to compact, and how its figures become a report. That it
// moves anything is for selftests/vm.
#include "load/compact.hpp"

#include <gtest/gtest.h>

#include <csignal>

#include "base/interrupt.hpp"
#include "fixture.hpp"

namespace khob {
namespace {

using test::Machine;

std::string in_debugfs(std::string_view name) {
    return std::string(test::debugfs) + std::string(name);
}

class Compact : public ::testing::Test {
  protected:
    Compact() {
        machine.dir.write(in_debugfs("out/ranges"), "0x200000 0x400000\n0x500000 0x501000\n");
    }
    void moved(std::uint64_t bytes, std::uint64_t left) {
        machine.status("out.compact_folios", std::to_string(bytes / page_size));
        machine.status("out.compact_bytes", std::to_string(bytes));
        machine.status("out.compact_left", std::to_string(left));
        machine.status("out.compact_us", "7");
    }
    Result<CompactReport> run(std::size_t max = default_max_intervals) {
        const auto module = Module::open(machine.system);
        const auto map = MemoryMap::read(machine.system.path("/sys/firmware/memmap"));
        return compact(*module, *map, max, progress);
    }
    std::string control() const { return machine.dir.read(in_debugfs("out/compact")); }

    Machine machine;
    Progress progress;
};

TEST_F(Compact, AddsUpWhatEachLineMoved) {
    moved(3 * page_size, 0);
    const auto got = run(1);
    ASSERT_TRUE(got) << got.error().what;
    EXPECT_FALSE(got->error);
    // What is scattered first, the rest with `all`.
    EXPECT_EQ(control(), "all\n");
    EXPECT_EQ(got->folios, 6);
    EXPECT_EQ(got->bytes, 6 * page_size);
    EXPECT_EQ(got->module_us, 14);
    EXPECT_EQ(got->before.ranges, 2);
    ASSERT_TRUE(got->before.covering);
    EXPECT_EQ(got->before.covering->gap_bytes, 0x100000);
    EXPECT_NE(got->to_value().text().find("before.gap_bytes: 1048576"), std::string::npos);
}

TEST_F(Compact, EndsWhenNothingMovesAnyMore) {
    moved(0, 5 * page_size);
    const auto got = run();
    ASSERT_TRUE(got);
    EXPECT_EQ(got->bytes, 0);
    EXPECT_EQ(got->left_bytes, 5 * page_size);
}

TEST_F(Compact, IsRefusedWhenTheModuleHasNotBegun) {
    moved(3 * page_size, 0);
    machine.dir.remove(in_debugfs("out/compact"));
    const auto got = run();
    ASSERT_FALSE(got);
    EXPECT_EQ(got.error().code, ExitCode::refused);
}

TEST_F(Compact, StopsBetweenTwoPieces) {
    moved(3 * page_size, page_size);
    const InterruptGuard interrupts;
    ASSERT_EQ(std::raise(SIGINT), 0);
    const auto got = run();
    ASSERT_TRUE(got);
    EXPECT_EQ(control(), "134217728\n");
    EXPECT_EQ(got->folios, 3);
    EXPECT_EQ(got->left_bytes, page_size);
    ASSERT_TRUE(got->error);
    EXPECT_EQ(got->error->code, ExitCode::interrupted);
}

TEST_F(Compact, SaysSoWhenNothingCanCoverIt) {
    machine.dir.write(in_debugfs("out/ranges"), "0x80000000 0x80001000\n");
    const auto got = run();
    ASSERT_TRUE(got);
    EXPECT_FALSE(got->before.covering);
    EXPECT_NE(got->to_value().json().find("\"gap_bytes\": null"), std::string::npos);
}

}  // namespace
}  // namespace khob
