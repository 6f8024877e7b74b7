// SPDX-License-Identifier: GPL-2.0-only
// Unpacks what a kernel image holds: any of the formats that Linux can be
// compressed with and Debian has a library for. Input is untrusted.
#ifndef KHOB_UNPACK_HPP
#define KHOB_UNPACK_HPP

#include <cstdint>
#include <functional>
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

/// A part of what comes out, at most max_piece bytes of it.
struct Piece {
    ByteView bytes;             ///< the next ones; there until the sink returns
    std::uint64_t packed_done;  ///< bytes of the input that have been read so far
};

/// What lz4's legacy frame packs at once; the others come in smaller pieces.
inline constexpr std::size_t max_piece = 8U << 20U;

/// Takes one piece after the other. An Error ends the unpacking, which gives it on.
using PieceSink = std::function<Result<void>(const Piece&)>;

/**
 * Unpacks piece by piece: only max_piece bytes are held of what comes out, besides the window
 * that the format looks back into (gzip: 32 KiB; xz and zstd: what the file says, up to 128 MiB
 * of a kernel, of which no more is touched than the file unpacks to).
 *
 * What follows the compressed stream is ignored: the kernel's build appends the length there.
 * Errors (refused): damaged, truncated, longer than `most` bytes, unknown format; what came
 * before the damage has gone to the sink by then.
 */
Result<void> unpack_pieces(ByteView packed, const PieceSink& sink,
                           std::uint64_t most = max_unpacked);

/// The same, all at once.
Result<ByteVector> unpack(ByteView packed, std::uint64_t most = max_unpacked);

}  // namespace khob

#endif  // KHOB_UNPACK_HPP
