// SPDX-License-Identifier: GPL-2.0-only
// Makes what a tree of kept files has below a directory.
#include <fcntl.h>
#include <fmt/format.h>
#include <linux/openat2.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>

#include "base/interrupt.hpp"
#include "keep/restore.hpp"

namespace khob::keep {

namespace {

constexpr mode_t closed_file = 0600;
constexpr mode_t closed_dir = 0700;
constexpr std::uint64_t page = 4096;

std::array<timespec, 2> times_of(const Entry& entry) {
    const auto one = [](const Time& time) {
        return timespec{time.seconds, static_cast<long>(time.nanoseconds)};
    };
    return {one(entry.atime), one(entry.mtime)};
}

/// Whether memory has no byte but 0.
bool is_zero(const std::vector<char>& bytes, std::size_t n) {
    return std::all_of(bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(n),
                       [](char c) { return c == 0; });
}

/// Whole pages between two offsets that hold nothing are a hole again. What somebody has written
/// there since the load stays.
void punch(const Fd& file, std::uint64_t start, std::uint64_t end) {
    std::vector<char> buffer(page);
    start = (start + page - 1) / page * page;
    for (std::uint64_t at = start; at < end; at += page) {
        const std::size_t length = std::min(page, end - at);
        const ssize_t n = ::pread(file.get(), buffer.data(), length, static_cast<off_t>(at));
        if (n == static_cast<ssize_t>(length) && is_zero(buffer, length)) {
            // If it fails the file is as good, and larger.
            (void)::fallocate(file.get(), FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
                              static_cast<off_t>(at), static_cast<off_t>(page));
        }
    }
}

void punch_holes(const Fd& file, const Entry& entry) {
    std::uint64_t end = 0;
    if (!entry.data) {
        return;
    }
    for (const Span& span : *entry.data) {
        punch(file, end, span.start);
        end = span.start + span.bytes;
    }
    punch(file, end, entry.size);
}

class Restorer {
  public:
    Restorer(const Fd& top, std::string into, const Filler& fill, RestoreReport& report)
        : top_(&top), into_(std::move(into)), fill_(&fill), report_(&report) {}

    Result<void> make(const Entry& entry);
    void finish_directories();

  private:
    std::string whole(const std::string& inner) const { return into_ + "/" + inner; }
    void leave(const std::string& inner, std::string why) {
        report_->left.push_back({whole(inner), std::move(why)});
    }
    bool is_same(const Fd& parent, const std::string& name, const Entry& entry,
                 const struct stat& st) const;
    void dress(const Fd& fd, const Entry& entry);
    Result<void> make_file(const Fd& parent, const std::string& name, const Entry& entry);
    void make_directory(const Fd& parent, const std::string& name, const Entry& entry);
    void make_symlink(const Fd& parent, const std::string& name, const Entry& entry);
    void make_link(const Fd& parent, const std::string& name, const Entry& entry);

