// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
// Generated, do not edit, from abi-gen/schema/memfd.yaml
// (make it again with: cmake --build build --target abi)
//
// The ABI of a memfd that is handed over: memfd-v2.
#ifndef KHOB_MEMFD_HPP
#define KHOB_MEMFD_HPP

// clang-format off
#include <algorithm>
#include <array>
#include <bit>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>
#include <type_traits>

#include "khob/abi.hpp"

namespace khob::memfd {

/// Versions of the ABI, oldest first.
enum class Version {
    /// Seals go along.
    memfd_v2,
};

/// All of them, oldest first.
inline constexpr std::array<Version, 1> versions = {
    Version::memfd_v2,
};

/// What is written unless something else is asked for.
inline constexpr Version default_version = Version::memfd_v2;

/// The compatible string.
constexpr std::string_view compatible(Version version) {
    switch (version) {
        case Version::memfd_v2:
            return "memfd-v2";
    }
    return {};
}

/// The version that a compatible string names.
constexpr std::optional<Version> version_from(std::string_view name) {
    for (const Version version : versions) {
        if (compatible(version) == name) {
            return version;
        }
    }
    return std::nullopt;
}

// The seals that a memfd may have. One that is not among them keeps a memfd from being handed over,
// and from being taken. Source: include/uapi/linux/fcntl.h.

inline constexpr std::uint32_t seal_seal = 0x1;  ///< No seal is added.
inline constexpr std::uint32_t seal_shrink = 0x2;  ///< It gets no shorter.
inline constexpr std::uint32_t seal_grow = 0x4;  ///< It gets no longer.
inline constexpr std::uint32_t seal_write = 0x8;  ///< Nobody writes to it.
/// Nobody writes to it but through the mappings that there were.
inline constexpr std::uint32_t seal_future_write = 0x10;
inline constexpr std::uint32_t seal_exec = 0x20;  ///< It stays executable or not.
inline constexpr std::uint32_t seals_all = 0x3f;  ///< All that this version knows.

// The struct is page-sized at least and preserved as a folio; its physical address is the file's
// data to LUO. Source: include/linux/kho/abi/memfd.h, mm/memfd_luo.c.

/// Of folio_ser's flags: somebody has written to it. All that are preserved have it.
inline constexpr std::uint32_t folio_dirty = 0x1;
/// Of folio_ser's flags: it holds what the file holds. Without it the kernel that takes it fills it
/// with zeroes.
inline constexpr std::uint32_t folio_uptodate = 0x2;
/// A file of more pages is not handed over (EFBIG). [pages]
inline constexpr std::uint32_t folios_max = 0xffffffff;

/// A folio of the file.
struct [[gnu::packed]] folio_ser {
    std::uint64_t pfn : 52;  ///< Number of its first page frame.
    std::uint64_t flags : 12;  ///< folio_dirty, folio_uptodate.
    std::uint64_t index;  ///< Where it is in the file. [pages]
};

static_assert(sizeof(folio_ser) == 16);
static_assert(offsetof(folio_ser, index) == 8);

/// A memfd.
struct [[gnu::packed]] ser {
    std::uint64_t pos;  ///< Where the file is read and written next. [bytes]
    std::uint64_t size;  ///< Length of the file. [bytes]
    std::uint32_t seals;  ///< Its seals.
    std::uint32_t flags;  ///< Written as 0.
    std::uint64_t nr_folios;  ///< Folios of the file; holes have none. [entries]
    /// The area that an array of folio_ser is in, in the file's order.
    ::khob::abi::vmalloc folios;
};

static_assert(sizeof(ser) == 48);
static_assert(offsetof(ser, pos) == 0);
static_assert(offsetof(ser, size) == 8);
static_assert(offsetof(ser, seals) == 16);
static_assert(offsetof(ser, flags) == 20);
static_assert(offsetof(ser, nr_folios) == 24);
static_assert(offsetof(ser, folios) == 32);
// clang-format on

}  // namespace khob::memfd

#endif  // KHOB_MEMFD_HPP
