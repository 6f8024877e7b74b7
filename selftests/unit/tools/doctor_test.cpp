// SPDX-License-Identifier: GPL-2.0-only
// What doctor says of the machine and the module: each check, good and bad.
#include <zlib.h>

#include "base/bytes.hpp"
#include "doctor_fixture.hpp"
#include "efi_fixture.hpp"
#include "machine/free_memory.hpp"

namespace khob {
namespace {

using test::DoctorTest;
using Doctor = DoctorTest;

constexpr CheckState ok = CheckState::ok;
constexpr CheckState warning = CheckState::warning;
constexpr CheckState missing = CheckState::missing;
constexpr std::uint64_t mib = 1ULL << 20;

TEST_F(Doctor, AGoodMachineHasNothingToComplainOf) {
    options.kernel.clear();
    const DoctorReport got = report();
    for (const Check& c : got.checks) {
        EXPECT_EQ(c.state, ok) << c.name << ": " << c.found;
        EXPECT_EQ(c.remedy, "") << c.name;
    }
    EXPECT_EQ(got.code(), ExitCode::ok);
    EXPECT_EQ(got.source, "bridge");
    EXPECT_FALSE(got.kernel);
    EXPECT_EQ(got.verdict().substr(0, 21), "this machine is ready");
    EXPECT_TRUE(machine.system.calls.empty());
}

TEST_F(Doctor, Architecture) {
    expect("architecture", ok, "x86_64");
    machine.system.arch = "aarch64";
    expect("architecture", missing, "aarch64", "x86-64");
}

TEST_F(Doctor, Config) {
    expect("CONFIG_KEXEC", ok, "set");
    expect("CONFIG_KEXEC_FILE", ok, "not required");
    machine.dir.write("boot/config-6.0-test", "CONFIG_MODULES=y\nCONFIG_KEXEC=n\n");
    for (const char* name : {"CONFIG_KEXEC", "CONFIG_CONTIG_ALLOC"}) {
        expect(name, missing, "not set", std::string(name) + "=y");
    }
    EXPECT_EQ(report().code(), ExitCode::refused);
    machine.dir.remove("boot");
    machine.dir.write("lib/modules/6.0-test/build/.config", "CONFIG_KEXEC=m\n");
    expect("config", ok, "build/.config");
    expect("CONFIG_KEXEC", ok, "set");
    machine.dir.remove("lib");
    expect("config", warning, "could not be seen", "/boot/config-6.0-test");
}

TEST_F(Doctor, ConfigOfTheKernelItself) {
    const std::string text = "CONFIG_KEXEC=y\nCONFIG_KEXEC_HANDOVER=y\n";
    const auto path = (machine.dir.path() / "proc/config.gz").string();
    gzFile file = gzopen(path.c_str(), "wb");
    ASSERT_NE(file, nullptr);
    EXPECT_EQ(gzwrite(file, text.data(), static_cast<unsigned>(text.size())),
              static_cast<int>(text.size()));
    EXPECT_EQ(gzclose(file), Z_OK);
    expect("config", ok, "/proc/config.gz");
    expect("CONFIG_KEXEC_HANDOVER", ok, "set: ");
    expect("CONFIG_MODULES", missing, "not set", "CONFIG_MODULES=y");
    machine.dir.write("proc/config.gz", "\x1f\x8b damaged");
    expect("config", ok, "/boot/config-6.0-test");
}

TEST_F(Doctor, Lockdown) {
    expect("lockdown", ok, "none");
    machine.dir.write("sys/kernel/security/lockdown", "none [integrity] confidentiality\n");
    expect("lockdown", missing, "integrity", "Secure Boot");
    machine.dir.remove("sys/kernel/security");
    expect("lockdown", ok, "has none");
    machine.dir.write("boot/config-6.0-test", "CONFIG_SECURITY_LOCKDOWN_LSM=y\n");
    expect("lockdown", warning, "could not be seen", "mount -t securityfs");
}

TEST_F(Doctor, Firmware) {
    expect("firmware", ok, "no EFI");
    const std::string var =
        "sys/firmware/efi/efivars/SecureBoot-8be4df61-93ca-11d2-aa0d-00e098032b8c";
    machine.dir.write(var, std::string("\6\0\0\0\0", 5));
    expect("firmware", ok, "end here: this kernel does not show its boot_params");
    machine.system.root = false;
    expect("firmware", ok, "could not be seen without root");
    machine.system.root = true;
    const test::EfiFiles efi(machine);
    machine.dir.write("sys/kernel/boot_params/data", efi.running);
    expect("firmware", ok, "go on in the next kernel");
    machine.dir.write(var, std::string("\6\0\0\0\1", 5));
    expect("firmware", warning, "Secure Boot", "switch Secure Boot off");
}

TEST_F(Doctor, Kexec) {
    expect("kexec", ok, "allowed");
    machine.dir.write("proc/sys/kernel/kexec_load_limit_reboot", "2\n");
    expect("kexec", ok, "2 more");
    machine.dir.write("proc/sys/kernel/kexec_load_limit_reboot", "0\n");
    expect("kexec", missing, "kexec_load_limit_reboot", "next boot");
    machine.dir.write("proc/sys/kernel/kexec_load_limit_reboot", "-1\n");
    expect("kexec", ok, "allowed");
    machine.dir.write("proc/sys/kernel/kexec_load_disabled", "1\n");
    expect("kexec", missing, "kexec_load_disabled", "next boot");
    machine.dir.remove("sys/kernel/kexec_loaded");
    expect("kexec", missing, "no kexec", "CONFIG_KEXEC");
}

TEST_F(Doctor, Privileges) {
    expect("privileges", ok, "CAP_SYS_BOOT");
    machine.dir.write("proc/self/status", "CapEff:\t00000000a80425fb\n");
    expect("privileges", missing, "without CAP_SYS_BOOT", "container");
    machine.system.root = false;
    expect("privileges", warning, "not root", "sudo");
    EXPECT_EQ(report().count(missing), 0);
}

TEST_F(Doctor, MemoryMap) {
    expect("memory map", ok, "of RAM");
    machine.dir.remove("sys/firmware");
    expect("memory map", missing, "memory map", "CONFIG_FIRMWARE_MEMMAP");
}

TEST_F(Doctor, Device) {
    expect("device", ok, "/dev/kho_bridge");
    machine.dir.remove("dev/kho_bridge");
    expect("device", missing, "is missing", "devtmpfs");
    machine.dir.remove("sys/module/kho_bridge");
    expect("device", ok, "comes with the module");
}

TEST_F(Doctor, Module) {
    expect("module", ok, "kho_bridge 0.1 is loaded");
    machine.dir.remove("sys/module/kho_bridge");
    expect("module", missing, "neither loaded nor installed", "make install");
    expect("module", missing, "", "linux-headers-6.0-test");
    machine.dir.write("usr/src/kho-bridge-0.2.0/Kbuild", "");
    machine.dir.write("lib/modules/6.0-test/build/Makefile", "");
    EXPECT_EQ(check("module").remedy, "dkms install kho-bridge/0.2.0 -k 6.0-test");
    machine.dir.write("lib/modules/6.0-test/updates/dkms/kho_bridge.ko", "\177ELF");
    EXPECT_EQ(check("module").remedy, "depmod && modprobe kho_bridge");
    machine.dir.write("lib/modules/6.0-test/modules.dep", "updates/dkms/kho_bridge.ko:\n");
    EXPECT_EQ(check("module").remedy, "modprobe kho_bridge");
    expect("module", missing, "updates/dkms/kho_bridge.ko");
}

TEST_F(Doctor, Signatures) {
    expect("signatures", ok, "need none");
    machine.dir.write("sys/module/module/parameters/sig_enforce", "Y\n");
    expect("signatures", ok, "accepted");
    machine.dir.remove("sys/module/kho_bridge");
    expect("signatures", warning, "need one", "sign it");
    const std::string file = "lib/modules/6.0-test/extra/kho_bridge.ko";
    machine.dir.write(file, "\177ELF of a module");
    expect("signatures", missing, "has none", "sign it");
    machine.dir.write(file, "\177ELF of a module~Module signature appended~\n");
    expect("signatures", warning, "trusts its key", "sign it");
}

TEST_F(Doctor, RunningKho) {
    machine.dir.write("boot/config-6.0-test", "CONFIG_KEXEC_HANDOVER=y\n");
    expect("running KHO", ok, "no kho=");
    EXPECT_EQ(report().source, "bridge");
    machine.dir.write("proc/cmdline", "quiet kho=on\n");
    // KHO need not have files in debugfs; the module knows without.
    machine.status("source", "native");
    expect("running KHO", ok, "on (kho=on");
    EXPECT_EQ(report().source, "native");
    machine.dir.remove("sys/module/kho_bridge");
    EXPECT_EQ(report().source, "bridge");
    machine.dir.write("sys/kernel/debug/kho/out/scratch_phys", "0x1000000\n");
    expect("running KHO", ok, "on (kho=on");
    EXPECT_EQ(report().source, "native");
    machine.dir.remove("sys/kernel/debug/kho");
    machine.system.root = false;
    expect("running KHO", warning, "without root", "sudo");
    EXPECT_EQ(report().source, "");
}

TEST_F(Doctor, Handover) {
    expect("handover", ok, "nothing");
    machine.status("in.state", "attached");
    machine.status("in.pages", "77");
    expect("handover", ok, "77 pages");
    machine.status("in.state", "refused");
    machine.status("in.reason", "bad root");
    expect("handover", missing, "bad root", "khoctl release all");
    machine.status("in.state", "none");
    machine.dir.write("sys/kernel/boot_params/setup_data/0/type", "0xa\n");
    ByteVector page(4096);
    test::poke(page, 0x250, std::uint64_t{0x5afde000});
    machine.dir.write("sys/kernel/boot_params/data", page);
    expect("handover", warning, "not attached", "khoctl attach");
    machine.status("in.previous_release", "6.0-before");
    expect("handover", ok, "nothing");
}

TEST_F(Doctor, ShownToOthers) {
    expect("setup_data", ok, "shows nothing");
    machine.dir.write("sys/kernel/boot_params/setup_data/1/type", "0x8000000a\n");
    machine.dir.write("sys/kernel/boot_params/setup_data/1/data", "secret");
    expect("setup_data", warning, "1 interval of what was handed over can be read by every user",
           "khoctl attach");
    const auto data = machine.dir.path() / "sys/kernel/boot_params/setup_data/1/data";
    std::filesystem::permissions(data, std::filesystem::perms::owner_read);
    expect("setup_data", ok, "by root until");
    machine.status("in.state", "refused");
    expect("setup_data", warning, "can still be read", "dmesg");
}

TEST_F(Doctor, LoadedKernel) {
    expect("loaded kernel", ok, "none");
    machine.dir.write("sys/kernel/kexec_loaded", "1\n");
    expect("loaded kernel", warning, "replaces", "kexec -u");
    machine.status("out.state", "frozen");
    expect("loaded kernel", missing, "frozen", "khoctl unload");
}

TEST_F(Doctor, FreeMemory) {
    machine.dir.write("proc/buddyinfo",
                      "Node 0, zone DMA 1 1 1 1 1 1 1 1 1 1 3\n"
                      "Node 0, zone Normal 9 9 9 9 9 9 9 9 9 2 1\nnonsense\n");
    machine.dir.write("proc/zoneinfo",
                      "Node 0, zone      DMA\n  pages free 1\n        managed  256\n"
                      "Node 0, zone    DMA32\n        managed  512\n"
                      "Node 0, zone   Normal\n        managed  1024\n");
    FreeMemory got = free_memory(machine.system);
    EXPECT_EQ(got.available, 900000ULL * 1024);
    EXPECT_EQ(got.in_large_blocks, 3UL * 2UL * mib + 4UL * 4UL * mib);
    EXPECT_EQ(got.low, 3 * mib);
    EXPECT_FALSE(got.swap);
    machine.dir.write("proc/meminfo", "SwapTotal: 9 kB\nSwapFree: 8 kB\n");
    EXPECT_EQ(free_memory(machine.system).swap, 8192);
    machine.dir.remove("proc");
    got = free_memory(machine.system);
    EXPECT_FALSE(got.available || got.in_large_blocks || got.low);
}

}  // namespace
}  // namespace khob
