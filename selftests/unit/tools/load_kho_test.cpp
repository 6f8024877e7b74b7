// SPDX-License-Identifier: GPL-2.0-only
// The load transaction by method kho.
#include <gtest/gtest.h>

#include <algorithm>

#include "base/bytes.hpp"
#include "base/numbers.hpp"
#include "fixture.hpp"
#include "load/load.hpp"
#include "plan/boot_params.hpp"

namespace khob {
namespace {

using test::Machine;

constexpr std::uint64_t mib = 1ULL << 20;
constexpr PhysAddr low_area{0x2000000};
constexpr PhysAddr large_area{0x8000000};

std::string in_debugfs(std::string_view name) {
    return std::string(test::debugfs) + std::string(name);
}

/// A machine with a kernel that has KHO, and a module that gives two areas.
class LoadKho : public ::testing::Test {
  protected:
    LoadKho() {
        test::KernelSpec spec;
        spec.kho = "kho-v4";
        machine.dir.write("kernel", test::make_kernel(spec));
        machine.dir.write("initrd", std::string(6000, 'i'));
        machine.dir.write(in_debugfs("out/ranges"),
                          "0x10000000 0x11000000\n0x20000000 0x20001000\n");
        machine.status("out.fdt_phys", "0x10000000");
        machine.status("out.fdt_len", "500");
        areas("0x2000000\n0x8000000\n", "33554432\n134217728\n");
        machine.dir.write(in_debugfs("out/scratch"), "untouched");
    }
    void areas(std::string_view starts, std::string_view sizes) const {
        machine.dir.write(in_debugfs("out/scratch_phys"), starts);
        machine.dir.write(in_debugfs("out/scratch_len"), sizes);
    }
    Result<LoadReport> run(const MethodWishes& wishes = {}, std::string cmdline = "quiet") {
        return load(machine.system,
                    LoadOptions{.kernel = machine.dir.path() / "kernel",
                                .initrd = machine.dir.path() / "initrd",
                                .cmdline = std::move(cmdline),
                                .max_intervals = default_max_intervals,
                                .wishes = wishes},
                    progress);
    }
    std::string scratch_control() const { return machine.dir.read(in_debugfs("out/scratch")); }

