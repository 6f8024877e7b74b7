// SPDX-License-Identifier: GPL-2.0-only
// Three files of /proc into three figures.
#include "machine/free_memory.hpp"

#include "base/files.hpp"
#include "base/numbers.hpp"
#include "base/types.hpp"

namespace khob {

namespace {

constexpr std::size_t order_2mib = 9;

/// "MemAvailable:  1000 kB".
std::optional<std::uint64_t> line_of(std::string_view meminfo, std::string_view name) {
    for (const std::string_view line : lines(meminfo)) {
        const auto parts = words(line);
        if (parts.size() >= 2 && parts[0] == name) {
            const auto kib = parse_u64(parts[1]);
            return kib ? std::optional(*kib * 1024) : std::nullopt;
        }
    }
    return std::nullopt;
}

/// "Node 0, zone  Normal  7055  6218 ...": how many blocks of each order are free.
std::optional<std::uint64_t> in_large_blocks(std::string_view buddyinfo) {
    constexpr std::size_t counts_at = 4;
    std::optional<std::uint64_t> bytes;
    for (const std::string_view line : lines(buddyinfo)) {
        const auto parts = words(line);
        if (parts.size() <= counts_at || parts[0] != "Node") {
            continue;
        }
        bytes = bytes.value_or(0);
        for (std::size_t order = order_2mib; counts_at + order < parts.size(); ++order) {
            *bytes += parse_u64(parts[counts_at + order]).value_or(0) * (page_size << order);
        }
    }
    return bytes;
}

/// The pages that the zones below 4 GiB manage: "Node 0, zone DMA32" and "managed N" below it.
std::optional<std::uint64_t> low(std::string_view zoneinfo) {
    std::optional<std::uint64_t> bytes;
    bool below = false;
    for (const std::string_view line : lines(zoneinfo)) {
        const auto parts = words(line);
        if (parts.size() == 4 && parts[0] == "Node") {
            below = parts[3] == "DMA" || parts[3] == "DMA32";
        } else if (below && parts.size() == 2 && parts[0] == "managed") {
            bytes = bytes.value_or(0) + parse_u64(parts[1]).value_or(0) * page_size;
        }
    }
    return bytes;
}

}  // namespace

FreeMemory free_memory(const System& sys) {
    const std::string meminfo = read_text(sys.path("/proc/meminfo")).value_or("");
    return FreeMemory{
        .available = line_of(meminfo, "MemAvailable:"),
        .swap = line_of(meminfo, "SwapFree:"),
        .in_large_blocks = in_large_blocks(read_text(sys.path("/proc/buddyinfo")).value_or("")),
        .low = low(read_text(sys.path("/proc/zoneinfo")).value_or(""))};
}

}  // namespace khob
