// SPDX-License-Identifier: GPL-2.0-only
// The debugfs client on a directory with prepared files, and the preconditions.
#include "module/module.hpp"

#include <gtest/gtest.h>

#include "base/bytes.hpp"
#include "fixture.hpp"

namespace khob {
namespace {

using test::Machine;

std::string in_debugfs(std::string_view name) {
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

    machine.dir.remove("sys/kernel/debug");
    expect_error(Module::open(machine.system).error(), ExitCode::absent, "is missing",
                 "mount -t debugfs");
    machine.dir.remove("sys/module");
    expect_error(Module::open(machine.system).error(), ExitCode::absent, "is not loaded",
                 "modprobe kho_bridge");
}

TEST(ModuleControl, WritesOneLine) {
    Machine machine;
    const auto module = Module::open(machine.system);
    ASSERT_TRUE(module);
    ASSERT_TRUE(module->control("out/preserve", "pages=4 order=0 seed=1"));
    EXPECT_EQ(machine.dir.read(in_debugfs("out/preserve")), "pages=4 order=0 seed=1\n");
    ASSERT_TRUE(module->control("out/preserve", "all"));
    EXPECT_EQ(machine.dir.read(in_debugfs("out/preserve")), "all\n");
    const auto absent = module->control("out/nothing", "x");
    ASSERT_FALSE(absent);
    EXPECT_EQ(absent.error().code, ExitCode::refused);
    EXPECT_NE(absent.error().what.find("'x' to out/nothing"), std::string::npos);
}

TEST(ModuleRun, ReadsOrSaysWhatTheModuleSays) {
    Machine machine;
    const auto module = Module::open(machine.system);
    ASSERT_TRUE(module);
    machine.dir.write(in_debugfs("sandbox/bench"), "keys: 5\n");
    EXPECT_EQ(*module->run("sandbox/bench"), "keys: 5\n");
    expect_error(module->run("sandbox/nothing").error(), ExitCode::refused, "cannot open", "dmesg");
    // A directory opens, and its read(2) fails.
    EXPECT_NE(module->run("out").error().what.find("reading out: "), std::string::npos);
    machine.status("last_error", "sandbox/bench: too bad");
    expect_error(module->run("out").error(), ExitCode::failure, "sandbox/bench: too bad", "dmesg");
}

TEST(ModuleLists, AreParsed) {
    Machine machine;
    const auto module = Module::open(machine.system);
    machine.dir.write(in_debugfs("out/keys"), "0x200000 9\n");
    machine.dir.write(in_debugfs("in/ranges"), "0x1000 0x2000\n");
    EXPECT_EQ(module->keys(Side::out)->size(), 1);
    EXPECT_TRUE(module->keys(Side::in)->empty());
    EXPECT_EQ(module->ranges(Side::in)->at(0), make_range(0x1000, 0x2000));
    machine.dir.write(in_debugfs("in/ranges"), "junk\n");
    EXPECT_FALSE(module->ranges(Side::in));
    machine.dir.remove(in_debugfs("in/ranges"));
    EXPECT_FALSE(module->ranges(Side::in));
}

TEST(ModuleLists, Scratch) {
    Machine machine;
    const auto module = Module::open(machine.system);
    EXPECT_TRUE(module->scratch()->empty());
    machine.dir.write(in_debugfs("out/scratch_phys"), "0x1000000\n0x4000000\n");
    machine.dir.write(in_debugfs("out/scratch_len"), "4096\n0x2000\n");
    const auto areas = module->scratch();
    ASSERT_TRUE(areas);
    EXPECT_EQ(areas->at(1), make_range(0x4000000, 0x4002000));
    for (const char* bad : {"4096\n", "4096\n0\n", "4096\n100\n", "4096\n0xfffffffffffff000\n"}) {
        machine.dir.write(in_debugfs("out/scratch_len"), bad);
        EXPECT_FALSE(module->scratch()) << bad;
    }
}

TEST(ModuleSubtrees, ListGetPut) {
    Machine machine;
    const auto module = Module::open(machine.system);
    machine.dir.write(in_debugfs("in/sub_fdts/b"), "hello");
    machine.dir.write(in_debugfs("in/sub_fdts/a"), "");
    const auto list = module->subtrees(Side::in);
    ASSERT_TRUE(list);
    ASSERT_EQ(list->size(), 2);
    EXPECT_EQ(list->at(0).name, "a");
    EXPECT_EQ(list->at(1).bytes, 5);
    EXPECT_EQ(module->subtree(Side::in, "b")->size(), 5);
    expect_error(module->subtree(Side::in, "c").error(), ExitCode::refused, "no subtree 'c' in in/",
                 "khoctl ls");
    EXPECT_EQ(module->subtree(Side::in, "../keys").error().code, ExitCode::usage);

    machine.dir.write(in_debugfs("out/sub_fdts/blob"), "zzzzz");
    ASSERT_TRUE(module->put("blob", as_bytes("hello")));
    EXPECT_EQ(machine.dir.read(in_debugfs("out/put")), "blob 5\n");
    EXPECT_EQ(machine.dir.read(in_debugfs("out/sub_fdts/blob")), "hello");
    // The file did not appear: what was made is taken back.
    EXPECT_FALSE(module->put("other", as_bytes("hello")));
    EXPECT_EQ(machine.dir.read(in_debugfs("out/unpreserve")), "subtree other\n");
}

TEST(ModuleSubtrees, Names) {
    EXPECT_TRUE(check_subtree_name("a-B.9_,+"));
    EXPECT_TRUE(check_subtree_name(std::string(63, 'x')));
    for (const auto& bad : {std::string(), std::string(64, 'x'), std::string("a/b"),
                            std::string("a b"), std::string("."), std::string("..")}) {
        EXPECT_FALSE(check_subtree_name(bad)) << bad;
    }
}

TEST(ModuleData, ReadsAtPhysicalAddresses) {
    Machine machine;
    const auto module = Module::open(machine.system);
    machine.dir.write(in_debugfs("in/data"), std::string(0x2000, 'a') + std::string(0x1000, 'b'));
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
