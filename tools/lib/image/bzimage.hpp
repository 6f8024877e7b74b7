// SPDX-License-Identifier: GPL-2.0-only
// The header of a bzImage (x86 boot protocol). The file is untrusted: each
// field is checked before anything is computed from it.
// Source of the field names and offsets: Documentation/arch/x86/boot.rst.
#ifndef KHOB_BZIMAGE_HPP
#define KHOB_BZIMAGE_HPP

#include <cstdint>
#include <string>

#include "base/error.hpp"
#include "base/types.hpp"

namespace khob {

/// What the loader has to know of a kernel; every figure was checked against the file.
struct BzImage {
    std::uint16_t protocol = 0;          ///< boot protocol, 0x020c or later
    std::uint64_t header_end = 0;        ///< file offset just behind the setup header
    std::uint64_t payload_offset = 0;    ///< of the protected-mode part in the file
    std::uint64_t payload_bytes = 0;     ///< its length, <= init_size
    std::uint64_t init_size = 0;         ///< bytes the kernel needs at its load address
    std::uint64_t kernel_alignment = 0;  ///< of the load address: a power of two >= a page
    std::uint64_t pref_address = 0;      ///< lowest address that it runs from
    std::uint64_t cmdline_size = 0;      ///< longest command line, without the final NUL
    bool above_4g = false;               ///< everything may lie above 4 GiB
    bool relocatable = false;            ///< runs where it is put; else it unpacks itself elsewhere
    std::uint64_t compressed_offset = 0;  ///< of the compressed kernel in the file
    std::uint64_t compressed_bytes = 0;   ///< its length; 0: the header does not say
    std::uint32_t setup_type_max = 0;     ///< of kernel_info; 0: the kernel does not say
    std::string version;                  ///< "6.12.1 (builder) #1 ..."; empty: none

    /// Whether it knows SETUP_INDIRECT nodes (5.5 and later): the `indirect` method needs them.
    bool knows_setup_indirect() const;
};

/// Longest distance of a real kernel's entry from its load address: startup_64.
inline constexpr std::uint64_t entry64_offset = 0x200;

/**
 * Reads the header of `image`, which is a whole file.
 *
 * Errors (ExitCode::refused): no bzImage, truncated, protocol before 2.12, no 64-bit
 * entry, or a field that contradicts the others.
 */
Result<BzImage> inspect_bzimage(ByteView image);

/// The same for a kernel that is to be loaded: one that is not relocatable is refused.
Result<BzImage> parse_bzimage(ByteView image);

/// Errors (refused) unless the `indirect` method can reach this kernel.
Result<void> require_setup_indirect(const BzImage& kernel);

}  // namespace khob

#endif  // KHOB_BZIMAGE_HPP
