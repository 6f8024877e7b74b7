// SPDX-License-Identifier: GPL-2.0-only
#include "session/late_room.hpp"

#include <fcntl.h>
#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

#include "base/numbers.hpp"
#include "khob/sessions.hpp"

namespace khob {

namespace {

/// Return: what the room has then, or an errno as a negative number.
std::int64_t set(const System& sys, const Fd& fd, std::uint64_t bytes) {
    sessions::room arg;
    arg.flags = sessions::room_flags::set;
    arg.bytes = bytes;
    const int ret = sys.ioctl(fd.get(), static_cast<std::uint32_t>(sessions::Ioctl::room), &arg);
    return ret < 0 ? ret : static_cast<std::int64_t>(arg.bytes);
}

}  // namespace

LateRoom::LateRoom(LateRoom&& other) noexcept
    : sys_(other.sys_),
      fd_(std::move(other.fd_)),
      bytes_(other.bytes_),
      keep_(std::exchange(other.keep_, true)) {}

LateRoom::~LateRoom() {
    // The failure that led here is what gets reported; this does what can be done.
    if (!keep_ && fd_.valid()) {
        (void)set(*sys_, fd_, 0);
    }
}

Result<LateRoom> LateRoom::make(const System& sys, std::optional<std::uint64_t> bytes,
                                std::uint64_t ram) {
    LateRoom out;
    const std::uint64_t wanted = bytes.value_or(std::min(late_room_most, ram / 64));
    int err = 0;
    auto fd = open_file(sys.path(sessions::path), O_RDWR | O_CLOEXEC, &err);
    if (!fd) {
        return bytes.value_or(0) == 0
                   ? Result<LateRoom>(std::move(out))
                   : fail(ExitCode::refused,
                          fmt::format("there can be no late room: {}", fd.error().what),
                          err == ENOENT ? "load the module first: modprobe kho_luo"
                                        : "`khoctl session ls` says more");
    }
    out.sys_ = &sys;
    out.fd_ = std::move(*fd);
    const std::int64_t got = set(sys, out.fd_, wanted);
    if (got < 0 && bytes.value_or(0) != 0) {
        return fail(ExitCode::refused,
                    fmt::format("a late room of {} cannot be had: {}", human_bytes(wanted),
                                std::strerror(static_cast<int>(-got))),
                    got == -EOPNOTSUPP ? "this kernel's own KHO needs none: leave --late-room out"
                                       : "a smaller --late-room, or free memory");
    }
    out.bytes_ = got < 0 ? 0 : static_cast<std::uint64_t>(got);
    return out;
}

Result<void> LateRoom::drop(const System& sys) {
    int err = 0;
    const auto fd = open_file(sys.path(sessions::path), O_RDWR | O_CLOEXEC, &err);
    // Without the device there is none; where sessions were refused nobody has made one.
    if (!fd) {
        return {};
    }
    const std::int64_t got = set(sys, *fd, 0);
    if (got < 0 && got != -EOPNOTSUPP) {
        return fail(ExitCode::failure,
                    fmt::format("the late room stays: {}", std::strerror(static_cast<int>(-got))));
    }
    return {};
}

}  // namespace khob
