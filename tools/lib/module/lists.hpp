// SPDX-License-Identifier: GPL-2.0-only
// The lists that the module gives out, as it gives them: an array of structs, all of it or nothing.
#ifndef KHOB_LISTS_HPP
#define KHOB_LISTS_HPP

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/error.hpp"
#include "base/types.hpp"
#include "khob/device.hpp"

namespace khob {

/// A preserved folio.
struct Key {
    PhysAddr addr;
    Order order;
    Range range() const { return Range{addr, addr + order.bytes()}; }
    // clang-tidy 14 takes a defaulted comparison for a null pointer.
    // NOLINTNEXTLINE(modernize-use-nullptr)
    friend constexpr auto operator<=>(const Key&, const Key&) = default;
};

/// A subtree as listed.
struct Subtree {
    std::string name;
    std::uint64_t bytes = 0;
    /// Of what it held when it was made, if its maker has told it: xxh64.
    std::optional<std::uint64_t> digest{};
};

/// Keys as the ABI codes them; each is that of a page, which ends within 64 bits.
Result<std::vector<Key>> decode_keys(ByteView bytes);

/// Memory with small gaps.
struct Extent {
    Range range;
    std::uint64_t bytes = 0;  ///< of it that are meant
};

/// Ranges: page aligned, not empty, ascending, disjoint.
Result<std::vector<Range>> decode_ranges(ByteView bytes);

/// Extents: the same, and none of more bytes than its range.
Result<std::vector<Extent>> decode_extents(ByteView bytes);

/// Ranges in any order, as areas of scratch are.
Result<std::vector<Range>> decode_areas(ByteView bytes);

/// Subtrees, by name; each has a name that a subtree can have.
Result<std::vector<Subtree>> decode_subtrees(ByteView bytes);

/// Rows of a bench; each has keys, a time and a name of its own.
Result<std::vector<device::bench_row>> decode_bench(ByteView bytes);

/// Errors (usage) unless `name` can name a subtree: 1 to 63 of A-Z a-z 0-9 , . _ + -
Result<void> check_subtree_name(std::string_view name);

}  // namespace khob

#endif  // KHOB_LISTS_HPP
