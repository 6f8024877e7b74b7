// SPDX-License-Identifier: GPL-2.0-only
// Fuzzes unpack(): bytes that claim to be compressed, and bytes that really are.
#include "image/unpack.hpp"

#include <algorithm>

#include "base/bytes.hpp"
#include "fuzz.hpp"
#include "pack.hpp"

namespace {

using khob::ByteVector;
using khob::ByteView;
using khob::Compression;
using khob::fuzz::pack;
using khob::fuzz::Packed;
using khob::fuzz::require;

void expect_travels(ByteView plain, unsigned how) {
    const Packed packed = pack(plain, how);
    require(khob::detect_compression(packed.bytes) == packed.compression,
            "what is packed shows how");
    const auto whole = khob::unpack(packed.bytes, packed.plain.size());
    require(whole && *whole == packed.plain, "bytes come out as they went in, to the last allowed");
    const auto more = khob::unpack(packed.bytes, packed.plain.size() - 1);
    require(!more && !more.error().what.empty(), "what is longer than allowed is refused");
}

/// What was accepted stays what it is, whatever stands behind it or is missing at its end.
void expect_same(ByteView packed, const ByteVector& plain, std::uint64_t most) {
    const Compression compression = khob::detect_compression(packed);
    ByteVector longer(packed.begin(), packed.end());
    khob::append(longer, std::uint32_t{0x12345678});
    if (compression != Compression::none && compression != Compression::lz4) {
        const auto again = khob::unpack(longer, most);
        require(again && *again == plain, "what follows a stream is ignored");
    }
    const auto shorter = khob::unpack(packed.first(packed.size() / 2), most);
    require(!shorter || (shorter->size() <= plain.size() &&
                         std::equal(shorter->begin(), shorter->end(), plain.begin())),
            "half of a stream is refused, or is a part of the whole");
}

}  // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size < 2 || size > khob::fuzz::max_plain) {
        return -1;  // not for the corpus
    }
    const unsigned how = data[0];
    const ByteView bytes(reinterpret_cast<const std::byte*>(data + 1), size - 1);
    const std::uint64_t most = std::uint64_t{256} << (how % 9);
    const auto got = khob::unpack(bytes, most);
    if (got) {
        require(got->size() <= most, "no more comes out than is allowed");
        require(khob::detect_compression(bytes) != Compression::unknown,
                "only what is known is unpacked");
        expect_same(bytes, *got, most);
    } else {
        require(!got.error().what.empty() && !got.error().hint.empty(), "a refusal says why");
    }
    expect_travels(bytes, how / 9);
    return 0;
}
