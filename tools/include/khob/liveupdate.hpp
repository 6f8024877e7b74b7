// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
// Generated, do not edit, from abi-gen/schema/liveupdate.yaml
// (make it again with: cmake --build build --target abi)
//
// /dev/liveupdate, version 1. How programs keep descriptors over a kexec, in sessions that have
// names. One program at a time has the device open. Each ioctl takes a struct whose first field is
// its size, as the caller knows it: what the caller does not know is taken for 0, what the kernel
// does not know has to be 0 (E2BIG). Names end with a 0.
#ifndef KHOB_LIVEUPDATE_HPP
#define KHOB_LIVEUPDATE_HPP

// clang-format off
#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <type_traits>

namespace khob::liveupdate {

/// The device's node.
inline constexpr std::string_view path = "/dev/liveupdate";

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

inline constexpr unsigned ioctl_type = 0xba;  ///< The type that the numbers of all ioctls have.
/// The name of a session fits this with its 0. [bytes]
inline constexpr unsigned session_name_length = 64;

// Ioctls of the device. Opening it fails with EBUSY while somebody has it open.

inline constexpr unsigned cmd_base = 0x0;  ///< The number of the first one.
inline constexpr unsigned cmd_create_session = 0x0;  ///< Number of Ioctl::ioctl_create_session.
inline constexpr unsigned cmd_retrieve_session = 0x1;  ///< Number of Ioctl::ioctl_retrieve_session.

/// Which session to make.
struct ioctl_create_session {
    std::uint32_t size = sizeof(liveupdate::ioctl_create_session);  ///< Of the struct. [bytes]
    std::int32_t fd{};  ///< Output: the session.
    std::array<std::uint8_t, 64> name{};  ///< What it is called. [bytes]
};

inline constexpr std::array<Field, 3> ioctl_create_session_fields = { {
    field<offsetof(ioctl_create_session, size), 0>("size", 4, 1, false),
    field<offsetof(ioctl_create_session, fd), 4>("fd", 4, 1, false),
    field<offsetof(ioctl_create_session, name), 8>("name", 1, 64, false),
} };

static_assert(std::is_standard_layout_v<ioctl_create_session> && std::is_trivially_copyable_v<ioctl_create_session>);
static_assert(sizeof(ioctl_create_session) == 72);

/// Which session to open.
struct ioctl_retrieve_session {
    std::uint32_t size = sizeof(liveupdate::ioctl_retrieve_session);  ///< Of the struct. [bytes]
    std::int32_t fd{};  ///< Output: the session.
    std::array<std::uint8_t, 64> name{};  ///< What it is called. [bytes]
};

inline constexpr std::array<Field, 3> ioctl_retrieve_session_fields = { {
    field<offsetof(ioctl_retrieve_session, size), 0>("size", 4, 1, false),
    field<offsetof(ioctl_retrieve_session, fd), 4>("fd", 4, 1, false),
    field<offsetof(ioctl_retrieve_session, name), 8>("name", 1, 64, false),
} };

static_assert(std::is_standard_layout_v<ioctl_retrieve_session> && std::is_trivially_copyable_v<ioctl_retrieve_session>);
static_assert(sizeof(ioctl_retrieve_session) == 72);

// Ioctls of a session. /proc/self/fd shows it as anon_inode:[luo_session] and its name.

inline constexpr unsigned cmd_session_base = 0x40;  ///< The number of the first one.
/// Number of Ioctl::session_preserve_fd.
inline constexpr unsigned cmd_session_preserve_fd = 0x40;
/// Number of Ioctl::session_retrieve_fd.
inline constexpr unsigned cmd_session_retrieve_fd = 0x41;
inline constexpr unsigned cmd_session_finish = 0x42;  ///< Number of Ioctl::session_finish.
inline constexpr unsigned cmd_session_get_name = 0x43;  ///< Number of Ioctl::session_get_name.

/// What to keep.
struct session_preserve_fd {
    std::uint32_t size = sizeof(liveupdate::session_preserve_fd);  ///< Of the struct. [bytes]
    std::int32_t fd{};  ///< The descriptor.
    std::uint64_t token{};  ///< What it is called from now on, any number.
};

inline constexpr std::array<Field, 3> session_preserve_fd_fields = { {
    field<offsetof(session_preserve_fd, size), 0>("size", 4, 1, false),
    field<offsetof(session_preserve_fd, fd), 4>("fd", 4, 1, false),
    field<offsetof(session_preserve_fd, token), 8>("token", 8, 1, false),
} };

static_assert(std::is_standard_layout_v<session_preserve_fd> && std::is_trivially_copyable_v<session_preserve_fd>);
static_assert(sizeof(session_preserve_fd) == 16);

/// What to open.
struct session_retrieve_fd {
    std::uint32_t size = sizeof(liveupdate::session_retrieve_fd);  ///< Of the struct. [bytes]
    std::int32_t fd{};  ///< Output: the descriptor.
    std::uint64_t token{};  ///< What it was called.
};

inline constexpr std::array<Field, 3> session_retrieve_fd_fields = { {
    field<offsetof(session_retrieve_fd, size), 0>("size", 4, 1, false),
    field<offsetof(session_retrieve_fd, fd), 4>("fd", 4, 1, false),
    field<offsetof(session_retrieve_fd, token), 8>("token", 8, 1, false),
} };

static_assert(std::is_standard_layout_v<session_retrieve_fd> && std::is_trivially_copyable_v<session_retrieve_fd>);
static_assert(sizeof(session_retrieve_fd) == 16);

/// Nothing that could be chosen.
struct session_finish {
    std::uint32_t size = sizeof(liveupdate::session_finish);  ///< Of the struct. [bytes]
    std::uint32_t reserved{};  ///< 0.
};

inline constexpr std::array<Field, 2> session_finish_fields = { {
    field<offsetof(session_finish, size), 0>("size", 4, 1, false),
    field<offsetof(session_finish, reserved), 4>("reserved", 4, 1, false),
} };

static_assert(std::is_standard_layout_v<session_finish> && std::is_trivially_copyable_v<session_finish>);
static_assert(sizeof(session_finish) == 8);

/// The name of a session.
struct session_get_name {
    std::uint32_t size = sizeof(liveupdate::session_get_name);  ///< Of the struct. [bytes]
    std::uint32_t reserved{};  ///< 0.
    std::array<std::uint8_t, 64> name{};  ///< Output: the name. [bytes]
};

inline constexpr std::array<Field, 3> session_get_name_fields = { {
    field<offsetof(session_get_name, size), 0>("size", 4, 1, false),
    field<offsetof(session_get_name, reserved), 4>("reserved", 4, 1, false),
    field<offsetof(session_get_name, name), 8>("name", 1, 64, false),
} };

static_assert(std::is_standard_layout_v<session_get_name> && std::is_trivially_copyable_v<session_get_name>);
static_assert(sizeof(session_get_name) == 72);

/// What ioctl() is called with for the ioctl of a number; there is no size in it.
constexpr std::uint32_t request(std::uint32_t number) {
    return std::uint32_t{ioctl_type} << 8U | number;
}

/// The ioctls.
enum class Ioctl : std::uint32_t {
    /// Makes a session and opens it (fd). What is in it when the machine jumps into the next kernel
    /// is there again in that one; closing it before gives all of it up.
    ioctl_create_session = request(0x00),
    /// Opens a session that the kernel before has left (fd).
    ioctl_retrieve_session = request(0x01),
    /// Puts what a descriptor is open on into a session that was made here.
    session_preserve_fd = request(0x40),
    /// Opens a file that the kernel before left in a session (fd), again after the first time. What
    /// fails once fails again with the same errno.
    session_retrieve_fd = request(0x41),
    /// Says that all that is wanted of a session of the kernel before was opened. What was not is
    /// gone then. If it fails, everything is as it was.
    session_finish = request(0x42),
    session_get_name = request(0x43),  ///< Says what the session is called.
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
inline constexpr std::array<IoctlInfo, 6> ioctls = { {
    {Ioctl::ioctl_create_session, "ioctl_create_session", sizeof(liveupdate::ioctl_create_session), "", false},
    {Ioctl::ioctl_retrieve_session, "ioctl_retrieve_session", sizeof(liveupdate::ioctl_retrieve_session), "", false},
    {Ioctl::session_preserve_fd, "session_preserve_fd", sizeof(liveupdate::session_preserve_fd), "", false},
    {Ioctl::session_retrieve_fd, "session_retrieve_fd", sizeof(liveupdate::session_retrieve_fd), "", false},
    {Ioctl::session_finish, "session_finish", sizeof(liveupdate::session_finish), "", false},
    {Ioctl::session_get_name, "session_get_name", sizeof(liveupdate::session_get_name), "", false},
} };
// clang-format on

}  // namespace khob::liveupdate

#endif  // KHOB_LIVEUPDATE_HPP
