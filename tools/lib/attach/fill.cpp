// SPDX-License-Identifier: GPL-2.0-only
// The fill stream.
#include "attach/fill.hpp"

#include <cstring>

namespace khob {

void FillCheck::feed(ByteView piece) {
    if (!good_) {
        return;
    }
    for (std::size_t at = 0; at + sizeof(std::uint64_t) <= piece.size();
         at += sizeof(std::uint64_t), ++word_) {
        std::uint64_t have = 0;
        std::memcpy(&have, piece.data() + at, sizeof(have));
        if (have != fill_word(seed_, index_, word_)) {
            good_ = false;
            bad_word_ = word_;
            return;
        }
    }
}

void fill(ByteSpan out, std::uint64_t seed, std::uint64_t index) {
    for (std::size_t at = 0; at + sizeof(std::uint64_t) <= out.size();
         at += sizeof(std::uint64_t)) {
        const std::uint64_t word = fill_word(seed, index, at / sizeof(std::uint64_t));
        std::memcpy(out.data() + at, &word, sizeof(word));
    }
}

}  // namespace khob
