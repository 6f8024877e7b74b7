// SPDX-License-Identifier: GPL-2.0-only
// The device's client, on a device that a directory plays, and the preconditions.
#include "module/module.hpp"

#include <gtest/gtest.h>

#include "base/bytes.hpp"
#include "fixture.hpp"

namespace khob {
namespace {

using test::Machine;

std::string in_module(std::string_view name) {
    return std::string(test::debugfs) + std::string(name);
}

void expect_error(const Error& error, ExitCode code, std::string_view what, std::string_view hint) {
    EXPECT_EQ(error.code, code);
    EXPECT_NE(error.what.find(what), std::string::npos) << error.what;
    EXPECT_NE(error.hint.find(hint), std::string::npos) << error.hint;
}

TEST(ModuleOpen, SaysWhatIsMissing) {
    Machine machine;
    ASSERT_TRUE(Module::open(machine.system));

    machine.system.root = false;
    expect_error(Module::open(machine.system).error(), ExitCode::refused, "needs root", "sudo");
    machine.system.root = true;

    machine.dir.write("sys/kernel/security/lockdown", "none [integrity] confidentiality\n");
    expect_error(Module::open(machine.system).error(), ExitCode::refused, "locked down (integrity)",
                 "lockdown=");
    machine.dir.write("sys/kernel/security/lockdown", "[none] integrity confidentiality\n");
    EXPECT_TRUE(Module::open(machine.system));

    machine.dir.remove("dev/kho_bridge");
    expect_error(Module::open(machine.system).error(), ExitCode::absent, "dev/kho_bridge",
                 "older than khoctl");
    machine.dir.remove("sys/module");
    expect_error(Module::open(machine.system).error(), ExitCode::absent, "is not loaded",
                 "modprobe kho_bridge");
}

TEST(ModuleActs, AskForOneThing) {
    Machine machine;
    const auto module = Module::open(machine.system);
    ASSERT_TRUE(module);
    ASSERT_TRUE(module->preserve({.pages = 4, .order = Order(0), .seed = 1}));
    EXPECT_EQ(machine.dir.read(in_module("out/preserve")), "pages=4 order=0 seed=1\n");
    ASSERT_TRUE(module->preserve({.pages = 4, .seed = 1, .scatter = 5}));
    EXPECT_EQ(machine.dir.read(in_module("out/preserve")),
              "pages=4 order=mixed seed=1 scatter=5\n");
    ASSERT_TRUE(module->unpreserve({}));
    EXPECT_EQ(machine.dir.read(in_module("out/unpreserve")), "all\n");
    const Target page{.kind = device::TargetKind::page, .page = {PhysAddr(0x4000), Order(2)}};
    ASSERT_TRUE(module->restore(page));
    EXPECT_EQ(machine.dir.read(in_module("in/restore")), to_string(page) + "\n");
    ASSERT_TRUE(module->release({.kind = device::TargetKind::subtree, .name = "x"}));
    EXPECT_EQ(machine.dir.read(in_module("in/release")), "subtree x\n");
    ASSERT_TRUE(module->set_abi(abi::Version::kho_v3));
    EXPECT_EQ(machine.dir.read(in_module("abi")), "kho-v3\n");
}

TEST(ModuleActs, SayWhatTheModuleSays) {
    Machine machine;
    const auto module = Module::open(machine.system);
    ASSERT_TRUE(module);
    machine.dir.remove(in_module("out/preserve"));
    expect_error(module->preserve({.pages = 1}).error(), ExitCode::refused,
                 "preserve: No such file", "dmesg");
    machine.status("last_error", "preserve: too bad");
    expect_error(module->preserve({.pages = 1}).error(), ExitCode::refused, "preserve: too bad",
                 "dmesg");
    // A sentence about another errno is about something else.
    machine.status("last_errno", "16");
    expect_error(module->preserve({.pages = 1}).error(), ExitCode::refused,
                 "preserve: No such file", "dmesg");
}

TEST(ModuleActs, CompactTellsHowFarItCame) {
    Machine machine;
    const auto module = Module::open(machine.system);
    ASSERT_TRUE(module);
    machine.status("out.compact_folios", "3");
    machine.status("out.compact_bytes", "12288");
    auto done = module->compact(4096);
    ASSERT_TRUE(done);
    EXPECT_EQ(done->bytes, 12288);
    EXPECT_FALSE(done->error);
    EXPECT_EQ(machine.dir.read(in_module("out/compact")), "4096\n");
    machine.dir.remove(in_module("out/compact"));
    machine.status("compact.began", "1");
    done = module->compact(std::nullopt);
    ASSERT_TRUE(done);
    EXPECT_EQ(done->folios, 3);
    ASSERT_TRUE(done->error);
    machine.status("compact.began", "0");
    EXPECT_FALSE(module->compact(std::nullopt));
}

TEST(ModuleActs, ScratchAndWhatBecomesOfTheKernel) {
    Machine machine;
    const auto module = Module::open(machine.system);
    ASSERT_TRUE(module);
    std::uint64_t largest = 1;
    ASSERT_TRUE(module->take_scratch({.size = 8192, .align = 4096, .low = true, .node = 1},
                                     abi::Version::kho_v2, &largest));
    EXPECT_EQ(machine.dir.read(in_module("out/scratch")), "take 8192 4096 low node=1 abi=kho-v2\n");
    EXPECT_EQ(largest, 0);
    EXPECT_EQ(module->image()->state, device::ImageState::none);
    machine.status("out.state", "frozen");
    EXPECT_EQ(module->image()->state, device::ImageState::loaded);
    EXPECT_EQ(module->image()->comm, "khoctl");
    ASSERT_TRUE(module->give_scratch());
    EXPECT_EQ(machine.dir.read(in_module("out/scratch")), "give\n");
    machine.dir.remove(in_module("out/scratch"));
    machine.status("scratch.largest", "4096");
    EXPECT_FALSE(module->take_scratch({.size = 8192, .align = 4096}, std::nullopt, &largest));
    EXPECT_EQ(largest, 4096);
    EXPECT_FALSE(module->loaded());
}

TEST(ModuleLists, AreChecked) {
    Machine machine;
    const auto module = Module::open(machine.system);
    machine.dir.write(in_module("out/keys"), "0x200000 9\n");
    machine.dir.write(in_module("in/ranges"), "0x1000 0x2000\n");
    EXPECT_EQ(module->keys(Side::out)->size(), 1);
    EXPECT_TRUE(module->keys(Side::in)->empty());
    EXPECT_EQ(module->ranges(Side::in)->at(0), make_range(0x1000, 0x2000));
    machine.dir.write(in_module("in/ranges"), "junk\n");
    EXPECT_FALSE(module->ranges(Side::in));
    machine.dir.remove(in_module("in/ranges"));
    EXPECT_FALSE(module->ranges(Side::in));
}

TEST(ModuleLists, Scratch) {
    Machine machine;
    const auto module = Module::open(machine.system);
    EXPECT_TRUE(module->scratch()->empty());
    machine.dir.write(in_module("out/scratch_phys"), "0x4000000\n0x1000000\n");
    machine.dir.write(in_module("out/scratch_len"), "0x2000\n4096\n");
    const auto areas = module->scratch();
    ASSERT_TRUE(areas);
    EXPECT_EQ(areas->at(0), make_range(0x4000000, 0x4002000));
    machine.dir.write(in_module("out/scratch_len"), "0x2000\n");
    EXPECT_FALSE(module->scratch());
}

TEST(ModuleSubtrees, ListGetPut) {
    Machine machine;
    const auto module = Module::open(machine.system);
    machine.dir.write(in_module("in/sub_fdts/b"), "hello");
    machine.dir.write(in_module("in/sub_fdts/a"), "");
    machine.dir.write(in_module("in/digests"), "b 0x1234\n");
    const auto list = module->subtrees(Side::in);
    ASSERT_TRUE(list);
    ASSERT_EQ(list->size(), 2);
    EXPECT_EQ(list->at(0).name, "a");
    EXPECT_EQ(list->at(1).bytes, 5);
    EXPECT_EQ(list->at(1).digest, 0x1234);
    EXPECT_EQ(module->subtree(Side::in, "b")->size(), 5);
    expect_error(module->subtree(Side::in, "c").error(), ExitCode::refused, "no subtree 'c' in in/",
                 "khoctl ls");
    EXPECT_EQ(module->subtree(Side::in, "../keys").error().code, ExitCode::usage);
    // What is there and may not be read is not said to be missing.
    machine.dir.write(in_module("out/sub_fdts/theirs"), "secret");
    std::filesystem::permissions(machine.dir.path() / in_module("out/sub_fdts/theirs"),
                                 std::filesystem::perms::none);
    expect_error(module->subtree(Side::out, "theirs").error(), ExitCode::refused,
                 "Operation not permitted", "another module");

    machine.dir.write(in_module("out/sub_fdts/blob"), "zzzzz");
    ASSERT_TRUE(module->put("blob", as_bytes("hello")));
    EXPECT_EQ(machine.dir.read(in_module("out/put")), "blob 5\n");
    EXPECT_EQ(machine.dir.read(in_module("out/sub_fdts/blob")), "hello");
    EXPECT_FALSE(module->put("other", as_bytes("hello")));
}

TEST(ModuleData, ReadsAtPhysicalAddresses) {
    Machine machine;
    const auto module = Module::open(machine.system);
    machine.dir.write(in_module("in/data"), std::string(0x2000, 'a') + std::string(0x1000, 'b'));
    const auto fd = module->open_data(Side::in);
    ASSERT_TRUE(fd);
    ByteVector page(page_size);
    ASSERT_TRUE(read_at(*fd, PhysAddr(0x2000), page));
    EXPECT_EQ(page[0], std::byte{'b'});
    EXPECT_FALSE(read_at(*fd, PhysAddr(0x2800), page));
}

TEST(SystemChecks, Kexec) {
    Machine machine;
    EXPECT_TRUE(require_kexec(machine.system));
    EXPECT_FALSE(kexec_loaded(machine.system));
    machine.dir.write("sys/kernel/kexec_loaded", "1\n");
    EXPECT_TRUE(kexec_loaded(machine.system));
    machine.dir.write("proc/sys/kernel/kexec_load_limit_reboot", "0\n");
    expect_error(require_kexec(machine.system).error(), ExitCode::refused,
                 "kexec_load_limit_reboot is 0", "next boot");
    machine.dir.write("proc/sys/kernel/kexec_load_limit_reboot", "-1\n");
    EXPECT_TRUE(require_kexec(machine.system));
    machine.dir.write("proc/sys/kernel/kexec_load_disabled", "1\n");
    expect_error(require_kexec(machine.system).error(), ExitCode::refused,
                 "kexec_load_disabled is 1", "next boot");
    machine.dir.remove("sys/kernel/kexec_loaded");
    expect_error(require_kexec(machine.system).error(), ExitCode::refused, "has no kexec",
                 "CONFIG_KEXEC");
}

TEST(SystemChecks, Lockdown) {
    Machine machine;
    EXPECT_EQ(lockdown_level(machine.system), "unknown");
    for (const char* bad : {"", "]x[", "none"}) {
        machine.dir.write("sys/kernel/security/lockdown", bad);
        EXPECT_EQ(lockdown_level(machine.system), "unknown");
        EXPECT_TRUE(require_no_lockdown(machine.system));
    }
    machine.dir.write("sys/kernel/security/lockdown", "none integrity [confidentiality]\n");
    EXPECT_EQ(lockdown_level(machine.system), "confidentiality");
}

}  // namespace
}  // namespace khob
