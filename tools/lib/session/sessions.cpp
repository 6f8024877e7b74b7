// SPDX-License-Identifier: GPL-2.0-only
#include "session/sessions.hpp"

#include <fcntl.h>
#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <map>

#include "base/files.hpp"
#include "base/numbers.hpp"
#include "khob/liveupdate.hpp"
#include "module/decode.hpp"
#include "module/text.hpp"

namespace khob {

namespace {

// What /proc/PID/fd shows of an open session, before its name. Source: kernel/liveupdate.
constexpr std::string_view shown_as = "anon_inode:[luo_session] ";

using Holders = std::map<std::string, std::vector<Holder>, std::less<>>;

/// Names of the sessions that a process has open; none if it is gone by now.
std::vector<std::string> sessions_of(const std::filesystem::path& fds) {
    std::vector<std::string> out;
    for (const std::string& fd : list_dir(fds).value_or(std::vector<std::string>{})) {
        std::error_code gone;
        const std::string target = std::filesystem::read_symlink(fds / fd, gone).string();
        if (!gone && target.starts_with(shown_as)) {
            out.push_back(target.substr(shown_as.size()));
        }
    }
    std::sort(out.begin(), out.end());
    out.erase(std::unique(out.begin(), out.end()), out.end());
    return out;
}

Holders find_holders(const System& sys) {
    Holders out;
    const auto proc = sys.path("/proc");
    for (const std::string& name : list_dir(proc).value_or(std::vector<std::string>{})) {
        const auto pid = parse_u64(name);
        if (!pid) {
            continue;
        }
        for (const std::string& session : sessions_of(proc / name / "fd")) {
            const auto comm = read_text(proc / name / "comm");
            out[session].push_back({*pid, comm ? std::string(trimmed(*comm)) : ""});
        }
    }
    return out;
}

Error open_error(const System& sys, int err, const Error& error) {
    std::error_code ignored;
    if (err == EIO) {
        return {ExitCode::refused, "the sessions that the kernel before has left were refused",
                "the kernel log says why (dmesg | grep kho_luo); `khoctl release all` gives them "
                "up"};
    }
    if (err == EBUSY) {
        return {ExitCode::refused,
                "a kernel is loaded, which gets the sessions that the kernel before has left",
                "`khoctl unload` first"};
    }
    if (err != ENOENT) {
        return {ExitCode::failure, error.what, ""};
    }
    return std::filesystem::exists(sys.path(liveupdate::path), ignored)
               ? Error{ExitCode::refused,
                       "this kernel has a Live Update Orchestrator of its own, which can drop "
                       "nothing: a session ends when who has it open finishes or closes it",
                       "khoctl session ls"}
               : Error{ExitCode::absent, "the module kho_luo is not loaded",
                       "load it: modprobe kho_luo"};
}

/// The device. `*err` is ENOENT if it is not there.
Result<Fd> open_device(const System& sys, int flags, int* err) {
    auto fd = open_file(sys.path(sessions::path), flags | O_CLOEXEC, err);
    if (!fd) {
        return tl::unexpected(open_error(sys, *err, fd.error()));
    }
    return fd;
}

/// What the device tells; nothing if only the kernel's own LUO is there.
Result<std::vector<Session>> told(const System& sys) {
    int err = 0;
    std::vector<Session> out;
    const auto fd = open_device(sys, O_RDONLY, &err);
    if (!fd) {
        const bool own = err == ENOENT && fd.error().code == ExitCode::refused;
        return own ? Result<std::vector<Session>>(std::move(out)) : tl::unexpected(fd.error());
    }
    const auto bytes = read_all(fd->get(), sessions::path);
    const auto rows =
        bytes ? decode<sessions::session>(*bytes, "session") : tl::unexpected(bytes.error());
    if (!rows) {
        return tl::unexpected(rows.error());
    }
    for (const sessions::session& row : *rows) {
        std::string name = text_of(row.name);
        if (name.empty() || row.left > row.files) {
            return makes_no_sense("session", out.size());
        }
        out.push_back({std::move(name), row});
    }
    return out;
}

bool has(const Session& session, std::uint32_t flag) {
    return session.told && (session.told->flags & flag) != 0;
}

}  // namespace

std::string_view Session::state() const {
    if (!told) {
        return "open";
    }
    if (!has(*this, sessions::session_flags::incoming)) {
        return "outgoing";
    }
    return has(*this, sessions::session_flags::open) ? "retrieved" : "waiting";
}

Result<std::vector<Session>> list_sessions(const System& sys) {
    if (auto ok = require_root(sys); !ok) {
        return tl::unexpected(ok.error());
    }
    auto out = told(sys);
    if (!out) {
        return out;
    }
    Holders holders = find_holders(sys);
    for (Session& session : *out) {
        if (!has(session, sessions::session_flags::open)) {
            continue;
        }
        if (const auto it = holders.find(session.name); it != holders.end()) {
            session.holders = it->second;
            // One that is retrieved may have the name of one that was made here.
            if (session.state() == "retrieved") {
                holders.erase(it);
            }
        }
    }
    if (out->empty()) {
        for (auto& [name, processes] : holders) {
            out->push_back({name, std::nullopt, std::move(processes)});
        }
    }
    return out;
}

Result<void> drop_session(const System& sys, std::string_view name) {
    if (auto ok = require_root(sys); !ok) {
        return tl::unexpected(ok.error());
    }
    if (name.empty() || name.size() >= sessions::name_length) {
        return fail(ExitCode::usage, fmt::format("'{}' cannot name a session", name),
                    fmt::format("1 to {} bytes", sessions::name_length - 1));
    }
    int err = 0;
    const auto fd = open_device(sys, O_RDWR, &err);
    if (!fd) {
        return tl::unexpected(fd.error());
    }
    sessions::drop arg;
    arg.name = text_in<sizeof(arg.name)>(name);
    const int ret = sys.ioctl(fd->get(), static_cast<std::uint32_t>(sessions::Ioctl::drop), &arg);
    switch (ret) {
        case 0:
            return {};
        case -ENOENT:
            return fail(ExitCode::absent,
                        fmt::format("the kernel before left no session '{}'", name),
                        "`khoctl session ls`; one that was made here ends when it is closed");
        case -EBUSY:
            return fail(
                ExitCode::refused,
                fmt::format("the session '{}' is open, or goes to the kernel that is loaded", name),
                "`khoctl session ls` tells who has it; `khoctl unload`");
        default:
            return fail(
                ExitCode::failure,
                fmt::format("the session '{}' could not be dropped: {}", name, std::strerror(-ret)),
                "the kernel log may say more (dmesg | grep kho_luo)");
    }
}

Result<std::vector<std::string>> drop_waiting_sessions(const System& sys) {
    const auto all = list_sessions(sys);
    if (!all) {
        return tl::unexpected(all.error());
    }
    std::vector<std::string> out;
    for (const Session& session : *all) {
        if (session.state() != "waiting") {
            continue;
        }
        if (auto ok = drop_session(sys, session.name); !ok) {
            return tl::unexpected(ok.error());
        }
        out.push_back(session.name);
    }
    return out;
}

}  // namespace khob
