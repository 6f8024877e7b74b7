// SPDX-License-Identifier: GPL-2.0-only
// The digest that everything which is handed over is checked by.
#ifndef KHOB_DIGEST_HPP
#define KHOB_DIGEST_HPP

#include <cstdint>
#include <memory>

#include "base/types.hpp"

namespace khob {

/// xxh64 (seed 0) over bytes given piece by piece.
class Digest {
  public:
    Digest();
    Digest(const Digest&) = delete;
    Digest& operator=(const Digest&) = delete;
    Digest(Digest&&) = delete;
    Digest& operator=(Digest&&) = delete;
    ~Digest();
    void feed(ByteView piece);
    std::uint64_t value() const;

  private:
    struct State;
    std::unique_ptr<State> state_;
};

/// The same of bytes that are in one piece.
std::uint64_t xxh64(ByteView bytes);

}  // namespace khob

#endif  // KHOB_DIGEST_HPP
