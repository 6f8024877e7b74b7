// SPDX-License-Identifier: GPL-2.0-only
// xxh64.
#include "base/digest.hpp"

#define XXH_INLINE_ALL
#include <xxhash.h>

namespace khob {

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
