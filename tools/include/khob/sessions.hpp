// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
// Generated, do not edit, from abi-gen/schema/sessions.yaml
// (make it again with: cmake --build build --target abi)
//
// /dev/kho_luo, version 1. Lists the sessions of the module kho_luo, drops one, and sets memory
// aside for late ones; keeps files on tmpfs, and takes those of the kernel before over. Reading it
// from the start gives a session for each session, outgoing ones first, as they stood when the file
// was opened. An ioctl takes a struct whose first field is its size, as the caller knows it: what
// the caller does not know is taken for 0, what the module does not know has to be 0 (E2BIG). Names
// end with a 0.
#ifndef KHOB_SESSIONS_HPP
#define KHOB_SESSIONS_HPP

// clang-format off
#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <type_traits>

namespace khob::sessions {

/// The device's node.
inline constexpr std::string_view path = "/dev/kho_luo";

/// The version of what is here.
inline constexpr unsigned version = 1;

/// A field of a struct: offset and size in bytes, the size that of one element.
struct Field {
    std::string_view name;
    std::size_t offset;
    std::size_t size;
    std::size_t length;  ///< elements, 1 if it is no array
    bool text;           ///< characters, ended by a 0 if there is room
};

/// A row of the tables below; there is none unless the compiler has the field where it is to be.
template <std::size_t Has, std::size_t Offset>
    requires(Has == Offset)
consteval Field field(std::string_view name, std::size_t size, std::size_t length, bool text) {
    return {name, Offset, size, length, text};
}

// Numbers that sizes and values are made of.

inline constexpr unsigned type = 0xbc;  ///< The type that the numbers of all ioctls have.
/// The name of a session fits this with its 0. [bytes]
inline constexpr unsigned name_length = 64;

// Who may open the device is what its mode says; root by default.

inline constexpr unsigned base = 0x80;  ///< The number of the first one.

/// Which session to drop.
struct drop {
    std::uint32_t size = sizeof(sessions::drop);  ///< Of the struct. [bytes]
    std::uint32_t reserved{};  ///< 0.
    std::array<char, 64> name{};  ///< Its name.
};

inline constexpr std::array<Field, 3> drop_fields = { {
    field<offsetof(drop, size), 0>("size", 4, 1, false),
    field<offsetof(drop, reserved), 4>("reserved", 4, 1, false),
    field<offsetof(drop, name), 8>("name", 1, 64, true),
} };

static_assert(std::is_standard_layout_v<drop> && std::is_trivially_copyable_v<drop>);
static_assert(sizeof(drop) == 72);

/// The late room.
struct room {
    std::uint32_t size = sizeof(sessions::room);  ///< Of the struct. [bytes]
    std::uint32_t flags{};  ///< What to do.
    /// How large it is to be, rounded up; 0: there is to be none. Output: how large it is. [bytes]
    std::uint64_t bytes{};
    std::uint64_t used{};  ///< Output: what of it sessions have. [bytes]
};

inline constexpr std::array<Field, 4> room_fields = { {
    field<offsetof(room, size), 0>("size", 4, 1, false),
    field<offsetof(room, flags), 4>("flags", 4, 1, false),
    field<offsetof(room, bytes), 8>("bytes", 8, 1, false),
    field<offsetof(room, used), 16>("used", 8, 1, false),
} };

static_assert(std::is_standard_layout_v<room> && std::is_trivially_copyable_v<room>);
static_assert(sizeof(room) == 24);

/// A file, and what it is called.
struct keep {
    std::uint32_t size = sizeof(sessions::keep);  ///< Of the struct. [bytes]
    std::int32_t fd{};  ///< The file; to keep it, open in any way.
    std::uint64_t token{};  ///< What userspace calls it.
};

inline constexpr std::array<Field, 3> keep_fields = { {
    field<offsetof(keep, size), 0>("size", 4, 1, false),
    field<offsetof(keep, fd), 4>("fd", 4, 1, false),
    field<offsetof(keep, token), 8>("token", 8, 1, false),
} };

static_assert(std::is_standard_layout_v<keep> && std::is_trivially_copyable_v<keep>);
static_assert(sizeof(keep) == 16);

/// All that is kept.
struct keep_drop {
    std::uint32_t size = sizeof(sessions::keep_drop);  ///< Of the struct. [bytes]
    std::uint32_t reserved{};  ///< 0.
};

inline constexpr std::array<Field, 2> keep_drop_fields = { {
    field<offsetof(keep_drop, size), 0>("size", 4, 1, false),
    field<offsetof(keep_drop, reserved), 4>("reserved", 4, 1, false),
} };

static_assert(std::is_standard_layout_v<keep_drop> && std::is_trivially_copyable_v<keep_drop>);
static_assert(sizeof(keep_drop) == 8);

/// A kept file.
struct keep_next {
    std::uint32_t size = sizeof(sessions::keep_next);  ///< Of the struct. [bytes]
    std::uint32_t flags{};  ///< 0. Output: what holds of it.
    std::uint64_t token{};  ///< The lowest one to look at. Output: its token.
    std::uint64_t bytes{};  ///< Output: memory that it has, in whole pages. [bytes]
    std::uint64_t folios{};  ///< Output: folios that this memory is in.
};

inline constexpr std::array<Field, 5> keep_next_fields = { {
    field<offsetof(keep_next, size), 0>("size", 4, 1, false),
    field<offsetof(keep_next, flags), 4>("flags", 4, 1, false),
    field<offsetof(keep_next, token), 8>("token", 8, 1, false),
    field<offsetof(keep_next, bytes), 16>("bytes", 8, 1, false),
    field<offsetof(keep_next, folios), 24>("folios", 8, 1, false),
} };

static_assert(std::is_standard_layout_v<keep_next> && std::is_trivially_copyable_v<keep_next>);
static_assert(sizeof(keep_next) == 32);

/// Which file to free.
struct keep_discard {
    std::uint32_t size = sizeof(sessions::keep_discard);  ///< Of the struct. [bytes]
    std::uint32_t reserved{};  ///< 0.
    std::uint64_t token{};  ///< What userspace calls it.
};

inline constexpr std::array<Field, 3> keep_discard_fields = { {
    field<offsetof(keep_discard, size), 0>("size", 4, 1, false),
    field<offsetof(keep_discard, reserved), 4>("reserved", 4, 1, false),
    field<offsetof(keep_discard, token), 8>("token", 8, 1, false),
} };

static_assert(std::is_standard_layout_v<keep_discard> && std::is_trivially_copyable_v<keep_discard>);
static_assert(sizeof(keep_discard) == 16);

/// A file of huge pages.
struct region {
    std::uint32_t size = sizeof(sessions::region);  ///< Of the struct. [bytes]
    std::int32_t fd{};  ///< The file.
    std::uint64_t bytes{};  ///< How large it is to be. [bytes]
    std::int32_t node{};  ///< NUMA node whose memory it is to have; -1: the caller's, or any.
    std::uint32_t reserved{};  ///< 0.
};

inline constexpr std::array<Field, 5> region_fields = { {
    field<offsetof(region, size), 0>("size", 4, 1, false),
    field<offsetof(region, fd), 4>("fd", 4, 1, false),
    field<offsetof(region, bytes), 8>("bytes", 8, 1, false),
    field<offsetof(region, node), 16>("node", 4, 1, false),
    field<offsetof(region, reserved), 20>("reserved", 4, 1, false),
} };

static_assert(std::is_standard_layout_v<region> && std::is_trivially_copyable_v<region>);
static_assert(sizeof(region) == 24);

// Values of fields.

/// What holds of a kept file.
namespace keep_flags {
inline constexpr std::uint32_t incoming = 0x1;  ///< The kernel before has left it.
}  // namespace keep_flags

/// What to do with the late room.
namespace room_flags {
inline constexpr std::uint32_t set = 0x1;  ///< Give it that size. Without it nothing is changed.
}  // namespace room_flags

/// What holds of a session.
namespace session_flags {
inline constexpr std::uint32_t incoming = 0x1;  ///< The kernel before has left it.
inline constexpr std::uint32_t open = 0x2;  ///< Somebody has it open.
}  // namespace session_flags

// What is read.

/// A session, and what it costs.
struct session {
    std::array<char, 64> name{};  ///< Its name.
    std::uint32_t flags{};  ///< What holds of it.
    std::uint32_t reserved{};  ///< 0.
    std::uint64_t files{};  ///< Files in it.
    std::uint64_t left{};  ///< Of an incoming one, files that nobody has retrieved.
    /// Memory of its files that is handed over, or was and is held; of one that has been retrieved
    /// nothing is. [bytes]
    std::uint64_t bytes{};
    std::uint64_t folios{};  ///< Folios that this memory is in.
    std::uint64_t metadata{};  ///< Memory that tells the next kernel of it. [bytes]
};

inline constexpr std::array<Field, 8> session_fields = { {
    field<offsetof(session, name), 0>("name", 1, 64, true),
    field<offsetof(session, flags), 64>("flags", 4, 1, false),
    field<offsetof(session, reserved), 68>("reserved", 4, 1, false),
    field<offsetof(session, files), 72>("files", 8, 1, false),
    field<offsetof(session, left), 80>("left", 8, 1, false),
    field<offsetof(session, bytes), 88>("bytes", 8, 1, false),
    field<offsetof(session, folios), 96>("folios", 8, 1, false),
    field<offsetof(session, metadata), 104>("metadata", 8, 1, false),
} };

static_assert(std::is_standard_layout_v<session> && std::is_trivially_copyable_v<session>);
static_assert(sizeof(session) == 112);

/// What ioctl() is called with for the ioctl of a number; there is no size in it.
constexpr std::uint32_t request(std::uint32_t number) {
    return std::uint32_t{type} << 8U | number;
}

/// The ioctls.
enum class Ioctl : std::uint32_t {
    /// Ends a session of the kernel before that nobody has open, as if it had been retrieved and
    /// finished: what is in it is freed.
    drop = request(0x80),
    /// Sets the late room's size: memory for what is preserved once a kernel is loaded. It is made
    /// before the load, which hands all of it over; the loader does this.
    room = request(0x81),
    /// Keeps a regular file on tmpfs: its pages go to the next kernel. Until Ioctl::keep_drop no
    /// page is added and none cut off (EPERM); what is written to it goes along.
    keep = request(0x82),
    /// Keeps none of the files that Ioctl::keep has kept. They can be resized again.
    keep_drop = request(0x83),
    /// The kept file whose token is the lowest one from a given one on.
    keep_next = request(0x84),
    /// Puts the pages of a file that the kernel before has kept into an empty file on tmpfs, and
    /// ends with its size. As long as it has not succeeded nobody can write to that file; if it
    /// failed with ENOMEM or EINTR it can be tried again with the same file.
    keep_adopt = request(0x85),
    /// Frees a file that the kernel before has kept and that nobody has taken over.
    keep_discard = request(0x86),
    /// Gives an empty file on tmpfs huge pages of zeroes, which lie together in memory as far as
    /// they can. It can be mapped by them; a load that keeps it has a key for each. If it fails the
    /// file is empty.
    region = request(0x87),
};

/// What there is to know of an ioctl where its number is no constant.
struct IoctlInfo {
    Ioctl number;
    std::string_view name;
    std::size_t size;        ///< of its argument in bytes, 0 if it takes none
    std::string_view needs;  ///< a capability; empty: whoever has the device open may
    bool returns_fd;
};

/// All of them.
inline constexpr std::array<IoctlInfo, 8> ioctls = { {
    {Ioctl::drop, "drop", sizeof(sessions::drop), "", false},
    {Ioctl::room, "room", sizeof(sessions::room), "", false},
    {Ioctl::keep, "keep", sizeof(sessions::keep), "", false},
    {Ioctl::keep_drop, "keep_drop", sizeof(sessions::keep_drop), "", false},
    {Ioctl::keep_next, "keep_next", sizeof(sessions::keep_next), "", false},
    {Ioctl::keep_adopt, "keep_adopt", sizeof(sessions::keep), "", false},
    {Ioctl::keep_discard, "keep_discard", sizeof(sessions::keep_discard), "", false},
    {Ioctl::region, "region", sizeof(sessions::region), "", false},
} };
// clang-format on

}  // namespace khob::sessions

#endif  // KHOB_SESSIONS_HPP
