// SPDX-License-Identifier: GPL-2.0-only
// The setup_data chain that tells the incoming kernel of the handover.
//
// Nodes are packed back to back in one buffer: the incoming kernel reserves each
// node, and only nodes that touch merge into one slot of memblock's table.
#ifndef KHOB_SETUP_CHAIN_HPP
#define KHOB_SETUP_CHAIN_HPP

#include <cstddef>
#include <cstdint>
#include <span>

#include "base/types.hpp"
#include "machine/efi.hpp"
#include "machine/memory_map.hpp"

namespace khob {

/// What the SETUP_KEXEC_KHO node says; addresses page aligned, sizes in bytes.
struct KhoData {
    PhysAddr fdt_addr;
    std::uint64_t fdt_size = 0;
    PhysAddr scratch_addr;  ///< of an array of abi::scratch
    std::uint64_t scratch_size = 0;
};

/// Nodes start at multiples of this.
inline constexpr std::uint64_t chain_alignment = 8;

/// build_chain()'s bytes for so many intervals and e820 entries behind the 128th, with EFI or not.
std::uint64_t chain_bytes(std::size_t intervals, std::size_t extra_e820, bool efi = false);

/**
 * The chain, to be placed at `base` (8-aligned): SETUP_KEXEC_KHO, a seal, SETUP_EFI if there is
 * EFI, one SETUP_INDIRECT an interval, and SETUP_E820_EXT if there are `extra_e820` entries.
 * Never empty.
 */
ByteVector build_chain(PhysAddr base, const KhoData& kho, std::span<const Range> intervals,
                       std::span<const MapEntry> extra_e820, const Efi* efi = nullptr);

}  // namespace khob

#endif  // KHOB_SETUP_CHAIN_HPP
