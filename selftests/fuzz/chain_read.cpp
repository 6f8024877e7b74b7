// SPDX-License-Identifier: GPL-2.0-only
// Fuzzes khob_chain_read(): the input is a piece of physical memory whose first
// byte the chain's head points to.
#include <cerrno>
#include <cstring>

#include "core/setup_data.h"
#include "fuzz.hpp"

namespace {

using khob::fuzz::require;

constexpr std::uint64_t base = 0x1000;

struct Memory {
    const std::uint8_t* data;
    std::size_t size;
    std::uint64_t ranges_end;
    std::uint32_t nr_ranges;
};

int read(void* ctx, std::uint64_t pa, void* to, std::size_t len) {
    const auto& memory = *static_cast<Memory*>(ctx);
    if (pa < base || pa - base > memory.size || len > memory.size - (pa - base)) {
        return -EFAULT;
    }
    std::memcpy(to, memory.data + (pa - base), len);
    return 0;
}

int range(void* ctx, std::uint64_t start, std::uint64_t end) {
    auto& memory = *static_cast<Memory*>(ctx);
    require(start < end && (start | end) % KHOB_PAGE_SIZE == 0, "an interval is whole pages");
    require(start >= memory.ranges_end, "intervals ascend and do not overlap");
    memory.ranges_end = end;
    memory.nr_ranges++;
    return 0;
}

}  // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    static const khob_chain_ops ops = {.read = read, .range = range};
    Memory memory = {.data = data, .size = size, .ranges_end = 0, .nr_ranges = 0};
    khob_chain_info info{};

    const int err = khob_chain_read(base, &ops, &memory, &info);
    require(err == 0 || err == -EINVAL || err == -ENOENT, "errors are those that are documented");
    require(err == 0 || info.why != nullptr, "a refusal says why");
    require(info.nr_nodes <= KHOB_CHAIN_MAX, "nodes are bounded");
    require(info.nr_ranges == memory.nr_ranges, "intervals are counted");
    if (err == 0) {
        require(info.kho_data_pa > base, "the handover is in the chain");
        require(info.kho.fdt_addr != 0 && info.kho.fdt_addr % KHOB_PAGE_SIZE == 0 &&
                    info.kho.fdt_addr + info.kho.fdt_size > info.kho.fdt_addr,
                "the root FDT has a place");
        require(info.kho.scratch_addr != 0 && info.kho.scratch_size % sizeof(khob_scratch) == 0 &&
                    info.kho.scratch_addr + info.kho.scratch_size > info.kho.scratch_addr,
                "the scratch areas have a place");
    }
    return 0;
}
