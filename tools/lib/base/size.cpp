// SPDX-License-Identifier: GPL-2.0-only
#include "base/size.hpp"

#include <limits>

#include "base/numbers.hpp"

namespace khob {

std::optional<std::uint64_t> parse_size(std::string_view text) {
    constexpr std::string_view units = "KMGT";
    constexpr unsigned bits = 10;
    unsigned shift = 0;
    if (!text.empty()) {
        if (const std::size_t unit = units.find(text.back()); unit != std::string_view::npos) {
            shift = bits * (static_cast<unsigned>(unit) + 1);
            text.remove_suffix(1);
        }
    }
    const auto number = parse_u64(text);
    if (!number || *number > std::numeric_limits<std::uint64_t>::max() >> shift) {
        return std::nullopt;
    }
    return *number << shift;
}

}  // namespace khob
