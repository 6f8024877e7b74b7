// SPDX-License-Identifier: GPL-2.0-only
// How much scratch a load takes: one answer for `load`, which takes it, and for
// `doctor`, which only says so.
#ifndef KHOB_SCRATCH_SIZE_HPP
#define KHOB_SCRATCH_SIZE_HPP

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

#include "base/system.hpp"
#include "machine/efi.hpp"
#include "machine/memory_map.hpp"
#include "plan/kho_scratch.hpp"
#include "plan/scratch.hpp"

namespace khob {

/// What the plan follows from; sizes in bytes.
struct ScratchInputs {
    const BzImage* kernel = nullptr;
    std::uint64_t initrd_bytes = 0;
    std::string_view cmdline;
    const MemoryMap* map = nullptr;
    std::size_t more_entries = 0;  ///< that the incoming kernel's map may have
    std::size_t max_intervals = 0;
    std::uint64_t keys = 0;    ///< preserved ones
    bool kho = false;          ///< the incoming kernel's own KHO takes the handover
    bool kasan = false;        ///< the incoming kernel has it
    const Efi* efi = nullptr;  ///< passed on to it; null: nothing
};

struct ScratchPlan {
    ScratchNeeds needs;
    std::optional<KhoScratch> kho;

    /// All that is taken, in bytes.
    std::uint64_t total_bytes() const;
    /// The largest piece that must be contiguous, in bytes: without it `load` gives up.
    std::uint64_t contiguous_bytes() const;
};

ScratchPlan plan_scratch(const System& sys, const ScratchInputs& in);

}  // namespace khob

#endif  // KHOB_SCRATCH_SIZE_HPP
