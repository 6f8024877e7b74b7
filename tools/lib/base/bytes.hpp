// SPDX-License-Identifier: GPL-2.0-only
// Little-endian numbers in and out of raw bytes, never past their end.
#ifndef KHOB_BYTES_HPP
#define KHOB_BYTES_HPP

#include <concepts>
#include <cstdint>
#include <cstring>
#include <optional>

#include "base/types.hpp"

namespace khob {

// The formats are little-endian and so is the only architecture that this loads for.
static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__);

/// `len` bytes at `offset`, or nothing if they are not all there.
inline std::optional<ByteView> slice(ByteView bytes, std::uint64_t offset, std::uint64_t len) {
    if (offset > bytes.size() || len > bytes.size() - offset) {
        return std::nullopt;
    }
    return bytes.subspan(offset, len);
}

/// The unsigned number at `offset`, or nothing if it does not lie inside.
template <std::unsigned_integral T>
std::optional<T> load_le(ByteView bytes, std::uint64_t offset) {
    const auto part = slice(bytes, offset, sizeof(T));
    if (!part) {
        return std::nullopt;
    }
    T value{};
    std::memcpy(&value, part->data(), sizeof(T));
    return value;
}

/// Appends the bytes of a trivially copyable value.
template <typename T>
void append(ByteVector& out, const T& value) {
    static_assert(std::is_trivially_copyable_v<T>);
    const std::size_t at = out.size();
    out.resize(at + sizeof(T));
    std::memcpy(out.data() + at, &value, sizeof(T));
}

/// The bytes of a string, without a final NUL.
inline ByteView as_bytes(std::string_view text) {
    return {reinterpret_cast<const std::byte*>(text.data()), text.size()};
}

}  // namespace khob

#endif  // KHOB_BYTES_HPP
