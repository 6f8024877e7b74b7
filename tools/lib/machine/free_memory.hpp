// SPDX-License-Identifier: GPL-2.0-only
// What memory the running kernel could give to a load.
#ifndef KHOB_FREE_MEMORY_HPP
#define KHOB_FREE_MEMORY_HPP

#include <cstdint>
#include <optional>

#include "base/system.hpp"

namespace khob {

/// Bytes; what could not be read is empty.
struct FreeMemory {
    std::optional<std::uint64_t> available;  ///< free, and what can be reclaimed at once
    std::optional<std::uint64_t> swap;       ///< free there
    /// Free in blocks of 2 MiB and more. Contiguous memory is made by moving pages out of
    /// the way; the fewer such blocks there are, the more of them have to move.
    std::optional<std::uint64_t> in_large_blocks;
    std::optional<std::uint64_t> low;  ///< all that the kernel manages below 4 GiB
};

/// From /proc/meminfo, /proc/buddyinfo and /proc/zoneinfo.
FreeMemory free_memory(const System& sys);

}  // namespace khob

#endif  // KHOB_FREE_MEMORY_HPP
