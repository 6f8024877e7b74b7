// SPDX-License-Identifier: GPL-2.0-only
// Stands in for libc's open(), close() and ioctl() where they are about /dev/liveupdate, and asks
// the kernel for all else.
#include "fake_liveupdate.hpp"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstdarg>
#include <cstring>
#include <map>
#include <mutex>
#include <set>
#include <string>
#include <string_view>

#include "uapi/linux/liveupdate.h"

namespace {

int real_close(int fd) {
    return static_cast<int>(syscall(SYS_close, fd));
}

int any_fd() {
    return memfd_create("fake", MFD_CLOEXEC);
}

/// Token to a descriptor of our own.
using Files = std::map<std::uint64_t, int>;

struct Session {
    Files files;
    bool open = false;
};

struct OpenSession {
    std::string name;
    bool came = false;
};

// NOLINTBEGIN: the kernel is one of a kind
std::recursive_mutex lock;
std::map<std::string, Session> outgoing;
std::map<std::string, Session> incoming;
std::map<int, OpenSession> open_sessions;
std::set<ino_t> preserved;
std::map<unsigned long, int> failures;
int device_fd = -1;
bool device_there = true;
bool loaded = false;
int busy = 0;
// NOLINTEND

ino_t inode(int fd) {
    struct stat status {};
    fstat(fd, &status);
    return status.st_ino;
}

int fail(int err) {
    errno = err;
    return -1;
}

void drop(Session& session) {
    for (const auto& [token, fd] : session.files) {
        preserved.erase(inode(fd));
        real_close(fd);
    }
    session.files.clear();
}

int open_session(std::map<std::string, Session>& of, const std::string& name, bool came) {
    const int fd = any_fd();
    of[name].open = true;
    open_sessions[fd] = {.name = name, .came = came};
    return fd;
}

int device_ioctl(unsigned long command, void* argument) {
    auto& arg = *static_cast<liveupdate_ioctl_create_session*>(argument);
    const auto* text = reinterpret_cast<const char*>(static_cast<const __u8*>(arg.name));
    const std::string name(text, strnlen(text, sizeof(arg.name)));
    if (name.empty() || name.size() == sizeof(arg.name)) {
        return fail(EINVAL);
    }
    if (command == LIVEUPDATE_IOCTL_CREATE_SESSION) {
        if (outgoing.contains(name)) {
            return fail(EEXIST);
        }
        if (loaded) {
            return fail(EBUSY);
        }
        arg.fd = open_session(outgoing, name, false);
        return 0;
    }
    if (!incoming.contains(name)) {
        return fail(ENOENT);
    }
    if (incoming[name].open) {
        return fail(EINVAL);
    }
    arg.fd = open_session(incoming, name, true);
    return 0;
}

int preserve(const OpenSession& session, const liveupdate_session_preserve_fd& arg) {
    Files& files = outgoing[session.name].files;
    if (files.contains(arg.token)) {
        return fail(EEXIST);
    }
    if (loaded) {
        return fail(EBUSY);
    }
    if (fcntl(arg.fd, F_GETFD) < 0) {
        return fail(EBADF);
    }
    if (fcntl(arg.fd, F_GET_SEALS) < 0) {
        return fail(ENOENT);
    }
    if (!preserved.insert(inode(arg.fd)).second) {
        return fail(EBUSY);
    }
    files[arg.token] = fcntl(arg.fd, F_DUPFD_CLOEXEC, 0);
    return 0;
}

int retrieve(const OpenSession& session, liveupdate_session_retrieve_fd& arg) {
    const Files& files = incoming[session.name].files;
    const auto found = files.find(arg.token);
    if (found == files.end()) {
        return fail(ENOENT);
    }
    preserved.insert(inode(found->second));
    arg.fd = fcntl(found->second, F_DUPFD_CLOEXEC, 0);
    return arg.fd < 0 ? -1 : 0;
}

int session_ioctl(const OpenSession& session, unsigned long command, void* argument) {
    const bool puts = command == LIVEUPDATE_SESSION_PRESERVE_FD;
    if (command == LIVEUPDATE_SESSION_GET_NAME || puts == session.came) {
        return fail(EINVAL);
    }
    if (puts) {
        return preserve(session, *static_cast<liveupdate_session_preserve_fd*>(argument));
    }
    if (command == LIVEUPDATE_SESSION_RETRIEVE_FD) {
        return retrieve(session, *static_cast<liveupdate_session_retrieve_fd*>(argument));
    }
    drop(incoming[session.name]);
    return 0;
}

/// A file of a text, for who reads /sys.
int text_file(std::string_view text) {
    const int fd = any_fd();
    if (write(fd, text.data(), text.size()) < 0 || lseek(fd, 0, SEEK_SET) < 0) {
        return -1;
    }
    return fd;
}

int open_device() {
    if (!device_there) {
        return fail(ENOENT);
    }
    if (device_fd >= 0) {
        return fail(EBUSY);
    }
    if (busy > 0) {
        busy--;
        return fail(EBUSY);
    }
    device_fd = any_fd();
    return device_fd;
}

void close_session(int fd) {
    const OpenSession session = open_sessions[fd];
    auto& of = session.came ? incoming : outgoing;
    open_sessions.erase(fd);
    drop(of[session.name]);
    of.erase(session.name);
}

}  // namespace

