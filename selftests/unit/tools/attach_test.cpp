// SPDX-License-Identifier: GPL-2.0-only
// Finding the handover and telling the module of it.
#include "attach/attach.hpp"

#include <gtest/gtest.h>

#include "fixture.hpp"
#include "plan/boot_params.hpp"

namespace khob {
namespace {

using test::Machine;

constexpr std::string_view nodes = "sys/kernel/boot_params/setup_data/";

std::string in_debugfs(std::string_view name) {
    return std::string(test::debugfs) + std::string(name);
}

class Attach : public ::testing::Test {
  protected:
    void handed_over() const {
        machine.dir.write(std::string(nodes) + "0/type", "0xa\n");
        machine.dir.write(std::string(nodes) + "1/type", "0x8000000a\n");
        ByteVector page(boot_params_size);
        test::poke(page, 0x250, std::uint64_t{0x5afde000});
        machine.dir.write("sys/kernel/boot_params/data", page);
    }
    Machine machine;
};

TEST_F(Attach, NothingHandedOver) {
    auto got = attach(machine.system, {});
    ASSERT_FALSE(got);
    EXPECT_EQ(got.error().code, ExitCode::nothing_handed);
    // Other setup_data than ours.
    handed_over();
    machine.dir.write(std::string(nodes) + "0/type", "0x9\n");
    EXPECT_EQ(attach(machine.system, {}).error().code, ExitCode::nothing_handed);
    machine.dir.write(std::string(nodes) + "0/type", "0xa\n");
    machine.dir.write("sys/kernel/boot_params/data", ByteVector(boot_params_size));
    EXPECT_EQ(attach(machine.system, {}).error().code, ExitCode::nothing_handed);
    EXPECT_TRUE(machine.system.calls.empty());
}

TEST_F(Attach, TellsTheModuleThatIsLoaded) {
    handed_over();
    EXPECT_EQ(find_handover(machine.system), PhysAddr(0x5afde000));
    // The fake module does not act; what counts is the line that it was given.
    const auto got = attach(machine.system, {});
    EXPECT_EQ(got.error().code, ExitCode::nothing_handed);
    EXPECT_EQ(machine.dir.read(in_debugfs("in/setup_data")), "0x5afde000\n");
    EXPECT_TRUE(machine.system.calls.empty());
}

TEST_F(Attach, TwiceIsNoError) {
    handed_over();
    machine.status("in.state", "attached");
    machine.status("in.kexec_tsc", "1000000");
    machine.status("in.tsc_khz", "2000");
    AttachOptions options;
    options.init_tsc = 3000000;
    const auto got = attach(machine.system, options);
    ASSERT_TRUE(got);
    EXPECT_TRUE(got->was_attached);
    EXPECT_DOUBLE_EQ(got->blackout_ms.value_or(0), 1000.0);
    EXPECT_EQ(machine.dir.read(in_debugfs("in/setup_data")), "");
}

TEST_F(Attach, ReportsARefusalWithItsReason) {
    handed_over();
    machine.status("in.state", "refused");
    machine.status("in.reason", "a node is reached twice");
    const auto got = attach(machine.system, {});
    ASSERT_FALSE(got);
    EXPECT_EQ(got.error().code, ExitCode::data_damaged);
    EXPECT_NE(got.error().what.find("a node is reached twice"), std::string::npos);
}

TEST_F(Attach, LoadsTheModule) {
    handed_over();
    machine.dir.remove("sys/module");
    std::filesystem::rename(machine.dir.path() / "sys/kernel/debug",
                            machine.dir.path() / "sys/kernel/later");
    const auto absent = attach(machine.system, {});
    EXPECT_EQ(absent.error().code, ExitCode::absent);
    EXPECT_NE(absent.error().hint.find("--module"), std::string::npos);

    machine.system.on_module = [this] {
        std::filesystem::rename(machine.dir.path() / "sys/kernel/later",
                                machine.dir.path() / "sys/kernel/debug");
        machine.status("in.state", "attached");
    };
    AttachOptions options;
    options.module = "/m/kho_bridge.ko";
    options.setup_data = PhysAddr(0x1000);
    const auto got = attach(machine.system, options);
    ASSERT_TRUE(got) << got.error().what;
    EXPECT_TRUE(got->loaded_module);
    EXPECT_EQ(machine.system.calls,
              std::vector<std::string>{"load_module kho_bridge.ko setup_data=0x1000"});
}

TEST_F(Attach, FindsTheInstalledModule) {
    EXPECT_FALSE(find_module(machine.system));
    machine.dir.write("lib/modules/6.0-test/extra/kho_bridge.ko.xz", "x");
    EXPECT_EQ(find_module(machine.system)->filename(), "kho_bridge.ko.xz");
    machine.dir.write("lib/modules/6.0-test/updates/dkms/kho_bridge.ko", "x");
    EXPECT_EQ(find_module(machine.system)->filename(), "kho_bridge.ko");
}

TEST_F(Attach, NeedsRootAndNoLockdown) {
    handed_over();
    machine.system.root = false;
    EXPECT_EQ(attach(machine.system, {}).error().code, ExitCode::refused);
    machine.system.root = true;
    machine.dir.write("sys/kernel/security/lockdown", "none [integrity]\n");
    EXPECT_EQ(attach(machine.system, {}).error().code, ExitCode::refused);
}

TEST(Tsc, MakesSenseOrNothing) {
    EXPECT_EQ(tsc_millis(0, 10, 1), std::nullopt);
    EXPECT_EQ(tsc_millis(10, 9, 1), std::nullopt);
    EXPECT_EQ(tsc_millis(1, 10, 0), std::nullopt);
    EXPECT_DOUBLE_EQ(tsc_millis(1000, 3500, 1000).value_or(0), 2.5);
}

}  // namespace
}  // namespace khob
