// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
// Generated, do not edit, from abi-gen/schema/luo.yaml
// (make it again with: cmake --build build --target abi)
//
// The ABI of the Live Update Orchestrator: luo-v5. What depends on the page size is in Layout, of
// which DefaultLayout is the one for 4K pages.
#ifndef KHOB_LUO_HPP
#define KHOB_LUO_HPP

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

namespace khob::luo {

/// Versions of the ABI, oldest first.
enum class Version {
    /// Sessions and files are in blocks; the subtree is a struct and no device tree.
    luo_v5,
};

/// All of them, oldest first.
inline constexpr std::array<Version, 1> versions = {
    Version::luo_v5,
};

/// What is written unless something else is asked for.
inline constexpr Version default_version = Version::luo_v5;

/// Log2 of the page size in bytes; 12 on x86-64, 14 and 16 as well on arm64. [bits]
inline constexpr unsigned default_page_shift = 12;

/// Whether a version can be used with pages of 2^page_shift bytes.
constexpr bool supported(unsigned page_shift, [[maybe_unused]] Version version) {
    return page_shift == 12 || page_shift == 14 || page_shift == 16;
}

/// The compatible string.
constexpr std::string_view compatible(Version version) {
    switch (version) {
        case Version::luo_v5:
            return "luo-v5";
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

namespace detail {

/// Shifts of 64-bit numbers by any number of bits.
constexpr std::uint64_t shl(std::uint64_t a, std::uint64_t bits) {
    return bits < 64 ? a << bits : 0;
}
constexpr std::uint64_t shr(std::uint64_t a, std::uint64_t bits) {
    return bits < 64 ? a >> bits : 0;
}

/// a / b, rounded up.
constexpr std::uint64_t ceil_div(std::uint64_t a, std::uint64_t b) {
    return a / b + (a % b != 0 ? 1 : 0);
}

/// The number of the highest set bit; 0 if there is none.
constexpr std::uint64_t log2_floor(std::uint64_t a) {
    return a != 0 ? static_cast<std::uint64_t>(std::bit_width(a)) - 1 : 0;
}

}  // namespace detail

// The subtree. A kernel that has LUO and finds another version in it does not boot, so that whoever
// hands it over has to know the next kernel's. Source: include/linux/kho/abi/luo.h,
// kernel/liveupdate/luo_core.c.

/// Length of the compatible string's field; of luo-v5 that is the string with its NUL, up to a
/// multiple of 8. [bytes]
inline constexpr unsigned compatible_length = 8;

/// Name of the subtree, whose blob is one ser.
inline constexpr std::string_view subtree_name = "LUO";

/// The blob of the subtree. What is behind it is not looked at.
struct [[gnu::packed]] ser {
    std::array<char, 8> compatible;  ///< The version's compatible string, NULs behind it. [bytes]
    /// How many kexecs have been made with LUO's state, the next one included. [kexecs]
    std::uint64_t liveupdate_num;
    /// Physical address of the first block of session_ser, 0 if there is no session. [bytes]
    std::uint64_t sessions_pa;
    std::uint64_t flbs_pa;  ///< Physical address of flb_header_ser, 0 if there is none. [bytes]
};

static_assert(sizeof(ser) == 32);
static_assert(offsetof(ser, compatible) == 0);
static_assert(offsetof(ser, liveupdate_num) == 8);
static_assert(offsetof(ser, sessions_pa) == 16);
static_assert(offsetof(ser, flbs_pa) == 24);

// Files that are kept, a block list for each session. Which is which userspace knows by its tokens;
// in a session no two are the same, and any number is one. Source: include/linux/kho/abi/luo.h,
// kernel/liveupdate/luo_file.c.

/// The compatible string of a file's handler fits this with its NUL. [bytes]
inline constexpr unsigned handler_length = 48;

/// A file.
struct [[gnu::packed]] file_ser {
    /// The compatible string of its handler, NUL-terminated; memfd-v2 is one. [bytes]
    std::array<char, 48> compatible;
    std::uint64_t data;  ///< What the handler made of it, mostly a physical address.
    std::uint64_t token;  ///< What userspace calls it.
};

static_assert(sizeof(file_ser) == 64);
static_assert(offsetof(file_ser, compatible) == 0);
static_assert(offsetof(file_ser, data) == 48);
static_assert(offsetof(file_ser, token) == 56);

/// Files that belong together.
struct [[gnu::packed]] file_set_ser {
    /// Physical address of the first block of file_ser, 0 if there is no file. [bytes]
    std::uint64_t files;
    std::uint64_t count;  ///< Files in all blocks together. [files]
};

static_assert(sizeof(file_set_ser) == 16);
static_assert(offsetof(file_set_ser, files) == 0);
static_assert(offsetof(file_set_ser, count) == 8);

// Sessions, in one block list. No two have the same name, and none has an empty one. Source:
// include/linux/kho/abi/luo.h, kernel/liveupdate/luo_session.c.

/// The name of a session fits this with its NUL. [bytes]
inline constexpr unsigned session_name_length = 64;

/// A session.
struct [[gnu::packed]] session_ser {
    std::array<char, 64> name;  ///< Its name, NUL-terminated. [bytes]
    luo::file_set_ser file_set_ser;  ///< Its files.
};

static_assert(sizeof(session_ser) == 80);
static_assert(offsetof(session_ser, name) == 0);
static_assert(offsetof(session_ser, file_set_ser) == 64);

// Objects that files of one kind share and that live as long as one of them (FLB, file lifecycle
// bound), in one array in whole pages. Source: include/linux/kho/abi/luo.h,
// kernel/liveupdate/luo_flb.c.

/// The name of an object fits this with its NUL. [bytes]
inline constexpr unsigned flb_name_length = 48;
inline constexpr unsigned flb_pages = 1;  ///< Pages that the array takes with its header. [pages]

/// What stands before the array of flb_ser.
struct [[gnu::packed]] flb_header_ser {
    std::uint64_t pgcnt;  ///< flb_pages. [pages]
    std::uint64_t count;  ///< Objects in the array. [entries]
};

static_assert(sizeof(flb_header_ser) == 16);
static_assert(offsetof(flb_header_ser, pgcnt) == 0);
static_assert(offsetof(flb_header_ser, count) == 8);

/// An object.
struct [[gnu::packed]] flb_ser {
    std::array<char, 48> name;  ///< Its name, NUL-terminated. [bytes]
    std::uint64_t data;  ///< What its owner made of it.
    std::uint64_t count;  ///< Files that use it. [files]
};

static_assert(sizeof(flb_ser) == 64);
static_assert(offsetof(flb_ser, name) == 0);
static_assert(offsetof(flb_ser, data) == 48);
static_assert(offsetof(flb_ser, count) == 56);

/// What depends on the page size, or on the version.
template <unsigned Shift, Version Abi = default_version>
    requires(supported(Shift, Abi))
struct Layout {
    using Used = ::khob::abi::Layout<Shift>;

    static constexpr Version version = Abi;
    static constexpr std::uint64_t page_shift = Shift;

    /// Files that a block holds at most, and one at least; only the last of a list is written with
    /// fewer. [entries]
    static constexpr std::uint64_t files_per_block =
        (Used::block_size - sizeof(::khob::abi::block_header)) / sizeof(file_ser);

    /// A session has no more of them. [files]
    static constexpr std::uint64_t files_max =
        files_per_block * std::uint64_t{::khob::abi::blocks_max};

    /// Sessions that a block holds at most, and one at least; only the last is written with fewer.
    /// [entries]
    static constexpr std::uint64_t sessions_per_block =
        (Used::block_size - sizeof(::khob::abi::block_header)) / sizeof(session_ser);

    /// There are no more of them. [sessions]
    static constexpr std::uint64_t sessions_max =
        sessions_per_block * std::uint64_t{::khob::abi::blocks_max};

    /// There are no more objects. [entries]
    static constexpr std::uint64_t flbs_max =
        (std::uint64_t{flb_pages} * Used::page_size - sizeof(flb_header_ser)) / sizeof(flb_ser);
};

/// With the page size and the version that are used unless something else is asked for.
using DefaultLayout = Layout<default_page_shift>;

// At 4K pages the formulas give what abi-gen computed and proved.
namespace detail {

using luo_v5 = Layout<default_page_shift, Version::luo_v5>;
static_assert(luo_v5::files_per_block == 63ULL);
static_assert(luo_v5::files_max == 630000ULL);
static_assert(luo_v5::sessions_per_block == 51ULL);
static_assert(luo_v5::sessions_max == 510000ULL);
static_assert(luo_v5::flbs_max == 63ULL);

}  // namespace detail
// clang-format on

}  // namespace khob::luo

#endif  // KHOB_LUO_HPP
