// SPDX-License-Identifier: GPL-2.0-only
// Unpacks what a kernel image holds: any of the formats that Linux can be
// compressed with and Debian has a library for. Input is untrusted.
#ifndef KHOB_UNPACK_HPP
#define KHOB_UNPACK_HPP

#include <cstdint>
#include <string_view>

#include "base/error.hpp"
#include "base/types.hpp"

namespace khob {

/// How bytes are compressed, as their first ones tell.
enum class Compression { none, gzip, xz, zstd, lz4, unknown };

/// "none", "gzip", "xz", "zstd", "lz4" or "unknown".
std::string_view to_string(Compression compression);

/// What the first bytes are a sign of; none is an ELF file as it is.
Compression detect_compression(ByteView bytes);

/// A kernel larger than this is refused, whatever it claims to be.
inline constexpr std::uint64_t max_unpacked = 1ULL << 30;

/**
 * The unpacked bytes. What follows the compressed stream is ignored: the kernel's
 * build appends the length there.
 *
 * Errors (refused): damaged, truncated, longer than `most` bytes, unknown format.
 */
Result<ByteVector> unpack(ByteView packed, std::uint64_t most = max_unpacked);

}  // namespace khob

#endif  // KHOB_UNPACK_HPP
