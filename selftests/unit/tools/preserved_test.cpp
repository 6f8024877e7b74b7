// SPDX-License-Identifier: GPL-2.0-only
// Covering what the module preserves: exactly with few keys, without the small gaps with many.
#include "load/preserved.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "fixture.hpp"

namespace khob {
namespace {

using test::Machine;

class Preserved : public ::testing::Test {
  protected:
    Preserved() {
        list("out/ranges", "0x10000000 0x10001000\n0x10002000 0x10003000\n");
        list("out/extents", "0x10000000 0x10003000 0x2000\n");
        keys(exact_keys + 1);
    }
    void list(std::string_view file, std::string_view text) const {
        machine.dir.write(std::string(test::debugfs) + std::string(file), text);
    }
    void keys(std::uint64_t number) { machine.status("out.keys", std::to_string(number)); }
    Result<Covering> covered(const CoverRequest& request) const {
        const auto module = Module::open(machine.system);
        const auto map = MemoryMap::read(machine.dir.path() / "sys/firmware/memmap");
        return module && map ? cover_preserved(*module, *map, request)
                             : Result<Covering>(fail(ExitCode::failure, "no machine"));
    }
    Machine machine;
};

TEST_F(Preserved, FewKeysAreCoveredExactly) {
    keys(exact_keys);
    const auto got = covered({});
    ASSERT_TRUE(got) << got.error().what;
    EXPECT_EQ(got->intervals.size(), 2);
    EXPECT_EQ(got->preserved_bytes, 0x2000);
    EXPECT_EQ(got->gap_bytes, 0);
}

TEST_F(Preserved, OfManySmallGapsAreCovered) {
    const auto got = covered({});
    ASSERT_TRUE(got) << got.error().what;
    EXPECT_EQ(got->intervals, std::vector<Range>{make_range(0x10000000, 0x10003000)});
    EXPECT_EQ(got->preserved_bytes, 0x2000);
    EXPECT_EQ(got->gap_bytes, 0x1000);
}

TEST_F(Preserved, UnlessSomethingIsInTheWay) {
    const std::vector<Range> scratch{make_range(0x10001000, 0x10002000)};
    const auto got = covered({.scratch = scratch});
    ASSERT_TRUE(got) << got.error().what;
    EXPECT_EQ(got->intervals.size(), 2);
    EXPECT_EQ(got->gap_bytes, 0);
    const std::vector<Range> on_it{make_range(0x10002000, 0x10003000)};
    EXPECT_EQ(covered({.scratch = on_it}).error().code, ExitCode::refused);
}

TEST_F(Preserved, TheRootFdtIsAmongIt) {
    EXPECT_TRUE(covered({.fdt = make_range(0x10000000, 0x10000500)}));
    EXPECT_EQ(covered({.fdt = make_range(0x10003000, 0x10004000)}).error().code, ExitCode::failure);
}

TEST_F(Preserved, AKernelThatReadsTheTreeTakesNoIntervals) {
    const auto got = covered({.method = Method::kho, .max_intervals = 1});
    ASSERT_TRUE(got) << got.error().what;
    EXPECT_TRUE(got->intervals.empty());
    EXPECT_EQ(got->covered_bytes(), 0x3000);
}

}  // namespace
}  // namespace khob
