// SPDX-License-Identifier: GPL-2.0-only
// One small loop a library: all of them are fed the whole input and asked for
// output piece by piece, so that a bomb is noticed before it fills the memory.
#include "image/unpack.hpp"

#include <fmt/format.h>
#include <lz4.h>
#include <lzma.h>
#include <zlib.h>
#include <zstd.h>

#include <algorithm>
#include <array>
#include <memory>

#include "base/bytes.hpp"

namespace khob {

namespace {

constexpr std::size_t piece = 1U << 20U;

struct Magic {
    Compression compression;
    std::array<std::uint8_t, 6> bytes;
    std::size_t length;
};

// Sources: RFC 1952, the .xz file format 1.2.1, RFC 8878, the LZ4 frame format
// (legacy frame), System V ABI.
constexpr std::array<Magic, 5> magics = {{
    {Compression::gzip, {0x1f, 0x8b}, 2},
    {Compression::xz, {0xfd, '7', 'z', 'X', 'Z', 0}, 6},
    {Compression::zstd, {0x28, 0xb5, 0x2f, 0xfd}, 4},
    {Compression::lz4, {0x02, 0x21, 0x4c, 0x18}, 4},
    {Compression::none, {0x7f, 'E', 'L', 'F'}, 4},
}};

tl::unexpected<Error> damaged(Compression compression, std::string_view what) {
    return fail(ExitCode::refused,
                fmt::format("the {} data inside the kernel cannot be unpacked: {}",
                            to_string(compression), what),
                "the file is damaged: install the kernel again");
}

/// Output that grows piece by piece up to a bound.
class Output {
  public:
    explicit Output(std::uint64_t most) : most_(most) {}

    /// Room for more bytes; none when the bound is reached.
    std::span<std::byte> room(std::size_t wanted = piece) {
        bytes_.resize(std::min<std::uint64_t>(most_, used_ + wanted));
        return std::span(bytes_).subspan(used_);
    }
    void add(std::size_t bytes) { used_ += bytes; }
    ByteVector finish() {
        bytes_.resize(used_);
        return std::move(bytes_);
    }

