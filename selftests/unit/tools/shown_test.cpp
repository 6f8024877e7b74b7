// SPDX-License-Identifier: GPL-2.0-only
// What the kernel shows of a handover: seen from outside, shut, and said.
#include "attach/shown.hpp"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include "attach/attach.hpp"
#include "fixture.hpp"
#include "plan/boot_params.hpp"

namespace khob {
namespace {

using test::Machine;

constexpr std::string_view sysfs = "sys/kernel/boot_params/setup_data/";

class Shows : public ::testing::Test {
  protected:
    void node(int number, std::string_view type, std::string_view data, mode_t mode = 0444) const {
        const std::string dir = std::string(sysfs) + std::to_string(number);
        machine.dir.write(dir + "/type", type);
        machine.dir.write(dir + "/data", data);
        ::chmod((machine.dir.path() / dir / "data").c_str(), mode);
    }
    /// A handover of two intervals.
    void handed_over(std::string_view data) const {
        node(0, "0xa\n", "addresses");
        node(1, "0x8000000a\n", data);
        node(2, "0x8000000a\n", data, 0400);
        node(3, "0x9\n", "a boot loader's");
        ByteVector page(boot_params_size);
        test::poke(page, 0x250, std::uint64_t{0x5afde000});
        machine.dir.write("sys/kernel/boot_params/data", page);
    }
    mode_t mode(const std::string& file) const {
        struct stat st {};
        EXPECT_EQ(::stat((machine.dir.path() / file).c_str(), &st), 0) << file;
        return st.st_mode & 0777;
    }
    Machine machine;
    Progress silent;
};

TEST_F(Shows, IntervalsAndNothingElse) {
    EXPECT_EQ(see_shown(machine.system, std::nullopt).intervals, 0U);
    handed_over("secret");
    EXPECT_EQ(see_shown(machine.system, std::nullopt).intervals, 2U);
    EXPECT_EQ(see_shown(machine.system, std::nullopt).for_all, 1U);
    handed_over("");
    EXPECT_EQ(see_shown(machine.system, std::nullopt).intervals, 0U);
}

TEST_F(Shows, AreShutInSysfsAndInDebugfs) {
    handed_over("secret");
    const std::string debugfs = "sys/kernel/debug/x86/boot_params/setup_data/1/data";
    machine.dir.write(debugfs, "secret");
    close_shown(machine.system);
    for (const char* number : {"0", "1", "2", "3"}) {
        EXPECT_EQ(mode(std::string(sysfs) + number + "/data"), 0400U) << number;
        EXPECT_NE(mode(std::string(sysfs) + number + "/type"), 0400U) << number;
    }
    EXPECT_EQ(mode(debugfs), 0400U);
    EXPECT_EQ(see_shown(machine.system, std::nullopt).for_all, 0U);
}

TEST_F(Shows, AttachShutsThemWhateverComesOfIt) {
    handed_over("secret");
    machine.dir.write("sys/kernel/security/lockdown", "none [integrity]\n");
    EXPECT_EQ(attach(machine.system, {}, silent).error().code, ExitCode::refused);
    EXPECT_EQ(mode(std::string(sysfs) + "1/data"), 0400U);
}

TEST_F(Shows, AttachSaysWhatTheModuleLeftOpen) {
    handed_over("");
    machine.status("in.state", "attached");
    ASSERT_TRUE(attach(machine.system, {}, silent));
    EXPECT_EQ(attach(machine.system, {}, silent)->shown.intervals, 0U);
    handed_over("secret");
    EXPECT_EQ(attach(machine.system, {}, silent)->shown.intervals, 2U);
    machine.status("in.state", "refused");
    machine.status("in.reason", "a node is reached twice");
    const Error refused = attach(machine.system, {}, silent).error();
    EXPECT_EQ(refused.code, ExitCode::data_damaged);
    EXPECT_NE(refused.what.find("reached twice; 2 intervals"), std::string::npos) << refused.what;
    EXPECT_NE(refused.what.find("by root"), std::string::npos) << refused.what;
}

// The kernel would follow a damaged chain at each reading, and warn of what it finds there.
TEST_F(Shows, NothingIsReadAlongADamagedChain) {
    handed_over("secret");
    device::status from;
    from.in_state = static_cast<std::uint32_t>(device::InState::refused);
    from.flags = device::status_flags::chain_damaged;
    const Status status(from);
    EXPECT_TRUE(see_shown(machine.system, status).damaged);
    EXPECT_EQ(see_shown(machine.system, status).intervals, 0U);
    // Nobody has looked: that is not the same as none.
    EXPECT_EQ(shown_value(see_shown(machine.system, status)).json(), Value().json());
    machine.status("in.state", "refused");
    machine.status("in.reason", "a node is in no memory");
    machine.status("in.chain_damaged", "1");
    const Error refused = attach(machine.system, {}, silent).error();
    EXPECT_NE(refused.what.find(not_looked_at), std::string::npos) << refused.what;
    from.flags = 0;
    const Status sound(from);
    EXPECT_FALSE(see_shown(machine.system, sound).damaged);
    EXPECT_EQ(see_shown(machine.system, sound).intervals, 2U);
}

TEST_F(Shows, AndToWhom) {
    const Shown all{.damaged = false, .intervals = 2, .for_all = 1};
    const Shown root{.damaged = false, .intervals = 1, .for_all = 0};
    EXPECT_NE(shown_error(all).what.find("2 intervals"), std::string::npos);
    EXPECT_NE(shown_error(all).what.find("every user"), std::string::npos);
    EXPECT_NE(shown_error(root).what.find("1 interval of"), std::string::npos);
}

}  // namespace
}  // namespace khob
