// SPDX-License-Identifier: GPL-2.0-only
// The machine's memory map as the firmware gave it, and what follows from it:
// the e820 table for the incoming kernel, RAM, and what no interval may cross.
#ifndef KHOB_MEMORY_MAP_HPP
#define KHOB_MEMORY_MAP_HPP

#include <cstdint>
#include <filesystem>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "base/error.hpp"
#include "base/types.hpp"

namespace khob {

/// e820 types, from the ACPI specification and Linux's arch/x86 headers.
enum class E820Type : std::uint32_t {
    ram = 1,
    reserved = 2,
    acpi = 3,
    nvs = 4,
    unusable = 5,
    pmem = 7,
    pram = 12,
    soft_reserved = 0xefffffff,
};

/// The type behind a line of /sys/firmware/memmap/*/type; what is unknown is reserved.
E820Type e820_type_from(std::string_view name);

struct MapEntry {
    Range range;
    E820Type type = E820Type::reserved;
};

/// The texts of an entry's files in sysfs; `last` is the address of its last byte. Nothing if
/// they are no range, or one that ends where 64 bits do.
std::optional<MapEntry> parse_map_entry(std::string_view start, std::string_view last,
                                        std::string_view type);

/// Below this nothing is covered: firmware, trampolines, legacy devices.
inline constexpr PhysAddr low_limit{1ULL << 20};

/// A memory map, sorted by address, without overlaps.
class MemoryMap {
  public:
    /// Refuses an empty map, overlaps, and one without RAM. Entries may come in any order.
    static Result<MemoryMap> make(std::vector<MapEntry> entries);

    /// Reads the directory /sys/firmware/memmap (or one like it).
    static Result<MemoryMap> read(const std::filesystem::path& dir);

    /// The same map with other types at these ranges, which do not overlap and lie within entries.
    /// Neighbours that are RAM become one. Errors: as make().
    Result<MemoryMap> changed(std::span<const MapEntry> changes) const;

    const std::vector<MapEntry>& entries() const { return entries_; }
    /// RAM in whole pages, adjoining entries joined.
    const std::vector<Range>& ram() const { return ram_; }
    std::uint64_t ram_bytes() const { return total_bytes(ram_); }

    /// All that an interval must not touch: whatever is no RAM, the first MiB, `also`. Sorted,
    /// joined.
    std::vector<Range> barriers(std::span<const Range> also) const;

  private:
    std::vector<MapEntry> entries_;
    std::vector<Range> ram_;
};

}  // namespace khob

#endif  // KHOB_MEMORY_MAP_HPP
