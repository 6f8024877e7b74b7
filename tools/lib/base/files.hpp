// SPDX-License-Identifier: GPL-2.0-only
// Whole files in and out, with errors that name them.
#ifndef KHOB_FILES_HPP
#define KHOB_FILES_HPP

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.hpp"
#include "base/types.hpp"

namespace khob {

/// An open file descriptor.
class Fd {
  public:
    Fd() = default;
    explicit Fd(int fd) : fd_(fd) {}
    Fd(const Fd&) = delete;
    Fd& operator=(const Fd&) = delete;
    Fd(Fd&& other) noexcept;
    Fd& operator=(Fd&& other) noexcept;
    ~Fd();
    int get() const { return fd_; }
    bool valid() const { return fd_ >= 0; }

  private:
    int fd_ = -1;
};

/// open(2); on failure the Error's text ends with the reason, and `*err`, if given, is errno.
Result<Fd> open_file(const std::filesystem::path& path, int flags, int* err = nullptr);

/// All bytes up to the end of file; works for files without a size (sysfs, debugfs, pipes). On
/// failure `*err`, if given, is errno.
Result<ByteVector> read_all(int fd, const std::filesystem::path& name, int* err = nullptr);

Result<ByteVector> read_bytes(const std::filesystem::path& path);
Result<std::string> read_text(const std::filesystem::path& path);

/// Bytes of a file that may not tell its size: reads it if stat says 0.
Result<std::uint64_t> size_of_file(const std::filesystem::path& path);

/// Names in a directory, sorted (numbers by value).
Result<std::vector<std::string>> list_dir(const std::filesystem::path& dir);

/// write(2) until all of `bytes` are out.
Result<void> write_all(int fd, ByteView bytes, const std::filesystem::path& name);

/// Creates or replaces a file.
Result<void> write_file(const std::filesystem::path& path, ByteView bytes);

}  // namespace khob

#endif  // KHOB_FILES_HPP
