// SPDX-License-Identifier: GPL-2.0-only
// Sizes as people write them.
#ifndef KHOB_SIZE_HPP
#define KHOB_SIZE_HPP

#include <cstdint>
#include <optional>
#include <string_view>

namespace khob {

/// A size with K, M, G or T behind it, or in bytes.
std::optional<std::uint64_t> parse_size(std::string_view text);

}  // namespace khob

#endif  // KHOB_SIZE_HPP
