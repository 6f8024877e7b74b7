// SPDX-License-Identifier: GPL-2.0-only
// Everything that kexec_load(2) is given, put together from its parts.
#ifndef KHOB_BOOT_IMAGE_HPP
#define KHOB_BOOT_IMAGE_HPP

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.hpp"
#include "base/system.hpp"
#include "base/types.hpp"
#include "image/bzimage.hpp"
#include "machine/efi.hpp"
#include "machine/memory_map.hpp"
#include "plan/covering.hpp"
#include "plan/scratch.hpp"
#include "plan/setup_chain.hpp"

namespace khob {

struct BootImageInputs {
    const BzImage* kernel = nullptr;
    ByteView image;   ///< the kernel file
    ByteView initrd;  ///< may be empty
    std::string_view cmdline;
    const MemoryMap* map = nullptr;
    ByteView running_boot_params;
    PhysAddr acpi_rsdp;
    std::span<const Range> intervals;
    std::span<const Range> scratch;  ///< the areas
    PhysAddr fdt_addr;
    std::uint64_t fdt_size = 0;
    const Efi* efi = nullptr;
};

/// Owns what the small segment points at; the others point into the inputs.
struct BootImage {
    ByteVector small;
    std::vector<Segment> segments;
    PhysAddr entry;       ///< of the trampoline
    PhysAddr setup_data;  ///< of the chain's first node
};

/// Bytes of the small segment for at most so many entries of the memory map, intervals and areas;
/// efi may be null.
std::uint64_t small_bytes(std::size_t max_entries, std::string_view cmdline,
                          std::size_t max_intervals, std::size_t max_areas,
                          const Efi* efi = nullptr);

/// Whether the command line may be passed. Errors (refused): too long for the kernel, or a NUL in
/// it.
Result<void> check_cmdline(const BzImage& kernel, std::string_view cmdline);

/// Puts the image together. Errors (refused): something does not fit its place.
Result<BootImage> build_boot_image(const BootImageInputs& in, const Placement& place);

/// What is left to the incoming kernel until the module frees the gaps.
struct MemoryBudget {
    std::uint64_t ram_bytes = 0;
    std::uint64_t covered_bytes = 0;
    std::uint64_t left_bytes = 0;
    std::uint64_t safe_bytes = 0;
};

/// What a kernel with its userspace needs beyond its image and its initrd, before the module
/// has freed anything. selftests/vm shows that a Debian cloud kernel gets by with it.
inline constexpr std::uint64_t base_memory_bytes = 160ULL << 20;

/**
 * What is left, and whether that is enough: init_size, twice the initrd (packed and
 * unpacked at once), base_memory_bytes, and with KASAN its shadow. Errors (refused): too
 * little; names the figures.
 */
Result<MemoryBudget> check_memory(const MemoryMap& map, const Covering& covering,
                                  const BzImage& kernel, std::uint64_t initrd_bytes, bool kasan);

}  // namespace khob

#endif  // KHOB_BOOT_IMAGE_HPP