    Machine machine;
    Progress progress;
};

TEST_F(LoadKho, TheChainHoldsTheKhoNodeAndItsSeal) {
    const auto got = run();
    ASSERT_TRUE(got) << got.error().what;
    EXPECT_EQ(got->choice.method, Method::kho);
    EXPECT_EQ(got->abi, abi::Version::kho_v4);
    EXPECT_TRUE(got->covering.intervals.empty());
    EXPECT_EQ(got->covering.preserved_bytes, 0x1001000);
    EXPECT_EQ(got->covering.gap_bytes, 0);
    EXPECT_EQ(got->scratch.size(), 2);

    // boot_params, the areas, and then the chain are one segment.
    ASSERT_EQ(got->segments.size(), 3);
    const PhysAddr base = got->segments[1].address;
    const auto& small = machine.system.memory.at(base.value());
    EXPECT_EQ(setup_data_of(ByteView(small).first(boot_params_size)), got->setup_data);
    const std::uint64_t at = got->setup_data - base;
    EXPECT_EQ(load_le<std::uint32_t>(small, at + 8), abi::setup_kexec_kho);
    const std::uint64_t seal = *load_le<std::uint64_t>(small, at) - base.value();
    EXPECT_EQ(load_le<std::uint32_t>(small, seal + 8), abi::setup_seal);
    EXPECT_EQ(load_le<std::uint64_t>(small, seal), 0U) << "no interval follows";
    EXPECT_EQ(load_le<std::uint64_t>(small, at + 16), 0x10000000U);
    EXPECT_EQ(load_le<std::uint64_t>(small, at + 24), 500U);
    EXPECT_EQ(load_le<std::uint64_t>(small, at + 40), 2 * sizeof(abi::scratch));
    const std::uint64_t array = *load_le<std::uint64_t>(small, at + 32) - base.value();
    EXPECT_EQ(load_le<std::uint64_t>(small, array), low_area.value());
    EXPECT_EQ(load_le<std::uint64_t>(small, array + 16), large_area.value());
    EXPECT_EQ(load_le<std::uint64_t>(small, array + 24), 128 * mib);
}

TEST_F(LoadKho, TheImageLeavesTheLowAreaFree) {
    const auto got = run();
    ASSERT_TRUE(got) << got.error().what;
    for (const Segment& s : got->segments) {
        EXPECT_GE(s.address, large_area) << s.name;
    }
}

/// A kernel with a Live Update Orchestrator does not boot with another version's state.
TEST_F(LoadKho, SessionsGoOnlyToWhoTakesTheirVersion) {
    const auto kernel = [this](const std::string& luo, std::uint32_t payload = 0) {
        test::KernelSpec spec;
        spec.kho = "kho-v4";
        spec.luo = luo;
        ByteVector image = test::make_kernel(spec);
        if (payload != 0) {
            test::poke(image, 0x24c, payload);
        }
        machine.dir.write("kernel", image);
    };
    for (const char* side : {"out/sub_fdts/LUO", "in/sub_fdts/LUO"}) {
        machine.dir.write(in_debugfs(side), std::string("luo-v5\0\0rest", 12));
        kernel("luo-v5");
        EXPECT_TRUE(run()) << side;
        kernel("");
        EXPECT_TRUE(run()) << "it looks at no sessions";
        kernel("luo-v6");
        machine.dir.write(in_debugfs("out/scratch"), "untouched");
        const auto got = run();
        ASSERT_FALSE(got) << side;
        EXPECT_EQ(got.error().code, ExitCode::refused);
        EXPECT_NE(got.error().what.find("handed over as luo-v5"), std::string::npos);
        EXPECT_NE(got.error().what.find("takes only luo-v6"), std::string::npos);
        EXPECT_EQ(scratch_control(), "untouched");
        EXPECT_TRUE(run({.method = Method::indirect})) << "its KHO, and so its LUO, stays out";
        kernel("luo-v5", 0xffffffff);
        const auto blind = run({.method = Method::kho, .abi = abi::Version::kho_v4});
        ASSERT_FALSE(blind);
        EXPECT_NE(blind.error().what.find("could not be seen"), std::string::npos);

        machine.dir.write(in_debugfs(side), std::string("\1 no text"));
        kernel("luo-v5");
        const auto damaged = run();
        ASSERT_FALSE(damaged);
        EXPECT_NE(damaged.error().what.find("as unknown"), std::string::npos);
        std::filesystem::remove(machine.dir.path() / in_debugfs(side));
    }
}

TEST_F(LoadKho, SaysWhatItDid) {
    const auto got = run();
    ASSERT_TRUE(got) << got.error().what;
    const std::string json = got->to_value().json();
    for (const char* text :
         {R"("method": "kho")", R"("abi": "kho-v4")", R"("kernel_kho": "kho-v4")",
          R"("cmdline": "kho=on quiet")", R"("added_kho_on": true)", R"("kernel_luo": null)",
          R"("added_liveupdate_on": false)", R"("struct_pages")", R"("intervals": 0)"}) {
        EXPECT_NE(json.find(text), std::string::npos) << text << "\n" << json;
    }
    const auto& small = machine.system.memory.at(got->segments[1].address.value());
    EXPECT_NE(std::string_view(reinterpret_cast<const char*>(small.data()), small.size())
                  .find(std::string("kho=on quiet") + '\0'),
              std::string_view::npos);
}

TEST_F(LoadKho, TheFirstTakeIsLowAndNamesTheVersion) {
    // A module that refuses everything: the first line is what stays in the file.
    machine.dir.remove(in_debugfs("out/scratch"));
    machine.dir.write(in_debugfs("out/scratch/x"), "a directory cannot be written to");
    machine.status("scratch.largest", "8388608");
    machine.status("last_error", "scratch: no");
    const auto got = run();
    ASSERT_FALSE(got);
    EXPECT_NE(got.error().what.find("below 4 GiB"), std::string::npos) << got.error().what;
    EXPECT_NE(got.error().what.find("8388608 (8.0 MiB)"), std::string::npos) << got.error().what;
    EXPECT_TRUE(machine.system.calls.empty());
}

TEST_F(LoadKho, IndirectWhenItIsOffOrAskedFor) {
    auto got = run({}, "kho=off");
    ASSERT_TRUE(got) << got.error().what;
    EXPECT_EQ(got->choice.method, Method::indirect);
    EXPECT_EQ(got->abi, abi::Version::kho_v3);
    EXPECT_EQ(got->covering.intervals.size(), 2);
    EXPECT_NE(scratch_control().find(" abi=kho-v3\n"), std::string::npos) << scratch_control();
    EXPECT_EQ(scratch_control().find("low"), std::string::npos);
    got = run({.method = Method::indirect});
    ASSERT_TRUE(got) << got.error().what;
    EXPECT_EQ(got->choice.cmdline, "quiet");
}

TEST_F(LoadKho, RefusesContradictionsBeforeItTakesAnything) {
    const auto got = run({.abi = abi::Version::kho_v2});
    ASSERT_FALSE(got);
    EXPECT_EQ(got.error().code, ExitCode::refused);
    EXPECT_EQ(scratch_control(), "untouched");
}

/// The same machine, the KHO of whose own kernel is on.
class LoadNative : public LoadKho {
  protected:
    LoadNative() {
        machine.status("source", "native");
        machine.status("native.abi", "kho-v4");
        kernels("0x2000000\n0x0\n0x8000000\n", "0x2000000\n0x0\n0x4000000\n");
    }
    void kernels(std::string_view starts, std::string_view sizes) const {
        machine.dir.write("sys/kernel/debug/kho/out/scratch_phys", starts);
        machine.dir.write("sys/kernel/debug/kho/out/scratch_len", sizes);
    }
};

TEST_F(LoadNative, TheKernelLoadsItself) {
    const auto got = run();
    ASSERT_TRUE(got) << got.error().what;
    EXPECT_EQ(got->choice.method, Method::file);
    EXPECT_EQ(scratch_control(), "kernel\n");
    EXPECT_TRUE(got->segments.empty());
    EXPECT_EQ(machine.system.calls,
              std::vector<std::string>{"kexec_file_load kernel initrd kho=on quiet"});
}

TEST_F(LoadNative, WhatTheKernelRefusesLeavesNothingBehind) {
    machine.system.load_result = fail(ExitCode::refused, "no");
    const auto got = run();
    ASSERT_FALSE(got);
    EXPECT_EQ(got.error().what, "no");
    EXPECT_EQ(scratch_control(), "give\n");
}

TEST_F(LoadNative, TheKernelsScratchHoldsTheImageAndIsPassedOnAsItIs) {
    const auto got = run({.method = Method::kho});
    ASSERT_TRUE(got) << got.error().what;
    EXPECT_EQ(scratch_control(), "kernel\n");
    ASSERT_EQ(got->segments.size(), 3);
    for (const Segment& s : got->segments) {
        EXPECT_GE(s.address, large_area) << s.name;
    }
    const auto& small = machine.system.memory.at(got->segments[1].address.value());
    const std::uint64_t at = got->setup_data - got->segments[1].address;
    EXPECT_EQ(load_le<std::uint64_t>(small, at + 40), 3 * sizeof(abi::scratch));
}

TEST_F(LoadNative, ScratchOfItsOwnWhereTheKernelsIsTooSmall) {
    kernels("0x2000000\n", "0x1000\n");
    const auto got = run({.method = Method::kho});
    ASSERT_TRUE(got) << got.error().what;
    EXPECT_EQ(got->scratch.size(), 2);
    EXPECT_EQ(scratch_control().find("abi="), std::string::npos) << "it is frozen already";
}

TEST_F(LoadNative, TheJumpIsRefusedOnceOthersHaveChangedTheKernelsTree) {
    machine.dir.write("sys/kernel/kexec_loaded", "1\n");
    machine.status("out.state", "frozen");
    machine.dir.write(in_debugfs("out/others_changed"), "1\n");
    const Error error = exec(machine.system);
    EXPECT_EQ(error.code, ExitCode::refused);
    EXPECT_NE(error.hint.find("khoctl unload"), std::string::npos);
    EXPECT_TRUE(machine.system.calls.empty());
}

TEST_F(LoadKho, RefusesARootFdtThatTheKernelCannotMap) {
    machine.status("out.fdt_len", "300000");
    const auto got = run();
    ASSERT_FALSE(got);
    EXPECT_EQ(got.error().code, ExitCode::refused);
    EXPECT_NE(got.error().what.find("300000 bytes"), std::string::npos) << got.error().what;
    EXPECT_EQ(scratch_control(), "give\n");
}

TEST_F(LoadKho, RefusesPreservedMemoryInScratchOrOutsideRam) {
    areas("0x2000000\n0xe000000\n", "33554432\n134217728\n");
    auto got = run();
    ASSERT_FALSE(got);
    EXPECT_NE(got.error().what.find("or scratch"), std::string::npos) << got.error().what;
    EXPECT_EQ(scratch_control(), "give\n");
    machine.dir.write(in_debugfs("out/ranges"), "0x90000000 0x90001000\n");
    got = run();
    ASSERT_FALSE(got);
    EXPECT_NE(got.error().what.find("no RAM"), std::string::npos) << got.error().what;
}

}  // namespace
}  // namespace khob
