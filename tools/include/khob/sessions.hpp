// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
// Generated, do not edit, from abi-gen/schema/sessions.yaml
// (make it again with: cmake --build build --target abi)
//
// /dev/kho_luo, version 1. Lists the sessions of the module kho_luo, drops one, and sets memory
// aside for late ones. Reading it from the start gives a session for each session, outgoing ones
// first, as they stood when the file was opened. An ioctl takes a struct whose first field is its
// size, as the caller knows it: what the caller does not know is taken for 0, what the module does
// not know has to be 0 (E2BIG). Names end with a 0.
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

// Values of fields.

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
inline constexpr std::array<IoctlInfo, 2> ioctls = { {
    {Ioctl::drop, "drop", sizeof(sessions::drop), "", false},
    {Ioctl::room, "room", sizeof(sessions::room), "", false},
} };
// clang-format on

}  // namespace khob::sessions

#endif  // KHOB_SESSIONS_HPP
