// SPDX-License-Identifier: GPL-2.0-only
// The load transaction: what it loads, every refusal, and that nothing is left behind.
#include "load/load.hpp"

#include <gtest/gtest.h>

#include <csignal>

#include "base/bytes.hpp"
#include "base/numbers.hpp"
#include "fixture.hpp"
#include "plan/boot_params.hpp"

namespace khob {
namespace {

using test::Machine;

std::string in_debugfs(std::string_view name) {
    return std::string(test::debugfs) + std::string(name);
}

/// A machine on which everything is ready for a load.
class Load : public ::testing::Test {
  protected:
    Load() {
        machine.dir.write("kernel", test::make_kernel());
        machine.dir.write("initrd", std::string(6000, 'i'));
        preserve("0x10000000 0x11000000\n0x20000000 0x20001000\n");
        machine.status("out.fdt_phys", "0x10000000");
        machine.status("out.fdt_len", "500");
        scratch(0x8000000, 0x1000000);
        machine.dir.write(in_debugfs("out/scratch"), "untouched");
    }
    void preserve(std::string_view ranges) const {
        machine.dir.write(in_debugfs("out/ranges"), ranges);
    }
    void scratch(std::uint64_t start, std::uint64_t size) const {
        machine.dir.write(in_debugfs("out/scratch_phys"), std::to_string(start) + "\n");
        machine.dir.write(in_debugfs("out/scratch_len"), std::to_string(size) + "\n");
    }
    LoadOptions options() const {
        return LoadOptions{.kernel = machine.dir.path() / "kernel",
                           .initrd = machine.dir.path() / "initrd",
                           .cmdline = "quiet",
                           .max_intervals = default_max_intervals};
    }
    Result<LoadReport> run(const LoadOptions& how) { return load(machine.system, how, progress); }
    Result<LoadReport> run() { return run(options()); }

    std::string scratch_control() const { return machine.dir.read(in_debugfs("out/scratch")); }

    void expect_refused(const Result<LoadReport>& got, std::string_view text) const {
        ASSERT_FALSE(got) << text;
        EXPECT_EQ(got.error().code, ExitCode::refused) << got.error().what;
        EXPECT_NE(got.error().what.find(text), std::string::npos) << got.error().what;
        EXPECT_TRUE(machine.system.calls.empty());
    }
    /// Refused before anything was changed.
    void expect_untouched(const Result<LoadReport>& got, std::string_view text) const {
        expect_refused(got, text);
        EXPECT_EQ(scratch_control(), "untouched") << text;
    }

