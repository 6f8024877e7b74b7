// SPDX-License-Identifier: GPL-2.0-only
// EFI out of sysfs: what is handed over, and what is not believed.
#include "machine/efi.hpp"

#include <gtest/gtest.h>

#include "efi_fixture.hpp"

namespace khob {
namespace {

/// A machine that was booted by EFI.
struct EfiMachine {
    test::Machine machine;
    test::EfiFiles files{machine};

    EfiState read() const { return read_efi(machine.system, files.running); }
    /// Why nothing is handed over.
    std::string why() const {
        const auto state = read();
        EXPECT_NE(state.efi.has_value(), !state.why.empty());
        return state.why;
    }
};

TEST(Efi, HandsOverWhatTheKernelShows) {
    const EfiMachine m;
    const auto state = m.read();
    ASSERT_TRUE(state.efi) << state.why;
    EXPECT_EQ(state.efi->systab, PhysAddr(0x3f5ec018));
    EXPECT_EQ(state.efi->secure_boot, 2);
    EXPECT_EQ(state.efi->setup.fw_vendor, 0x3f5ec098);
    EXPECT_EQ(state.efi->setup.tables, 0x3f5eca98);
    EXPECT_EQ(state.efi->setup.smbios, 0x3f520000);
    ASSERT_EQ(state.efi->map.size(), 2);
    EXPECT_EQ(state.efi->map[1].type, 11);
    EXPECT_EQ(state.efi->map[1].phys_addr, 0xffc00000);
    EXPECT_EQ(state.efi->map[1].virt_addr, 0xfffffffeffc00000);
    EXPECT_EQ(state.efi->map[1].num_pages, 0x400);
    EXPECT_EQ(state.efi->map[1].attribute, 0x800000000000000f);
    EXPECT_EQ(state.efi->map_bytes(), 80);
}

TEST(Efi, WithoutItNothingIsHandedOver) {
    const test::Machine machine;
    const auto state = read_efi(machine.system, ByteVector(boot_params_size));
    EXPECT_FALSE(state.efi);
    EXPECT_EQ(state.why, "the machine was not booted by EFI");
}

TEST(Efi, RegionsThatCannotBeAreNotBelieved) {
    const EfiMachine m;
    const auto refused = [&m](const char* phys, const char* virt, const char* pages) {
        m.files.region(1, "0xb", phys, virt, pages);
        return m.why();
    };
    const char* const high = "0xfffffffeffc00000";
    EXPECT_NE(refused("0xffc00001", high, "0x400").find("no mapped region"), std::string::npos);
    EXPECT_NE(refused("0xffc00000", high, "0x0").find("no mapped region"), std::string::npos);
    EXPECT_NE(refused("0xffc00000", "0xffc00000", "1").find("no mapped"), std::string::npos);
    EXPECT_NE(refused("0xffc00000", "0xfffffffeffc00010", "1").find("no mapped"),
              std::string::npos);
    EXPECT_NE(refused("0xffc00000", high, "0x10000000000000").find("no mapped"), std::string::npos);
    EXPECT_NE(refused("0xffc00000", "0xfffffffffffff000", "2").find("no mapped"),
              std::string::npos);
    EXPECT_NE(refused("0xffc00000", high, "junk").find("holds no number"), std::string::npos);
    EXPECT_NE(refused("0x3f6eb000", high, "0x10").find("overlaps another"), std::string::npos);
    m.files.region(1, "0x100000000", "0xffc00000", high, "1");
    EXPECT_NE(m.why().find("no mapped region"), std::string::npos);
    m.files.region(1, "0xb", "0xffc00000", high, "1");
    EXPECT_EQ(m.why(), "");
    m.machine.dir.remove("sys/firmware/efi/runtime-map/1/attribute");
    EXPECT_NE(m.why().find("attribute"), std::string::npos);
}

TEST(Efi, AddressesThatCannotBeAreNotBelieved) {
    EfiMachine m;
    m.files.set("config_table", "0xffffffffffffffff\n");
    EXPECT_NE(m.why().find("configuration tables"), std::string::npos);
    m.files.set("config_table", "0x3f5eca98\n");
    m.files.set("fw_vendor", "\n");
    EXPECT_NE(m.why().find("fw_vendor holds no number"), std::string::npos);
    m.files.set("fw_vendor", "0x10\n");
    m.files.set("fw_platform_size", "32\n");
    EXPECT_EQ(m.why(), "the firmware is not a 64-bit one");
    m.files.set("fw_platform_size", "64\n");
    test::poke(m.files.running, test::efi_info_at + 24, std::uint32_t{1});  // systab_hi
    EXPECT_NE(m.why().find("0x13f5ec018 is in no region"), std::string::npos);
    m.files.running.resize(100);
    EXPECT_EQ(m.why(), "this kernel does not show its boot_params");
}

TEST(Efi, AKernelWithoutRuntimeServicesIsNoError) {
    const EfiMachine m;
    m.machine.dir.remove("sys/firmware/efi/runtime-map");
    EXPECT_EQ(m.why(), "this kernel does not use EFI's runtime services");
}

}  // namespace
}  // namespace khob
