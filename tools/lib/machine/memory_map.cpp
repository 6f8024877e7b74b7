// SPDX-License-Identifier: GPL-2.0-only
// The firmware's memory map out of sysfs.
#include "machine/memory_map.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <limits>
#include <utility>

#include "base/files.hpp"
#include "base/numbers.hpp"

namespace khob {

namespace {

constexpr std::uint64_t address_end = std::numeric_limits<std::uint64_t>::max();

Result<MapEntry> read_entry(const std::filesystem::path& dir) {
    std::array<std::string, 3> text;
    std::size_t i = 0;
    for (const char* name : {"start", "end", "type"}) {
        auto got = read_text(dir / name);
        if (!got) {
            return tl::unexpected(got.error());
        }
        text.at(i++) = std::move(*got);
    }
    const auto entry = parse_map_entry(text[0], text[1], text[2]);
    if (!entry) {
        return fail(ExitCode::failure, fmt::format("{} holds no memory range", dir.string()));
    }
    return *entry;
}

}  // namespace

E820Type e820_type_from(std::string_view name) {
    // The names that Linux's firmware_map driver shows (arch/x86/kernel/e820.c).
    constexpr std::array<std::pair<std::string_view, E820Type>, 8> names{{
        {"System RAM", E820Type::ram},
        {"Reserved", E820Type::reserved},
        {"ACPI Tables", E820Type::acpi},
        {"ACPI Non-volatile Storage", E820Type::nvs},
        {"Unusable memory", E820Type::unusable},
        {"Persistent Memory", E820Type::pmem},
        {"Persistent Memory (legacy)", E820Type::pram},
        {"Soft Reserved", E820Type::soft_reserved},
    }};
    for (const auto& [known, type] : names) {
        if (known == name) {
            return type;
        }
    }
    return E820Type::reserved;
}

std::optional<MapEntry> parse_map_entry(std::string_view start, std::string_view last,
                                        std::string_view type) {
    const auto first = parse_u64(trimmed(start));
    const auto end = parse_u64(trimmed(last));
    if (!first || !end || *end < *first || *end == address_end) {
        return std::nullopt;
    }
    return MapEntry{make_range(*first, *end + 1), e820_type_from(trimmed(type))};
}

Result<MemoryMap> MemoryMap::make(std::vector<MapEntry> entries) {
    std::sort(entries.begin(), entries.end(),
              [](const MapEntry& a, const MapEntry& b) { return a.range < b.range; });
    MemoryMap map;
    for (const MapEntry& e : entries) {
        if (e.range.empty()) {
            continue;
        }
        if (!map.entries_.empty() && e.range.start < map.entries_.back().range.end) {
            return fail(ExitCode::failure, fmt::format("the memory map contradicts itself at {:#x}",
                                                       e.range.start.value()));
        }
        map.entries_.push_back(e);
    }
    // Joined first and cut to pages then: two RAM entries may meet inside a page.
    std::vector<Range> ram;
    for (const MapEntry& e : map.entries_) {
        if (e.type == E820Type::ram) {
            ram.push_back(e.range);
        }
    }
    for (const Range& r : merged(std::move(ram))) {
        const auto start = align_up(r.start.value(), page_size);
        const std::uint64_t end = align_down(r.end.value(), page_size);
        if (start && *start < end) {
            map.ram_.push_back(make_range(*start, end));
        }
    }
    if (map.ram_.empty()) {
        return fail(ExitCode::failure, "the memory map names no RAM");
    }
    return map;
}

Result<MemoryMap> MemoryMap::read(const std::filesystem::path& dir) {
    const auto names = list_dir(dir);
    if (!names) {
        return fail(ExitCode::failure,
                    fmt::format("cannot read the firmware's memory map in {}", dir.string()),
                    "mount sysfs on /sys; the kernel needs CONFIG_FIRMWARE_MEMMAP");
    }
    std::vector<MapEntry> entries;
    for (const std::string& name : *names) {
        auto entry = read_entry(dir / name);
        if (!entry) {
            return tl::unexpected(entry.error());
        }
        entries.push_back(*entry);
    }
    return make(std::move(entries));
}

Result<MemoryMap> MemoryMap::changed(std::span<const MapEntry> changes) const {
    std::vector<MapEntry> cut;
    for (const MapEntry& e : entries_) {
        std::vector<Range> left{e.range};
        for (const MapEntry& change : changes) {
            std::vector<Range> next;
            for (const Range& r : left) {
                if (!r.overlaps(change.range)) {
                    next.push_back(r);
                    continue;
                }
                next.push_back(Range{r.start, std::max(r.start, change.range.start)});
                next.push_back(Range{std::min(r.end, change.range.end), r.end});
            }
            left = std::move(next);
        }
        for (const Range& r : left) {
            cut.push_back(MapEntry{r, e.type});
        }
    }
    cut.insert(cut.end(), changes.begin(), changes.end());
    std::sort(cut.begin(), cut.end(),
              [](const MapEntry& a, const MapEntry& b) { return a.range < b.range; });
    std::vector<MapEntry> joined;
    for (const MapEntry& e : cut) {
        if (e.range.empty()) {
            continue;
        }
        if (!joined.empty() && e.type == E820Type::ram && joined.back().type == e.type &&
            joined.back().range.end == e.range.start) {
            joined.back().range.end = e.range.end;
        } else {
            joined.push_back(e);
        }
    }
    return make(std::move(joined));
}

std::vector<Range> MemoryMap::barriers(std::span<const Range> also) const {
    std::vector<Range> out(also.begin(), also.end());
    out.push_back(Range{PhysAddr(0), low_limit});
    PhysAddr at{0};
    for (const Range& r : ram_) {
        out.push_back(Range{at, r.start});
        at = r.end;
    }
    out.push_back(Range{at, PhysAddr(address_end)});
    return merged(std::move(out));
}

}  // namespace khob