    Machine machine;
    Progress progress;
};

TEST_F(Load, LoadsEverythingIntoScratch) {
    const auto got = run();
    ASSERT_TRUE(got) << got.error().what;
    EXPECT_EQ(machine.system.calls, std::vector<std::string>{"kexec_load"});
    EXPECT_EQ(scratch_control().substr(0, 5), "take ");
    EXPECT_EQ(got->covering.intervals.size(), 2);
    EXPECT_EQ(got->memory.covered_bytes, 0x1001000);
    ASSERT_EQ(got->segments.size(), 3);
    const auto& small = machine.system.memory.at(got->segments[1].address.value());
    EXPECT_EQ(setup_data_of(ByteView(small).first(boot_params_size)), got->setup_data);
    EXPECT_EQ(machine.system.entry, got->entry);
    EXPECT_GT(got->total_ms, 0);
    EXPECT_NE(got->to_value().json().find("\"intervals\": 2"), std::string::npos);
}

TEST_F(Load, AsksForTheSizeThatItNeeds) {
    ASSERT_TRUE(run());
    const std::string line = scratch_control();
    const auto parts = words(line);
    ASSERT_EQ(parts.size(), 3);
    const std::uint64_t least = (1U << 20) + page_round(6000) + 3 * page_size;
    EXPECT_GE(parse_u64(parts[1]), least);
    EXPECT_LE(parse_u64(parts[1]), least + 4 * page_size);
    EXPECT_EQ(parse_u64(parts[2]), 1U << 21);
}

TEST_F(Load, RefusesASecondLoad) {
    machine.status("out.state", "frozen");
    const auto got = run();
    expect_untouched(got, "loaded already");
    EXPECT_NE(got.error().hint.find("khoctl unload"), std::string::npos);
}

TEST_F(Load, RefusesWithoutPreconditions) {
    machine.dir.write("proc/sys/kernel/kexec_load_disabled", "1\n");
    expect_untouched(run(), "kexec_load_disabled");
    machine.dir.write("proc/sys/kernel/kexec_load_disabled", "0\n");
    machine.dir.write("sys/kernel/security/lockdown", "none [integrity]\n");
    expect_untouched(run(), "locked down");
    machine.dir.remove("sys/kernel/security/lockdown");
    machine.system.root = false;
    expect_untouched(run(), "needs root");
}

TEST_F(Load, WithoutTheModuleItSaysSo) {
    machine.dir.remove("sys/module");
    const auto got = run();
    ASSERT_FALSE(got);
    EXPECT_EQ(got.error().code, ExitCode::absent);
}

TEST_F(Load, RefusesUnsuitableKernelsAndInitrds) {
    auto how = options();
    how.kernel = "/nonexistent";
    expect_untouched(run(how), "cannot read the kernel");
    how = options();
    how.initrd = "/nonexistent";
    expect_untouched(run(how), "cannot read the initrd");
    machine.dir.write("initrd", "");
    expect_untouched(run(), "is empty");
    machine.dir.write("initrd", "i");

    test::KernelSpec spec;
    spec.relocatable = 0;
    machine.dir.write("kernel", test::make_kernel(spec));
    expect_untouched(run(), "not relocatable");
    spec = {};
    spec.setup_type_max = 9;
    machine.dir.write("kernel", test::make_kernel(spec));
    const auto old = run();
    expect_untouched(old, "too old");
    EXPECT_NE(old.error().hint.find("5.5"), std::string::npos);
    spec = {};
    spec.cmdline_size = 4;
    machine.dir.write("kernel", test::make_kernel(spec));
    expect_untouched(run(), "5 characters, the kernel takes 4");
    machine.dir.write("kernel", "#!/bin/sh\n");
    expect_untouched(run(), "too short");
}

TEST_F(Load, RefusesTooLittleMemoryBeforeItTakesAny) {
    machine.ram(256ULL << 20);
    preserve("0x1000000 0x8000000\n");
    const auto full = run();
    expect_untouched(full, "would be left");
    EXPECT_EQ(full.error().hint.find("khoctl compact"), std::string::npos);
}

TEST_F(Load, RefusesWhatWouldHaveItKilledHalfway) {
    machine.dir.write("proc/meminfo", "MemAvailable: 17000 kB\nSwapFree: 0 kB\n");
    const auto got = run();
    expect_untouched(got, "only 16.6 MiB are available");
    EXPECT_NE(got.error().what.find("16.0 MiB besides while it loads"), std::string::npos)
        << got.error().what;
    EXPECT_NE(got.error().hint.find("smaller kernel or initrd"), std::string::npos);
    machine.dir.write("proc/meminfo", "MemAvailable: 17000 kB\nSwapFree: 100 kB\n");
    expect_untouched(run(), "only 16.6 MiB and 100.0 KiB of swap are available");
    machine.dir.write("proc/meminfo", "MemAvailable: 17000 kB\nSwapFree: 9000 kB\n");
    EXPECT_TRUE(run()) << "others can be swapped out";
}

TEST_F(Load, RefusesFilesThatChangeUnderIt) {
    for (const std::string name : {"kernel", "initrd"}) {
        const std::string before = machine.dir.read(name);
        machine.system.calls.clear();
        machine.system.on_load = [&] { machine.dir.write(name, before + "more"); };
        auto got = run();
        ASSERT_FALSE(got) << name;
        EXPECT_EQ(got.error().code, ExitCode::refused);
        EXPECT_NE(got.error().what.find(name + " was written to"), std::string::npos)
            << got.error().what;
        EXPECT_EQ(machine.system.calls, (std::vector<std::string>{"kexec_load", "kexec_unload"}));
        EXPECT_EQ(scratch_control(), "give\n");

        // The kernel refuses what has become shorter: that is why.
        machine.dir.write(name, before);
        machine.system.load_result = fail(ExitCode::failure, "kexec_load: Bad address");
        got = run();
        ASSERT_FALSE(got) << name;
        EXPECT_NE(got.error().what.find(name + " was written to"), std::string::npos)
            << got.error().what;
        machine.system.load_result = {};
        machine.dir.write(name, before);
    }
    machine.system.on_load = nullptr;
    EXPECT_TRUE(run());
}

TEST_F(Load, CopiesNoFile) {
    const auto got = run();
    ASSERT_TRUE(got) << got.error().what;
    EXPECT_EQ(machine.system.memory.at(got->segments[2].address.value()),
              ByteVector(6000, std::byte{'i'}));
    EXPECT_EQ(machine.system.in_files, 2) << "kernel and initrd lie in mappings of their files";
}

TEST_F(Load, SaysHowGapsAreClosed) {
    auto how = options();
    how.max_intervals = 1;
    machine.ram(256ULL << 20);
    preserve("0x1000000 0x1001000\n0x8000000 0x8001000\n");
    const auto scattered = run(how);
    expect_untouched(scattered, "would be left");
    EXPECT_NE(scattered.error().hint.find("khoctl compact"), std::string::npos);
    EXPECT_EQ(machine.dir.read(in_debugfs("out/compact")), "");
    how.compact = true;
    expect_untouched(run(how), "would be left");
    EXPECT_EQ(machine.dir.read(in_debugfs("out/compact")), "all\n");
}

TEST_F(Load, RefusesTooManyIntervalsBeforeItTakesAny) {
    auto how = options();
    how.max_intervals = 1;
    machine.dir.write("sys/firmware/memmap/2/start", "0x80000000\n");
    machine.dir.write("sys/firmware/memmap/2/end", "0xffffffff\n");
    machine.dir.write("sys/firmware/memmap/2/type", "System RAM\n");
    preserve("0x10000000 0x11000000\n0x90000000 0x90001000\n");
    expect_untouched(run(how), "at least 2 intervals");
}

TEST_F(Load, RefusesPreservedMemoryThatIsNoRam) {
    preserve("0x90000000 0x90001000\n");
    expect_untouched(run(), "no RAM");
    preserve("0x8000 0x9000\n");
    expect_untouched(run(), "below 1 MiB");
}

TEST_F(Load, GivesScratchBackWhenThingsDoNotFit) {
    scratch(0x8000000, 0x100000);
    expect_refused(run(), "does not fit scratch");
    EXPECT_EQ(scratch_control(), "give\n");
}

TEST_F(Load, GivesScratchBackWhenTheModuleContradictsItself) {
    const auto expect_given_back = [this](std::string_view text) {
        machine.dir.write(in_debugfs("out/scratch"), "untouched");
        const auto got = run();
        ASSERT_FALSE(got) << text;
        EXPECT_NE(got.error().what.find(text), std::string::npos) << got.error().what;
        EXPECT_EQ(scratch_control(), "give\n") << text;
        EXPECT_TRUE(machine.system.calls.empty());
    };
    scratch(0x80000000, 0x1000000);
    expect_given_back("is no RAM");
    scratch(0x10800000, 0x1000000);
    expect_given_back("or scratch");
    scratch(0x8000000, 0x1000000);
    machine.status("out.fdt_phys", "0x30000000");
    expect_given_back("has not preserved its root FDT");
    machine.status("out.fdt_phys", "0x0");
    expect_given_back("has made no root FDT");
}

TEST_F(Load, SaysTheLargestPieceWhenThereIsNoScratch) {
    machine.dir.remove(in_debugfs("out/scratch"));
    machine.status("scratch.largest", "8388608");
    const auto got = run();
    expect_refused(got, "do not fit scratch");
    EXPECT_NE(got.error().what.find("8388608 (8.0 MiB)"), std::string::npos) << got.error().what;
}

TEST_F(Load, GivesScratchBackWhenTheKernelRefuses) {
    machine.system.load_result = fail(ExitCode::refused, "no");
    ASSERT_FALSE(run());
    EXPECT_EQ(machine.system.calls, std::vector<std::string>{"kexec_load"});
    EXPECT_EQ(scratch_control(), "give\n");
}

TEST_F(Load, ControlCLeavesNothingBehind) {
    machine.system.on_load = [] { (void)std::raise(SIGINT); };
    const auto got = run();
    ASSERT_FALSE(got);
    EXPECT_EQ(got.error().code, ExitCode::interrupted);
    EXPECT_EQ(machine.system.calls, (std::vector<std::string>{"kexec_load", "kexec_unload"}));
    EXPECT_EQ(scratch_control(), "give\n");
    machine.system.on_load = nullptr;
    EXPECT_TRUE(run()) << "a later load starts afresh";
}

/// What lies together leaves more to spare for files.
TEST_F(Load, CompactsBeforeItKeeps) {
    machine.dir.write("var/lib/kho-bridge/keep.json",
                      R"({"version":1,"paths":[{"path":"/dev/shm/a"}]})");
    LoadOptions how = options();
    how.compact = true;
    const auto got = run(how);
    ASSERT_FALSE(got);
    EXPECT_EQ(got.error().code, ExitCode::absent) << "there is no kho_luo: " << got.error().what;
    EXPECT_NE(machine.dir.read(in_debugfs("out/compact")), "");
}

TEST_F(Load, UnloadUndoesWhatThereIs) {
    auto got = unload(machine.system);
    ASSERT_TRUE(got);
    EXPECT_FALSE(got->was_loaded || got->was_frozen);
    EXPECT_TRUE(machine.system.calls.empty());
    EXPECT_EQ(scratch_control(), "untouched");

    machine.dir.write("sys/kernel/kexec_loaded", "1\n");
    machine.status("out.state", "frozen");
    got = unload(machine.system);
    ASSERT_TRUE(got);
    EXPECT_TRUE(got->was_loaded && got->was_frozen);
    EXPECT_EQ(machine.system.calls, std::vector<std::string>{"kexec_unload"});
    EXPECT_EQ(scratch_control(), "give\n");
}

TEST_F(Load, ExecNeedsALoad) {
    auto error = exec(machine.system);
    EXPECT_EQ(error.code, ExitCode::refused);
    EXPECT_NE(error.what.find("no kernel is loaded"), std::string::npos);
    machine.dir.write("sys/kernel/kexec_loaded", "1\n");
    error = exec(machine.system);
    EXPECT_EQ(error.code, ExitCode::refused);
    EXPECT_NE(error.what.find("not loaded by khoctl"), std::string::npos);
    EXPECT_TRUE(machine.system.calls.empty());
    machine.status("out.state", "frozen");
    error = exec(machine.system);
    EXPECT_EQ(machine.system.calls, std::vector<std::string>{"kexec_exec"});
}

TEST(Cmdline, ReusedWithoutTheBootLoadersWords) {
    EXPECT_EQ(reusable_cmdline("BOOT_IMAGE=/v root=/dev/vda initrd=/i quiet\n"),
              "root=/dev/vda quiet");
    EXPECT_EQ(reusable_cmdline(""), "");
}

}  // namespace
}  // namespace khob