extern "C" {

void fake_reset() {
    const std::lock_guard guard(lock);
    for (auto* all : {&outgoing, &incoming}) {
        for (auto& [name, session] : *all) {
            drop(session);
        }
        all->clear();
    }
    open_sessions.clear();
    preserved.clear();
    failures.clear();
    device_there = true;
    loaded = false;
    busy = 0;
}

void fake_device(bool there) {
    device_there = there;
}

void fake_busy(int opens) {
    busy = opens;
}

void fake_loaded(bool is_loaded) {
    loaded = is_loaded;
}

void fake_kexec() {
    const std::lock_guard guard(lock);
    for (auto& [name, session] : incoming) {
        drop(session);
    }
    incoming = outgoing;
    for (auto& [name, session] : incoming) {
        session.open = false;
    }
    outgoing.clear();
    open_sessions.clear();
    preserved.clear();
    loaded = false;
}

void fake_fail(unsigned long command, int err) {
    failures[command] = err;
}

int fake_came(const char* session, std::uint64_t token) {
    const auto found = incoming.find(session);
    if (found == incoming.end() || !found->second.files.contains(token)) {
        return -1;
    }
    return found->second.files[token];
}

void fake_put(const char* session, std::uint64_t token, int fd) {
    outgoing[session].files[token] = fcntl(fd, F_DUPFD_CLOEXEC, 0);
}

std::size_t fake_left() {
    return incoming.size();
}

bool fake_open() {
    return device_fd >= 0;
}

// libc's own. NOLINTBEGIN
int open(const char* path, int flags, ...) {
    mode_t mode = 0;
    if ((flags & O_CREAT) != 0) {
        va_list arguments;
        va_start(arguments, flags);
        mode = va_arg(arguments, mode_t);
        va_end(arguments);
    }
    const std::lock_guard guard(lock);
    if (std::string_view(path) == "/dev/liveupdate") {
        return open_device();
    }
    if (std::string_view(path) == "/sys/kernel/kexec_loaded") {
        return text_file(loaded ? "1\n" : "0\n");
    }
    return static_cast<int>(syscall(SYS_openat, AT_FDCWD, path, flags, mode));
}

int close(int fd) {
    const std::lock_guard guard(lock);
    if (fd >= 0 && fd == device_fd) {
        device_fd = -1;
    } else if (open_sessions.contains(fd)) {
        close_session(fd);
    }
    return real_close(fd);
}

int ioctl(int fd, unsigned long command, ...) {
    va_list arguments;
    va_start(arguments, command);
    void* argument = va_arg(arguments, void*);
    va_end(arguments);
    const std::lock_guard guard(lock);
    const bool is_device = fd >= 0 && fd == device_fd;
    const auto session = open_sessions.find(fd);
    if (!is_device && session == open_sessions.end()) {
        return static_cast<int>(syscall(SYS_ioctl, fd, command, argument));
    }
    if (const auto failure = failures.find(command); failure != failures.end()) {
        const int err = failure->second;
        failures.erase(failure);
        return fail(err);
    }
    return is_device ? device_ioctl(command, argument)
                     : session_ioctl(session->second, command, argument);
}
// NOLINTEND
}
