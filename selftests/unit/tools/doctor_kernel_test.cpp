// SPDX-License-Identifier: GPL-2.0-only
// What doctor says of the kernel that is to be loaded, in the words that a load has for it.
#include "doctor_fixture.hpp"
#include "load/load.hpp"

namespace khob {
namespace {

using test::DoctorTest;
using DoctorKernelTest = DoctorTest;

constexpr CheckState ok = CheckState::ok;
constexpr CheckState warning = CheckState::warning;
constexpr CheckState missing = CheckState::missing;

std::string in_debugfs(std::string_view name) {
    return std::string(test::debugfs) + std::string(name);
}

TEST_F(DoctorKernelTest, WithoutKho) {
    const DoctorReport got = report();
    EXPECT_EQ(got.code(), ExitCode::ok) << got.verdict();
    EXPECT_EQ(got.verdict(), "ready: a load would use method indirect with kho-v4");
    ASSERT_TRUE(got.kernel);
    EXPECT_EQ(got.kernel->release, "6.0-test");
    expect("kernel's KHO", ok, "none");
    expect("method", ok, "the kernel has no KHO");
    expect("command line", ok, "fits");
    EXPECT_TRUE(machine.system.calls.empty());
    EXPECT_EQ(machine.dir.read(in_debugfs("out/scratch")), "") << "nothing may be taken";
}

TEST_F(DoctorKernelTest, WithKho) {
    kernel("kho-v3");
    EXPECT_EQ(report().verdict(), "ready: a load would use method kho with kho-v3");
    expect("kernel's KHO", ok, "kho-v3");
    expect("command line", ok, "puts kho=on in front");
    options.cmdline = "kho=on";
    expect("command line", ok, "has kho=on");
    options.cmdline = "kho=off";
    expect("method", ok, "indirect with kho-v4: kho= switches");
    expect("command line", warning, "kho=off", "kho=on");
    options.wishes.method = Method::kho;
    expect("method", missing, "switches the kernel's KHO off", "kho=on");
    EXPECT_FALSE(report().kernel->choice);
    options.wishes.method = Method::indirect;
    expect("method", ok, "asked for");
}

TEST_F(DoctorKernelTest, LiveUpdate) {
    expect("kernel's LUO", ok, "none");
    test::KernelSpec spec;
    spec.luo = "luo-v5";
    kernel("kho-v4", spec);
    expect("kernel's LUO", ok, "luo-v5");
    expect("command line", ok, "puts liveupdate=on kho=on in front");
    options.cmdline = "liveupdate=off";
    expect("kernel's LUO", warning, "throws sessions away", "liveupdate=on");
    expect("command line", ok, "puts kho=on in front");
    options.cmdline = "kho=off";
    expect("kernel's LUO", ok, "off as the kernel's KHO is");
    options.cmdline = "";
    machine.dir.write(in_debugfs("out/sub_fdts/LUO"), std::string("luo-v5\0\0", 8));
    expect("kernel's LUO", ok, "as are the sessions");
    machine.dir.write(in_debugfs("out/sub_fdts/LUO"), std::string("luo-v4\0\0", 8));
    expect("kernel's LUO", missing, "takes only luo-v5", "khoctl session ls");
    EXPECT_EQ(report().code(), ExitCode::refused);
}

TEST_F(DoctorKernelTest, UnknownKho) {
    kernel("kho-v99");
    expect("kernel's KHO", warning, "kho-v99", "--method indirect");
    expect("method", missing, "does not know", "--method indirect");
}

TEST_F(DoctorKernelTest, ImageThatCannotBeLookedInto) {
    ByteVector image = test::make_kernel();
    test::poke(image, 0x24c, std::uint32_t{0});
    machine.dir.write("kernel", image);
    expect("kernel's KHO", warning, "could not be seen", "--method");
    expect("method", missing, "cannot tell", "--method indirect");
    options.wishes.method = Method::indirect;
    expect("method", ok, "indirect");
    EXPECT_EQ(report().code(), ExitCode::ok);
}

TEST_F(DoctorKernelTest, NoKernel) {
    machine.dir.write("kernel", "nothing of the kind");
    expect("kernel", missing, "bzImage");
    options.kernel = machine.dir.path() / "absent";
    expect("kernel", missing, "cannot open", "check the path");
    EXPECT_EQ(report().code(), ExitCode::refused);
}

TEST_F(DoctorKernelTest, NotRelocatable) {
    expect("relocatable", ok, "yes");
    test::KernelSpec spec;
    spec.relocatable = 0;
    kernel("", spec);
    expect("relocatable", missing, "not relocatable", "CONFIG_RELOCATABLE");
}

TEST_F(DoctorKernelTest, TooOldForIntervals) {
    test::KernelSpec spec;
    spec.setup_type_max = 6;
    kernel("", spec);
    expect("SETUP_INDIRECT", missing, "too old", "5.5");
    kernel("kho-v4", spec);
    EXPECT_EQ(report().count(missing), 0) << "its own KHO needs no intervals";
}

TEST_F(DoctorKernelTest, CommandLineTooLong) {
    options.cmdline = std::string(4000, 'x');
    EXPECT_EQ(check("command line").state, missing);
}

TEST_F(DoctorKernelTest, Initrd) {
    options.initrd = machine.dir.path() / "initrd";
    expect("initrd", missing, "initrd", "check the path");
    machine.dir.write("initrd", "");
    expect("initrd", missing, "empty", "check the path");
    machine.dir.write("initrd", std::string(8192, 'i'));
    expect("initrd", ok, "8.0 KiB");
}

TEST_F(DoctorKernelTest, MemoryLeft) {
    expect("memory left", ok, "for the next kernel");
    machine.dir.write(in_debugfs("out/ranges"), "0x1000000 0x3f000000\n");
    expect("memory left", missing, "would be left", "preserve less");
    machine.dir.write(in_debugfs("out/ranges"), "");
    machine.ram(100ULL << 20);
    expect("memory left", missing, "would be left");
}

TEST_F(DoctorKernelTest, Scratch) {
    expect("scratch", ok, "1.0 MiB");
    memory(900, 400);
    expect("scratch", missing, "only 900.0 KiB are available", "free memory");
    machine.dir.write("proc/meminfo", "MemAvailable: 900 kB\nSwapFree: 900000 kB\n");
    expect("scratch", warning, "others are swapped out", "free memory");
    machine.dir.write("proc/meminfo", "MemAvailable: 900 kB\nSwapFree: 900 kB\n");
    expect("scratch", missing, "only 900.0 KiB and 900.0 KiB of swap", "free memory");
    memory(900000, 0);
    expect("scratch", warning, "fragmented", "compact_memory");
    machine.dir.remove("proc/meminfo");
    expect("scratch", warning, "could not be seen", "mount");
    memory(900000, 400);
    machine.dir.write("proc/zoneinfo", "Node 0, zone DMA\n managed 3840\n");
    expect("scratch", ok, "");
    kernel("kho-v4");
    expect("scratch", missing, "below 4 GiB", "--method indirect");
}

TEST_F(DoctorKernelTest, ThisKernelsOwnKho) {
    kernel("kho-v4");
    const std::string own = "sys/kernel/debug/kho/out/";
    machine.dir.write(own + "scratch_phys", "0x8000000\n");
    machine.dir.write(own + "scratch_len", "65536\n");
    machine.status("native.abi", "kho-v4");
    machine.status("source", "native");
    EXPECT_EQ(report().source, "native");
    EXPECT_EQ(report().verdict(), "ready: a load would use method file with kho-v4");
    expect("scratch", ok, "this kernel's own KHO has 64.0 KiB");
    memory(9000, 400);
    expect("scratch", missing, "only 8.8 MiB are available", "smaller kernel or initrd");
    memory(900000, 400);
    options.wishes.method = Method::kho;
    expect("scratch", ok, "contiguous");
    machine.dir.write(own + "scratch_len", "134217728\n");
    expect("scratch", ok, "this kernel's own KHO has 128.0 MiB");
    // Without the module it is not known which version this kernel's KHO has.
    options.wishes.method.reset();
    machine.dir.remove("sys/module/kho_bridge");
    expect("method", warning, "or file", "load the module");
}

TEST_F(DoctorKernelTest, NoScratchIsLookedForWhereItIsTaken) {
    machine.status("out.state", "frozen");
    const DoctorReport got = report();
    EXPECT_EQ(got.verdict(), "not ready: loaded kernel");
}

/// Where doctor finds something missing `load` has to refuse, in the same words.
TEST_F(DoctorKernelTest, AgreesWithLoad) {
    Progress progress;
    const auto agrees = [this, &progress](const std::string& name) {
        const auto got =
            load(machine.system, LoadOptions{.kernel = options.kernel, .initrd = {}, .cmdline = ""},
                 progress);
        const Check said = check(name);
        EXPECT_EQ(said.state, missing);
        EXPECT_EQ(got.error().what, said.found);
        EXPECT_EQ(got.error().hint, said.remedy);
    };
    test::KernelSpec spec;
    spec.setup_type_max = 6;
    kernel("", spec);
    agrees("SETUP_INDIRECT");
    kernel("");
    machine.dir.write(in_debugfs("out/ranges"), "0x1000000 0x3f000000\n");
    agrees("memory left");
    machine.dir.write(in_debugfs("out/ranges"), "");
    memory(900, 400);
    agrees("scratch");
    machine.dir.write("proc/sys/kernel/kexec_load_disabled", "1\n");
    agrees("kexec");
    machine.status("out.state", "frozen");
    agrees("loaded kernel");
    machine.dir.write("sys/kernel/security/lockdown", "none [integrity] confidentiality\n");
    agrees("lockdown");
}

}  // namespace
}  // namespace khob
