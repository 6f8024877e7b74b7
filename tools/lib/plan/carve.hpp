// SPDX-License-Identifier: GPL-2.0-only
// Memory that the incoming kernel is not to use as its own: ranges with a name that its memory map
// calls soft reserved, which is a /dev/daxN.M there (dax_hmem), or persistent, which is a
// /dev/pmemN. The map of each further kexec has them, too; their names go along on the command
// line.
#ifndef KHOB_CARVE_HPP
#define KHOB_CARVE_HPP

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.hpp"
#include "base/types.hpp"
#include "machine/memory_map.hpp"

namespace khob {

/// What the incoming kernel makes of it.
enum class CarveKind : std::uint8_t {
    dax,   ///< a character device that is mapped
    pmem,  ///< a block device
};

std::string_view to_string(CarveKind kind);
E820Type e820_type(CarveKind kind);

/// What somebody wants carved.
struct CarveWish {
    std::string name;
    std::uint64_t bytes = 0;  ///< whole units of carve_unit
    CarveKind kind = CarveKind::dax;
};

struct Carve {
    std::string name;
    CarveKind kind = CarveKind::dax;
    Range range;
};

/// The least that there is, and what sizes are multiples of: a huge page.
inline constexpr std::uint64_t carve_unit = 2ULL << 20;
/// How a carve of that size or more is aligned, so that it can be mapped in pages of a GiB; others
/// are to carve_unit.
inline constexpr std::uint64_t carve_alignment_most = 1ULL << 30;
inline constexpr std::size_t carve_name_most = 32;

/// "NAME=SIZE" or "NAME=SIZE,dax" or "NAME=SIZE,pmem", SIZE as "512M" or "16G". Errors (usage).
Result<CarveWish> parse_carve(std::string_view text);

/// Those that a kernel's command line names. What makes no sense there, or clashes with what stands
/// before it, is left out.
std::vector<Carve> carves_in(std::string_view cmdline);

/// What a load does about carves.
struct CarvePlan {
    std::vector<Carve> kept;       ///< of the kernels before
    std::vector<CarveWish> fresh;  ///< to be placed
    std::vector<Carve> returned;   ///< RAM again

    bool empty() const { return kept.empty() && fresh.empty() && returned.empty(); }
    /// Entries that the memory map has more, at most.
    std::size_t more_entries() const { return 2 * (fresh.size() + returned.size()); }
};

/**
 * Matches what is wanted with what there is. A wish that was carved by a kernel before is kept as
 * it is. `running` is the running kernel's command line, `map` its memory map, of which a carve
 * that is kept must have the type.
 * Errors (usage): one name twice; a carve of that name that is other; nothing that is to be given
 * back.
 */
Result<CarvePlan> plan_carves(std::span<const CarveWish> wanted, std::span<const std::string> back,
                              std::string_view running, const MemoryMap& map);

/// A command line that names these carves, and no others; of fresh ones only as long as it will
/// be, until they are placed.
std::string with_carves(std::string_view cmdline, const CarvePlan& plan,
                        std::span<const Carve> placed);

/**
 * Places what is fresh, each as high as it can be, above 4 GiB if there is room, outside of all in
 * `taken`. Errors (refused): there is no piece of RAM that large.
 */
Result<std::vector<Carve>> place_carves(const CarvePlan& plan, const MemoryMap& map,
                                        std::span<const Range> taken);

/// The map that the incoming kernel gets.
Result<MemoryMap> carved_map(const MemoryMap& map, const CarvePlan& plan,
                             std::span<const Carve> placed);

}  // namespace khob

#endif  // KHOB_CARVE_HPP
