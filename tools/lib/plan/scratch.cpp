// SPDX-License-Identifier: GPL-2.0-only
// The layout of scratch: first fit, largest alignment first.
#include "plan/scratch.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <string_view>

namespace khob {

namespace {

constexpr std::uint64_t four_gib = 1ULL << 32;

/// What is free of an area: its rest behind what was placed.
struct Free {
    Range rest;
};

struct Part {
    std::string_view name;
    std::uint64_t bytes = 0;
    std::uint64_t align = page_size;
    std::uint64_t min = 0;
    std::uint64_t limit = 0;  // first address that it must not reach; 0: none
};

std::optional<Range> fit(const Part& part, const Range& rest) {
    const auto start = align_up(std::max(rest.start.value(), part.min), part.align);
    if (!start || *start > rest.end.value() || part.bytes > rest.end.value() - *start) {
        return std::nullopt;
    }
    const std::uint64_t end = *start + part.bytes;
    if (part.limit != 0 && end > part.limit) {
        return std::nullopt;
    }
    return make_range(*start, end);
}

Result<Range> place_part(const Part& part, std::vector<Free>& areas) {
    std::uint64_t largest = 0;
    for (Free& area : areas) {
        if (const auto at = fit(part, area.rest)) {
            area.rest.start = at->end;
            return *at;
        }
        largest = std::max(largest, area.rest.size());
    }
    const std::string limit = part.limit != 0 ? " below 4 GiB" : "";
    return fail(ExitCode::refused,
                fmt::format("the {} does not fit scratch: it needs {} bytes aligned to {:#x}{}, "
                            "the largest free piece has {}",
                            part.name, part.bytes, part.align, limit, largest),
                "use a smaller kernel or initrd");
}

}  // namespace

ScratchNeeds scratch_needs(const BzImage& kernel, std::uint64_t initrd_bytes,
                           std::uint64_t small_bytes) {
    return ScratchNeeds{.kernel_bytes = page_round(kernel.init_size),
                        .kernel_alignment = kernel.kernel_alignment,
                        .kernel_min = kernel.pref_address,
                        .initrd_bytes = page_round(initrd_bytes),
                        .small_bytes = page_round(small_bytes),
                        .above_4g = kernel.above_4g};
}

AreaRequest one_area(const ScratchNeeds& needs) {
    return AreaRequest{needs.kernel_bytes + needs.small_bytes + needs.initrd_bytes,
                       needs.kernel_alignment};
}

std::vector<AreaRequest> two_areas(const ScratchNeeds& needs) {
    std::vector<AreaRequest> out{
        AreaRequest{needs.kernel_bytes + needs.small_bytes, needs.kernel_alignment}};
    if (needs.initrd_bytes != 0) {
        out.push_back(AreaRequest{needs.initrd_bytes, page_size});
    }
    return out;
}

Result<Placement> place(const ScratchNeeds& needs, std::span<const Range> areas) {
    std::vector<Free> free;
    for (const Range& area : areas) {
        free.push_back(Free{area});
    }
    const std::uint64_t limit = needs.above_4g ? 0 : four_gib;
    Placement out;
    auto kernel = place_part(
        Part{"kernel", needs.kernel_bytes, needs.kernel_alignment, needs.kernel_min, limit}, free);
    if (!kernel) {
        return tl::unexpected(kernel.error());
    }
    out.kernel = *kernel;
    auto small = place_part(Part{"boot data", needs.small_bytes, page_size, 0, limit}, free);
    if (!small) {
        return tl::unexpected(small.error());
    }
    out.small = *small;
    if (needs.initrd_bytes != 0) {
        auto initrd = place_part(Part{"initrd", needs.initrd_bytes, page_size, 0, limit}, free);
        if (!initrd) {
            return tl::unexpected(initrd.error());
        }
        out.initrd = *initrd;
    }
    return out;
}

}  // namespace khob
