// SPDX-License-Identifier: GPL-2.0-only
// Text of untrusted origin into numbers: all of it or nothing.
#ifndef KHOB_NUMBERS_HPP
#define KHOB_NUMBERS_HPP

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "base/error.hpp"
#include "base/types.hpp"

namespace khob {

/// Text without white space at its ends.
std::string_view trimmed(std::string_view text);

/// The words of a line (separated by blanks and tabs).
std::vector<std::string_view> words(std::string_view line);

/// The lines of a text, without their newlines; a last empty line is none.
std::vector<std::string_view> lines(std::string_view text);

/// A decimal or 0x hex number that is all of `text` and fits 64 bits.
std::optional<std::uint64_t> parse_u64(std::string_view text);

/// A preserved folio, as the module's `keys` files list it.
struct Key {
    PhysAddr addr;
    Order order;
    Range range() const { return Range{addr, addr + order.bytes()}; }
    // clang-tidy 14 takes a defaulted comparison for a null pointer.
    // NOLINTNEXTLINE(modernize-use-nullptr)
    friend constexpr auto operator<=>(const Key&, const Key&) = default;
};

/// `keys` files: "0xPHYS ORDER" a line; each aligned to its order and inside 64 bits.
Result<std::vector<Key>> parse_keys(std::string_view text);

/// `ranges` files: "0xSTART 0xEND" a line; page aligned, not empty, ascending, disjoint.
Result<std::vector<Range>> parse_ranges(std::string_view text);

/// One number a line.
Result<std::vector<std::uint64_t>> parse_numbers(std::string_view text);

}  // namespace khob

#endif  // KHOB_NUMBERS_HPP
