// SPDX-License-Identifier: GPL-2.0-only
// khoctl where no kernel is named, and what units ask it.
#include <gtest/gtest.h>

#include "cli_fixture.hpp"
#include "load/again.hpp"

namespace khob {
namespace {

using test::Cli;
using test::Ran;

TEST_F(Cli, LoadTakesWhatWouldBootNext) {
    Ran ran = run({"load"});
    EXPECT_EQ(ran.code, 3);
    EXPECT_NE(ran.err.find("cannot be told which kernel would boot next"), std::string::npos);
    EXPECT_EQ(run({"load", "--initrd", "/i"}).code, 2);
    machine.dir.write("boot/vmlinuz", test::make_kernel());
    machine.dir.write("boot/grub/grub.cfg", "menuentry 'A b' {\nlinux /boot/vmlinuz ro quiet\n}\n");
    const auto next = json({"load", "--dry-run", "--json"});
    EXPECT_EQ(next["from"], "/boot/grub/grub.cfg");
    EXPECT_EQ(next["entry"], "A b");
    EXPECT_EQ(next["kernel"], (machine.dir.path() / "boot/vmlinuz").string());
    EXPECT_EQ(next["initrds"], nlohmann::json::array());
    EXPECT_EQ(next["cmdline"], "ro quiet");
    EXPECT_EQ(next["on_refused"], "stop");
    // As above, as far as scratch.
    EXPECT_EQ(run({"load"}).code, 1);
}

TEST_F(Cli, LoadsTheSameAgain) {
    const LoadWords last{"load",         "/k\xff e",      "--initrd=/i", "--cmdline=-- \"a b\"",
                         "--abi=kho-v4", "--max-ranges=7"};
    EXPECT_FALSE(read_last_load(machine.system)->has_value());
    ASSERT_TRUE(write_last_load(machine.system, last));
    EXPECT_EQ(read_last_load(machine.system), last);
    EXPECT_NE(run({"load", "--again"}).err.find("/k\xff e"), std::string::npos);
    // What was unloaded meanwhile is not loaded again.
    EXPECT_NE(run({"load", "--again"}).err.find("boot next"), std::string::npos);
    EXPECT_EQ(run({"load", "--again", "/k"}).code, 2);
    EXPECT_EQ(run({"load", "--again", "--compact"}).code, 2);
    // Somebody else's stays.
    machine.dir.write("sys/kernel/kexec_loaded", "1\n");
    EXPECT_NE(run({"load", "--again"}).err.find("was not loaded by khoctl"), std::string::npos);
    machine.dir.write("sys/kernel/kexec_loaded", "0\n");
    for (const char* text :
         {"", "{}", R"({"version":2,"words":["load"]})", R"({"version":1,"words":[7]})",
          R"({"version":1,"words":["%0"]})", R"({"version":1,"words":["load","--again"]})",
          R"({"version":1,"words":["load","/k","--cmdline","","--max-ranges=4001"]})",
          R"({"version":1,"words":["unload"]})"}) {
        machine.dir.write("run/kho-bridge/load.json", text);
        EXPECT_NE(run({"load", "--again"}).code, 0) << text;
    }
}

TEST_F(Cli, LoadsItAllTheSameIfThatIsWanted) {
    machine.dir.write("boot/vmlinuz", test::make_kernel());
    machine.dir.write("boot/grub/grub.cfg", "menuentry A {\nlinux /boot/vmlinuz ro\n}\n");
    machine.dir.remove("sys/module");
    EXPECT_EQ(run({"load"}).code, 4);
    machine.dir.write("etc/kho-bridge/load.conf", "ON_REFUSED=boot\n");
    const auto report = json({"load", "--json"});
    EXPECT_EQ(report["handed_over"], false);
    EXPECT_EQ(report["refused"], "the module kho_bridge is not loaded");
    const auto kernel = (machine.dir.path() / "boot/vmlinuz").string();
    EXPECT_EQ(run({"load", kernel.c_str(), "--cmdline", "ro"}).code, 4) << "it was named";
    EXPECT_EQ(run({"exec"}).code, 4);
    EXPECT_EQ(run({"exec", "--whatever"}).err.find("kho_bridge"), std::string::npos);
}

TEST_F(Cli, AttachSaysWhetherAnythingWasHandedOver) {
    Ran ran = run({"attach", "--check"});
    EXPECT_EQ(ran.code, 6);
    EXPECT_EQ(ran.out + ran.err, "");
    machine.dir.write("sys/kernel/boot_params/setup_data/0/type", "0x8000000a\n");
    ByteVector page(4096);
    test::poke(page, 0x250, std::uint64_t{0x1000});
    machine.dir.write("sys/kernel/boot_params/data", page);
    ran = run({"attach", "--check"});
    EXPECT_EQ(ran.code, 0) << ran.err;
    EXPECT_EQ(ran.out + ran.err, "");
}

}  // namespace
}  // namespace khob
