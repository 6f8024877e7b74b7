// SPDX-License-Identifier: GPL-2.0-only
// The sizes of scratch for a kernel with KHO, and that all of it is asked for in order.
#include "plan/kho_scratch.hpp"

#include <gtest/gtest.h>

#include "fixture.hpp"

namespace khob {
namespace {

constexpr std::uint64_t mib = 1ULL << 20;
constexpr std::uint64_t gib = 1ULL << 30;

ScratchNeeds needs() {
    return ScratchNeeds{.kernel_bytes = 24 * mib,
                        .kernel_alignment = 2 * mib,
                        .kernel_min = 16 * mib,
                        .initrd_bytes = 20 * mib + page_size,
                        .small_bytes = 3 * page_size,
                        .above_4g = true};
}

TEST(KhoScratch, GrowsWithTheMachine) {
    MachineFacts machine;
    machine.ram_bytes = 1 * gib;
    EarlyNeeds early = early_needs(machine);
    EXPECT_EQ(early.struct_pages, 16 * mib);
    EXPECT_EQ(early.tables, 4 * mib);
    EXPECT_EQ(early.cpus, 1 * mib);
    EXPECT_EQ(early.reservations, 0);
    EXPECT_EQ(early.total(), early.struct_pages + early.tables + early.cpus + early.base);
    machine.ram_bytes = 64 * gib;
    machine.cpus = 32;
    machine.keys = 100000;
    early = early_needs(machine);
    EXPECT_EQ(early.struct_pages, 1 * gib);
    EXPECT_EQ(early.cpus, 32 * mib);
    EXPECT_GE(early.reservations, 100000ULL * 96);
}

TEST(KhoScratch, HoldsTheShadowOfKasan) {
    MachineFacts machine;
    machine.ram_bytes = 4 * gib;
    EXPECT_EQ(early_needs(machine).shadow, 0);
    const std::uint64_t plain = kho_scratch(needs(), machine).early_bytes;
    machine.kasan = true;
    const EarlyNeeds early = early_needs(machine);
    EXPECT_EQ(early.shadow, 513 * mib);
    EXPECT_GE(kho_scratch(needs(), machine).early_bytes, plain + 512 * mib);

    const std::vector<Range> large{make_range(0, early.total())};
    const std::vector<Range> small{make_range(0, early.total() - page_size)};
    EXPECT_TRUE(require_shadow_room(large, early));
    const auto refused = require_shadow_room(small, early);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, ExitCode::refused);
    EXPECT_NE(refused.error().what.find("513.0 MiB of it for KASAN"), std::string::npos)
        << refused.error().what;
    machine.kasan = false;
    EXPECT_TRUE(require_shadow_room({}, early_needs(machine))) << "the kernel knows what it needs";
}

TEST(KhoScratch, AreasAreAlignedAndHoldTheImage) {
    MachineFacts machine;
    machine.ram_bytes = 1 * gib;
    KhoScratch got = kho_scratch(needs(), machine);
    EXPECT_TRUE(got.low.low);
    EXPECT_EQ(got.low.size, 32 * mib);
    EXPECT_FALSE(got.image_low);
    EXPECT_GE(got.image_bytes, 24 * mib + 20 * mib + 4 * page_size);
    EXPECT_GE(got.early_bytes, got.early.total());
    EXPECT_TRUE(got.nodes.empty());
    for (const std::uint64_t size : {got.low.size, got.image_bytes, got.early_bytes}) {
        EXPECT_EQ(size % kho_scratch_alignment, 0);
    }
    machine.ram_above_4g = true;
    EXPECT_EQ(kho_scratch(needs(), machine).low.size, 96 * mib);
    ScratchNeeds huge = needs();
    huge.kernel_bytes = 2 * gib;
    huge.above_4g = false;
    got = kho_scratch(huge, machine);
    EXPECT_GE(got.early_bytes, huge.kernel_bytes) << "room for KASLR to move it";
    EXPECT_TRUE(got.image_low);
}

TEST(KhoScratch, NodesGetTheirShare) {
    MachineFacts machine;
    machine.ram_bytes = 16 * gib;
    const KhoScratch one = kho_scratch(needs(), machine);
    machine.nodes = {{0, 4 * gib}};
    EXPECT_TRUE(kho_scratch(needs(), machine).nodes.empty());
    machine.nodes = {{0, 4 * gib}, {2, 12 * gib}};
    const KhoScratch two = kho_scratch(needs(), machine);
    ASSERT_EQ(two.nodes.size(), 2);
    EXPECT_EQ(two.nodes[0].node, 0U);
    EXPECT_EQ(two.nodes[0].size, 80 * mib);
    EXPECT_EQ(two.nodes[1].node, 2U);
    EXPECT_EQ(two.nodes[1].size, 240 * mib);
    EXPECT_EQ(two.early_bytes + 320 * mib, one.early_bytes);
}

TEST(KhoScratch, ReadsTheMachine) {
    const test::Machine machine;
    const auto map = MemoryMap::read(machine.system.path("/sys/firmware/memmap"));
    ASSERT_TRUE(map);
    MachineFacts facts = machine_facts(machine.system, *map, 7);
    EXPECT_EQ(facts.ram_bytes, map->ram_bytes());
    EXPECT_FALSE(facts.ram_above_4g);
    EXPECT_EQ(facts.cpus, 1) << "without the file there is at least one";
    EXPECT_EQ(facts.keys, 7);
    EXPECT_TRUE(facts.nodes.empty());

    machine.ram(5 * gib);
    machine.dir.write("sys/devices/system/cpu/possible", "0-3,6,8-7,x\n");
    machine.dir.write("sys/devices/system/node/node0/meminfo",
                      "Node 0 MemTotal:       1024 kB\nNode 0 MemFree: 1 kB\n");
    machine.dir.write("sys/devices/system/node/node1/meminfo", "Node 1 MemTotal: 0 kB\n");
    machine.dir.write("sys/devices/system/node/node3/meminfo", "Node 3 MemTotal: 2048 kB\n");
    machine.dir.write("sys/devices/system/node/online", "0-3\n");
    const auto more = MemoryMap::read(machine.system.path("/sys/firmware/memmap"));
    facts = machine_facts(machine.system, *more, 0);
    EXPECT_TRUE(facts.ram_above_4g);
    EXPECT_EQ(facts.cpus, 5);
    ASSERT_EQ(facts.nodes.size(), 2) << "node 1 has no memory";
    EXPECT_EQ(facts.nodes[1].node, 3);
    EXPECT_EQ(facts.nodes[1].bytes, 2 * mib);
}

}  // namespace
}  // namespace khob
