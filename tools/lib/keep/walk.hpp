// SPDX-License-Identifier: GPL-2.0-only
// What there is at and below the paths that are kept.
#ifndef KHOB_KEEP_WALK_HPP
#define KHOB_KEEP_WALK_HPP

#include <sys/stat.h>

#include <functional>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "base/error.hpp"
#include "base/files.hpp"
#include "base/value.hpp"
#include "keep/record.hpp"

namespace khob::keep {

/// Something that does not go along.
struct Left {
    std::string path;
    std::string why;
};

/// Them, for a report.
Value left_out(const std::vector<Left>& left);

/// Gets every regular file once, open for reading, and may fill in its entry.
using Sink = std::function<Result<void>(const Fd& file, const std::string& path, Entry& entry)>;

/// Directories that are within each other: each is open as long as those in it are looked at.
inline constexpr std::size_t most_depth = 512;

class Walker {
  public:
    /// `any_file_system`: not only tmpfs, for tests.
    Walker(Sink sink, bool any_file_system) : sink_(std::move(sink)), any_(any_file_system) {}

    /**
     * A path with all that is below it; no symlink is followed but on the way there. A path that
     * is not there, or on no tmpfs, is left; so is what lies deeper than most_depth, or has a path
     * that no record may have. What was there before is not there twice.
     *
     * Errors: what `sink` returns; something cannot be read; interrupted.
     */
    Result<void> add(const std::string& path);

    const Record& record() const { return record_; }
    const std::vector<Left>& left() const { return left_; }
    std::uint64_t files() const { return files_; }
    std::uint64_t bytes() const { return bytes_; }

  private:
    struct Place;  // a name in an open directory
    Result<void> visit(const Place& at);
    Result<void> visit_directory(const Place& at, const struct stat& st);
    Result<void> visit_file(const Place& at, const struct stat& st);
    Result<void> visit_symlink(const Place& at, const struct stat& st);
    Result<void> add_parents(std::size_t tree, const std::string& inner);
    Entry& push(const Place& at, EntryType type, const struct stat& st);

    Sink sink_;
    bool any_;
    Record record_;
    std::vector<Left> left_;
    std::uint64_t files_ = 0;
    std::uint64_t bytes_ = 0;
    std::set<std::string> seen_;                             ///< whole paths
    std::map<std::pair<dev_t, ino_t>, std::string> linked_;  ///< files with several names
};

/// Bytes that a file has of its file system: not its holes.
std::uint64_t allocated_bytes(const struct stat& st);

/// Whether what is open is on a tmpfs.
bool is_on_tmpfs(const Fd& fd);

/// Bytes that the files at and below a path have; 0 of what is not there.
std::uint64_t bytes_below(const std::string& path);

/// What of a file is no hole; nothing if it has none, or more of them than it is worth.
std::optional<std::vector<Span>> data_of(const Fd& file, std::uint64_t size);

/// The extended attributes of what is open, as far as they can be read.
std::vector<std::pair<std::string, std::string>> xattrs_of(const Fd& file);

}  // namespace khob::keep

#endif  // KHOB_KEEP_WALK_HPP
