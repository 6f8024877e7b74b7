// SPDX-License-Identifier: GPL-2.0-only
// Attaches to what the previous kernel handed over.
#include "attach/attach.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <condition_variable>
#include <mutex>
#include <thread>

#include "base/files.hpp"
#include "base/numbers.hpp"
#include "plan/boot_params.hpp"

namespace khob {

namespace {

constexpr std::string_view boot_params_dir = "/sys/kernel/boot_params";

tl::unexpected<Error> nothing_handed() {
    return fail(ExitCode::nothing_handed, "this kernel was handed nothing",
                "it has to be started by kexec, after `khoctl load`");
}

/// Whether a node of the chain is of a handover, by what its file `type` says.
bool is_ours(std::string_view text) {
    const auto type = parse_u64(trimmed(text));
    constexpr std::array<std::uint64_t, 3> ours{abi::setup_kexec_kho, abi::setup_indirect_range,
                                                abi::setup_seal};
    return type && std::find(ours.begin(), ours.end(), *type) != ours.end();
}

/// Where distributions and people put modules of their own, best first.
constexpr std::array<std::string_view, 5> module_dirs{"updates/dkms", "updates", "extra", "misc",
                                                      "kernel/mm"};
constexpr std::array<std::string_view, 4> module_suffixes{".ko", ".ko.xz", ".ko.zst", ".ko.gz"};

Result<void> load_bridge(System& sys, std::filesystem::path file) {
    if (file.empty()) {
        auto found = find_module(sys);
        if (!found) {
            return tl::unexpected(found.error());
        }
        file = std::move(*found);
    }
    return sys.load_module(file, "");
}

/// Shows how far the module is, from its making to its end, while another thread waits for it.
class Onlooker {
  public:
    /// `module`: an opening of its own, so that what the other is told is not mixed up.
    Onlooker(const Module& module, Progress& progress)
        : thread_([&module, &progress](const std::stop_token& stop) {
              std::mutex alone;
              std::condition_variable_any stopped;
              std::unique_lock lock(alone);
              while (!stopped.wait_for(lock, stop, interval, [] { return false; }) &&
                     !stop.stop_requested()) {
                  if (const auto now = module.attach_progress()) {
                      progress.update(now->done, now->all);
                  }
              }
          }) {}

