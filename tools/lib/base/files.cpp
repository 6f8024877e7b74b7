// SPDX-License-Identifier: GPL-2.0-only
// File input and output on top of plain system calls.
#include "base/files.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <memory>
#include <utility>

#include "base/numbers.hpp"

namespace khob {

Fd::Fd(Fd&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}

Fd& Fd::operator=(Fd&& other) noexcept {
    std::swap(fd_, other.fd_);
    return *this;
}

Fd::~Fd() {
    if (fd_ >= 0) {
        ::close(fd_);
    }
}

Result<Fd> open_file(const std::filesystem::path& path, int flags, int* err) {
    constexpr mode_t mode = 0644;
    Fd fd(::open(path.c_str(), flags | O_CLOEXEC, mode));
    if (!fd.valid()) {
        const int why = errno;
        if (err != nullptr) {
            *err = why;
        }
        return fail_errno(why, fmt::format("cannot open {}", path.string()));
    }
    return fd;
}

Result<ByteVector> read_all(int fd, const std::filesystem::path& name, int* err) {
    constexpr std::size_t least = 1U << 16;
    struct stat st {};
    const bool sized = ::fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && st.st_size > 0;
    // One byte more than the file has, so that its end shows without growing.
    ByteVector out(std::max(least, sized ? static_cast<std::size_t>(st.st_size) + 1 : 0));
    std::size_t have = 0;
    for (;;) {
        if (have == out.size()) {
            out.resize(2 * out.size());
        }
        const ssize_t n = ::read(fd, out.data() + have, out.size() - have);
        if (n < 0 && errno == EINTR) {
            continue;
        }
        if (n < 0) {
            const int why = errno;
            if (err != nullptr) {
                *err = why;
            }
            return fail_errno(why, fmt::format("cannot read {}", name.string()));
        }
        have += static_cast<std::size_t>(n);
        if (n == 0) {
            out.resize(have);
            return out;
        }
    }
}

Result<ByteVector> read_bytes(const std::filesystem::path& path) {
    auto fd = open_file(path, O_RDONLY);
    if (!fd) {
        return tl::unexpected(fd.error());
    }
    return read_all(fd->get(), path);
}

Result<std::string> read_text(const std::filesystem::path& path) {
    const auto bytes = read_bytes(path);
    if (!bytes) {
        return tl::unexpected(bytes.error());
    }
    return std::string(reinterpret_cast<const char*>(bytes->data()), bytes->size());
}

Result<std::uint64_t> size_of_file(const std::filesystem::path& path) {
    struct stat st {};
    if (::stat(path.c_str(), &st) != 0) {
        return fail_errno(errno, fmt::format("cannot look at {}", path.string()));
    }
    if (st.st_size > 0) {
        return static_cast<std::uint64_t>(st.st_size);
    }
    const auto bytes = read_bytes(path);
    if (!bytes) {
        return tl::unexpected(bytes.error());
    }
    return bytes->size();
}

Result<std::vector<std::string>> list_dir(const std::filesystem::path& dir) {
    const std::unique_ptr<DIR, int (*)(DIR*)> handle(::opendir(dir.c_str()), ::closedir);
    if (!handle) {
        return fail_errno(errno, fmt::format("cannot list {}", dir.string()));
    }
    std::vector<std::string> names;
    errno = 0;
    while (const dirent* entry = ::readdir(handle.get())) {
        const std::string name = static_cast<const char*>(entry->d_name);
        if (name != "." && name != "..") {
            names.push_back(name);
        }
    }
    if (errno != 0) {
        return fail_errno(errno, fmt::format("cannot list {}", dir.string()));
    }
    std::sort(names.begin(), names.end(), [](const std::string& a, const std::string& b) {
        const auto x = parse_u64(a);
        const auto y = parse_u64(b);
        return x && y ? *x < *y : a < b;
    });
    return names;
}

Result<void> write_all(int fd, ByteView bytes, const std::filesystem::path& name) {
    while (!bytes.empty()) {
        const ssize_t n = ::write(fd, bytes.data(), bytes.size());
        if (n < 0 && errno == EINTR) {
            continue;
        }
        if (n <= 0) {
            return fail_errno(n < 0 ? errno : EIO, fmt::format("cannot write {}", name.string()));
        }
        bytes = bytes.subspan(static_cast<std::size_t>(n));
    }
    return {};
}

Result<void> write_file(const std::filesystem::path& path, ByteView bytes) {
    auto fd = open_file(path, O_WRONLY | O_CREAT | O_TRUNC);
    if (!fd) {
        return tl::unexpected(fd.error());
    }
    return write_all(fd->get(), bytes, path);
}

}  // namespace khob
