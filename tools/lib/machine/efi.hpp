// SPDX-License-Identifier: GPL-2.0-only
// What the incoming kernel needs to go on with the firmware's EFI runtime services.
//
// They have been told virtual addresses once and cannot be told others: the next kernel has
// to map each of their regions where this one did, so it is handed the whole list.
#ifndef KHOB_EFI_HPP
#define KHOB_EFI_HPP

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/types.hpp"

namespace khob {

class System;

/// EFI_MEMORY_DESCRIPTOR of the UEFI specification, as it is handed over.
struct EfiRegion {
    std::uint32_t type = 0;
    std::uint32_t pad = 0;
    std::uint64_t phys_addr = 0;
    std::uint64_t virt_addr = 0;
    std::uint64_t num_pages = 0;  ///< of 4 KiB
    std::uint64_t attribute = 0;
};

/// The payload of a SETUP_EFI node (Linux's arch/x86/include/asm/efi.h).
struct EfiSetupData {
    std::uint64_t fw_vendor = 0;
    std::uint64_t unused = 0;
    std::uint64_t tables = 0;
    std::uint64_t smbios = 0;
    std::uint64_t reserved[8]{};  // NOLINT(modernize-avoid-c-arrays): Linux's layout
};

struct Efi {
    PhysAddr systab;
    EfiSetupData setup;
    std::vector<EfiRegion> map;
    std::uint8_t secure_boot = 0;

    std::uint64_t map_bytes() const { return map.size() * sizeof(EfiRegion); }
};

/// EFI as the running kernel sees it.
struct EfiState {
    std::optional<Efi> efi;
    std::string why;  ///< why nothing is handed over; empty if it is
};

/// efi_info's signature of a 64-bit firmware: "EL64".
inline constexpr std::uint32_t efi_loader_signature_64 = 0x34364c45;

/// More regions than any firmware has; an EFI map that claims more is not believed.
inline constexpr std::size_t max_efi_regions = 1024;

/**
 * Reads it from boot_params and /sys/firmware/efi. A machine without EFI, a kernel that does
 * not use its runtime services and values that contradict each other are no errors: the
 * incoming kernel then runs without runtime services.
 */
EfiState read_efi(const System& sys, ByteView running_boot_params);

}  // namespace khob

#endif  // KHOB_EFI_HPP
