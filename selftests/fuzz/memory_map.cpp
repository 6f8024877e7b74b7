// SPDX-License-Identifier: GPL-2.0-only
// Fuzzes the firmware's memory map, "START END TYPE" a line, and the chain that the loader
// makes of a map: the module's own reader has to find all that was put in.
#include "machine/memory_map.hpp"

#include <algorithm>
#include <cstring>
#include <set>
#include <string_view>
#include <vector>

#include "base/numbers.hpp"
#include "core/setup_data.h"
#include "fuzz.hpp"
#include "plan/setup_chain.hpp"

namespace {

using khob::MapEntry;
using khob::MemoryMap;
using khob::PhysAddr;
using khob::Range;
using khob::fuzz::require;

constexpr std::size_t max_entries = 200;
constexpr std::uint64_t base = 0x100000;

/// The entries that lines describe; others are passed over, and refused as entries.
std::vector<MapEntry> read_entries(std::string_view text) {
    std::vector<MapEntry> entries;
    for (const std::string_view line : khob::lines(text)) {
        const auto fields = khob::words(line);
        if (fields.size() < 2 || entries.size() == max_entries) {
            continue;
        }
        const auto type = line.substr(static_cast<std::size_t>(fields[1].end() - line.begin()));
        const auto entry = khob::parse_map_entry(fields[0], fields[1], type);
        if (entry) {
            require(!entry->range.empty(), "an entry is some memory");
            entries.push_back(*entry);
        }
    }
    return entries;
}

/// Bytes of [from, from + size) that entries for which `wanted` holds have; they are disjoint.
template <typename F>
std::uint64_t bytes_in(const std::vector<MapEntry>& entries, std::uint64_t from, std::uint64_t size,
                       F wanted) {
    std::uint64_t sum = 0;
    for (const MapEntry& e : entries) {
        const std::uint64_t start = std::max(e.range.start.value(), from);
        const std::uint64_t end = std::min(e.range.end.value(), from + size);
        sum += wanted(e) && start < end ? end - start : 0;
    }
    return sum;
}

bool disjoint(const std::vector<MapEntry>& entries) {
    for (std::size_t i = 0; i < entries.size(); i++) {
        for (std::size_t j = 0; j < i; j++) {
            if (entries[i].range.overlaps(entries[j].range)) {
                return false;
            }
        }
    }
    return true;
}

bool holds(const std::vector<Range>& ranges, std::uint64_t page) {
    const Range wanted = khob::make_range(page, page + khob::page_size);
    return std::any_of(ranges.begin(), ranges.end(),
                       [&wanted](const Range& r) { return r.contains(wanted); });
}

bool touches(const std::vector<Range>& ranges, std::uint64_t page) {
    const Range wanted = khob::make_range(page, page + khob::page_size);
    return std::any_of(ranges.begin(), ranges.end(),
                       [&wanted](const Range& r) { return r.overlaps(wanted); });
}

void expect_sorted(const std::vector<Range>& ranges) {
    for (std::size_t i = 0; i < ranges.size(); i++) {
        require(!ranges[i].empty(), "a range is some memory");
        require(i == 0 || ranges[i - 1].end < ranges[i].start, "ranges ascend and are apart");
    }
}

/// Every page next to a border of an entry, the first and the last.
std::set<std::uint64_t> pages_of_interest(const std::vector<MapEntry>& entries) {
    constexpr std::uint64_t last = ~std::uint64_t{0} - 2 * khob::page_size + 1;
    std::set<std::uint64_t> pages = {0, khob::low_limit.value(), last & -khob::page_size};
    for (const MapEntry& e : entries) {
        for (const PhysAddr border : {e.range.start, e.range.end}) {
            const std::uint64_t page = border.value() & -khob::page_size;
            for (const std::uint64_t near :
                 {page - khob::page_size, page, page + khob::page_size}) {
                pages.insert(std::min(near, last & -khob::page_size));
            }
        }
    }
    return pages;
}

void expect_true(const MemoryMap& map, const std::vector<MapEntry>& entries) {
    const auto is_ram = [](const MapEntry& e) { return e.type == khob::E820Type::ram; };
    expect_sorted(map.ram());
    const std::vector<Range> also = {khob::make_range(0x200000, 0x300000)};
    const auto barriers = map.barriers(also);
    expect_sorted(barriers);
    for (const std::uint64_t page : pages_of_interest(entries)) {
        const bool ram = bytes_in(entries, page, khob::page_size, is_ram) == khob::page_size;
        require(holds(map.ram(), page) == ram && touches(map.ram(), page) == ram,
                "RAM is every whole page of it");
        const bool open = ram && page >= khob::low_limit.value() && !holds(also, page);
        require(touches(barriers, page) == !open, "barriers are all but RAM");
    }
}

struct Chain {
    const khob::ByteVector* bytes;
    const std::vector<Range>* wanted;
    std::size_t found = 0;
};

int read(void* ctx, std::uint64_t pa, void* to, std::size_t len) {
    const auto& bytes = *static_cast<Chain*>(ctx)->bytes;
    require(pa >= base && pa - base <= bytes.size() && len <= bytes.size() - (pa - base),
            "the chain stays in its buffer");
    std::memcpy(to, bytes.data() + (pa - base), len);
    return 0;
}

int range(void* ctx, std::uint64_t start, std::uint64_t end) {
    auto& chain = *static_cast<Chain*>(ctx);
    require(chain.found < chain.wanted->size() &&
                chain.wanted->at(chain.found) == khob::make_range(start, end),
            "every interval is found as it was put in");
    chain.found++;
    return 0;
}

void expect_chain(const MemoryMap& map) {
    static const khob_chain_ops ops = {.read = read, .range = range};
    const khob::KhoData kho{.fdt_addr = PhysAddr(0x200000),
                            .fdt_size = 1000,
                            .scratch_addr = PhysAddr(0x201000),
                            .scratch_size = sizeof(khob_scratch)};
    const auto bytes = khob::build_chain(PhysAddr(base), kho, map.ram(), map.entries());
    require(bytes.size() == khob::chain_bytes(map.ram().size(), map.entries().size()),
            "a chain is as long as was said");
    Chain chain{.bytes = &bytes, .wanted = &map.ram()};
    khob_chain_info info{};
    require(khob_chain_read(base, &ops, &chain, &info) == 0, "the module reads the loader's chain");
    require(chain.found == map.ram().size(), "all intervals are there");
    require(info.kho.fdt_addr == kho.fdt_addr.value() && info.kho.fdt_size == kho.fdt_size &&
                info.kho.scratch_addr == kho.scratch_addr.value() &&
                info.kho.scratch_size == kho.scratch_size,
            "what is handed over is where it was put");
}

}  // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const auto entries = read_entries({reinterpret_cast<const char*>(data), size});
    const auto map = MemoryMap::make(entries);
    const bool sound = disjoint(entries);
    if (!map) {
        require(!map.error().what.empty(), "a refusal says why");
        return 0;
    }
    require(sound, "a map that contradicts itself is refused");
    require(
        map->entries().size() == entries.size() && disjoint(map->entries()) &&
            std::is_sorted(map->entries().begin(), map->entries().end(),
                           [](const MapEntry& a, const MapEntry& b) { return a.range < b.range; }),
        "all entries are there, in order");
    require(!map->ram().empty(), "a map without RAM is refused");
    expect_true(*map, entries);
    expect_chain(*map);
    return 0;
}
