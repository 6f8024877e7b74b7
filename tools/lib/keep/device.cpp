// SPDX-License-Identifier: GPL-2.0-only
#include "keep/device.hpp"

#include <fcntl.h>
#include <fmt/format.h>

#include <cerrno>
#include <cstring>
#include <limits>

#include "khob/sessions.hpp"

namespace khob::keep {

namespace {

Error error_of(int err, const std::string& what) {
    switch (err) {
        case EBUSY:
            return {ExitCode::refused, fmt::format("{}: a kernel is loaded, or it is in use", what),
                    "`khoctl unload` first"};
        case ENOSPC:
            return {ExitCode::refused, fmt::format("{}: it does not fit", what),
                    "a larger tmpfs (mount -o remount,size=...), or `--into` another one"};
        case EDQUOT:
            return {ExitCode::refused, fmt::format("{}: a quota is full", what),
                    "a larger quota, or `--into` another tmpfs"};
        case EIO:
            return {ExitCode::data_damaged, fmt::format("{}: it is damaged, or was refused", what),
                    "the kernel log says why (dmesg | grep kho_luo)"};
        case ENOMEM:
            return {ExitCode::failure, fmt::format("{}: no memory", what),
                    "free some, and do the same again"};
        case EINVAL:
        case ENOTTY:
            return {ExitCode::refused, fmt::format("{}: {}", what, std::strerror(err)),
                    "the kernel log may say more; a kho_luo that is older than khoctl cannot"};
        default:
            return {ExitCode::failure, fmt::format("{}: {}", what, std::strerror(err)),
                    "the kernel log may say more (dmesg | grep kho_luo)"};
    }
}

template <typename Arg>
int call(const System& sys, const Fd& fd, sessions::Ioctl what, Arg& arg) {
    return sys.ioctl(fd.get(), static_cast<std::uint32_t>(what), &arg);
}

}  // namespace

Result<Device> Device::open(const System& sys) {
    int err = 0;
    auto fd = open_file(sys.path(sessions::path), O_RDWR, &err);
    if (fd) {
        return Device(sys, std::move(*fd));
    }
    if (err == ENOENT) {
        return fail(ExitCode::absent, "the module kho_luo, which keeps files, is not loaded",
                    "load it: modprobe kho_luo");
    }
    return tl::unexpected(error_of(err, std::string(sessions::path)));
}

Result<void> Device::keep(const Fd& file, std::uint64_t token, const std::string& path) const {
    sessions::keep arg;
    arg.fd = file.get();
    arg.token = token;
    const int ret = call(*sys_, fd_, sessions::Ioctl::keep, arg);
    if (ret == -EBUSY) {
        return fail(ExitCode::refused,
                    fmt::format("{} cannot be kept: a kernel is loaded, or it is preserved in a "
                                "live update session",
                                path),
                    "`khoctl unload`; `khoctl session ls`");
    }
    return ret < 0 ? tl::unexpected(error_of(-ret, fmt::format("{} cannot be kept", path)))
                   : Result<void>{};
}

Result<void> Device::drop() const {
    sessions::keep_drop arg;
    const int ret = call(*sys_, fd_, sessions::Ioctl::keep_drop, arg);
    return ret < 0 ? tl::unexpected(error_of(-ret, "the kept files stay frozen")) : Result<void>{};
}

Result<std::vector<Known>> Device::list() const {
    std::vector<Known> out;
    sessions::keep_next arg;
    for (;;) {
        const int ret = call(*sys_, fd_, sessions::Ioctl::keep_next, arg);
        if (ret == -ENOENT) {
            return out;
        }
        if (ret < 0) {
            return tl::unexpected(error_of(-ret, "the kept files cannot be listed"));
        }
        out.push_back(
            {arg.token, (arg.flags & sessions::keep_flags::incoming) != 0, arg.bytes, arg.folios});
        if (arg.token == std::numeric_limits<std::uint64_t>::max()) {
            return out;
        }
        arg.token++;
        arg.flags = 0;
    }
}

Result<void> Device::adopt(const Fd& empty, std::uint64_t token, const std::string& path) const {
    sessions::keep arg;
    arg.fd = empty.get();
    arg.token = token;
    const int ret = call(*sys_, fd_, sessions::Ioctl::keep_adopt, arg);
    return ret < 0 ? tl::unexpected(error_of(-ret, fmt::format("{} is not restored", path)))
                   : Result<void>{};
}

Result<void> Device::fill(const Fd& empty, std::uint64_t bytes, std::optional<std::uint32_t> node,
                          const std::string& path) const {
    const std::string what = fmt::format("{} is not made", path);
    sessions::region arg;
    arg.fd = empty.get();
    arg.bytes = bytes;
    arg.node = node ? static_cast<std::int32_t>(*node) : -1;
    switch (const int ret = call(*sys_, fd_, sessions::Ioctl::region, arg); ret) {
        case 0:
            return {};
        case -ENOMEM:
            return fail(
                ExitCode::refused,
                fmt::format("{}: {}has not as much contiguous memory, or this cgroup may not", what,
                            node ? fmt::format("node {} ", *node) : "this machine "),
                "make it smaller, or make it earlier, when less memory is in use");
        case -EOPNOTSUPP:
            return fail(ExitCode::refused,
                        fmt::format("{}: this kernel has no huge pages, or takes none", what),
                        "CONFIG_TRANSPARENT_HUGEPAGE=y and no CONFIG_DEBUG_VM are needed");
        case -EINVAL:
            return fail(ExitCode::refused,
                        fmt::format("{}: more than this machine has, or no such node", what),
                        "`numactl --hardware` lists nodes and what they have");
        default:
            return tl::unexpected(error_of(-ret, what));
    }
}

Result<void> Device::discard(std::uint64_t token) const {
    sessions::keep_discard arg;
    arg.token = token;
    const int ret = call(*sys_, fd_, sessions::Ioctl::keep_discard, arg);
    return ret < 0 ? tl::unexpected(error_of(-ret, "a kept file cannot be freed")) : Result<void>{};
}

}  // namespace khob::keep
