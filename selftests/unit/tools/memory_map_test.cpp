// SPDX-License-Identifier: GPL-2.0-only
// The firmware's memory map: reading it, RAM in whole pages, barriers.
#include "machine/memory_map.hpp"

#include <gtest/gtest.h>

#include "fixture.hpp"

namespace khob {
namespace {

MapEntry entry(std::uint64_t start, std::uint64_t end, E820Type type = E820Type::ram) {
    return MapEntry{make_range(start, end), type};
}

TEST(MemoryMap, KnowsTheTypesAndReservesTheRest) {
    EXPECT_EQ(e820_type_from("System RAM"), E820Type::ram);
    EXPECT_EQ(e820_type_from("ACPI Tables"), E820Type::acpi);
    EXPECT_EQ(e820_type_from("ACPI Non-volatile Storage"), E820Type::nvs);
    EXPECT_EQ(e820_type_from("Soft Reserved"), E820Type::soft_reserved);
    EXPECT_EQ(e820_type_from("Unknown E820 type"), E820Type::reserved);
    EXPECT_EQ(e820_type_from(""), E820Type::reserved);
}

TEST(MemoryMap, ReadsSysfs) {
    const test::Machine machine;
    const auto map = MemoryMap::read(machine.dir.path() / "sys/firmware/memmap");
    ASSERT_TRUE(map) << map.error().what;
    ASSERT_EQ(map->entries().size(), 2);
    EXPECT_EQ(map->entries()[0].range, make_range(0, 0x9fc00));
    ASSERT_EQ(map->ram().size(), 2);
    EXPECT_EQ(map->ram()[0], make_range(0, 0x9f000));
    EXPECT_EQ(map->ram()[1], make_range(0x100000, 1ULL << 30));
}

TEST(MemoryMap, RefusesWhatCannotBe) {
    const test::Machine machine;
    const auto dir = machine.dir.path() / "sys/firmware/memmap";
    EXPECT_FALSE(MemoryMap::read(dir / "absent"));
    machine.dir.write("sys/firmware/memmap/1/end", "junk\n");
    EXPECT_FALSE(MemoryMap::read(dir));
    machine.dir.write("sys/firmware/memmap/1/end", "0x1000\n");
    EXPECT_FALSE(MemoryMap::read(dir));
    machine.dir.write("sys/firmware/memmap/1/end", "0xffffffffffffffff\n");
    EXPECT_FALSE(MemoryMap::read(dir));
    EXPECT_FALSE(MemoryMap::make({}));
    EXPECT_FALSE(MemoryMap::make({entry(0, 0x100000, E820Type::reserved)}));
    EXPECT_FALSE(MemoryMap::make({entry(0, 0x3000), entry(0x2000, 0x5000)}));
}

TEST(MemoryMap, JoinsRamThatMeetsInsideAPage) {
    const auto map = MemoryMap::make({entry(0x200800, 0x300000), entry(0x100800, 0x200800)});
    ASSERT_TRUE(map);
    ASSERT_EQ(map->ram().size(), 1);
    EXPECT_EQ(map->ram()[0], make_range(0x101000, 0x300000));
    EXPECT_EQ(map->ram_bytes(), 0x1ff000);
}

TEST(MemoryMap, BarriersAreAllButRam) {
    const auto map = MemoryMap::make({entry(0, 0x9fc00), entry(0x100000, 0x40000000),
                                      entry(0x40000000, 0x40010000, E820Type::acpi),
                                      entry(0x100000000, 0x140000000)});
    ASSERT_TRUE(map);
    const std::vector<Range> scratch{make_range(0x10000000, 0x14000000)};
    const auto barriers = map->barriers(scratch);
    const std::vector<Range> want{make_range(0, 0x100000), scratch[0],
                                  make_range(0x40000000, 0x100000000),
                                  make_range(0x140000000, ~0ULL)};
    EXPECT_EQ(barriers, want);
}

}  // namespace
}  // namespace khob
