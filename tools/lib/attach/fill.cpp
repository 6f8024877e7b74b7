// SPDX-License-Identifier: GPL-2.0-only
// The fill stream and xxh64.
#include "attach/fill.hpp"

#include <cstring>

#define XXH_INLINE_ALL
#include <xxhash.h>

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

struct Digest::State {
    XXH64_state_t xxh;
};

Digest::Digest() : state_(std::make_unique<State>()) {
    XXH64_reset(&state_->xxh, 0);
}
Digest::~Digest() = default;

void Digest::feed(ByteView piece) {
    if (!piece.empty()) {
        XXH64_update(&state_->xxh, piece.data(), piece.size());
    }
}

std::uint64_t Digest::value() const {
    return XXH64_digest(&state_->xxh);
}

std::uint64_t xxh64(ByteView bytes) {
    Digest digest;
    digest.feed(bytes);
    return digest.value();
}

}  // namespace khob
