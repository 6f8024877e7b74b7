// SPDX-License-Identifier: GPL-2.0-only
// A machine on which doctor finds nothing to complain of, to be made worse check by check.
#ifndef KHOB_TESTS_DOCTOR_FIXTURE_HPP
#define KHOB_TESTS_DOCTOR_FIXTURE_HPP

#include <algorithm>
#include <string>

#include "doctor/doctor.hpp"
#include "fixture.hpp"

namespace khob::test {

class DoctorTest : public ::testing::Test {
  protected:
    DoctorTest() {
        machine.dir.write("boot/config-6.0-test",
                          "# comment\nCONFIG_MODULES=y\nCONFIG_CONTIG_ALLOC=y\n"
                          "CONFIG_KEXEC=y\n# CONFIG_KEXEC_FILE is not set\n");
        machine.dir.write("sys/kernel/security/lockdown", "[none] integrity confidentiality\n");
        machine.dir.write("proc/self/status", "Name: x\nCapEff:\t000001ffffffffff\n");
        memory(900000, 400);
        kernel("");
    }
    /// MemAvailable in KiB, and free blocks of 4 MiB.
    void memory(std::uint64_t available, std::uint64_t blocks) const {
        machine.dir.write("proc/meminfo", "MemTotal: 1000000 kB\nMemAvailable: " +
                                              std::to_string(available) + " kB\n");
        machine.dir.write("proc/buddyinfo", "Node 0, zone DMA32 9 9 9 9 9 9 9 9 9 0 " +
                                                std::to_string(blocks) + "\n");
    }
    /// A kernel with that KHO in the file "kernel".
    void kernel(const std::string& kho, KernelSpec spec = {}) {
        spec.kho = kho;
        machine.dir.write("kernel", make_kernel(spec));
        options.kernel = machine.dir.path() / "kernel";
    }
    DoctorReport report() const { return doctor(machine.system, options); }
    /// The check of that name; a failure of the test if there is none.
    Check check(const std::string& name) const {
        const Checks checks = report().checks;
        const auto at = std::find_if(checks.begin(), checks.end(),
                                     [&name](const Check& c) { return c.name == name; });
        if (at == checks.end()) {
            ADD_FAILURE() << "no check " << name;
            return Check{};
        }
        return *at;
    }
    void expect(const std::string& name, CheckState state, std::string_view found,
                std::string_view remedy = "") const {
        const Check got = check(name);
        EXPECT_EQ(to_string(got.state), to_string(state)) << name << ": " << got.found;
        EXPECT_NE(got.found.find(found), std::string::npos) << name << ": " << got.found;
        EXPECT_NE(got.remedy.find(remedy), std::string::npos) << name << ": " << got.remedy;
        EXPECT_EQ(got.remedy.empty(), state == CheckState::ok) << name << ": " << got.remedy;
    }

    Machine machine;
    DoctorOptions options;
};

}  // namespace khob::test

#endif  // KHOB_TESTS_DOCTOR_FIXTURE_HPP
