// SPDX-License-Identifier: GPL-2.0-only
// What a kernel that EFI booted shows of it, with two regions of runtime services.
#ifndef KHOB_TESTS_EFI_FIXTURE_HPP
#define KHOB_TESTS_EFI_FIXTURE_HPP

#include <string>

#include "fixture.hpp"
#include "machine/efi.hpp"
#include "plan/boot_params.hpp"

namespace khob::test {

/// Of struct efi_info in boot_params.
inline constexpr std::size_t efi_info_at = 0x1c0;

class EfiFiles {
  public:
    explicit EfiFiles(const Machine& machine) : dir_(&machine.dir) {
        poke(running, efi_info_at, efi_loader_signature_64);
        poke(running, efi_info_at + 4, std::uint32_t{0x3f5ec018});  // systab
        poke(running, 0x1ec, std::uint8_t{2});                      // secure_boot
        set("fw_platform_size", "64\n");
        set("fw_vendor", "0x3f5ec098\n");
        set("config_table", "0x3f5eca98\n");
        set("systab", "ACPI20=0x3f77d014\nSMBIOS3=0x1\nSMBIOS=0x3f520000\n");
        region(0, "0x5", "0x3f5ec000", "0xfffffffeff1ec000", "0x100");
        region(1, "0xb", "0xffc00000", "0xfffffffeffc00000", "0x400");
    }
    void set(const std::string& name, std::string_view text) const {
        dir_->write("sys/firmware/efi/" + name, text);
    }
    void region(int i, const char* type, const char* phys, const char* virt,
                const char* pages) const {
        const std::string dir = "runtime-map/" + std::to_string(i) + "/";
        set(dir + "type", type);
        set(dir + "phys_addr", phys);
        set(dir + "virt_addr", virt);
        set(dir + "num_pages", pages);
        set(dir + "attribute", "0x800000000000000f\n");
    }

    ByteVector running = ByteVector(boot_params_size);  ///< the kernel's boot_params

  private:
    const TempDir* dir_;
};

}  // namespace khob::test

#endif  // KHOB_TESTS_EFI_FIXTURE_HPP
