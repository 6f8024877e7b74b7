// SPDX-License-Identifier: GPL-2.0-only
// One small loop a library: all of them are fed the whole input and asked for
// output piece by piece, so that neither a kernel nor a bomb fills the memory.
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

/// A buffer for what comes out, which hands it on up to a bound.
class Output {
  public:
    Output(std::uint64_t most, const PieceSink& sink) : left_(most), sink_(&sink) {}

    /// Room for more bytes; none when the bound is reached.
    ByteSpan room(std::size_t wanted = piece) {
        buffer_.resize(std::max(buffer_.size(), wanted));
        return ByteSpan(buffer_).first(std::min<std::uint64_t>(left_, wanted));
    }
    /// So many bytes lie in the room; so much of the input has been read.
    Result<void> add(std::size_t bytes, std::uint64_t packed_done) {
        left_ -= bytes;
        return bytes == 0 ? Result<void>()
                          : (*sink_)({ByteView(buffer_).first(bytes), packed_done});
    }

  private:
    std::uint64_t left_;
    const PieceSink* sink_;
    ByteVector buffer_;
};

constexpr std::string_view too_long = "it is longer than a kernel can be";

const std::uint8_t* octets(ByteView bytes) {
    return reinterpret_cast<const std::uint8_t*>(bytes.data());
}

Result<void> unpack_gzip(ByteView packed, Output& out) {
    constexpr int gzip_window = 15 + 16;
    z_stream stream{};
    if (inflateInit2(&stream, gzip_window) != Z_OK) {
        return damaged(Compression::gzip, "no memory");
    }
    const std::unique_ptr<z_stream, int (*)(z_stream*)> end(&stream, inflateEnd);
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
        if (auto ok = out.add(room.size() - stream.avail_out, packed.size() - stream.avail_in);
            !ok) {
            return ok;
        }
        if (code == Z_STREAM_END) {
            return {};
        }
        if (code != Z_OK || (stream.avail_in == 0 && stream.avail_out != 0)) {
            return damaged(Compression::gzip, stream.msg != nullptr ? stream.msg : "it ends early");
        }
    }
}

Result<void> unpack_xz(ByteView packed, Output& out) {
    constexpr std::uint64_t memory = 1ULL << 28;
    lzma_stream stream = LZMA_STREAM_INIT;
    if (lzma_stream_decoder(&stream, memory, 0) != LZMA_OK) {
        return damaged(Compression::xz, "no memory");
    }
    const std::unique_ptr<lzma_stream, void (*)(lzma_stream*)> end(&stream, lzma_end);
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
        if (auto ok = out.add(room.size() - stream.avail_out, stream.total_in); !ok) {
            return ok;
        }
        if (code == LZMA_STREAM_END) {
            return {};
        }
        if (code != LZMA_OK || (stream.avail_in == 0 && stream.avail_out != 0)) {
            return damaged(Compression::xz, code == LZMA_OK ? "it ends early"
                                                            : fmt::format("liblzma's error {}",
                                                                          static_cast<int>(code)));
        }
    }
}

Result<void> unpack_zstd(ByteView packed, Output& out) {
    const std::unique_ptr<ZSTD_DStream, std::size_t (*)(ZSTD_DStream*)> stream(ZSTD_createDStream(),
                                                                               ZSTD_freeDStream);
    if (stream == nullptr) {
        return damaged(Compression::zstd, "no memory");
    }
    ZSTD_inBuffer in{packed.data(), packed.size(), 0};
    for (;;) {
        const auto room = out.room();
        if (room.empty()) {
            return damaged(Compression::zstd, too_long);
        }
        ZSTD_outBuffer to{room.data(), room.size(), 0};
        const std::size_t left = ZSTD_decompressStream(stream.get(), &to, &in);
        if (auto ok = out.add(to.pos, in.pos); !ok) {
            return ok;
        }
        if (ZSTD_isError(left) != 0) {
            return damaged(Compression::zstd, ZSTD_getErrorName(left));
        }
        if (left == 0) {
            return {};
        }
        if (in.pos == in.size && to.pos < to.size) {
            return damaged(Compression::zstd, "it ends early");
        }
    }
}

/// The legacy frame: after the magic, blocks that begin with their packed length.
Result<void> unpack_lz4(ByteView packed, Output& out) {
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
        const auto room = out.room(max_piece);
        const int got = LZ4_decompress_safe(
            reinterpret_cast<const char*>(body->data()), reinterpret_cast<char*>(room.data()),
            static_cast<int>(body->size()), static_cast<int>(room.size()));
        if (got <= 0) {
            return damaged(Compression::lz4,
                           room.size() < max_piece ? too_long : "a block is damaged");
        }
        at += *length;
        if (auto ok = out.add(static_cast<std::size_t>(got), at); !ok) {
            return ok;
        }
    }
    return {};
}

/// What is not packed goes on as it lies.
Result<void> pass_on(ByteView plain, std::uint64_t most, const PieceSink& sink) {
    if (plain.size() > most) {
        return damaged(Compression::none, too_long);
    }
    for (std::size_t at = 0; at < plain.size();) {
        const ByteView bytes = plain.subspan(at, std::min(piece, plain.size() - at));
        at += bytes.size();
        if (auto ok = sink({bytes, at}); !ok) {
            return ok;
        }
    }
    return {};
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

Result<void> unpack_pieces(ByteView packed, const PieceSink& sink, std::uint64_t most) {
    Output out(most, sink);
    switch (detect_compression(packed)) {
        case Compression::none:
            return pass_on(packed, most, sink);
        case Compression::gzip:
            return unpack_gzip(packed, out);
        case Compression::xz:
            return unpack_xz(packed, out);
        case Compression::zstd:
            return unpack_zstd(packed, out);
        case Compression::lz4:
            return unpack_lz4(packed, out);
        case Compression::unknown:
            break;
    }
    return fail(ExitCode::refused, "the kernel is compressed in a way that khoctl cannot undo",
                "gzip, xz, zstd, lz4 and none are known; say --method and --abi yourself");
}

Result<ByteVector> unpack(ByteView packed, std::uint64_t most) {
    ByteVector out;
    const auto ok = unpack_pieces(
        packed,
        [&out](const Piece& piece) -> Result<void> {
            out.insert(out.end(), piece.bytes.begin(), piece.bytes.end());
            return {};
        },
        most);
    if (!ok) {
        return tl::unexpected(ok.error());
    }
    return out;
}

}  // namespace khob
