// SPDX-License-Identifier: GPL-2.0-only
// What waits and what there is room for, and then all of it.
#include "keep/restore.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <sys/statvfs.h>

#include <algorithm>
#include <cerrno>
#include <map>

#include "base/digest.hpp"
#include "base/interrupt.hpp"

namespace khob::keep {

namespace {

constexpr std::uint64_t page = 4096;

Result<Fd> open_top(const std::string& path) {
    auto top = open_file(path, O_RDONLY | O_DIRECTORY);
    if (!top) {
        return fail(ExitCode::refused, top.error().what, "mount a tmpfs there, or say `--into`");
    }
    if (!is_on_tmpfs(*top)) {
        return fail(ExitCode::refused, fmt::format("{} is no tmpfs", path),
                    "mount one there, or say `--into`");
    }
    return top;
}

/// What is to come back, and where.
struct Plan {
    Record record;
    std::string subtree;
};

struct Need {
    std::uint64_t pages = 0;
    std::uint64_t inodes = 0;
};

const std::string& place_of(const Tree& tree, const std::string& into) {
    return into.empty() ? tree.mount : into;
}

bool is_there(const Fd& top, const std::string& path) {
    return open_below(top, path, O_PATH).valid();
}

/// Adds a file that waits, without what it has if its restoring was broken off.
void add_file(const Fd& top, const Entry& entry, std::uint64_t bytes, Need& need) {
    const std::string dir = split_path(entry.path).first;
    const Fd draft =
        open_below(top, (dir.empty() ? "" : dir + "/") + draft_name(entry.token), O_PATH);
    struct stat st {};
    if (draft.valid() && ::fstat(draft.get(), &st) == 0) {
        bytes -= std::min(bytes, allocated_bytes(st));
    } else {
        need.inodes++;
    }
    need.pages += bytes / page;
}

/// What a tree takes of its file system, besides what is there.
Result<void> add_need(const Tree& tree, const std::string& path,
                      const std::map<std::uint64_t, std::uint64_t>& waits, Need& need) {
    const auto top = open_top(path);
    if (!top) {
        return tl::unexpected(top.error());
    }
    for (const Entry& entry : tree.entries) {
        const auto it = waits.find(entry.token);
        const bool file = entry.type == EntryType::file;
        if ((file && it == waits.end()) || is_there(*top, entry.path)) {
            continue;
        }
        if (file) {
            add_file(*top, entry, it->second, need);
        } else {
            need.inodes++;
        }
    }
    return {};
}

Result<void> require_room(const std::string& path, const Need& need) {
    struct statvfs st {};
    if (::statvfs(path.c_str(), &st) != 0) {
        return fail_errno(errno, path);
    }
    // Without a limit there are none.
    const std::uint64_t free = st.f_bfree * st.f_frsize;
    if (st.f_blocks != 0 && need.pages * page > free) {
        return fail(ExitCode::refused,
                    fmt::format("{} has room for {}, and what was kept has {}: nothing was taken",
                                path, human_bytes(free), human_bytes(need.pages * page)),
                    fmt::format("mount -o remount,size=... {}; or `--into` another tmpfs", path));
    }
    if (st.f_files != 0 && need.inodes > st.f_ffree) {
        return fail(ExitCode::refused,
                    fmt::format("{} has room for {} more names, and what was kept has {}: nothing "
                                "was taken",
                                path, st.f_ffree, need.inodes),
                    fmt::format("mount -o remount,nr_inodes=... {}", path));
    }
    return {};
}

/// The records that were handed over, the newest first: its files come before older ones.
Result<std::vector<Plan>> read_plans(const Module& module) {
    std::vector<Plan> out;
    auto subtrees = module.subtrees(Side::in);
    if (!subtrees) {
        return tl::unexpected(subtrees.error());
    }
    std::reverse(subtrees->begin(), subtrees->end());
    for (const Subtree& subtree : *subtrees) {
        if (!subtree.name.starts_with(subtree_prefix)) {
            continue;
        }
        const auto bytes = module.subtree(Side::in, subtree.name);
        if (!bytes) {
            return tl::unexpected(bytes.error());
        }
        if (subtree.digest && xxh64(*bytes) != *subtree.digest) {
            return fail(ExitCode::data_damaged,
                        fmt::format("'{}' is not what was handed over", subtree.name),
                        "`khoctl keep drop` frees what was kept");
        }
        auto record = parse_record({reinterpret_cast<const char*>(bytes->data()), bytes->size()});
        if (!record) {
            return tl::unexpected(record.error());
        }
        out.push_back({std::move(*record), subtree.name});
    }
    return out;
}

/// By token, with the bytes.
Result<std::map<std::uint64_t, std::uint64_t>> read_waiting(const Device& device) {
    std::map<std::uint64_t, std::uint64_t> out;
    const auto known = device.list();
    if (!known) {
        return tl::unexpected(known.error());
    }
    for (const Known& file : *known) {
        if (file.waits) {
            out[file.token] = file.bytes;
        }
    }
    return out;
}

bool has_waiting(const Record& record, const std::map<std::uint64_t, std::uint64_t>& waits) {
    for (const Tree& tree : record.trees) {
        for (const Entry& entry : tree.entries) {
            if (entry.type == EntryType::file && waits.contains(entry.token)) {
                return true;
            }
        }
    }
    return false;
}

Result<void> check_room(const std::vector<Plan>& plans, const std::string& into,
                        const std::map<std::uint64_t, std::uint64_t>& waits) {
    std::map<std::string, Need> needs;
    for (const Plan& plan : plans) {
        for (const Tree& tree : plan.record.trees) {
            const std::string& path = place_of(tree, into);
            if (auto ok = add_need(tree, path, waits, needs[path]); !ok) {
                return ok;
            }
        }
    }
    for (const auto& [path, need] : needs) {
        if (auto ok = require_room(path, need); !ok) {
            return ok;
        }
    }
    return {};
}

Result<void> release(const Module& module, const std::string& subtree) {
    return module.release({.kind = device::TargetKind::subtree, .page = {}, .name = subtree});
}

}  // namespace

Value RestoreReport::to_value() const {
    Value v;
    v.set("files", files)
        .set("bytes", Bytes{bytes})
        .set("others", others)
        .set("ms", Millis{ms})
        .set("left_out", left_out(left));
    return v;
}

Result<RestoreReport> restore(const System& sys, const Module& module, const std::string& into,
                              Progress& progress) {
    const Stopwatch time;
    RestoreReport report;
    const auto device = Device::open(sys);
    if (!device) {
        return tl::unexpected(device.error());
    }
    const InterruptGuard interrupts;
    auto waiting = read_waiting(*device);
    const auto plans = read_plans(module);
    if (!waiting || !plans) {
        return tl::unexpected(waiting ? plans.error() : waiting.error());
    }
    if (auto ok = check_room(*plans, into, *waiting); !ok) {
        return tl::unexpected(ok.error());
    }
    std::set<std::uint64_t> waits;
    for (const auto& [token, bytes] : *waiting) {
        waits.insert(token);
    }
    progress.step("restoring kept files");
    const Filler fill = [&device](const Fd& empty, const Entry& entry, const std::string& path) {
        return device->adopt(empty, entry.token, escaped(path));
    };
    for (const Plan& plan : *plans) {
        for (const Tree& tree : plan.record.trees) {
            if (auto ok = restore_tree(tree, place_of(tree, into), waits, fill, report); !ok) {
                return tl::unexpected(ok.error());
            }
        }
    }
    waiting = read_waiting(*device);
    if (!waiting) {
        return tl::unexpected(waiting.error());
    }
    for (const Plan& plan : *plans) {
        if (has_waiting(plan.record, *waiting)) {
            continue;
        }
        if (auto ok = release(module, plan.subtree); !ok) {
            return tl::unexpected(ok.error());
        }
    }
    report.ms = time.millis();
    return report;
}

Result<std::uint64_t> discard(const System& sys, const Module& module) {
    std::uint64_t n = 0;
    const auto device = Device::open(sys);
    if (!device) {
        return tl::unexpected(device.error());
    }
    const auto waiting = read_waiting(*device);
    const auto subtrees = module.subtrees(Side::in);
    if (!waiting || !subtrees) {
        return tl::unexpected(waiting ? subtrees.error() : waiting.error());
    }
    for (const auto& [token, bytes] : *waiting) {
        if (auto ok = device->discard(token); !ok) {
            return tl::unexpected(ok.error());
        }
        n++;
    }
    for (const Subtree& subtree : *subtrees) {
        if (!subtree.name.starts_with(subtree_prefix)) {
            continue;
        }
        if (auto ok = release(module, subtree.name); !ok) {
            return tl::unexpected(ok.error());
        }
    }
    return n;
}

}  // namespace khob::keep
