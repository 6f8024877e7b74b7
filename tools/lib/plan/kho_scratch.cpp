// SPDX-License-Identifier: GPL-2.0-only
// How much scratch a kernel with KHO needs, and where.
#include "plan/kho_scratch.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "base/files.hpp"
#include "base/numbers.hpp"

namespace khob {

namespace {

constexpr std::uint64_t mib = 1ULL << 20;

// A struct page is 64 bytes on x86-64, of which there is one a page.
constexpr std::uint64_t pages_per_struct_page = page_size / 64;
// Page tables in pages of 4 KiB (a kernel that debugs them maps no larger ones) take 1/512;
// the hash tables for dentries and inodes, which are made early, together 1/680.
constexpr std::uint64_t ram_per_table = 256;
constexpr std::uint64_t cpu_bytes = 1 * mib;
// An entry of memblock's array has 32 bytes and the array is copied into one twice its size.
constexpr std::uint64_t key_bytes = 3 * 32ULL;
// Log buffer, KFENCE's pool, the NUMA and ACPI tables, what debugging options add.
constexpr std::uint64_t base_bytes = 48 * mib;
// Trampolines and DMA below 4 GiB; with RAM above it also swiotlb's 64 MiB.
constexpr std::uint64_t low_bytes = 32 * mib;
constexpr std::uint64_t swiotlb_bytes = 64 * mib;

constexpr std::uint64_t round_area(std::uint64_t bytes) {
    return align_down(bytes + kho_scratch_alignment - 1, kho_scratch_alignment);
}

/// The numbers of a list like "0-3,8": how many there are.
std::uint64_t count_list(std::string_view list) {
    std::uint64_t count = 0;
    while (!list.empty()) {
        const std::size_t comma = std::min(list.find(','), list.size());
        const std::string_view item = list.substr(0, comma);
        list.remove_prefix(std::min(comma + 1, list.size()));
        const std::size_t dash = item.find('-');
        const auto first = parse_u64(item.substr(0, dash));
        const auto last = dash == std::string_view::npos ? first : parse_u64(item.substr(dash + 1));
        if (first && last && *last >= *first) {
            count += *last - *first + 1;
        }
    }
    return count;
}

/// "Node 0 MemTotal:  1000 kB" of a node's meminfo, in bytes; 0 if it is not there.
std::uint64_t node_bytes(const std::filesystem::path& dir) {
    const std::string text = read_text(dir / "meminfo").value_or("");
    for (const std::string_view line : lines(text)) {
        const auto parts = words(line);
        if (parts.size() >= 4 && parts[2] == "MemTotal:") {
            return parse_u64(parts[3]).value_or(0) * 1024;
        }
    }
    return 0;
}

std::vector<NodeMemory> memory_nodes(const System& sys) {
    std::vector<NodeMemory> out;
    const auto dir = sys.path("/sys/devices/system/node");
    // Without CONFIG_NUMA there is no such directory.
    const auto names = list_dir(dir).value_or(std::vector<std::string>{});
    for (const std::string& name : names) {
        constexpr std::string_view prefix = "node";
        const auto number = name.starts_with(prefix)
                                ? parse_u64(std::string_view(name).substr(prefix.size()))
                                : std::nullopt;
        const std::uint64_t bytes = number ? node_bytes(dir / name) : 0;
        if (bytes != 0) {
            out.push_back(NodeMemory{static_cast<unsigned>(*number), bytes});
        }
    }
    return out;
}

}  // namespace

MachineFacts machine_facts(const System& sys, const MemoryMap& map, std::uint64_t keys) {
    constexpr PhysAddr four_gib{1ULL << 32};
    MachineFacts out;
    out.ram_bytes = map.ram_bytes();
    out.ram_above_4g = map.ram().back().end > four_gib;
    const auto possible = read_text(sys.path("/sys/devices/system/cpu/possible"));
    out.cpus = std::max<std::uint64_t>(count_list(trimmed(possible.value_or(""))), 1);
    out.keys = keys;
    out.nodes = memory_nodes(sys);
    return out;
}

Value EarlyNeeds::to_value() const {
    Value v;
    v.set("struct_pages", Bytes{struct_pages})
        .set("tables", Bytes{tables})
        .set("cpus", Bytes{cpus})
        .set("reservations", Bytes{reservations})
        .set("shadow", Bytes{shadow})
        .set("base", Bytes{base})
        .set("all", Bytes{total()});
    return v;
}

EarlyNeeds early_needs(const MachineFacts& machine) {
    return EarlyNeeds{.struct_pages = machine.ram_bytes / pages_per_struct_page,
                      .tables = machine.ram_bytes / ram_per_table,
                      .cpus = machine.cpus * cpu_bytes,
                      .reservations = machine.keys * key_bytes,
                      .shadow = machine.kasan ? kasan_shadow(machine.ram_bytes) : 0,
                      .base = base_bytes};
}

std::uint64_t kasan_shadow(std::uint64_t ram_bytes) {
    // Its page tables as well: a page of them for each 512 of the shadow's, at most.
    return ram_bytes / 8 + ram_bytes / 8 / 512;
}

Result<void> require_shadow_room(std::span<const Range> areas, const EarlyNeeds& early) {
    const std::uint64_t bytes = total_bytes(areas);
    if (early.shadow == 0 || bytes >= early.total()) {
        return {};
    }
    return fail(
        ExitCode::refused,
        fmt::format("the kernel has KASAN and needs {} to boot in, {} of it for KASAN's "
                    "shadow, and the scratch of this kernel's own KHO has {}",
                    human_bytes(early.total()), human_bytes(early.shadow), human_bytes(bytes)),
        "say `--method kho`: then khoctl makes scratch that suffices");
}

KhoScratch kho_scratch(const ScratchNeeds& needs, const MachineFacts& machine) {
    KhoScratch out;
    out.early = early_needs(machine);
    out.low = AreaRequest{round_area(low_bytes + (machine.ram_above_4g ? swiotlb_bytes : 0)),
                          kho_scratch_alignment};
    out.low.low = true;
    out.image_low = !needs.above_4g;
    // Its alignment may be larger than an area's; room for KASLR is in what is early.
    const std::uint64_t slack = std::max(needs.kernel_alignment, kho_scratch_alignment);
    out.image_bytes =
        round_area(needs.kernel_bytes + needs.small_bytes + needs.initrd_bytes + slack);
    std::uint64_t early = round_area(std::max(out.early.total(), needs.kernel_bytes));

    // What grows with a node's memory is best taken from that node.
    std::uint64_t node_ram = 0;
    for (const NodeMemory& node : machine.nodes) {
        node_ram += node.bytes;
    }
    const std::uint64_t growing = out.early.struct_pages + out.early.tables + out.early.shadow;
    for (const NodeMemory& node : machine.nodes) {
        const auto part = static_cast<std::uint64_t>(static_cast<double>(growing) *
                                                     static_cast<double>(node.bytes) /
                                                     static_cast<double>(node_ram));
        AreaRequest share{round_area(part), kho_scratch_alignment};
        share.node = node.node;
        if (machine.nodes.size() < 2 || share.size == 0 || share.size >= early) {
            continue;
        }
        early -= share.size;
        out.nodes.push_back(share);
    }
    out.early_bytes = early;
    return out;
}

}  // namespace khob
