// SPDX-License-Identifier: GPL-2.0-only
#include "keep/walk.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <linux/magic.h>
#include <sys/vfs.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>

#include "base/interrupt.hpp"

namespace khob::keep {

namespace {

namespace fs = std::filesystem;

constexpr int look = O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK;
/// Files with more pieces come back without their holes.
constexpr std::size_t most_spans = 4096;

std::string joined(const std::string& dir, const std::string& name) {
    return dir.empty() || name.empty() ? dir + name : fmt::format("{}/{}", dir, name);
}

std::string whole_path(const std::string& mount, const std::string& inner) {
    return mount == "/" ? "/" + inner : joined(mount, inner);
}

/// The topmost directory of the file system that a directory is on.
Result<std::string> mount_of(std::string dir) {
    struct stat st {};
    if (::lstat(dir.c_str(), &st) != 0) {
        return fail_errno(errno, dir);
    }
    while (dir != "/") {
        const std::string parent = fs::path(dir).parent_path().string();
        struct stat above {};
        if (::lstat(parent.c_str(), &above) != 0) {
            return fail_errno(errno, parent);
        }
        if (above.st_dev != st.st_dev) {
            break;
        }
        dir = parent;
    }
    return dir;
}

std::string why_not(mode_t mode) {
    if (S_ISSOCK(mode)) {
        return "a socket";
    }
    if (S_ISFIFO(mode)) {
        return "a named pipe";
    }
    return "a device";
}

}  // namespace

Value left_out(const std::vector<Left>& left) {
    Table table{{"path", "why"}, {}};
    for (const Left& l : left) {
        table.rows.push_back({escaped(l.path), l.why});
    }
    return {std::move(table)};
}

struct Walker::Place {
    std::size_t tree;   ///< of the record
    dev_t device;       ///< of the file system
    int parent;         ///< the open directory
    std::string name;   ///< in it; empty: the directory itself
    std::string inner;  ///< below the mount
    std::string path;   ///< all of it
};

std::optional<std::vector<Span>> data_of(const Fd& file, std::uint64_t size) {
    std::vector<Span> out;
    std::uint64_t at = 0;
    while (at < size) {
        const off_t start = ::lseek(file.get(), static_cast<off_t>(at), SEEK_DATA);
        if (start < 0) {
            break;
        }
        const off_t end = ::lseek(file.get(), start, SEEK_HOLE);
        if (end < start || out.size() == most_spans) {
            return std::nullopt;
        }
        at = std::min(static_cast<std::uint64_t>(end), size);
        out.push_back({static_cast<std::uint64_t>(start), at - static_cast<std::uint64_t>(start)});
    }
    const bool whole = out.size() == 1 && out[0].start == 0 && out[0].bytes == size;
    return whole || size == 0 ? std::nullopt : std::optional(std::move(out));
}

std::vector<std::pair<std::string, std::string>> xattrs_of(const Fd& file) {
    std::vector<std::pair<std::string, std::string>> out;
    std::string names(XATTR_LIST_MAX, '\0');
    std::string value(XATTR_SIZE_MAX, '\0');
    const ssize_t length = ::flistxattr(file.get(), names.data(), names.size());
    for (ssize_t at = 0; at < length;) {
        const std::string name = names.c_str() + at;
        at += static_cast<ssize_t>(name.size()) + 1;
        const ssize_t n = ::fgetxattr(file.get(), name.c_str(), value.data(), value.size());
        if (n >= 0) {
            out.emplace_back(name, value.substr(0, static_cast<std::size_t>(n)));
        }
    }
    return out;
}

std::uint64_t allocated_bytes(const struct stat& st) {
    constexpr std::uint64_t stat_block = 512;
    return static_cast<std::uint64_t>(st.st_blocks) * stat_block;
}

std::uint64_t bytes_below(const std::string& path) {
    struct stat st {};
    std::uint64_t sum = 0;
    if (::lstat(path.c_str(), &st) != 0) {
        return 0;
    }
    sum += allocated_bytes(st);
    if (S_ISDIR(st.st_mode)) {
        std::error_code ignored;
        for (fs::recursive_directory_iterator it(path, ignored), end; it != end;
             it.increment(ignored)) {
            if (::lstat(it->path().c_str(), &st) == 0) {
                sum += allocated_bytes(st);
            }
        }
    }
    return sum;
}

Entry& Walker::push(const Place& at, EntryType type, const struct stat& st) {
    Entry entry;
    entry.path = at.inner;
    entry.type = type;
    entry.mode = st.st_mode & 07777U;
    entry.uid = st.st_uid;
    entry.gid = st.st_gid;
    entry.atime = {st.st_atim.tv_sec, static_cast<std::uint32_t>(st.st_atim.tv_nsec)};
    entry.mtime = {st.st_mtim.tv_sec, static_cast<std::uint32_t>(st.st_mtim.tv_nsec)};
    auto& entries = record_.trees[at.tree].entries;
    entries.push_back(std::move(entry));
    return entries.back();
}

Result<void> Walker::visit_file(const Place& at, const struct stat& st) {
    const std::pair inode{st.st_dev, st.st_ino};
    if (const auto it = linked_.find(inode); it != linked_.end()) {
        Entry& link = push(at, EntryType::link, st);
        link.target = it->second;
        return {};
    }
    const Fd file(::openat(at.parent, at.name.c_str(), look));
    struct stat opened {};
    if (!file.valid() || ::fstat(file.get(), &opened) != 0) {
        // It is gone: as if it had never been there.
        return errno == ENOENT ? Result<void>{} : fail_errno(errno, at.path);
    }
    if (opened.st_ino != st.st_ino || opened.st_dev != st.st_dev) {
        left_.push_back({at.path, "another one by now"});
        return {};
    }
    Entry& entry = push(at, EntryType::file, opened);
    entry.size = static_cast<std::uint64_t>(opened.st_size);
    entry.data = data_of(file, entry.size);
    entry.xattrs = xattrs_of(file);
    if (opened.st_nlink > 1) {
        linked_[inode] = at.inner;
    }
    files_++;
    bytes_ += allocated_bytes(opened);
    return sink_(file, at.path, entry);
}

Result<void> Walker::visit_symlink(const Place& at, const struct stat& st) {
    std::string target(most_path + 1, '\0');
    const ssize_t n = ::readlinkat(at.parent, at.name.c_str(), target.data(), target.size());
    if (n <= 0) {
        return errno == ENOENT ? Result<void>{} : fail_errno(errno, at.path);
    }
    target.resize(static_cast<std::size_t>(n));
    push(at, EntryType::symlink, st).target = std::move(target);
    return {};
}

Result<void> Walker::visit_directory(const Place& at, const struct stat& st) {
    const Fd dir(::openat(at.parent, at.name.empty() ? "." : at.name.c_str(), look | O_DIRECTORY));
    if (!dir.valid()) {
        return errno == ENOENT ? Result<void>{} : fail_errno(errno, at.path);
    }
    push(at, EntryType::directory, st).xattrs = xattrs_of(dir);
    const auto names = list_dir(fmt::format("/proc/self/fd/{}", dir.get()));
    if (!names) {
        return tl::unexpected(names.error());
    }
    for (const std::string& name : *names) {
        if (auto ok = visit({at.tree, at.device, dir.get(), name, joined(at.inner, name),
                             joined(at.path == "/" ? "" : at.path, name)});
            !ok) {
            return ok;
        }
    }
    return {};
}

Result<void> Walker::visit(const Place& at) {
    struct stat st {};
    if (auto ok = InterruptGuard::check(); !ok) {
        return ok;
    }
    // Whoever may write there could keep all of it from being loaded, or from coming back.
    const auto depth = static_cast<std::size_t>(std::count(at.inner.begin(), at.inner.end(), '/'));
    if (depth > most_depth || at.inner.size() > most_path) {
        left_.push_back({at.path, "too deep"});
        return {};
    }
    const int flags = AT_SYMLINK_NOFOLLOW | (at.name.empty() ? AT_EMPTY_PATH : 0);
    if (::fstatat(at.parent, at.name.c_str(), &st, flags) != 0) {
        return errno == ENOENT ? Result<void>{} : fail_errno(errno, at.path);
    }
    if (st.st_dev != at.device) {
        left_.push_back({at.path, "on another file system"});
        return {};
    }
    if (!seen_.insert(at.path).second && !S_ISDIR(st.st_mode)) {
        return {};
    }
    if (S_ISDIR(st.st_mode)) {
        return visit_directory(at, st);
    }
    if (S_ISREG(st.st_mode)) {
        return visit_file(at, st);
    }
    if (S_ISLNK(st.st_mode)) {
        return visit_symlink(at, st);
    }
    left_.push_back({at.path, why_not(st.st_mode)});
    return {};
}

/// The directories that lead to what is kept: they may be missing where it comes back.
Result<void> Walker::add_parents(std::size_t tree, const std::string& inner) {
    const std::string mount = record_.trees[tree].mount;
    for (std::size_t slash = inner.find('/'); slash != std::string::npos;
         slash = inner.find('/', slash + 1)) {
        const std::string dir = inner.substr(0, slash);
        const std::string path = whole_path(mount, dir);
        const Fd fd(::open(path.c_str(), look | O_DIRECTORY));
        struct stat st {};
        if (!fd.valid() || ::fstat(fd.get(), &st) != 0) {
            return fail_errno(errno, path);
        }
        if (seen_.insert(path).second) {
            push({tree, st.st_dev, -1, "", dir, path}, EntryType::directory, st).xattrs =
                xattrs_of(fd);
        }
    }
    return {};
}

bool is_on_tmpfs(const Fd& fd) {
    struct statfs on {};
    return ::fstatfs(fd.get(), &on) == 0 && on.f_type == TMPFS_MAGIC;
}

Result<void> Walker::add(const std::string& path) {
    std::error_code gone;
    const fs::path plain = fs::path(path).lexically_normal();
    const fs::path asked = plain.has_filename() ? plain : plain.parent_path();
    const fs::path parent = fs::canonical(asked.parent_path(), gone);
    struct stat st {};
    const std::string whole = (parent / asked.filename()).string();
    if (gone || ::lstat(whole.c_str(), &st) != 0) {
        left_.push_back({path, "not there"});
        return {};
    }
    const auto mount = mount_of(S_ISDIR(st.st_mode) ? whole : parent.string());
    if (!mount) {
        return tl::unexpected(mount.error());
    }
    const Fd top(::open(mount->c_str(), look | O_DIRECTORY));
    if (!top.valid()) {
        return fail_errno(errno, *mount);
    }
    if (!any_ && !is_on_tmpfs(top)) {
        left_.push_back({path, "on no tmpfs"});
        return {};
    }
    const std::string inner =
        whole == *mount ? "" : whole.substr(*mount == "/" ? 1 : mount->size() + 1);
    std::size_t tree = 0;
    while (tree < record_.trees.size() && record_.trees[tree].mount != *mount) {
        tree++;
    }
    if (tree == record_.trees.size()) {
        record_.trees.push_back({*mount, {}});
    }
    if (auto ok = add_parents(tree, inner); !ok) {
        return ok;
    }
    const auto [dir, name] = split_path(inner);
    const std::string dir_path = whole_path(*mount, dir);
    const Fd fd(::open(dir_path.c_str(), look | O_DIRECTORY));
    if (!fd.valid()) {
        return fail_errno(errno, dir_path);
    }
    return visit({tree, st.st_dev, fd.get(), name, inner, whole});
}

}  // namespace khob::keep
