// SPDX-License-Identifier: GPL-2.0-only
// Where the parts of the incoming kernel go inside scratch.
#ifndef KHOB_SCRATCH_HPP
#define KHOB_SCRATCH_HPP

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "base/error.hpp"
#include "base/types.hpp"
#include "image/bzimage.hpp"

namespace khob {

/// What has to be placed; sizes in bytes.
struct ScratchNeeds {
    std::uint64_t kernel_bytes = 0;      ///< init_size in whole pages
    std::uint64_t kernel_alignment = 0;  ///< power of two, >= a page
    std::uint64_t kernel_min = 0;        ///< lowest load address
    std::uint64_t initrd_bytes = 0;      ///< whole pages; 0: no initrd
    std::uint64_t small_bytes = 0;       ///< boot_params, chain, command line...: whole pages
    bool above_4g = false;               ///< the kernel may use memory above 4 GiB
};

/// One `take` of the module's: a contiguous area.
struct AreaRequest {
    std::uint64_t size = 0;
    std::uint64_t align = 0;
    bool low = false;                             ///< below 4 GiB
    std::optional<unsigned> node = std::nullopt;  ///< of this memory node
    friend constexpr bool operator==(const AreaRequest&, const AreaRequest&) = default;
};

struct Placement {
    Range kernel;
    Range small;
    Range initrd;  ///< empty: no initrd
};

/// Needs for this kernel; `initrd_bytes` and `small_bytes` may be any number of bytes.
ScratchNeeds scratch_needs(const BzImage& kernel, std::uint64_t initrd_bytes,
                           std::uint64_t small_bytes);

/// Everything in one contiguous area.
AreaRequest one_area(const ScratchNeeds& needs);

/// The kernel and the small things in one, the initrd in another, for fragmented machines.
std::vector<AreaRequest> two_areas(const ScratchNeeds& needs);

/// Places everything inside `areas`, kernel first. Errors (refused): "does not fit", both figures.
Result<Placement> place(const ScratchNeeds& needs, std::span<const Range> areas);

}  // namespace khob

#endif  // KHOB_SCRATCH_HPP
