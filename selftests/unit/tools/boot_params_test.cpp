// SPDX-License-Identifier: GPL-2.0-only
// The zero page, byte by byte, at the offsets of the boot protocol.
#include "plan/boot_params.hpp"

#include <gtest/gtest.h>

#include "base/bytes.hpp"
#include "fixture.hpp"

namespace khob {
namespace {

constexpr std::uint64_t high = 0x1'2000'0000;

struct Built {
    ByteVector image = test::make_kernel();
    BzImage kernel = *parse_bzimage(image);
    ByteVector page;

    explicit Built(const MemoryMap& map, ByteView running = {}) {
        page = build_boot_params({.kernel = &kernel,
                                  .image = image,
                                  .running = running,
                                  .map = &map,
                                  .initrd = make_range(high, high + 12345),
                                  .kernel_address = PhysAddr(0x2000000),
                                  .cmdline = PhysAddr(high + 0x100),
                                  .setup_data = PhysAddr(high + 0x200),
                                  .acpi_rsdp = PhysAddr(0xe0014)});
    }
    template <typename T>
    T at(std::uint64_t offset) const {
        return load_le<T>(page, offset).value_or(0);
    }
};

MemoryMap small_map() {
    return *MemoryMap::make({MapEntry{make_range(0, 0x9fc00), E820Type::ram},
                             MapEntry{make_range(0x100000, 0x40000000), E820Type::ram},
                             MapEntry{make_range(0x40000000, 0x40001000), E820Type::nvs}});
}

TEST(BootParams, HoldsWhatTheProtocolWants) {
    const auto map = small_map();
    const Built bp(map);
    ASSERT_EQ(bp.page.size(), boot_params_size);
    EXPECT_EQ(bp.at<std::uint64_t>(0x70), 0xe0014);        // acpi_rsdp_addr
    EXPECT_EQ(bp.at<std::uint32_t>(0xc0), 1);              // ext_ramdisk_image
    EXPECT_EQ(bp.at<std::uint32_t>(0xc4), 0);              // ext_ramdisk_size
    EXPECT_EQ(bp.at<std::uint32_t>(0xc8), 1);              // ext_cmd_line_ptr
    EXPECT_EQ(bp.at<std::uint8_t>(0x1ef), 0);              // sentinel
    EXPECT_EQ(bp.at<std::uint8_t>(0x210), 0xff);           // type_of_loader
    EXPECT_EQ(bp.at<std::uint8_t>(0x211), 0x01);           // loadflags
    EXPECT_EQ(bp.at<std::uint32_t>(0x214), 0x2000000);     // code32_start
    EXPECT_EQ(bp.at<std::uint32_t>(0x218), 0x20000000);    // ramdisk_image
    EXPECT_EQ(bp.at<std::uint32_t>(0x21c), 12345);         // ramdisk_size
    EXPECT_EQ(bp.at<std::uint32_t>(0x228), 0x20000100);    // cmd_line_ptr
    EXPECT_EQ(bp.at<std::uint64_t>(0x250), high + 0x200);  // setup_data
    EXPECT_EQ(setup_data_of(bp.page), PhysAddr(high + 0x200));
}

TEST(BootParams, CopiesTheKernelsOwnSetupHeader) {
    const auto map = small_map();
    const Built bp(map);
    EXPECT_EQ(bp.at<std::uint8_t>(0x1f1), 3);
    EXPECT_EQ(bp.at<std::uint16_t>(0x1fe), 0xaa55);
    EXPECT_EQ(bp.at<std::uint32_t>(0x202), 0x53726448);
    EXPECT_EQ(bp.at<std::uint32_t>(0x230), 1U << 21);
    EXPECT_EQ(bp.at<std::uint64_t>(0x258), 0x1000000);
    EXPECT_EQ(bp.at<std::uint32_t>(0x260), 1U << 20);
    EXPECT_EQ(bp.at<std::uint32_t>(0x268), 0x1000);
}

TEST(BootParams, HoldsTheMemoryMap) {
    const auto map = small_map();
    const Built bp(map);
    ASSERT_EQ(bp.at<std::uint8_t>(0x1e8), 3);
    EXPECT_EQ(bp.at<std::uint64_t>(0x2d0 + 20), 0x100000);
    EXPECT_EQ(bp.at<std::uint64_t>(0x2d0 + 28), 0x3ff00000);
    EXPECT_EQ(bp.at<std::uint32_t>(0x2d0 + 36), 1);
    EXPECT_EQ(bp.at<std::uint32_t>(0x2d0 + 56), 4);
    EXPECT_EQ(bp.at<std::uint64_t>(0x2d0 + 60), 0);
}

TEST(BootParams, TableStopsAt128Entries) {
    std::vector<MapEntry> entries;
    for (std::uint64_t i = 0; i < 200; ++i) {
        entries.push_back(MapEntry{make_range(i << 21, (i << 21) + 0x100000), E820Type::ram});
    }
    const auto map = *MemoryMap::make(entries);
    const Built bp(map);
    EXPECT_EQ(bp.at<std::uint8_t>(0x1e8), 128);
    EXPECT_EQ(bp.at<std::uint64_t>(0x2d0 + 127 * 20), 127ULL << 21);
    EXPECT_EQ(bp.at<std::uint64_t>(0xcd0), 0);
}

TEST(BootParams, TakesOverOnlyWhatIsNamed) {
    const auto map = small_map();
    const ByteVector running(boot_params_size, std::byte{0x5a});
    const Built bp(map, running);
    EXPECT_EQ(bp.at<std::uint8_t>(0x0), 0x5a);           // screen_info
    EXPECT_EQ(bp.at<std::uint32_t>(0x40), 0);            // apm
    EXPECT_EQ(bp.at<std::uint64_t>(0x58), 0);            // tboot
    EXPECT_EQ(bp.at<std::uint32_t>(0x1c0), 0);           // efi_info
    EXPECT_EQ(bp.at<std::uint32_t>(0x1e0), 0x5a5a5a5a);  // alt_mem_k
    EXPECT_EQ(bp.at<std::uint8_t>(0x1e9), 6);            // eddbuf_entries, bounded
    EXPECT_EQ(bp.at<std::uint8_t>(0x1ea), 16);           // edd_mbr_sig_buf_entries
    EXPECT_EQ(bp.at<std::uint8_t>(0x1ef), 0);            // sentinel
    EXPECT_EQ(bp.at<std::uint64_t>(0xeec), 0);
    const Built half(map, ByteView(running).first(100));
    EXPECT_EQ(half.at<std::uint8_t>(0x0), 0);
}

TEST(BootParams, TrampolineIsTheCodeThatItShouldBe) {
    const auto code = build_trampoline(PhysAddr(0x1122334455667788), PhysAddr(0x99aabbccddeeff00));
    const std::vector<unsigned> want{0xfa, 0x48, 0xbe, 0x88, 0x77, 0x66, 0x55, 0x44,
                                     0x33, 0x22, 0x11, 0x48, 0xb8, 0x00, 0xff, 0xee,
                                     0xdd, 0xcc, 0xbb, 0xaa, 0x99, 0xff, 0xe0};
    ASSERT_EQ(code.size(), want.size());
    for (std::size_t i = 0; i < want.size(); ++i) {
        EXPECT_EQ(static_cast<unsigned>(code[i]), want[i]) << i;
    }
}

TEST(BootParams, FindsTheRsdp) {
    ByteVector page(boot_params_size);
    EXPECT_EQ(find_rsdp(page, ""), PhysAddr(0));
    EXPECT_EQ(find_rsdp({}, "ACPI=0x10\nACPI20=0x20\n"), PhysAddr(0x20));
    EXPECT_EQ(find_rsdp(page, "ACPI=0x10\n"), PhysAddr(0x10));
    EXPECT_EQ(find_rsdp(page, "ACPI20=junk\n"), PhysAddr(0));
    test::poke(page, 0x70, std::uint64_t{0x30});
    EXPECT_EQ(find_rsdp(page, "ACPI20=0x20\n"), PhysAddr(0x30));
}

TEST(BootParams, SetupDataNeedsAWholePage) {
    EXPECT_EQ(setup_data_of(ByteVector(4095)), std::nullopt);
    EXPECT_EQ(setup_data_of(ByteVector(4096)), PhysAddr(0));
}

}  // namespace
}  // namespace khob
