// SPDX-License-Identifier: GPL-2.0-only
// What a load takes of the running kernel's memory, and whether it is there: one
// answer for `load`, which must not be killed halfway, and for `doctor`.
#ifndef KHOB_LOAD_MEMORY_HPP
#define KHOB_LOAD_MEMORY_HPP

#include <cstdint>
#include <string>

#include "base/error.hpp"
#include "image/bzimage.hpp"
#include "machine/free_memory.hpp"
#include "plan/method.hpp"
#include "plan/scratch_size.hpp"

namespace khob {

/// In bytes.
struct LoadMemory {
    std::uint64_t scratch = 0;     ///< where the next kernel is to boot
    std::uint64_t contiguous = 0;  ///< the largest piece of it that must be contiguous
    std::uint64_t copies = 0;      ///< of every segment, which the kernel keeps until the jump
    std::uint64_t passing = 0;     ///< khoctl's own, and the kernel's buffers while it loads

    std::uint64_t total() const { return scratch + copies + passing; }
    /// "300.0 MiB of scratch and 80.0 MiB of copies are taken, 280.0 MiB of it contiguous".
    std::string to_string() const;
};

/// What khoctl holds besides, at most, while kernel and initrd are being copied.
inline constexpr std::uint64_t own_memory_bytes = 16ULL << 20;

/// `own_scratch`: the running kernel's KHO has scratch already, none is taken.
LoadMemory load_memory(const ScratchPlan& plan, const BzImage& kernel, std::uint64_t initrd_bytes,
                       Method method, bool own_scratch);

/// Whether so much can be had, by swapping others out at worst; what cannot be seen is taken to
/// be there. Errors (refused): names the figures.
Result<void> require_memory(const LoadMemory& wanted, const FreeMemory& free);

}  // namespace khob

#endif  // KHOB_LOAD_MEMORY_HPP
