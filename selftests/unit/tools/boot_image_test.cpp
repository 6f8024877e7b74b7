// SPDX-License-Identifier: GPL-2.0-only
// What kexec_load(2) is given, and the memory that the incoming kernel is left with.
#include "plan/boot_image.hpp"

#include <gtest/gtest.h>

#include "base/bytes.hpp"
#include "fixture.hpp"
#include "plan/boot_params.hpp"

namespace khob {
namespace {

constexpr std::uint64_t mib = 1ULL << 20;

MemoryMap one_gib() {
    return *MemoryMap::make({MapEntry{make_range(mib, 1024 * mib), E820Type::ram}});
}

struct Image {
    MemoryMap map = one_gib();
    ByteVector file = test::make_kernel();
    BzImage kernel = *parse_bzimage(file);
    ByteVector initrd = ByteVector(5000, std::byte{7});
    std::string cmdline = "console=ttyS0 quiet";
    std::vector<Range> intervals{make_range(0x10000000, 0x11000000),
                                 make_range(0x20000000, 0x20001000)};
    std::vector<Range> scratch{make_range(64 * mib, 72 * mib)};
    const Efi* efi = nullptr;

    Result<BootImage> build() const {
        const auto needs = scratch_needs(kernel, initrd.size(),
                                         small_bytes(map.entries().size(), cmdline, 64, 2, efi));
        const auto where = place(needs, scratch);
        EXPECT_TRUE(where);
        return build_boot_image({.kernel = &kernel,
                                 .image = file,
                                 .initrd = initrd,
                                 .cmdline = cmdline,
                                 .map = &map,
                                 .running_boot_params = {},
                                 .acpi_rsdp = PhysAddr(0),
                                 .intervals = intervals,
                                 .scratch = scratch,
                                 .fdt_addr = PhysAddr(0x10000000),
                                 .fdt_size = 500,
                                 .efi = efi},
                                *where);
    }
};

TEST(BootImage, SegmentsAreWhatKexecLoadTakes) {
    const Image image;
    const auto got = image.build();
    ASSERT_TRUE(got) << got.error().what;
    ASSERT_EQ(got->segments.size(), 3);
    for (const Segment& s : got->segments) {
        EXPECT_TRUE(is_aligned(s.address.value(), page_size)) << s.name;
        EXPECT_TRUE(is_aligned(s.mem_bytes, page_size)) << s.name;
        EXPECT_LE(s.data.size(), s.mem_bytes) << s.name;
        EXPECT_TRUE(image.scratch[0].contains(Range{s.address, s.address + s.mem_bytes})) << s.name;
    }
    EXPECT_EQ(got->segments[0].data.data(), image.file.data() + image.kernel.payload_offset);
    EXPECT_EQ(got->segments[0].data.size(), image.kernel.payload_bytes);
    EXPECT_EQ(got->segments[1].data.data(), got->small.data());
    EXPECT_EQ(got->segments[2].data.size(), 5000);
}

TEST(BootImage, EverythingPointsAtEachOther) {
    const Image image;
    const auto got = image.build();
    ASSERT_TRUE(got);
    const ByteView small = got->small;
    const std::uint64_t base = got->segments[1].address.value();
    EXPECT_EQ(setup_data_of(small.first(boot_params_size)), got->setup_data);
    const std::uint64_t cmdline = *load_le<std::uint32_t>(small, 0x228);
    const auto text = slice(small, cmdline - base, image.cmdline.size() + 1);
    ASSERT_TRUE(text);
    EXPECT_STREQ(reinterpret_cast<const char*>(text->data()), image.cmdline.c_str());

    const std::uint64_t chain = got->setup_data.value() - base;
    EXPECT_EQ(load_le<std::uint32_t>(small, chain + 8), abi::setup_kexec_kho);
    EXPECT_EQ(load_le<std::uint64_t>(small, chain + 16), 0x10000000);
    EXPECT_EQ(load_le<std::uint64_t>(small, chain + 24), 500);
    const std::uint64_t areas = *load_le<std::uint64_t>(small, chain + 32);
    EXPECT_TRUE(is_aligned(areas, page_size));
    EXPECT_EQ(load_le<std::uint64_t>(small, chain + 40), sizeof(abi::scratch));
    EXPECT_EQ(load_le<std::uint64_t>(small, areas - base), 64 * mib);
    EXPECT_EQ(load_le<std::uint64_t>(small, areas - base + 8), 8 * mib);

    const std::uint64_t code = got->entry.value() - base;
    const auto want = build_trampoline(PhysAddr(base), got->segments[0].address + entry64_offset);
    const auto have = slice(small, code, want.size());
    ASSERT_TRUE(have);
    EXPECT_TRUE(std::equal(want.begin(), want.end(), have->begin()));
}

TEST(BootImage, TheLastByteOfRamIsNotCovered) {
    Image image;
    image.intervals.back() = make_range(0x3f000000, 1024 * mib);
    const auto got = image.build();
    ASSERT_TRUE(got);
    const std::uint64_t chain = got->setup_data.value() - got->segments[1].address.value();
    // 48 bytes of SETUP_KEXEC_KHO, as many of the seal, then 40 an interval, the length in the
    // middle of each.
    EXPECT_EQ(load_le<std::uint64_t>(got->small, chain + 96 + 24), 0x1000000);
    EXPECT_EQ(load_le<std::uint64_t>(got->small, chain + 136 + 24), 0xffffff);
    EXPECT_EQ(load_le<std::uint64_t>(got->small, chain + 136 + 32), 0x3f000000);
}

TEST(BootImage, EfisMapLiesBehindTheChain) {
    const Efi efi{.systab = PhysAddr(0x13f5ec018),
                  .setup = {},
                  .map = {EfiRegion{.type = 5, .phys_addr = 0x13f5ec000, .num_pages = 2},
                          EfiRegion{.type = 11, .phys_addr = 0xffc00000, .num_pages = 3}},
                  .secure_boot = 3};
    Image image;
    image.efi = &efi;
    const auto got = image.build();
    ASSERT_TRUE(got);
    const ByteView small = got->small;
    EXPECT_EQ(load_le<std::uint32_t>(small, 0x1c0), 0x34364c45);  // "EL64"
    EXPECT_EQ(load_le<std::uint32_t>(small, 0x1c4), 0x3f5ec018);
    EXPECT_EQ(load_le<std::uint32_t>(small, 0x1d8), 1);   // systab_hi
    EXPECT_EQ(load_le<std::uint32_t>(small, 0x1c8), 40);  // memdesc_size
    EXPECT_EQ(load_le<std::uint32_t>(small, 0x1cc), 1);
    EXPECT_EQ(load_le<std::uint32_t>(small, 0x1d4), 80);  // memmap_size
    EXPECT_EQ(load_le<std::uint8_t>(small, 0x1ec), 3);
    const std::uint64_t at = *load_le<std::uint32_t>(small, 0x1d0);
    EXPECT_EQ(at, got->setup_data.value() + chain_bytes(image.intervals.size(), 0, true));
    const std::uint64_t map = at - got->segments[1].address.value();
    EXPECT_EQ(load_le<std::uint32_t>(small, map), 5);
    EXPECT_EQ(load_le<std::uint64_t>(small, map + 8), 0x13f5ec000);
    EXPECT_EQ(load_le<std::uint32_t>(small, map + 40), 11);
    EXPECT_EQ(load_le<std::uint64_t>(small, map + 64), 3);
    EXPECT_GT(got->entry.value(), at + 79);
}

TEST(BootImage, NoInitrdNoSegment) {
    Image image;
    image.initrd.clear();
    const auto got = image.build();
    ASSERT_TRUE(got);
    EXPECT_EQ(got->segments.size(), 2);
    EXPECT_EQ(load_le<std::uint32_t>(got->small, 0x218), 0);
}

TEST(BootImage, RefusesMoreThanItsPlaceHolds) {
    Image image;
    image.intervals.assign(2000, make_range(0x10000000, 0x11000000));
    const auto got = image.build();
    ASSERT_FALSE(got);
    EXPECT_EQ(got.error().code, ExitCode::refused);
    EXPECT_NE(got.error().what.find("does not fit scratch"), std::string::npos);
}

TEST(BootImage, ChecksTheCommandLine) {
    BzImage kernel;
    kernel.cmdline_size = 10;
    EXPECT_TRUE(check_cmdline(kernel, "0123456789"));
    const auto longer = check_cmdline(kernel, "0123456789a");
    ASSERT_FALSE(longer);
    EXPECT_EQ(longer.error().code, ExitCode::refused);
    EXPECT_NE(longer.error().what.find("11 characters, the kernel takes 10"), std::string::npos);
    EXPECT_FALSE(check_cmdline(kernel, std::string_view("a\0b", 3)));
}

TEST(BootImage, LeavesTheIncomingKernelEnoughMemory) {
    const auto map = one_gib();
    BzImage kernel;
    kernel.init_size = 50 * mib;
    Covering covering;
    covering.preserved_bytes = 100 * mib;
    covering.gap_bytes = 200 * mib;
    const std::uint64_t initrd = 30 * mib;
    const auto got = check_memory(map, covering, kernel, initrd, false);
    ASSERT_TRUE(got);
    EXPECT_EQ(got->left_bytes, 723 * mib);
    EXPECT_EQ(got->safe_bytes, 50 * mib + 60 * mib + base_memory_bytes);

    covering.gap_bytes = 1023 * mib - covering.preserved_bytes - got->safe_bytes;
    EXPECT_TRUE(check_memory(map, covering, kernel, initrd, false));
    EXPECT_FALSE(check_memory(map, covering, kernel, initrd, true)) << "KASAN takes more";
    covering.gap_bytes += 1;
    const auto refused = check_memory(map, covering, kernel, initrd, false);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, ExitCode::refused);
    EXPECT_NE(refused.error().what.find("100.0 MiB preserved"), std::string::npos);
    EXPECT_NE(refused.error().what.find("it needs 270.0 MiB"), std::string::npos);
    covering.gap_bytes = 5000 * mib;
    EXPECT_FALSE(check_memory(map, covering, kernel, initrd, false));
}

}  // namespace
}  // namespace khob
