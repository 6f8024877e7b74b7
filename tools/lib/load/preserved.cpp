// SPDX-License-Identifier: GPL-2.0-only
#include "load/preserved.hpp"

#include <algorithm>
#include <vector>

namespace khob {

namespace {

Result<Covering> cover_ranges(std::span<const Range> preserved, const MemoryMap& map,
                              const CoverRequest& request) {
    const bool kho = request.method != Method::indirect;
    if (!request.fdt.empty() &&
        std::none_of(preserved.begin(), preserved.end(),
                     [&request](const Range& r) { return r.contains(request.fdt); })) {
        return fail(ExitCode::failure, "the module has not preserved its root FDT");
    }
    auto covering = cover(preserved, map.barriers(request.scratch),
                          kho ? std::max<std::size_t>(preserved.size(), 1) : request.max_intervals);
    if (covering) {
        covering->occupied = covering->intervals;
        if (kho) {
            covering->intervals.clear();
        }
    }
    return covering;
}

/// With the small gaps, if that can be done.
Result<Covering> cover_extents(std::span<const Extent> extents, const MemoryMap& map,
                               const CoverRequest& request) {
    std::vector<Range> ranges;
    ranges.reserve(extents.size());
    std::uint64_t gaps = 0;
    for (const Extent& extent : extents) {
        ranges.push_back(extent.range);
        gaps += extent.range.size() - extent.bytes;
    }
    auto covering = cover_ranges(ranges, map, request);
    if (covering) {
        covering->preserved_bytes -= gaps;
        covering->gap_bytes += gaps;
    }
    return covering;
}

}  // namespace

Result<Covering> cover_preserved(const Module& module, const MemoryMap& map,
                                 const CoverRequest& request) {
    const auto status = module.status();
    if (!status) {
        return tl::unexpected(status.error());
    }
    if (status->number_or("out.keys", 0) + status->number_or("in.keys", 0) > exact_keys) {
        const auto extents = module.extents();
        if (!extents) {
            return tl::unexpected(extents.error());
        }
        // What is in the way may lie in a gap; the ranges tell.
        if (auto covering = cover_extents(*extents, map, request)) {
            return covering;
        }
    }
    const auto ranges = module.ranges(Side::out);
    return ranges ? cover_ranges(*ranges, map, request)
                  : Result<Covering>(tl::unexpected(ranges.error()));
}

Result<MemoryBudget> budget_now(const Module& module, const MemoryMap& map, const BzImage& kernel,
                                std::uint64_t initrd_bytes, const MethodChoice& choice,
                                std::size_t max_intervals) {
    const auto covering =
        cover_preserved(module, map, {.method = choice.method, .max_intervals = max_intervals});
    return covering ? check_memory(map, *covering, kernel, initrd_bytes, choice.kasan)
                    : tl::unexpected(covering.error());
}

}  // namespace khob
