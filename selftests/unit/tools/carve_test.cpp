// SPDX-License-Identifier: GPL-2.0-only
// What is carved out of the incoming kernel's memory: words, places, maps.
#include "plan/carve.hpp"

#include <gtest/gtest.h>

#include <random>

namespace khob {
namespace {

constexpr std::uint64_t mib = 1ULL << 20;
constexpr std::uint64_t gib = 1ULL << 30;

MemoryMap machine() {
    return *MemoryMap::make({MapEntry{make_range(0, 0x9f000), E820Type::ram},
                             MapEntry{make_range(mib, 2 * gib), E820Type::ram},
                             MapEntry{make_range(0xfffc0000, 4 * gib), E820Type::reserved},
                             MapEntry{make_range(4 * gib, 10 * gib), E820Type::ram}});
}

CarvePlan plan_of(std::vector<CarveWish> fresh) {
    return CarvePlan{.kept = {}, .fresh = std::move(fresh), .returned = {}};
}

TEST(Carve, Wishes) {
    const auto plain = parse_carve("guests=16G");
    ASSERT_TRUE(plain);
    EXPECT_EQ(plain->name, "guests");
    EXPECT_EQ(plain->bytes, 16 * gib);
    EXPECT_EQ(plain->kind, CarveKind::dax);
    const auto store = parse_carve("a-b_1=0x200000,pmem");
    ASSERT_TRUE(store);
    EXPECT_EQ(store->bytes, 2 * mib);
    EXPECT_EQ(store->kind, CarveKind::pmem);
    for (const char* text :
         {"", "=1G", "a", "a=", "a=0", "a=1M", "a=3", "a=1G,", "a=1G,ram", "a b=1G", "a:b=1G",
          "a=1GG", "a=-2M", "a=18446744073709551616", "a=16777216T", "a=1G,dax,dax",
          "a123456789012345678901234567890123=1G"}) {
        const auto got = parse_carve(text);
        ASSERT_FALSE(got) << text;
        EXPECT_EQ(got.error().code, ExitCode::usage);
        EXPECT_FALSE(got.error().hint.empty());
    }
}

TEST(Carve, WordsComeBackAsTheyWere) {
    const CarvePlan plan =
        plan_of({{"fast", 512 * mib, CarveKind::dax}, {"disk", 256 * mib, CarveKind::pmem}});
    const auto placed = place_carves(plan, machine(), {});
    ASSERT_TRUE(placed);
    const std::string before = with_carves("quiet  \"a  b\"", plan, {});
    const std::string after = with_carves(before, plan, *placed);
    EXPECT_EQ(before.size(), after.size());
    const auto back = carves_in(after);
    ASSERT_EQ(back.size(), 2);
    for (std::size_t i = 0; i < 2; ++i) {
        EXPECT_EQ(back[i].name, (*placed)[i].name);
        EXPECT_EQ(back[i].kind, (*placed)[i].kind);
        EXPECT_EQ(back[i].range, (*placed)[i].range);
    }
    EXPECT_EQ(with_carves("quiet  \"a  b\"", CarvePlan{}, {}), "quiet  \"a  b\"");
    EXPECT_EQ(with_carves(after, CarvePlan{}, {}), "quiet  \"a  b\"");
    EXPECT_EQ(with_carves("khob.carve=x", CarvePlan{}, {}), "");
    EXPECT_EQ(with_carves("a khob.carve=x b", CarvePlan{}, {}), "a b");
}

TEST(Carve, WordsThatMakeNoSense) {
    EXPECT_TRUE(carves_in("khob.carve=a khob.carve=a:dax khob.carve=a:dax:0:0 "
                          "khob.carve=a:ram:0x200000:0x200000 khob.carve=a:dax:0x1000:0x200000 "
                          "khob.carve=a:dax:0x200000:0x200000:1 khob.carve= "
                          "khob.carve=a:dax:0xffffffffffe00000:0x400000 "
                          "khob.carve=/:dax:0x200000:0x200000")
                    .empty());
}

TEST(Carve, WordsThatClash) {
    const auto got = carves_in(
        "khob.carve=a:dax:0x200000:0x400000 "
        "khob.carve=a:dax:0x800000:0x200000 "
        "khob.carve=b:pmem:0x400000:0x200000");
    ASSERT_EQ(got.size(), 1);
    EXPECT_EQ(got[0].range, make_range(2 * mib, 6 * mib));
}

TEST(Carve, HighAboveFourGibIfThereIsRoom) {
    const auto high = place_carves(plan_of({{"a", gib, CarveKind::dax}}), machine(), {});
    ASSERT_TRUE(high);
    EXPECT_EQ(high->at(0).range, make_range(9 * gib, 10 * gib));
    const std::vector<Range> taken{make_range(4 * gib, 10 * gib)};
    const auto low = place_carves(plan_of({{"a", gib, CarveKind::dax}}), machine(), taken);
    ASSERT_TRUE(low);
    EXPECT_EQ(low->at(0).range, make_range(gib, 2 * gib));
    const auto none = place_carves(plan_of({{"a", 2 * gib, CarveKind::dax}}), machine(), taken);
    ASSERT_FALSE(none);
    EXPECT_EQ(none.error().code, ExitCode::refused);
}

TEST(Carve, PlansWithWhatThereIs) {
    const std::string running =
        "quiet khob.carve=a:dax:0x240000000:0x40000000 "
        "khob.carve=gone:dax:0x100000000:0x200000";
    const auto map = machine().changed(
        std::vector{MapEntry{make_range(9 * gib, 10 * gib), E820Type::soft_reserved}});
    ASSERT_TRUE(map);
    const std::vector<CarveWish> wanted{{"a", gib, CarveKind::dax},
                                        {"b", 2 * mib, CarveKind::pmem}};
    const auto plan = plan_carves(wanted, {}, running, *map);
    ASSERT_TRUE(plan);
    ASSERT_EQ(plan->kept.size(), 1);
    EXPECT_EQ(plan->kept[0].name, "a");
    ASSERT_EQ(plan->fresh.size(), 1);
    EXPECT_EQ(plan->fresh[0].name, "b");
    EXPECT_EQ(plan->more_entries(), 2);

    const std::vector<std::string> back{"a"};
    const auto returned = plan_carves({}, back, running, *map);
    ASSERT_TRUE(returned);
    const auto whole = carved_map(*map, *returned, {});
    ASSERT_TRUE(whole);
    EXPECT_EQ(whole->entries().size(), machine().entries().size());
    EXPECT_EQ(whole->ram_bytes(), machine().ram_bytes());

    for (const auto& wrong :
         {std::vector<CarveWish>{{"a", 2 * gib, CarveKind::dax}},
          std::vector<CarveWish>{{"a", gib, CarveKind::pmem}},
          std::vector<CarveWish>{{"b", gib, CarveKind::dax}, {"b", gib, CarveKind::dax}}}) {
        const auto got = plan_carves(wrong, {}, running, *map);
        ASSERT_FALSE(got);
        EXPECT_EQ(got.error().code, ExitCode::usage);
    }
    const std::vector<std::string> unknown{"gone"};
    EXPECT_FALSE(plan_carves({}, unknown, running, *map));
}

/// Whatever is taken: in RAM, aligned, apart from all of it and from each other.
TEST(Carve, NeverOnWhatIsTaken) {
    std::mt19937_64 random(12);  // NOLINT(cert-msc32-c,cert-msc51-cpp)
    const MemoryMap map = machine();
    unsigned int placed = 0;
    for (int round = 0; round < 300; ++round) {
        std::vector<Range> taken;
        for (unsigned int i = 0; i < random() % 40; ++i) {
            const std::uint64_t start = random() % (10 * gib / page_size) * page_size;
            taken.push_back(make_range(start, start + (1 + random() % 20000) * page_size));
        }
        std::vector<CarveWish> wishes;
        for (unsigned int i = 0; i < 1 + random() % 3; ++i) {
            wishes.push_back({std::string(1, static_cast<char>('a' + i)),
                              (1 + random() % 600) * carve_unit,
                              random() % 2 == 0 ? CarveKind::dax : CarveKind::pmem});
        }
        const CarvePlan plan = plan_of(wishes);
        const auto got = place_carves(plan, map, taken);
        if (!got) {
            continue;
        }
        ++placed;
        for (std::size_t i = 0; i < got->size(); ++i) {
            const Range& range = (*got)[i].range;
            EXPECT_EQ(range.size(), wishes[i].bytes);
            EXPECT_TRUE(is_aligned(range.start.value(), carve_unit));
            EXPECT_TRUE(std::any_of(map.ram().begin(), map.ram().end(),
                                    [&range](const Range& r) { return r.contains(range); }));
            for (const Range& r : taken) {
                EXPECT_FALSE(r.overlaps(range));
            }
            for (std::size_t j = 0; j < i; ++j) {
                const Range& other = (*got)[j].range;
                EXPECT_TRUE(range.end < other.start || other.end < range.start);
            }
        }
        const auto carved = carved_map(map, plan, *got);
        ASSERT_TRUE(carved);
        std::uint64_t bytes = 0;
        for (const CarveWish& wish : wishes) {
            bytes += wish.bytes;
        }
        EXPECT_EQ(carved->ram_bytes() + bytes, map.ram_bytes());
        EXPECT_LE(carved->entries().size(), map.entries().size() + plan.more_entries());
    }
    EXPECT_GT(placed, 100U);
}

}  // namespace
}  // namespace khob
