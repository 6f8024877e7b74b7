// SPDX-License-Identifier: GPL-2.0-only
// A file's bytes without a copy of them: kernels and initrds are as large as
// what memory is left, and kexec_load(2) copies them anyway.
#ifndef KHOB_MAPPED_FILE_HPP
#define KHOB_MAPPED_FILE_HPP

#include <cstdint>
#include <ctime>
#include <filesystem>
#include <memory>

#include "base/error.hpp"
#include "base/files.hpp"
#include "base/types.hpp"

namespace khob {

/**
 * A file, mapped for reading.
 *
 * Its pages are the page cache's: they count as nobody's own memory and are given up when that
 * runs short. What maps no file (a pipe, most of /proc and /sys) is read instead, if it is small.
 *
 * Somebody may write to the file meanwhile. When it has become shorter, or its disk fails, an
 * access raises SIGBUS, which would end khoctl halfway through a load: a handler puts zeroes
 * there instead, and check() tells. Until then the bytes may change at any moment, as those of
 * any untrusted input; whoever reads them twice must bear it. For one thread.
 */
class MappedFile {
  public:
    /// No file, and no bytes.
    MappedFile();
    MappedFile(const MappedFile&) = delete;
    MappedFile& operator=(const MappedFile&) = delete;
    MappedFile(MappedFile&& other) noexcept;
    MappedFile& operator=(MappedFile&& other) noexcept;
    ~MappedFile();

    /// Errors: failure, the reason at its end; refused: larger than max_read and not to be mapped.
    static Result<MappedFile> open(const std::filesystem::path& path);

    ByteView bytes() const;
    std::uint64_t size() const { return bytes().size(); }

    /// Whether the bytes were one state of the file all the time. Errors (refused): it was
    /// written to, or could not be read to its end.
    Result<void> check() const;

    /// Bytes that are read at most of what cannot be mapped.
    static constexpr std::uint64_t max_read = 64ULL << 20;

  private:
    struct Mapping;

    std::filesystem::path path_;
    Fd fd_;
    std::unique_ptr<Mapping> mapping_;
    ByteVector read_;
    timespec written_{};
};

}  // namespace khob

#endif  // KHOB_MAPPED_FILE_HPP
