// SPDX-License-Identifier: GPL-2.0-only
#include "keep/choose.hpp"

#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>

#include "base/types.hpp"
#include "keep/record.hpp"

namespace khob::keep {

namespace {

/// Counts what files will have when they are kept: their holes are filled.
class Counter {
  public:
    explicit Counter(bool any)
        : walker_([this](const Fd& file, const std::string& /*path*/,
                         Entry& /*entry*/) { return count(file); },
                  any) {}

    Result<void> add(const std::string& path) { return walker_.add(path); }
    std::uint64_t files() const { return walker_.files(); }
    /// A page of a list tells of this many, at least: the lists are in it.
    std::uint64_t bytes() const { return bytes_ + bytes_ / pages_a_list_page; }

  private:
    static constexpr std::uint64_t pages_a_list_page = 128;

    Result<void> count(const Fd& file) {
        constexpr std::uint64_t stat_block = 512;
        struct stat st {};
        if (::fstat(file.get(), &st) == 0) {
            const auto size = static_cast<std::uint64_t>(st.st_size);
            bytes_ += std::max(static_cast<std::uint64_t>(st.st_blocks) * stat_block,
                               (size + page_size - 1) / page_size * page_size);
        }
        return {};
    }

    std::uint64_t bytes_ = 0;
    Walker walker_;
};

Left no_room(const std::string& path, std::uint64_t needs, std::uint64_t room) {
    return {path, fmt::format("no room: it needs {}, and of what the next kernel can spare {} are "
                              "left",
                              human_bytes(needs), human_bytes(room))};
}

}  // namespace

Result<Chosen> choose(const std::vector<Wanted>& wanted, std::uint64_t spare, bool any) {
    Chosen out;
    Counter must(any);
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
    if (must.bytes() > spare) {
        return fail(ExitCode::refused,
                    fmt::format("the files that are to be kept need {}, and the next kernel can "
                                "spare {}",
                                human_bytes(must.bytes()), human_bytes(spare)),
                    "keep less (`khoctl keep ls`), or let some stay (`khoctl keep --optional`)");
    }
    out.files = must.files();
    out.bytes = must.bytes();
    for (const Wanted* w : may) {
        Counter one(any);
        if (auto ok = one.add(w->noted.path); !ok) {
            return tl::unexpected(ok.error());
        }
        if (one.bytes() > spare - out.bytes) {
            out.left.push_back(no_room(w->noted.path, one.bytes(), spare - out.bytes));
            continue;
        }
        out.files += one.files();
        out.bytes += one.bytes();
        out.going.push_back(*w);
    }
    return out;
}

}  // namespace khob::keep
