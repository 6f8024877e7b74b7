// SPDX-License-Identifier: GPL-2.0-only
// Unpacking in every format, what is damaged, and what tells of KHO.
#include "image/probe.hpp"

#include <gtest/gtest.h>
#include <lz4.h>
#include <lzma.h>
#include <zlib.h>
#include <zstd.h>

#include <random>

#include "base/bytes.hpp"
#include "fixture.hpp"

namespace khob {
namespace {

using test::KernelSpec;
using test::make_kernel;
using test::poke;

ByteVector bytes_of(std::string_view text) {
    const ByteView view = as_bytes(text);
    return {view.begin(), view.end()};
}

/// Something like a kernel: neither all alike nor all random, with given text in it.
ByteVector vmlinux(std::string_view text, std::size_t size = 3U << 20U, std::size_t at = 0) {
    ByteVector out(size);
    std::mt19937_64 random(size);  // NOLINT: the same each time
    for (std::size_t i = 0; i < size; i += 64) {
        poke(out, i, random());
    }
    const auto elf = bytes_of("\177ELF");
    std::copy(elf.begin(), elf.end(), out.begin());
    const ByteView in = as_bytes(text);
    std::copy(in.begin(), in.end(),
              out.begin() + static_cast<std::ptrdiff_t>(at == 0 ? size / 2 : at));
    return out;
}

ByteVector gzip(const ByteVector& in) {
    z_stream stream{};
    EXPECT_EQ(deflateInit2(&stream, 1, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY), Z_OK);
    ByteVector out(deflateBound(&stream, in.size()));
    stream.next_in = reinterpret_cast<Bytef*>(const_cast<std::byte*>(in.data()));  // NOLINT
    stream.avail_in = static_cast<uInt>(in.size());
    stream.next_out = reinterpret_cast<Bytef*>(out.data());
    stream.avail_out = static_cast<uInt>(out.size());
    EXPECT_EQ(deflate(&stream, Z_FINISH), Z_STREAM_END);
    out.resize(stream.total_out);
    deflateEnd(&stream);
    return out;
}

ByteVector xz(const ByteVector& in) {
    ByteVector out(in.size() + 4096);
    std::size_t used = 0;
    EXPECT_EQ(lzma_easy_buffer_encode(
                  0, LZMA_CHECK_CRC32, nullptr, reinterpret_cast<const std::uint8_t*>(in.data()),
                  in.size(), reinterpret_cast<std::uint8_t*>(out.data()), &used, out.size()),
              LZMA_OK);
    out.resize(used);
    return out;
}

ByteVector zstd(const ByteVector& in) {
    ByteVector out(ZSTD_compressBound(in.size()));
    out.resize(ZSTD_compress(out.data(), out.size(), in.data(), in.size(), 1));
    return out;
}

ByteVector lz4(const ByteVector& in) {
    constexpr std::size_t block = 8U << 20U;
    ByteVector out;
    append(out, std::uint32_t{0x184c2102});
    for (std::size_t at = 0; at < in.size(); at += block) {
        const std::size_t size = std::min(block, in.size() - at);
        ByteVector packed(static_cast<std::size_t>(LZ4_compressBound(static_cast<int>(size))));
        const int used = LZ4_compress_default(
            reinterpret_cast<const char*>(in.data() + at), reinterpret_cast<char*>(packed.data()),
            static_cast<int>(size), static_cast<int>(packed.size()));
        append(out, static_cast<std::uint32_t>(used));
        out.insert(out.end(), packed.begin(), packed.begin() + used);
    }
    return out;
}

ByteVector none(const ByteVector& in) {
    return in;
}

struct Format {
    Compression compression;
    ByteVector (*pack)(const ByteVector&);
};

class Unpack : public testing::TestWithParam<Format> {};

TEST_P(Unpack, GivesTheBytesBack) {
    for (const std::size_t size : {std::size_t{8192}, std::size_t{3} << 20U}) {
        const ByteVector in = vmlinux("text", size);
        ByteVector packed = GetParam().pack(in);
        EXPECT_EQ(detect_compression(packed), GetParam().compression);
        if (GetParam().compression != Compression::none) {
            append(packed, static_cast<std::uint32_t>(size));  // as the kernel's build does
        }
        const auto out = unpack(packed);
        ASSERT_TRUE(out) << out.error().what;
        EXPECT_TRUE(*out == in);
    }
}

TEST_P(Unpack, HandsOutSmallPieces) {
    const ByteVector in = vmlinux("text", max_piece + (3U << 20U));
    ByteVector out;
    const auto done =
        unpack_pieces(GetParam().pack(in), [&out](const Piece& piece) -> Result<void> {
            EXPECT_LE(piece.bytes.size(), max_piece);
            EXPECT_FALSE(piece.bytes.empty());
            out.insert(out.end(), piece.bytes.begin(), piece.bytes.end());
            return {};
        });
    EXPECT_TRUE(done);
    EXPECT_TRUE(out == in);
}

TEST_P(Unpack, RefusesWhatIsLongerThanItMayBe) {
    const ByteVector packed = GetParam().pack(vmlinux("text"));
    const auto out = unpack(packed, 1U << 20U);
    ASSERT_FALSE(out);
    EXPECT_EQ(out.error().code, ExitCode::refused);
    EXPECT_NE(out.error().what.find("longer than a kernel can be"), std::string::npos)
        << out.error().what;
}

TEST_P(Unpack, SurvivesDamage) {
    if (GetParam().compression == Compression::none) {
        return;  // nothing to tell it by
    }
    const ByteVector in = vmlinux("text", 1U << 18U);
    const ByteVector packed = GetParam().pack(in);
    for (std::size_t length = 6; length < packed.size(); length += packed.size() / 50 + 1) {
        const auto out = unpack(ByteView(packed).first(length));
        EXPECT_FALSE(out && *out == in) << length;
    }
    std::mt19937 random(7);  // NOLINT: the same each time
    for (int i = 0; i < 200; ++i) {
        ByteVector bad = packed;
        bad[6 + random() % (bad.size() - 6)] ^= std::byte{1};
        static_cast<void>(unpack(bad, 1U << 24U));  // must not crash; some damage only changes data
    }
}

INSTANTIATE_TEST_SUITE_P(
    Formats, Unpack,
    testing::Values(Format{Compression::none, none}, Format{Compression::gzip, gzip},
                    Format{Compression::xz, xz}, Format{Compression::zstd, zstd},
                    Format{Compression::lz4, lz4}),
    [](const auto& info) { return std::string(to_string(info.param.compression)); });

TEST(Unpack, RefusesWhatItDoesNotKnow) {
    const auto out = unpack(bytes_of("BZh91AY&SY"));
    ASSERT_FALSE(out);
    EXPECT_EQ(out.error().code, ExitCode::refused);
    EXPECT_FALSE(out.error().hint.empty());
}

constexpr std::string_view properties{"\0preserved-memory-map\0preserved-data\0blob-size\0", 47};

/// A bzImage that holds payload.
ByteVector kernel_with(const ByteVector& payload, std::uint8_t relocatable = 1) {
    constexpr std::uint32_t at = 0x1400;
    KernelSpec spec;
    spec.relocatable = relocatable;
    spec.payload_bytes = static_cast<std::uint32_t>((at + payload.size() + 15) / 16 * 16);
    spec.init_size = 1U << 26U;
    ByteVector image = make_kernel(spec);
    const std::size_t start = 4 * 512 + at;
    std::copy(payload.begin(), payload.end(), image.begin() + static_cast<std::ptrdiff_t>(start));
    poke(image, 0x248, at);
    poke(image, 0x24c, static_cast<std::uint32_t>(payload.size()));
    return image;
}

TEST(Probe, SaysWhatAKernelSpeaks) {
    const auto got = probe_kernel(
        kernel_with(zstd(vmlinux(std::string(properties) + std::string("\0kho-v3\0", 8))), 0));
    ASSERT_TRUE(got) << got.error().what;
    EXPECT_EQ(got->release, "6.0-test");
    EXPECT_FALSE(got->image.relocatable);
    EXPECT_TRUE(got->has_kho());
    EXPECT_EQ(got->compatible, "kho-v3");
    EXPECT_EQ(got->abi, abi::Version::kho_v3);
    const std::string json = got->to_value().json();
    EXPECT_NE(json.find("\"relocatable\": false"), std::string::npos) << json;
    EXPECT_NE(json.find("\"abi\": \"kho-v3\""), std::string::npos) << json;
}

/// Finds what lies across the borders of the pieces, and at the very end.
class ProbeFormats : public Unpack {};

TEST_P(ProbeFormats, FindsWhatLiesAnywhere) {
    const std::string text = std::string(properties) + std::string("\0kho-v3\0", 8);
    constexpr std::size_t size = max_piece + (2U << 20U);
    for (const std::size_t at : {(std::size_t{1} << 20U) - 3, (std::size_t{1} << 20U) - 50,
                                 max_piece - 1, max_piece - 25, size - text.size()}) {
        const auto got = probe_kernel(kernel_with(GetParam().pack(vmlinux(text, size, at))));
        ASSERT_TRUE(got) << got.error().what;
        EXPECT_EQ(got->compatible, "kho-v3") << at;
        EXPECT_EQ(got->compression, GetParam().compression);
    }
}

TEST_P(ProbeFormats, TellsHowFarItIs) {
    const ByteVector packed = GetParam().pack(vmlinux("x"));
    std::vector<std::uint64_t> seen;
    const auto got = probe_kernel(kernel_with(packed),
                                  [&](std::uint64_t done, std::uint64_t all) -> Result<void> {
                                      EXPECT_EQ(all, packed.size());
                                      seen.push_back(done);
                                      return {};
                                  });
    ASSERT_TRUE(got);
    ASSERT_FALSE(seen.empty());
    EXPECT_TRUE(std::is_sorted(seen.begin(), seen.end()));
    EXPECT_GT(seen.front(), 0);
    EXPECT_LE(seen.back(), packed.size());
}

TEST_P(ProbeFormats, RefusesWhatIsDamagedBehindAllThatWasFound) {
    if (GetParam().compression == Compression::none) {
        return;  // nothing to tell it by
    }
    const std::string text = std::string(properties) + std::string("\0kho-v3\0", 8);
    ByteVector packed = GetParam().pack(vmlinux(text, 9U << 20U, 4096));
    packed.resize(packed.size() - packed.size() / 20);
    const auto got = probe_kernel(kernel_with(packed));
    ASSERT_FALSE(got) << "half a kernel says nothing of what it has not";
    EXPECT_EQ(got.error().code, ExitCode::refused);
    EXPECT_NE(got.error().what.find("cannot be unpacked"), std::string::npos) << got.error().what;
}

INSTANTIATE_TEST_SUITE_P(
    Formats, ProbeFormats,
    testing::Values(Format{Compression::none, none}, Format{Compression::gzip, gzip},
                    Format{Compression::xz, xz}, Format{Compression::zstd, zstd},
                    Format{Compression::lz4, lz4}),
    [](const auto& info) { return std::string(to_string(info.param.compression)); });

TEST(Probe, EndsWhenItIsToldTo) {
    int calls = 0;
    const auto got =
        probe_kernel(kernel_with(zstd(vmlinux("x"))), [&](std::uint64_t, std::uint64_t) {
            ++calls;
            return Result<void>(fail(ExitCode::interrupted, "enough"));
        });
    ASSERT_FALSE(got);
    EXPECT_EQ(got.error().code, ExitCode::interrupted);
    EXPECT_EQ(calls, 1);
}

TEST(Probe, KnowsNoKhoFromAnUnknownOne) {
    auto got = probe_kernel(kernel_with(gzip(vmlinux("nothing"))));
    ASSERT_TRUE(got);
    EXPECT_FALSE(got->has_kho());
    EXPECT_FALSE(got->abi);
    EXPECT_FALSE(got->kasan);
    got = probe_kernel(
        kernel_with(gzip(vmlinux(std::string(properties) + std::string("\0kho-v9\0", 8)))));
    ASSERT_TRUE(got);
    EXPECT_TRUE(got->has_kho());
    EXPECT_FALSE(got->abi);
    got = probe_kernel(
        kernel_with(gzip(vmlinux("\0016kasan: KernelAddressSanitizer initialized (generic)\n"))));
    ASSERT_TRUE(got);
    EXPECT_TRUE(got->kasan);
    EXPECT_NE(got->to_value().json().find("\"kasan\": true"), std::string::npos);
    EXPECT_NE(got->to_value().json().find("\"luo\": null"), std::string::npos);
}

TEST(Probe, RefusesAKernelThatHidesItsPayload) {
    auto image = kernel_with(gzip(vmlinux("x")));
    poke(image, 0x24c, std::uint32_t{0xffffffff});
    const auto got = probe_kernel(image);
    ASSERT_FALSE(got);
    EXPECT_NE(got.error().what.find("does not say where its payload is"), std::string::npos);
    EXPECT_FALSE(probe_kernel(ByteVector(4096)));
}

}  // namespace
}  // namespace khob