  private:
    static constexpr std::chrono::milliseconds interval{100};
    std::jthread thread_;
};

Result<void> attach_watched(const System& sys, const Module& module, PhysAddr setup_data,
                            Progress& progress) {
    if (!progress.live()) {
        return module.attach(setup_data);
    }
    const auto second = Module::open(sys);
    if (!second) {
        return tl::unexpected(second.error());
    }
    const Onlooker onlooker(*second, progress);
    return module.attach(setup_data);
}

Result<void> inform_module(System& sys, const AttachOptions& options, AttachReport& report,
                           Progress& progress) {
    if (!module_loaded(sys)) {
        if (auto ok = load_bridge(sys, options.module); !ok) {
            return ok;
        }
        report.loaded_module = true;
    }
    const auto module = Module::open(sys);
    if (!module) {
        return tl::unexpected(module.error());
    }
    const auto status = module->status();
    if (!status) {
        return tl::unexpected(status.error());
    }
    if (status->attached()) {
        report.was_attached = true;
        return {};
    }
    auto told = attach_watched(sys, *module, report.setup_data, progress);
    // A refusal shows in the status, with its reason: that is where the caller looks.
    const auto now = module->status();
    if (!told && !(now && !now->text("in.reason").empty())) {
        return told;
    }
    return {};
}

}  // namespace

Result<PhysAddr> find_handover(const System& sys) {
    const auto nodes = sys.path(fmt::format("{}/setup_data", boot_params_dir));
    const auto names = list_dir(nodes);
    if (!names) {
        return nothing_handed();
    }
    std::error_code ignored;
    // One of ours is enough: if another is not what it was, the module says so. A kernel's own KHO
    // knows without them.
    const bool handed =
        std::any_of(names->begin(), names->end(),
                    [&nodes](const auto& name) {
                        return is_ours(read_text(nodes / name / "type").value_or(""));
                    }) ||
        std::filesystem::exists(sys.path(kernel_kho_dir) / "in/fdt", ignored);
    const auto page = read_bytes(sys.path(fmt::format("{}/data", boot_params_dir)));
    const auto first = page ? setup_data_of(*page) : std::nullopt;
    if (!handed || !first || *first == PhysAddr(0)) {
        return nothing_handed();
    }
    return *first;
}

Result<std::filesystem::path> find_module(const System& sys) {
    const std::string release = sys.release();
    const auto base = sys.path("/lib/modules") / release;
    for (const std::string_view dir : module_dirs) {
        for (const std::string_view suffix : module_suffixes) {
            const auto path = base / dir / fmt::format("kho_bridge{}", suffix);
            std::error_code ignored;
            if (std::filesystem::exists(path, ignored)) {
                return path;
            }
        }
    }
    return fail(
        ExitCode::absent,
        fmt::format("the module kho_bridge is neither loaded nor installed for {}", release),
        "install it, or say where it is: --module PATH");
}

std::optional<double> tsc_millis(std::uint64_t from, std::uint64_t to, std::uint64_t khz) {
    if (khz == 0 || from == 0 || to < from) {
        return std::nullopt;
    }
    return static_cast<double>(to - from) / static_cast<double>(khz);
}

Result<void> require_attached(const Status& status) {
    if (status.attached()) {
        return {};
    }
    if (status.refused()) {
        return fail(ExitCode::data_damaged,
                    fmt::format("the handover is damaged: {}", status.text("in.reason")),
                    "what was handed over stays reserved until `khoctl release all`");
    }
    if (const std::string why = status.text("in.reason"); !why.empty()) {
        return fail(ExitCode::nothing_handed, fmt::format("nothing is attached: {}", why),
                    "`khoctl attach` may be tried again");
    }
    return fail(ExitCode::nothing_handed, "nothing is attached",
                "`khoctl attach` first; it says whether this kernel was handed anything");
}

Result<AttachReport> attach(System& sys, const AttachOptions& options, Progress& progress) {
    const Stopwatch total;
    if (auto ok = require_root(sys); !ok) {
        return tl::unexpected(ok.error());
    }
    // Before anything can be in the way.
    close_shown(sys);
    if (auto ok = require_no_lockdown(sys); !ok) {
        return tl::unexpected(ok.error());
    }
    AttachReport report;
    if (options.setup_data) {
        report.setup_data = *options.setup_data;
    } else {
        const auto found = find_handover(sys);
        if (!found) {
            return tl::unexpected(found.error());
        }
        report.setup_data = *found;
    }
    if (auto ok = inform_module(sys, options, report, progress); !ok) {
        return tl::unexpected(ok.error());
    }
    const auto module = Module::open(sys);
    if (!module) {
        return tl::unexpected(module.error());
    }
    auto status = module->status();
    if (!status) {
        return tl::unexpected(status.error());
    }
    report.shown = see_shown(sys, *status);
    if (auto ok = require_attached(*status); !ok) {
        Error error = ok.error();
        if (report.shown.damaged) {
            error.what += fmt::format("; {}", not_looked_at);
        } else if (report.shown.intervals != 0) {
            error.what += fmt::format("; {}", shown_error(report.shown).what);
        }
        return tl::unexpected(std::move(error));
    }
    report.status = std::move(*status);
    if (options.init_tsc) {
        report.blackout_ms =
            tsc_millis(report.status.number_or("in.kexec_tsc", 0), *options.init_tsc,
                       report.status.number_or("in.tsc_khz", 0));
    }
    report.total_ms = total.millis();
    return report;
}

Value AttachReport::to_value() const {
    const auto number = [this](std::string_view name) {
        const auto n = status.number(name);
        return n ? Value(*n) : Value();
    };
    Value v;
    v.set("state", status.text("in.state"))
        .set("setup_data", setup_data)
        .set("loaded_module", loaded_module)
        .set("was_attached", was_attached)
        .set("method", status.text("in.method"))
        .set("abi", status.text("in.abi"))
        .set("keys", number("in.keys"))
        .set("pages", number("in.pages"))
        .set("bytes", Bytes{status.number_or("in.bytes", 0)})
        .set("subtrees", number("in.subtrees"))
        .set("ranges", number("in.ranges"))
        .set("gap_pages", number("in.gap_pages"))
        .set("previous_release", status.text("in.previous_release"))
        .set("kexec_count", number("in.kexec_count"))
        .set("shown_ranges", shown_value(shown))
        .set("attach_us", number("in.attach_us"))
        .set("blackout_ms", blackout_ms ? Value(Millis{*blackout_ms}) : Value())
        .set("ms", Millis{total_ms});
    return v;
}

}  // namespace khob
