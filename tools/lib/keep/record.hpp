// SPDX-License-Identifier: GPL-2.0-only
// What khoctl tells the khoctl of the next kernel of kept files: all that their pages do not say.
// JSON, in a subtree of its own; what is read of another kernel's is checked as any input is.
#ifndef KHOB_KEEP_RECORD_HPP
#define KHOB_KEEP_RECORD_HPP

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/error.hpp"

namespace khob::keep {

/// What a subtree's name begins with that holds a record; its first token follows, in hex.
inline constexpr std::string_view subtree_prefix = "kho-keep-";

/// What the name in a directory may have, as Linux has it.
inline constexpr std::size_t most_name = 255;
/// What a path may have.
inline constexpr std::size_t most_path = 4095;

enum class EntryType { directory, file, symlink, link };

struct Time {
    std::int64_t seconds = 0;
    std::uint32_t nanoseconds = 0;
};

/// Bytes of a file that are no hole.
struct Span {
    std::uint64_t start = 0;
    std::uint64_t bytes = 0;
};

struct Entry {
    std::string path;  ///< below the tree's mount; empty: that itself
    EntryType type = EntryType::file;
    std::uint32_t mode = 0;  ///< permissions, without the type
    std::uint32_t uid = 0;
    std::uint32_t gid = 0;
    Time atime;
    Time mtime;
    std::vector<std::pair<std::string, std::string>> xattrs;  ///< names and values
    std::string target;       ///< of a symlink: what it says; of a link: the path of its file
    std::uint64_t token = 0;  ///< of a file: what kho_luo knows it by
    std::uint64_t size = 0;   ///< of a file
    std::optional<std::vector<Span>> data;  ///< of a file with holes: what is none
};

/// What is kept of one file system, a directory before what is in it, a file before its links.
struct Tree {
    std::string mount;  ///< where it was
    std::vector<Entry> entries;
};

struct Record {
    std::vector<Tree> trees;
};

/// Whether a path is one below something: names with single slashes between them, none of which is
/// "." or "..".
bool is_inner_path(std::string_view path);

/// Whether a path is absolute, and inner from its slash on; or "/".
bool is_absolute_path(std::string_view path);

/// The directory that an inner path is in ("" if in none), and its last name.
std::pair<std::string, std::string> split_path(const std::string& path);

/// The subtree's name for a record whose tokens begin there.
std::string subtree_name(std::uint64_t first_token);

std::string to_json(const Record& record);

/// Errors (data_damaged): it is no record, or one that makes no sense.
Result<Record> parse_record(std::string_view text);

/// Bytes that may be anything as printable ASCII: "%" and two digits for what is not.
std::string escaped(std::string_view bytes);
std::optional<std::string> unescaped(std::string_view text);

}  // namespace khob::keep

#endif  // KHOB_KEEP_RECORD_HPP
