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

/// One number a line.
Result<std::vector<std::uint64_t>> parse_numbers(std::string_view text);

}  // namespace khob

#endif  // KHOB_NUMBERS_HPP
