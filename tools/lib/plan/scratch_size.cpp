// SPDX-License-Identifier: GPL-2.0-only
// The plan of scratch for either method.
#include "plan/scratch_size.hpp"

#include <algorithm>

#include "plan/boot_image.hpp"

namespace khob {

std::uint64_t ScratchPlan::total_bytes() const {
    if (!kho) {
        return one_area(needs).size;
    }
    std::uint64_t sum = kho->low.size + kho->image_bytes + kho->early_bytes;
    for (const AreaRequest& share : kho->nodes) {
        sum += share.size;
    }
    return sum;
}

std::uint64_t ScratchPlan::contiguous_bytes() const {
    if (kho) {
        return std::max(kho->low.size, kho->image_bytes);
    }
    std::uint64_t most = 0;
    for (const AreaRequest& part : two_areas(needs)) {
        most = std::max(most, part.size);
    }
    return most;
}

ScratchPlan plan_scratch(const System& sys, const ScratchInputs& in) {
    ScratchPlan out;
    out.needs = scratch_needs(*in.kernel, in.initrd_bytes,
                              small_bytes(in.map->entries().size() + in.more_entries, in.cmdline,
                                          in.kho ? 0 : in.max_intervals, max_kho_areas, in.efi));
    if (in.kho) {
        MachineFacts machine = machine_facts(sys, *in.map, in.keys);
        machine.kasan = in.kasan;
        out.kho = kho_scratch(out.needs, machine);
    }
    return out;
}

}  // namespace khob
