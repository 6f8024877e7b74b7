// SPDX-License-Identifier: GPL-2.0-only
// Texts in the device's structs: characters up to a 0, or up to the array's end.
#ifndef KHOB_TEXT_HPP
#define KHOB_TEXT_HPP

#include <algorithm>
#include <array>
#include <cstddef>
#include <string>
#include <string_view>

namespace khob {

template <std::size_t n>
std::string text_of(const std::array<char, n>& from) {
    return {from.begin(), std::find(from.begin(), from.end(), '\0')};
}

/// As much of the text as fits with its 0; who cannot lose any of it checks its length first.
template <std::size_t n>
std::array<char, n> text_in(std::string_view text) {
    std::array<char, n> to{};
    std::copy_n(text.begin(), std::min(text.size(), n - 1), to.begin());
    return to;
}

}  // namespace khob

#endif  // KHOB_TEXT_HPP
