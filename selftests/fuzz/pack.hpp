// SPDX-License-Identifier: GPL-2.0-only
// Packs bytes in each way that a kernel can be packed, for what unpacks them.
#pragma once

#include <lz4.h>
#include <lzma.h>
#include <zlib.h>
#include <zstd.h>

#include <array>
#include <cstdint>

#include "base/bytes.hpp"
#include "fuzz.hpp"
#include "image/unpack.hpp"

namespace khob::fuzz {

/// No more than so many bytes are packed.
constexpr std::size_t max_plain = 16384;
constexpr std::size_t room = 2 * max_plain;

inline std::uint8_t* octets(ByteVector& bytes) {
    return reinterpret_cast<std::uint8_t*>(bytes.data());
}
inline const std::uint8_t* octets(ByteView bytes) {
    return reinterpret_cast<const std::uint8_t*>(bytes.data());
}

inline ByteVector pack_gzip(ByteView plain) {
    ByteVector out(room);
    z_stream stream{};
    constexpr int gzip_window = 15 + 16;
    require(deflateInit2(&stream, 1, Z_DEFLATED, gzip_window, 1, Z_DEFAULT_STRATEGY) == Z_OK,
            "zlib begins");
    stream.next_in = const_cast<Bytef*>(octets(plain));  // NOLINT: zlib writes nothing there
    stream.avail_in = static_cast<uInt>(plain.size());
    stream.next_out = octets(out);
    stream.avail_out = static_cast<uInt>(out.size());
    require(deflate(&stream, Z_FINISH) == Z_STREAM_END, "zlib packs");
    out.resize(stream.total_out);
    deflateEnd(&stream);
    return out;
}

inline ByteVector pack_xz(ByteView plain) {
    ByteVector out(room);
    std::size_t used = 0;
    require(lzma_easy_buffer_encode(0, LZMA_CHECK_CRC32, nullptr, octets(plain), plain.size(),
                                    octets(out), &used, out.size()) == LZMA_OK,
            "liblzma packs");
    out.resize(used);
    return out;
}

inline ByteVector pack_zstd(ByteView plain) {
    ByteVector out(room);
    const std::size_t used = ZSTD_compress(out.data(), out.size(), plain.data(), plain.size(), 1);
    require(ZSTD_isError(used) == 0, "zstd packs");
    out.resize(used);
    return out;
}

/// As the kernel's build does: the legacy frame, and the length of the whole behind it.
inline ByteVector pack_lz4(ByteView plain) {
    ByteVector out;
    khob::append(out, std::uint32_t{0x184c2102});
    std::array<char, room> block{};
    const int used = LZ4_compress_default(reinterpret_cast<const char*>(plain.data()), block.data(),
                                          static_cast<int>(plain.size()), room);
    require(used > 0, "lz4 packs");
    khob::append(out, static_cast<std::uint32_t>(used));
    const auto packed = khob::as_bytes({block.data(), static_cast<std::size_t>(used)});
    out.insert(out.end(), packed.begin(), packed.end());
    khob::append(out, static_cast<std::uint32_t>(plain.size()));
    return out;
}

inline ByteVector as_elf(ByteView plain) {
    const auto magic = khob::as_bytes("\177ELF");
    ByteVector out(magic.begin(), magic.end());
    out.insert(out.end(), plain.begin(), plain.end());
    return out;
}

/// Bytes, and what they are packed.
struct Packed {
    Compression compression;
    ByteVector bytes;
    ByteVector plain;
};

/// One of all ways.
inline Packed pack(ByteView plain, unsigned how) {
    const ByteVector same(plain.begin(), plain.end());
    switch (how % 5) {
        case 0:
            return {Compression::gzip, pack_gzip(plain), same};
        case 1:
            return {Compression::xz, pack_xz(plain), same};
        case 2:
            return {Compression::zstd, pack_zstd(plain), same};
        case 3:
            return {Compression::lz4, pack_lz4(plain), same};
        default:
            return {Compression::none, as_elf(plain), as_elf(plain)};
    }
}

}  // namespace khob::fuzz
