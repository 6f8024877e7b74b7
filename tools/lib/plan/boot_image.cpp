// SPDX-License-Identifier: GPL-2.0-only
// Lays out the small segment and checks what the incoming kernel is left with.
#include "plan/boot_image.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "base/bytes.hpp"
#include "plan/boot_params.hpp"
#include "plan/kho_scratch.hpp"

namespace khob {

namespace {

// The small segment: boot_params, the array of scratch areas (page aligned, as upstream's
// kho_data wants it), then the chain, the trampoline and the command line back to back.
constexpr std::uint64_t scratch_array_at = boot_params_size;
// EFI's map follows the chain at once: reserved too, it merges with it.
constexpr std::uint64_t trampoline_room = 64;

std::uint64_t chain_at(std::size_t areas) {
    return scratch_array_at + page_round(areas * sizeof(abi::scratch));
}

std::uint64_t map_bytes(const Efi* efi) {
    return efi == nullptr ? 0 : efi->map_bytes();
}

/// What goes into the chain of so many entries of the memory map.
std::size_t extra_e820(std::size_t entries) {
    return entries > e820_table_entries ? entries - e820_table_entries : 0;
}

/**
 * The intervals as the chain has them: the one that ends where RAM ends leaves the last byte
 * out. Kernels up to 6.12 take what the chain names out of e820's RAM, and end memory where
 * the last piece of that is: the rest then belongs to no node, and they die of it. A byte
 * keeps the end in place, and its page is reserved all the same.
 */
std::vector<Range> for_chain(std::span<const Range> intervals, const MemoryMap& map) {
    std::vector<Range> out(intervals.begin(), intervals.end());
    for (Range& r : out) {
        if (r.end == map.ram().back().end) {
            r.end = PhysAddr(r.end.value() - 1);
        }
    }
    return out;
}

void put_at(ByteVector& out, std::uint64_t at, ByteView bytes) {
    std::copy(bytes.begin(), bytes.end(), out.begin() + static_cast<std::ptrdiff_t>(at));
}

}  // namespace

std::uint64_t small_bytes(std::size_t max_entries, std::string_view cmdline,
                          std::size_t max_intervals, std::size_t max_areas, const Efi* efi) {
    return page_round(chain_at(max_areas) +
                      chain_bytes(max_intervals, extra_e820(max_entries), efi != nullptr) +
                      map_bytes(efi) + trampoline_room + cmdline.size() + 1);
}

Result<void> check_cmdline(const BzImage& kernel, std::string_view cmdline) {
    if (cmdline.find('\0') != std::string_view::npos) {
        return fail(ExitCode::refused, "the command line holds a NUL character");
    }
    if (cmdline.size() > kernel.cmdline_size) {
        return fail(ExitCode::refused,
                    fmt::format("the command line has {} characters, the kernel takes {}",
                                cmdline.size(), kernel.cmdline_size),
                    "shorten --cmdline");
    }
    return {};
}

Result<BootImage> build_boot_image(const BootImageInputs& in, const Placement& place) {
    const auto entries = std::span(in.map->entries());
    const std::size_t extra = extra_e820(entries.size());
    const std::uint64_t base = place.small.start.value();
    const std::uint64_t chain_off = chain_at(in.scratch.size());
    const std::uint64_t efi_map_off =
        chain_off + chain_bytes(in.intervals.size(), extra, in.efi != nullptr);
    const std::uint64_t trampoline_off = efi_map_off + map_bytes(in.efi);
    const std::uint64_t cmdline_off = trampoline_off + trampoline_room;
    const std::uint64_t total = cmdline_off + in.cmdline.size() + 1;
    const std::uint64_t kernel_bytes = page_round(in.kernel->payload_bytes);
    if (total > place.small.size() || kernel_bytes > place.kernel.size() ||
        in.initrd.size() > place.initrd.size()) {
        return fail(ExitCode::refused,
                    fmt::format("the boot data does not fit scratch: it needs {} bytes of {}",
                                total, place.small.size()));
    }

    BootImage out;
    out.setup_data = PhysAddr(base + chain_off);
    out.entry = PhysAddr(base + trampoline_off);
    out.small.resize(total);

    ByteVector areas;
    for (const Range& a : in.scratch) {
        append(areas, abi::scratch{.addr = a.start.value(), .size = a.size()});
    }
    put_at(out.small, scratch_array_at, areas);

    const KhoData kho{in.fdt_addr, in.fdt_size, PhysAddr(base + scratch_array_at), areas.size()};
    put_at(out.small, chain_off,
           build_chain(out.setup_data, kho, for_chain(in.intervals, *in.map), entries.last(extra),
                       in.efi));
    if (in.efi != nullptr) {
        put_at(out.small, efi_map_off, std::as_bytes(std::span(in.efi->map)));
    }

    const PhysAddr entry64 = place.kernel.start + entry64_offset;
    put_at(out.small, trampoline_off, build_trampoline(PhysAddr(base), entry64));
    put_at(out.small, cmdline_off, as_bytes(in.cmdline));

    const BootParamsInputs params{
        .kernel = in.kernel,
        .image = in.image,
        .running = in.running_boot_params,
        .map = in.map,
        .initrd = Range{place.initrd.start, place.initrd.start + in.initrd.size()},
        .kernel_address = place.kernel.start,
        .cmdline = PhysAddr(base + cmdline_off),
        .setup_data = out.setup_data,
        .acpi_rsdp = in.acpi_rsdp,
        .efi = in.efi,
        .efi_map = PhysAddr(base + efi_map_off)};
    put_at(out.small, 0, build_boot_params(params));

    // Only what is loaded is copied: kexec_load() keeps a second copy of every segment, and
    // the kernel clears the rest of its init_size itself.
    out.segments.push_back(
        Segment{"kernel", in.image.subspan(in.kernel->payload_offset, in.kernel->payload_bytes),
                place.kernel.start, kernel_bytes});
    out.segments.push_back(Segment{"boot data", out.small, place.small.start, page_round(total)});
    if (!in.initrd.empty()) {
        out.segments.push_back(
            Segment{"initrd", in.initrd, place.initrd.start, page_round(in.initrd.size())});
    }
    return out;
}

Result<MemoryBudget> check_memory(const MemoryMap& map, const Covering& covering,
                                  const BzImage& kernel, std::uint64_t initrd_bytes, bool kasan) {
    MemoryBudget out;
    out.ram_bytes = map.ram_bytes();
    out.covered_bytes = covering.covered_bytes();
    out.left_bytes = out.ram_bytes - std::min(out.ram_bytes, out.covered_bytes);
    out.safe_bytes = kernel.init_size + 2 * initrd_bytes + base_memory_bytes +
                     (kasan ? kasan_shadow(out.ram_bytes) : 0);
    if (out.left_bytes < out.safe_bytes) {
        return fail(
            ExitCode::refused,
            fmt::format("the incoming kernel would be left {} of {} RAM: {} are covered ({} "
                        "preserved, {} gaps between), and it needs {}",
                        human_bytes(out.left_bytes), human_bytes(out.ram_bytes),
                        human_bytes(out.covered_bytes), human_bytes(covering.preserved_bytes),
                        human_bytes(covering.gap_bytes), human_bytes(out.safe_bytes)),
            covering.gap_bytes > 0
                ? "close gaps with `khoctl compact` or load --compact, raise --max-ranges so that "
                  "fewer are covered, or preserve less"
                : "preserve less");
    }
    return out;
}

}  // namespace khob
