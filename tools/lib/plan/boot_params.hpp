// SPDX-License-Identifier: GPL-2.0-only
// The "zero page" (struct boot_params of the x86 boot protocol) for the incoming kernel.
#ifndef KHOB_BOOT_PARAMS_HPP
#define KHOB_BOOT_PARAMS_HPP

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

#include "base/types.hpp"
#include "image/bzimage.hpp"
#include "machine/efi.hpp"
#include "machine/memory_map.hpp"

namespace khob {

/// Bytes of struct boot_params.
inline constexpr std::size_t boot_params_size = 4096;

/// Entries of its e820 table; more go into a SETUP_E820_EXT node.
inline constexpr std::size_t e820_table_entries = 128;

struct BootParamsInputs {
    const BzImage* kernel = nullptr;
    ByteView image;    ///< the whole kernel file that `kernel` was read from
    ByteView running;  ///< the running kernel's boot_params; may be empty
    const MemoryMap* map = nullptr;
    Range initrd;              ///< exact, not rounded; empty: none
    PhysAddr kernel_address;   ///< where the kernel is loaded
    PhysAddr cmdline;          ///< of a NUL-terminated string
    PhysAddr setup_data;       ///< of the first node
    PhysAddr acpi_rsdp;        ///< 0: the kernel finds it itself
    const Efi* efi = nullptr;  ///< null: the kernel runs without runtime services
    PhysAddr efi_map{};        ///< where efi->map lies
};

/// Starts from zeroes; only what is named here, the kernel's own setup header, and what
/// describes the screen and the disks to the running kernel is taken over.
ByteVector build_boot_params(const BootParamsInputs& in);

/// The trampoline: `cli; mov rsi, boot_params; jmp entry`, as the 64-bit boot protocol wants it.
ByteVector build_trampoline(PhysAddr boot_params, PhysAddr entry);

/// hdr.setup_data of a boot_params page; nothing if it is too short, 0 if there is no chain.
std::optional<PhysAddr> setup_data_of(ByteView boot_params);

/// The RSDP's address: from boot_params, else from the text of /sys/firmware/efi/systab; else 0.
PhysAddr find_rsdp(ByteView boot_params, std::string_view efi_systab);

}  // namespace khob

#endif  // KHOB_BOOT_PARAMS_HPP