    const Fd* top_;
    std::string into_;
    const Filler* fill_;
    RestoreReport* report_;
    std::vector<const Entry*> directories_;
    std::set<std::string> made_;
};

/// Owner before mode, which changing the owner may clear; times last.
void Restorer::dress(const Fd& fd, const Entry& entry) {
    bool ok = ::fchown(fd.get(), entry.uid, entry.gid) == 0;
    for (const auto& [name, value] : entry.xattrs) {
        ok = ::fsetxattr(fd.get(), name.c_str(), value.data(), value.size(), 0) == 0 && ok;
    }
    ok = ::fchmod(fd.get(), entry.mode) == 0 && ok;
    ok = ::futimens(fd.get(), times_of(entry).data()) == 0 && ok;
    if (!ok) {
        leave(entry.path, "back, but not with all of its attributes");
    }
}

Result<void> Restorer::make_file(const Fd& parent, const std::string& name, const Entry& entry) {
    // Of root's alone until all is in it. If memory runs out it stays, and the next try goes on.
    const std::string draft = draft_name(entry.token);
    const Fd file(::openat(parent.get(), draft.c_str(), O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC,
                           closed_file));
    struct stat st {};
    if (!file.valid() || ::fstat(file.get(), &st) != 0) {
        return fail_errno(errno, whole(entry.path));
    }
    if (!S_ISREG(st.st_mode) || st.st_uid != ::geteuid() || st.st_nlink != 1) {
        return fail(ExitCode::refused,
                    fmt::format("{}: somebody else's file is in the way", whole(draft)),
                    "remove it");
    }
    if (auto ok = (*fill_)(file, entry, whole(entry.path)); !ok) {
        if (ok.error().code != ExitCode::failure) {
            (void)::unlinkat(parent.get(), draft.c_str(), 0);
        }
        return ok;
    }
    punch_holes(file, entry);
    dress(file, entry);
    if (::renameat2(parent.get(), draft.c_str(), parent.get(), name.c_str(), RENAME_NOREPLACE) !=
        0) {
        leave(entry.path, fmt::format("{}; it is {} there", std::strerror(errno), draft));
        return {};
    }
    report_->files++;
    report_->bytes += entry.size;
    made_.insert(entry.path);
    return {};
}

void Restorer::make_directory(const Fd& parent, const std::string& name, const Entry& entry) {
    if (name.empty()) {
        return;
    }
    if (::mkdirat(parent.get(), name.c_str(), closed_dir) == 0) {
        directories_.push_back(&entry);
        report_->others++;
        return;
    }
    const int err = errno;
    if (!open_below(*top_, entry.path, O_PATH | O_DIRECTORY).valid()) {
        leave(entry.path, std::strerror(err));
    }
}

void Restorer::make_symlink(const Fd& parent, const std::string& name, const Entry& entry) {
    if (::symlinkat(entry.target.c_str(), parent.get(), name.c_str()) != 0) {
        leave(entry.path, std::strerror(errno));
        return;
    }
    report_->others++;
    const bool ok =
        ::fchownat(parent.get(), name.c_str(), entry.uid, entry.gid, AT_SYMLINK_NOFOLLOW) == 0 &&
        ::utimensat(parent.get(), name.c_str(), times_of(entry).data(), AT_SYMLINK_NOFOLLOW) == 0;
    if (!ok) {
        leave(entry.path, "back, but not with all of its attributes");
    }
}

void Restorer::make_link(const Fd& parent, const std::string& name, const Entry& entry) {
    if (!made_.contains(entry.target)) {
        leave(entry.path, "the file that it is another name of is not back");
        return;
    }
    const Fd file = open_below(*top_, entry.target, O_PATH);
    if (!file.valid() || ::linkat(file.get(), "", parent.get(), name.c_str(), AT_EMPTY_PATH) != 0) {
        leave(entry.path, std::strerror(errno));
        return;
    }
    report_->others++;
}

bool Restorer::is_same(const Fd& parent, const std::string& name, const Entry& entry,
                       const struct stat& st) const {
    if (entry.type == EntryType::symlink) {
        std::string target(most_path + 1, '\0');
        const ssize_t n = ::readlinkat(parent.get(), name.c_str(), target.data(), target.size());
        return n >= 0 && std::string_view(target).substr(0, static_cast<std::size_t>(n)) ==
                             std::string_view(entry.target);
    }
    const Fd file = entry.type == EntryType::link ? open_below(*top_, entry.target, O_PATH) : Fd();
    struct stat other {};
    return file.valid() && ::fstat(file.get(), &other) == 0 && other.st_dev == st.st_dev &&
           other.st_ino == st.st_ino;
}

Result<void> Restorer::make(const Entry& entry) {
    const auto [dir, name] = split_path(entry.path);
    const Fd parent = open_below(*top_, dir, O_RDONLY | O_DIRECTORY);
    if (!parent.valid()) {
        leave(entry.path, fmt::format("its directory: {}", std::strerror(errno)));
        return {};
    }
    struct stat st {};
    if (entry.type != EntryType::directory &&
        ::fstatat(parent.get(), name.c_str(), &st, AT_SYMLINK_NOFOLLOW) == 0) {
        // What an earlier restore has made is no stranger.
        if (!is_same(parent, name, entry, st)) {
            leave(entry.path, "something is there already");
        }
        return {};
    }
    switch (entry.type) {
        case EntryType::file:
            return make_file(parent, name, entry);
        case EntryType::directory:
            make_directory(parent, name, entry);
            break;
        case EntryType::symlink:
            make_symlink(parent, name, entry);
            break;
        case EntryType::link:
            make_link(parent, name, entry);
            break;
    }
    return {};
}

/// When all is in them: that changes their times, and their modes may forbid it.
void Restorer::finish_directories() {
    std::reverse(directories_.begin(), directories_.end());
    for (const Entry* entry : directories_) {
        const Fd dir = open_below(*top_, entry->path, O_RDONLY | O_DIRECTORY);
        if (dir.valid()) {
            dress(dir, *entry);
        }
    }
}

}  // namespace

std::string draft_name(std::uint64_t token) {
    return fmt::format(".kho-keep-{:016x}", token);
}

Fd open_below(const Fd& dir, const std::string& path, int flags) {
    open_how how{};
    how.flags = static_cast<std::uint64_t>(flags | O_CLOEXEC | O_NOFOLLOW);
    how.resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS;
    return Fd(static_cast<int>(
        ::syscall(SYS_openat2, dir.get(), path.empty() ? "." : path.c_str(), &how, sizeof(how))));
}

Result<void> restore_tree(const Tree& tree, const std::string& into,
                          const std::set<std::uint64_t>& waits, const Filler& fill,
                          RestoreReport& report) {
    const auto top = open_file(into, O_RDONLY | O_DIRECTORY);
    if (!top) {
        return tl::unexpected(top.error());
    }
    Restorer restorer(*top, into == "/" ? "" : into, fill, report);
    Result<void> ok;
    for (const Entry& entry : tree.entries) {
        if (entry.type == EntryType::file && !waits.contains(entry.token)) {
            continue;
        }
        ok = InterruptGuard::check();
        if (ok) {
            ok = restorer.make(entry);
        }
        if (!ok) {
            break;
        }
    }
    restorer.finish_directories();
    return ok;
}

}  // namespace khob::keep
