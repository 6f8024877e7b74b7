// SPDX-License-Identifier: GPL-2.0-only
// The word that somebody may have meant.
#ifndef KHOB_NEAREST_HPP
#define KHOB_NEAREST_HPP

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace khob {

/// Letters to be replaced, left out or put in, and neighbours to be swapped, until `a` is `b`;
/// what was swapped is not touched again.
std::size_t edit_distance(std::string_view a, std::string_view b);

/// The one of `known` that is nearest to `word`, the first of several; nothing if none is near.
/// Near is one edit for each three letters of the word, two at most; and what the word begins.
std::optional<std::string> nearest(std::string_view word, std::span<const std::string> known);

}  // namespace khob

#endif  // KHOB_NEAREST_HPP
