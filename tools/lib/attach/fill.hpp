// SPDX-License-Identifier: GPL-2.0-only
// The test pattern that the module fills folios with, and the digests over it.
#ifndef KHOB_FILL_HPP
#define KHOB_FILL_HPP

#include <cstdint>
#include <memory>

#include "base/types.hpp"

namespace khob {

/// Word `j` (a native u64) of the folio that was filled from (seed, index).
constexpr std::uint64_t fill_word(std::uint64_t seed, std::uint64_t index, std::uint64_t j) {
    std::uint64_t x = seed + abi::fill_gamma * ((index << 32) + j + 1);
    x ^= x >> 30;
    x *= abi::fill_m1;
    x ^= x >> 27;
    x *= abi::fill_m2;
    x ^= x >> 31;
    return x;
}

/// Compares a folio's bytes, given piece by piece from its start, with the fill stream.
class FillCheck {
  public:
    FillCheck(std::uint64_t seed, std::uint64_t index) : seed_(seed), index_(index) {}

    /// `piece` is a multiple of 8 bytes long.
    void feed(ByteView piece);
    bool good() const { return good_; }
    /// Offset in bytes of the first word that differs, if !good().
    std::uint64_t bad_offset() const { return bad_word_ * sizeof(std::uint64_t); }

  private:
    std::uint64_t seed_;
    std::uint64_t index_;
    std::uint64_t word_ = 0;
    std::uint64_t bad_word_ = 0;
    bool good_ = true;
};

/// Writes the fill stream over `out` (a multiple of 8 bytes), from the folio's start.
void fill(ByteSpan out, std::uint64_t seed, std::uint64_t index);

}  // namespace khob

#endif  // KHOB_FILL_HPP
