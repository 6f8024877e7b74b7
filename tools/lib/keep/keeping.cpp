// SPDX-License-Identifier: GPL-2.0-only
#include "keep/keeping.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <utility>

#include "base/bytes.hpp"
#include "base/journal.hpp"
#include "keep/choose.hpp"
#include "keep/record.hpp"
#include "machine/free_memory.hpp"

namespace khob::keep {

namespace {

/// No two loads give the same tokens, so that those that wait go on beside those that are new.
std::uint64_t first_token() {
    return static_cast<std::uint64_t>(std::chrono::system_clock::now().time_since_epoch() /
                                      std::chrono::nanoseconds(1));
}

bool is_record(const Subtree& subtree) {
    return subtree.name.starts_with(subtree_prefix);
}

/// Those that were put here: what was handed over goes on by itself.
Result<void> unpreserve_records(const Module& module) {
    const auto out = module.subtrees(Side::out);
    if (!out) {
        return tl::unexpected(out.error());
    }
    const auto in = module.subtrees(Side::in).value_or(std::vector<Subtree>{});
    for (const Subtree& subtree : *out) {
        const auto same = [&subtree](const Subtree& s) { return s.name == subtree.name; };
        if (!is_record(subtree) || std::any_of(in.begin(), in.end(), same)) {
            continue;
        }
        if (auto ok = module.unpreserve(
                {.kind = device::TargetKind::subtree, .page = {}, .name = subtree.name});
            !ok) {
            return ok;
        }
    }
    return {};
}

}  // namespace

Value KeepReport::to_value() const {
    Value v;
    v.set("files", files)
        .set("bytes", Bytes{bytes})
        .set("ms", Millis{ms})
        .set("left_out", left_out(left));
    return v;
}

Keeping::Keeping(Keeping&& other) noexcept
    : sys_(other.sys_),
      module_(std::exchange(other.module_, nullptr)),
      report_(std::move(other.report_)) {}

Keeping::~Keeping() {
    // The failure that led here is what gets reported; this does what can be done.
    if (module_ != nullptr) {
        (void)drop(*sys_, *module_);
    }
}

Result<void> Keeping::drop(const System& sys, const Module& module) {
    const auto device = Device::open(sys);
    if (!device) {
        // Without it nothing is kept, nor where it has refused what the kernel before has left.
        const ExitCode code = device.error().code;
        return code == ExitCode::absent || code == ExitCode::data_damaged
                   ? Result<void>{}
                   : tl::unexpected(device.error());
    }
    if (auto ok = device->drop(); !ok) {
        return ok;
    }
    return unpreserve_records(module);
}

Result<Keeping> Keeping::make(const System& sys, const Module& module,
                              const std::vector<Wanted>& wanted, std::uint64_t spare,
                              Progress& progress) {
    const Stopwatch time;
    Keeping out;
    const auto device = Device::open(sys);
    if (!device) {
        return tl::unexpected(device.error());
    }
    auto chosen = choose(wanted, {spare, free_memory(sys).available});
    if (!chosen) {
        return tl::unexpected(chosen.error());
    }
    for (const Left& left : chosen->left) {
        warn_in_journal(fmt::format("{} is not kept: {}", escaped(left.path), left.why));
    }
    out.report_.left = std::move(chosen->left);
    out.sys_ = &sys;
    out.module_ = &module;
    progress.step("keeping files");
    const std::uint64_t first = first_token();
    std::uint64_t next = first;
    Walker walker(
        [&device, &next](const Fd& file, const std::string& path, Entry& entry) {
            entry.token = next++;
            return device->keep(file, entry.token, escaped(path));
        },
        false);
    for (const Wanted& w : chosen->going) {
        if (auto ok = walker.add(w.noted.path); !ok) {
            return tl::unexpected(ok.error());
        }
    }
    if (!walker.record().trees.empty()) {
        const std::string json = to_json(walker.record());
        if (auto ok = module.put(subtree_name(first), as_bytes(json)); !ok) {
            return tl::unexpected(ok.error());
        }
    }
    out.report_.files = walker.files();
    out.report_.bytes = walker.bytes();
    out.report_.left.insert(out.report_.left.end(), walker.left().begin(), walker.left().end());
    out.report_.ms = time.millis();
    return out;
}

}  // namespace khob::keep
