// SPDX-License-Identifier: GPL-2.0-only
#include "keep/choose.hpp"

#include <fmt/format.h>
#include <sys/stat.h>
#include <sys/statvfs.h>

#include <algorithm>
#include <cerrno>
#include <map>
#include <string>
#include <utility>

#include "base/types.hpp"
#include "keep/record.hpp"

namespace khob::keep {

namespace {

/// Bytes of holes that are filled, by file system.
using Holes = std::map<dev_t, std::uint64_t>;

/// Counts what files will have when they are kept: their holes are filled, for good.
class Counter {
  public:
    /// `filled`: of others.
    Counter(const Limits& limits, Holes filled, bool any)
        : free_(limits.free),
          holes_(std::move(filled)),
          walker_([this](const Fd& file, const std::string& path,
                         Entry& /*entry*/) { return count(file, path); },
                  any) {}

    Result<void> add(const std::string& path) { return walker_.add(path); }
    std::uint64_t files() const { return walker_.files(); }
    const Holes& holes() const { return holes_; }
    /// Why there is no room here, if there is none.
    const std::string& why() const { return why_; }
    /// A page of a list tells of this many, at least: the lists are in it.
    std::uint64_t bytes() const { return bytes_ + bytes_ / pages_a_list_page; }

  private:
    static constexpr std::uint64_t pages_a_list_page = 128;

    Result<void> count(const Fd& file, const std::string& path);

    std::optional<std::uint64_t> free_;
    Holes holes_;
    std::string why_;
    std::uint64_t bytes_ = 0;
    Walker walker_;
};

Result<void> Counter::count(const Fd& file, const std::string& path) {
    struct stat st {};
    struct statvfs on {};
    if (::fstat(file.get(), &st) != 0 || ::fstatvfs(file.get(), &on) != 0) {
        return fail_errno(errno, path);
    }
    const auto size = static_cast<std::uint64_t>(st.st_size);
    const std::uint64_t has = allocated_bytes(st);
    const std::uint64_t whole = std::max(has, (size + page_size - 1) / page_size * page_size);
    bytes_ += whole;
    std::uint64_t& holes = holes_[st.st_dev];
    holes += whole - has;
    std::uint64_t room = free_.value_or(holes);
    // Without a limit there are no blocks.
    if (on.f_blocks != 0) {
        room = std::min(room, std::uint64_t{on.f_bfree} * on.f_frsize);
    }
    if (whole == has || holes <= room) {
        return {};
    }
    why_ = fmt::format("its holes have {}, which a load fills, and there is room for {}",
                       human_bytes(whole - has),
                       human_bytes(room - std::min(room, holes - (whole - has))));
    return fail(ExitCode::refused, fmt::format("{} cannot be kept: {}", escaped(path), why_),
                "make room, or keep it no longer (`khoctl keep rm`)");
}

Left no_room(const std::string& path, std::uint64_t needs, std::uint64_t room) {
    return {path, fmt::format("no room: it needs {}, and of what the next kernel can spare {} are "
                              "left",
                              human_bytes(needs), human_bytes(room))};
}

}  // namespace

Result<Chosen> choose(const std::vector<Wanted>& wanted, const Limits& limits, bool any) {
    Chosen out;
    Counter must(limits, {}, any);
    std::vector<const Wanted*> may;
    for (const Wanted& w : wanted) {
        const auto& most = w.noted.most_bytes;
        if (most && bytes_below(w.noted.path) > *most) {
            out.left.push_back({w.noted.path, fmt::format("larger than {}", human_bytes(*most))});
        } else if (w.noted.optional) {
            may.push_back(&w);
        } else {
            if (auto ok = must.add(w.noted.path); !ok) {
                return tl::unexpected(ok.error());
            }
            out.going.push_back(w);
        }
    }
    if (must.bytes() > limits.spare) {
        return fail(ExitCode::refused,
                    fmt::format("the files that are to be kept need {}, and the next kernel can "
                                "spare {}",
                                human_bytes(must.bytes()), human_bytes(limits.spare)),
                    "keep less (`khoctl keep ls`), or let some stay (`khoctl keep --optional`)");
    }
    out.files = must.files();
    out.bytes = must.bytes();
    Holes filled = must.holes();
    for (const Wanted* w : may) {
        Counter one(limits, filled, any);
        if (auto ok = one.add(w->noted.path); !ok) {
            if (one.why().empty()) {
                return tl::unexpected(ok.error());
            }
            out.left.push_back({w->noted.path, one.why()});
            continue;
        }
        const std::uint64_t left = limits.spare - out.bytes;
        if (one.bytes() > left) {
            out.left.push_back(no_room(w->noted.path, one.bytes(), left));
            continue;
        }
        filled = one.holes();
        out.files += one.files();
        out.bytes += one.bytes();
        out.going.push_back(*w);
    }
    return out;
}

}  // namespace khob::keep