  private:
    std::uint64_t most_;
    std::size_t used_ = 0;
    ByteVector bytes_;
};

constexpr std::string_view too_long = "it is longer than a kernel can be";

const std::uint8_t* octets(ByteView bytes) {
    return reinterpret_cast<const std::uint8_t*>(bytes.data());
}

Result<ByteVector> unpack_gzip(ByteView packed, std::uint64_t most) {
    constexpr int gzip_window = 15 + 16;
    z_stream stream{};
    if (inflateInit2(&stream, gzip_window) != Z_OK) {
        return damaged(Compression::gzip, "no memory");
    }
    const std::unique_ptr<z_stream, int (*)(z_stream*)> end(&stream, inflateEnd);
    Output out(most);
    // zlib counts in 32 bits; a kernel image has fewer bytes than that.
    stream.next_in = const_cast<Bytef*>(octets(packed));  // NOLINT: zlib writes nothing there
    stream.avail_in = static_cast<uInt>(std::min<std::size_t>(packed.size(), UINT32_MAX));
    for (;;) {
        const auto room = out.room();
        if (room.empty()) {
            return damaged(Compression::gzip, too_long);
        }
        stream.next_out = reinterpret_cast<Bytef*>(room.data());
        stream.avail_out = static_cast<uInt>(room.size());
        const int code = inflate(&stream, Z_NO_FLUSH);
        out.add(room.size() - stream.avail_out);
        if (code == Z_STREAM_END) {
            return out.finish();
        }
        if (code != Z_OK || (stream.avail_in == 0 && stream.avail_out != 0)) {
            return damaged(Compression::gzip, stream.msg != nullptr ? stream.msg : "it ends early");
        }
    }
}

Result<ByteVector> unpack_xz(ByteView packed, std::uint64_t most) {
    constexpr std::uint64_t memory = 1ULL << 28;
    lzma_stream stream = LZMA_STREAM_INIT;
    if (lzma_stream_decoder(&stream, memory, 0) != LZMA_OK) {
        return damaged(Compression::xz, "no memory");
    }
    const std::unique_ptr<lzma_stream, void (*)(lzma_stream*)> end(&stream, lzma_end);
    Output out(most);
    stream.next_in = octets(packed);
    stream.avail_in = packed.size();
    for (;;) {
        const auto room = out.room();
        if (room.empty()) {
            return damaged(Compression::xz, too_long);
        }
        stream.next_out = reinterpret_cast<std::uint8_t*>(room.data());
        stream.avail_out = room.size();
        const lzma_ret code = lzma_code(&stream, LZMA_RUN);
        out.add(room.size() - stream.avail_out);
        if (code == LZMA_STREAM_END) {
            return out.finish();
        }
        if (code != LZMA_OK || (stream.avail_in == 0 && stream.avail_out != 0)) {
            return damaged(Compression::xz, code == LZMA_OK ? "it ends early"
                                                            : fmt::format("liblzma's error {}",
                                                                          static_cast<int>(code)));
        }
    }
}

Result<ByteVector> unpack_zstd(ByteView packed, std::uint64_t most) {
    const std::unique_ptr<ZSTD_DStream, std::size_t (*)(ZSTD_DStream*)> stream(ZSTD_createDStream(),
                                                                               ZSTD_freeDStream);
    if (stream == nullptr) {
        return damaged(Compression::zstd, "no memory");
    }
    Output out(most);
    ZSTD_inBuffer in{packed.data(), packed.size(), 0};
    for (;;) {
        const auto room = out.room();
        if (room.empty()) {
            return damaged(Compression::zstd, too_long);
        }
        ZSTD_outBuffer to{room.data(), room.size(), 0};
        const std::size_t left = ZSTD_decompressStream(stream.get(), &to, &in);
        out.add(to.pos);
        if (ZSTD_isError(left) != 0) {
            return damaged(Compression::zstd, ZSTD_getErrorName(left));
        }
        if (left == 0) {
            return out.finish();
        }
        if (in.pos == in.size && to.pos < to.size) {
            return damaged(Compression::zstd, "it ends early");
        }
    }
}

/// The legacy frame: after the magic, blocks that begin with their packed length.
Result<ByteVector> unpack_lz4(ByteView packed, std::uint64_t most) {
    constexpr std::uint64_t block = 8ULL << 20;  // unpacked, at most
    Output out(most);
    std::uint64_t at = sizeof(std::uint32_t);
    // What is shorter than a length and its block is the appended length of the whole.
    while (const auto length = load_le<std::uint32_t>(packed, at)) {
        at += sizeof(*length);
        const auto body = slice(packed, at, *length);
        if (!body || *length == 0) {
            if (at < packed.size()) {
                return damaged(Compression::lz4, "it ends early");
            }
            break;
        }
        const auto room = out.room(block);
        const int got = LZ4_decompress_safe(
            reinterpret_cast<const char*>(body->data()), reinterpret_cast<char*>(room.data()),
            static_cast<int>(body->size()), static_cast<int>(room.size()));
        if (got <= 0) {
            return damaged(Compression::lz4, room.size() < block ? too_long : "a block is damaged");
        }
        out.add(static_cast<std::size_t>(got));
        at += *length;
    }
    return out.finish();
}

}  // namespace

std::string_view to_string(Compression compression) {
    switch (compression) {
        case Compression::none:
            return "none";
        case Compression::gzip:
            return "gzip";
        case Compression::xz:
            return "xz";
        case Compression::zstd:
            return "zstd";
        case Compression::lz4:
            return "lz4";
        case Compression::unknown:
            break;
    }
    return "unknown";
}

Compression detect_compression(ByteView bytes) {
    for (const Magic& magic : magics) {
        if (bytes.size() >= magic.length &&
            std::equal(magic.bytes.begin(), magic.bytes.begin() + magic.length, octets(bytes))) {
            return magic.compression;
        }
    }
    return Compression::unknown;
}

Result<ByteVector> unpack(ByteView packed, std::uint64_t most) {
    switch (detect_compression(packed)) {
        case Compression::none:
            if (packed.size() > most) {
                return damaged(Compression::none, too_long);
            }
            return ByteVector(packed.begin(), packed.end());
        case Compression::gzip:
            return unpack_gzip(packed, most);
        case Compression::xz:
            return unpack_xz(packed, most);
        case Compression::zstd:
            return unpack_zstd(packed, most);
        case Compression::lz4:
            return unpack_lz4(packed, most);
        case Compression::unknown:
            break;
    }
    return fail(ExitCode::refused, "the kernel is compressed in a way that khoctl cannot undo",
                "gzip, xz, zstd, lz4 and none are known; say --method and --abi yourself");
}

}  // namespace khob
