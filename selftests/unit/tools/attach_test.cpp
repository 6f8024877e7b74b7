// SPDX-License-Identifier: GPL-2.0-only
// Finding the handover and telling the module of it.
#include "attach/attach.hpp"

#include <gtest/gtest.h>

#include <cstdio>
#include <memory>

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
    Progress silent;
};

TEST_F(Attach, NothingHandedOver) {
    auto got = attach(machine.system, {}, silent);
    ASSERT_FALSE(got);
    EXPECT_EQ(got.error().code, ExitCode::nothing_handed);
    // Other setup_data than ours.
    handed_over();
    machine.dir.write(std::string(nodes) + "0/type", "0x9\n");
    machine.dir.write(std::string(nodes) + "1/type", "0x80000009\n");
    EXPECT_EQ(attach(machine.system, {}, silent).error().code, ExitCode::nothing_handed);
    machine.dir.write(std::string(nodes) + "0/type", "0xa\n");
    machine.dir.write("sys/kernel/boot_params/data", ByteVector(boot_params_size));
    EXPECT_EQ(attach(machine.system, {}, silent).error().code, ExitCode::nothing_handed);
    EXPECT_TRUE(machine.system.calls.empty());
}

// Whatever has become of one node, the others say that there was a handover: the module is told
// of the chain, and has a sentence for it.
TEST_F(Attach, TakesADamagedChainForAHandover) {
    handed_over();
    machine.dir.write(std::string(nodes) + "0/type", "0x0\n");
    EXPECT_EQ(find_handover(machine.system), PhysAddr(0x5afde000));
    machine.dir.write(std::string(nodes) + "1/type", "0x4b484f53\n");
    EXPECT_EQ(find_handover(machine.system), PhysAddr(0x5afde000));
    machine.dir.write(std::string(nodes) + "1/type", "0x0\n");
    EXPECT_EQ(find_handover(machine.system).error().code, ExitCode::nothing_handed);
    machine.dir.write("sys/kernel/debug/kho/in/fdt", "");
    EXPECT_EQ(find_handover(machine.system), PhysAddr(0x5afde000));
}

TEST_F(Attach, TellsTheModuleThatIsLoaded) {
    handed_over();
    EXPECT_EQ(find_handover(machine.system), PhysAddr(0x5afde000));
    // The fake module does not act; what counts is the line that it was given.
    const auto got = attach(machine.system, {}, silent);
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
    const auto got = attach(machine.system, options, silent);
    ASSERT_TRUE(got);
    EXPECT_TRUE(got->was_attached);
    EXPECT_DOUBLE_EQ(got->blackout_ms.value_or(0), 1000.0);
    EXPECT_EQ(machine.dir.read(in_debugfs("in/setup_data")), "");
}

TEST_F(Attach, ReportsARefusalWithItsReason) {
    handed_over();
    machine.status("in.state", "refused");
    machine.status("in.reason", "a node is reached twice");
    const auto got = attach(machine.system, {}, silent);
    ASSERT_FALSE(got);
    EXPECT_EQ(got.error().code, ExitCode::data_damaged);
    EXPECT_NE(got.error().what.find("a node is reached twice"), std::string::npos);
}

TEST_F(Attach, LoadsTheModule) {
    handed_over();
    machine.dir.remove("sys/module");
    const auto absent = attach(machine.system, {}, silent);
    EXPECT_EQ(absent.error().code, ExitCode::absent);
    EXPECT_NE(absent.error().hint.find("--module"), std::string::npos);

    machine.system.on_module = [this] {
        machine.dir.write("sys/module/kho_bridge/version", "0.1\n");
    };
    AttachOptions options;
    options.module = "/m/kho_bridge.ko";
    options.setup_data = PhysAddr(0x1000);
    const auto got = attach(machine.system, options, silent);
    EXPECT_EQ(got.error().code, ExitCode::nothing_handed) << "the fake module does not act";
    EXPECT_EQ(machine.system.calls, std::vector<std::string>{"load_module kho_bridge.ko "});
    EXPECT_EQ(machine.dir.read(in_debugfs("in/setup_data")), "0x1000\n");
}

TEST_F(Attach, ShowsHowFarTheModuleIs) {
    handed_over();
    machine.dir.write(in_debugfs("in/slow"), "");
    const std::unique_ptr<std::FILE, int (*)(std::FILE*)> file{std::tmpfile(), std::fclose};
    Progress live(file.get(), true);
    live.step("attaching");
    (void)attach(machine.system, {}, live);
    std::rewind(file.get());
    std::string text(1000, '\0');
    text.resize(std::fread(text.data(), 1, text.size(), file.get()));
    EXPECT_NE(text.find("attaching... 3.0 MiB of 4.0 MiB, 75%"), std::string::npos) << text;
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
    EXPECT_EQ(attach(machine.system, {}, silent).error().code, ExitCode::refused);
    machine.system.root = true;
    machine.dir.write("sys/kernel/security/lockdown", "none [integrity]\n");
    EXPECT_EQ(attach(machine.system, {}, silent).error().code, ExitCode::refused);
}

TEST(Tsc, MakesSenseOrNothing) {
    EXPECT_EQ(tsc_millis(0, 10, 1), std::nullopt);
    EXPECT_EQ(tsc_millis(10, 9, 1), std::nullopt);
    EXPECT_EQ(tsc_millis(1, 10, 0), std::nullopt);
    EXPECT_DOUBLE_EQ(tsc_millis(1000, 3500, 1000).value_or(0), 2.5);
}

}  // namespace
}  // namespace khob
