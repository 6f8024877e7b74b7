// SPDX-License-Identifier: GPL-2.0-only
// Adds up what a load takes.
#include "plan/load_memory.hpp"

#include <fmt/format.h>

namespace khob {

namespace {

// The kernel notes source and target of each page that it copies: 8 bytes each.
constexpr std::uint64_t page_per_note = page_size / 8;

constexpr std::uint64_t with_notes(std::uint64_t bytes) {
    return bytes + page_round(bytes / page_per_note);
}

}  // namespace

std::string LoadMemory::to_string() const {
    const std::string taken =
        scratch == 0 ? "" : fmt::format("{} of scratch and ", human_bytes(scratch));
    const std::string piece =
        contiguous == 0 ? "" : fmt::format(", {} of it contiguous", human_bytes(contiguous));
    return fmt::format("{}{} of copies are taken{}", taken, human_bytes(copies), piece);
}

LoadMemory load_memory(const ScratchPlan& plan, const BzImage& kernel, std::uint64_t initrd_bytes,
                       Method method, bool own_scratch) {
    const std::uint64_t loaded =
        page_round(kernel.payload_bytes) + page_round(initrd_bytes) + plan.needs.small_bytes;
    LoadMemory out;
    if (!own_scratch) {
        out.scratch = plan.total_bytes();
        out.contiguous = plan.contiguous_bytes();
    }
    out.copies = with_notes(loaded);
    // kexec_file_load(2) reads both files first, and lets go of them when it has copied them.
    out.passing = own_memory_bytes + (method == Method::file ? loaded : 0);
    return out;
}

Result<void> require_memory(const LoadMemory& wanted, const FreeMemory& free) {
    if (!free.available || *free.available + free.swap.value_or(0) >= wanted.total()) {
        return {};
    }
    const std::string swap =
        free.swap.value_or(0) == 0 ? "" : fmt::format(" and {} of swap", human_bytes(*free.swap));
    return fail(ExitCode::refused,
                fmt::format("{} and {} besides while it loads, but only {}{} are available",
                            wanted.to_string(), human_bytes(wanted.passing),
                            human_bytes(*free.available), swap),
                "free memory, or use a smaller kernel or initrd");
}

}  // namespace khob
