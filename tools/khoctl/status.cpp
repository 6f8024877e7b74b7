// SPDX-License-Identifier: GPL-2.0-only
// The subcommand that says where this kernel stands: status.
#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <string>

#include "attach/shown.hpp"
#include "cli.hpp"
#include "load/load.hpp"
#include "load/preserved.hpp"
#include "machine/memory_map.hpp"
#include "module/module.hpp"
#include "plan/kho_scratch.hpp"

namespace khob::cli {

namespace {

/// What a load would cost, whatever kernel it is of.
struct Cost {
    Covering covering;
    std::uint64_t kho_scratch = 0;  ///< of one with KHO, besides the kernel and its initrd
};

/// Nothing while a kernel is loaded. Errors: as a load's.
Result<std::optional<Cost>> cost_of_load(const System& sys, const Module& module,
                                         const Status& status) {
    if (status.frozen()) {
        return std::nullopt;
    }
    const auto map = MemoryMap::read(sys.path("/sys/firmware/memmap"));
    if (!map) {
        return tl::unexpected(map.error());
    }
    auto covering = cover_preserved(module, *map, {});
    if (!covering) {
        return tl::unexpected(covering.error());
    }
    const std::uint64_t keys = status.number_or("out.keys", 0) + status.number_or("in.keys", 0);
    const KhoScratch scratch = kho_scratch(ScratchNeeds{}, machine_facts(sys, *map, keys));
    return Cost{std::move(*covering), scratch.low.size + scratch.early.total()};
}

Value cost_value(const Result<std::optional<Cost>>& cost) {
    Value v;
    const bool known = cost && *cost;
    const auto bytes = [known](auto get) { return known ? Value(Bytes{get()}) : Value(); };
    v.set("intervals", known ? Value(std::uint64_t{(*cost)->covering.intervals.size()}) : Value())
        .set("covered_bytes", bytes([&] { return (*cost)->covering.covered_bytes(); }))
        .set("gap_bytes", bytes([&] { return (*cost)->covering.gap_bytes; }))
        .set("kho_scratch_bytes", bytes([&] { return (*cost)->kho_scratch; }))
        .set("refused", cost ? Value() : Value(cost.error().what));
    return v;
}

std::string folios(const Status& status, std::string_view pages, std::string_view count) {
    return fmt::format("{} in {} folios", human_bytes(status.number_or(pages, 0) * page_size),
                       status.number_or(count, 0));
}

/// By whom; which of the other modules nobody counts.
void add_owners(const Status& status, Value& v) {
    if (const std::uint64_t all = status.number_or("out.pages", 0); all != 0) {
        const std::uint64_t clients = std::min(all, status.number_or("out.client_pages", 0));
        v.set("  by khoctl", human_bytes((all - clients) * page_size))
            .set("  by other modules", human_bytes(clients * page_size));
    }
    if (const std::uint64_t others = status.number_or("out.others_keys", 0); others != 0) {
        v.set("  by this kernel's KHO", fmt::format("{} folios of other clients besides", others));
    }
    if (status.attached() && status.number_or("in.pages", 0) != 0) {
        v.set("  by the kernel before", folios(status, "in.pages", "in.keys") + ", until restored");
    }
}

void add_preserved(const Status& status, Value& v) {
    const bool any = status.number_or("out.pages", 0) != 0;
    v.set("preserved", any ? folios(status, "out.pages", "out.folios") : "nothing");
    add_owners(status, v);
    v.set("subtrees", status.number_or("out.subtrees", 0))
        .set("metadata", human_bytes(status.number_or("out.metadata_bytes", 0)));
    if (const std::uint64_t bad = status.number_or("out.poisoned", 0); bad != 0) {
        v.set("left out", fmt::format("{} pages that the machine cannot read", bad));
    }
}

void add_cost(const Result<std::optional<Cost>>& cost, Value& v) {
    if (!cost) {
        v.set("a load", "would be refused: " + cost.error().what);
        return;
    }
    if (!*cost) {
        return;
    }
    const Covering& covering = (*cost)->covering;
    v.set("a load",
          fmt::format("{} interval{}, {} of gaps lost until attach", covering.intervals.size(),
                      covering.intervals.size() == 1 ? "" : "s", human_bytes(covering.gap_bytes)))
        .set("a load with KHO", fmt::format("{} of scratch besides kernel and initrd",
                                            human_bytes((*cost)->kho_scratch)));
}

/// What is loaded, and by whom.
std::string describe(const System& sys, const Status& status, const LoadedImage& image) {
    switch (image.state) {
        case device::ImageState::loading:
            return "not yet: " + image_error(image).what;
        case device::ImageState::loaded:
            return fmt::format("a kernel, by {} (PID {}), with {} of scratch in {} areas",
                               image.comm, image.pid,
                               human_bytes(status.number_or("scratch.bytes", 0)),
                               status.number_or("scratch.areas", 0));
        case device::ImageState::replaced:
            return "a kernel that gets nothing: `khoctl unload`";
        case device::ImageState::unloaded:
            return "nothing any more, but all is frozen: `khoctl unload`";
        case device::ImageState::none:
            break;
    }
    return kexec_loaded(sys) ? "a kernel, not by khoctl: what is preserved would be lost"
                             : "nothing";
}

void add_loaded(const System& sys, const Status& status, const LoadedImage& image, Value& v) {
    v.set("loaded", describe(sys, status, image));
    if (const auto allowed = require_kexec(sys); !allowed) {
        v.set("kexec", allowed.error().what);
    }
    if (const auto open = require_no_lockdown(sys); !open) {
        v.set("lockdown", lockdown_level(sys));
    }
}

void add_incoming(const Status& status, Value& v) {
    if (status.attached()) {
        v.set("came in",
              fmt::format("{}, {} subtrees ({}, {})", folios(status, "in.pages", "in.keys"),
                          status.number_or("in.subtrees", 0), status.text("in.method"),
                          status.text("in.abi")));
    } else if (status.refused()) {
        v.set("came in", "refused: " + status.text("in.reason"));
    } else {
        v.set("came in", status.was_attached() ? "all of it is given back" : "nothing");
    }
    if (const std::string before = status.text("in.previous_release"); !before.empty()) {
        v.set("from", fmt::format("{}, kexec {}", before, status.number_or("in.kexec_count", 0)));
    }
    if (const std::uint64_t pages = status.number_or("in.restored_pages", 0); pages != 0) {
        v.set("restored", human_bytes(pages * page_size));
    }
    if (const std::uint64_t bad = status.number_or("in.poisoned", 0); bad != 0) {
        v.set("set aside", fmt::format("{} pages that the machine cannot read", bad));
    }
}

/// What fits a screen.
Value brief(const System& sys, const Status& status, const LoadedImage& image, const Shown& shown,
            const Result<std::optional<Cost>>& cost) {
    Value v;
    v.set("kho_bridge",
          fmt::format("{}{}, {} by {}", status.text("version"),
                      status.number_or("test_build", 0) != 0 ? " (test build)" : "",
                      status.text("abi"),
                      status.text("source") == "native" ? "this kernel's own KHO" : "this module"));
    add_preserved(status, v);
    add_cost(cost, v);
    add_loaded(sys, status, image, v);
    add_incoming(status, v);
    if (shown.intervals != 0) {
        v.set("shown_ranges", shown_value(shown));
    }
    if (const std::string error = status.text("last_error"); !error.empty()) {
        v.set("last error", error);
    }
    return v;
}

Value kexec_value(const System& sys, const LoadedImage& image) {
    const bool known = image.pid != 0;
    Value v;
    v.set("loaded", kexec_loaded(sys))
        .set("image", to_string(image.state))
        .set("loaded_by", known ? Value(image.comm) : Value())
        .set("loaded_by_pid", known ? Value(std::uint64_t{image.pid}) : Value())
        .set("allowed", require_kexec(sys).has_value())
        .set("lockdown", lockdown_level(sys));
    return v;
}

Result<Outcome> show_status(Context& ctx, bool verbose) {
    const System& sys = *ctx.system;
    const auto module = Module::open(sys);
    if (!module) {
        return tl::unexpected(module.error());
    }
    const auto status = module->status();
    if (!status) {
        return tl::unexpected(status.error());
    }
    const auto image = module->image();
    if (!image) {
        return tl::unexpected(image.error());
    }
    const auto cost = cost_of_load(sys, *module, *status);
    Value value = status->to_value();
    const Shown shown = see_shown(sys, *status);
    value.set("kexec", kexec_value(sys, *image))
        .set("cost", cost_value(cost))
        .set("shown_ranges", shown_value(shown));
    Outcome out{std::move(value), {}};
    if (!verbose) {
        out.brief = brief(sys, *status, *image, shown, cost);
    }
    if (shown.intervals != 0 && (status->was_attached() || status->refused())) {
        out.error = shown_error(shown);
    }
    if (image->state == device::ImageState::replaced ||
        image->state == device::ImageState::unloaded) {
        out.error = image_error(*image);
    }
    return out;
}

}  // namespace

void add_status(CLI::App& app, Selection& selection) {
    const auto verbose = std::make_shared<bool>(false);
    CLI::App* status = add_command(app, "status", "What is preserved, loaded and attached",
                                   "khoctl status --json");
    status->add_flag("-v,--verbose", *verbose, "all that the module says, not what fits a screen");
    add_json(*status, selection);
    status->callback([&selection, verbose] {
        selection.action = [verbose](Context& ctx) { return show_status(ctx, *verbose); };
    });
}

}  // namespace khob::cli
