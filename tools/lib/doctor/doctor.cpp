// SPDX-License-Identifier: GPL-2.0-only
// What doctor says of a kernel that is to be loaded, and what it makes of it all.
#include "doctor/doctor.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "base/files.hpp"
#include "base/mapped_file.hpp"
#include "image/probe.hpp"
#include "keep/choose.hpp"
#include "keep/list.hpp"
#include "keep/record.hpp"
#include "load/luo.hpp"
#include "load/preserved.hpp"
#include "machine/free_memory.hpp"
#include "module/module.hpp"
#include "plan/boot_image.hpp"
#include "plan/covering.hpp"
#include "plan/load_memory.hpp"
#include "plan/scratch_size.hpp"

namespace khob {

namespace {

/// What the checks of one kernel share.
struct Subject {
    const Seen* seen = nullptr;
    const DoctorOptions* options = nullptr;
    MappedFile image;
    BzImage kernel;
    std::uint64_t initrd_bytes = 0;
};

Check check_kho(const Result<KernelProbe>& probe) {
    const std::string name = "kernel's KHO";
    if (!probe) {
        return check_warning(name,
                             fmt::format("could not be seen in its image: {}", probe.error().what),
                             probe.error().hint);
    }
    if (!probe->has_kho()) {
        return check_ok(name, "none");
    }
    if (!probe->abi) {
        return check_warning(name,
                             fmt::format("{}, which this khoctl does not know", probe->compatible),
                             "use a newer khoctl, or --method indirect");
    }
    return check_ok(name, probe->compatible);
}

std::string why(const MethodChoice& choice, const MethodWishes& wishes) {
    if (wishes.method) {
        return "asked for";
    }
    if (choice.method != Method::indirect) {
        return fmt::format("the kernel's own KHO takes {}", choice.kernel_abi);
    }
    return choice.kernel_abi.empty() ? "the kernel has no KHO"
                                     : "kho= switches the kernel's KHO off";
}

Check check_method(const DoctorKernel& kernel, const MethodWishes& wishes) {
    return check_ok("method",
                    fmt::format("{} with {}: {}", to_string(kernel.choice->method),
                                abi::compatible(kernel.abi), why(*kernel.choice, wishes)));
}

/// Both ends' Live Update Orchestrators, and whether they go together.
Check check_luo(const Seen& seen, const MethodChoice& choice) {
    const std::string name = "kernel's LUO";
    const std::string kernel = choice.kernel_luo.value_or("could not be seen in its image");
    const auto module = Module::open(*seen.sys);
    if (module) {
        if (const auto ok = require_luo(*module, choice); !ok) {
            return check_missing(name, ok.error());
        }
    }
    if (kernel.empty()) {
        return check_ok(name, "none; kho_luo brings it there");
    }
    if (choice.kernel_luo && choice.method == Method::indirect) {
        return check_ok(
            name, fmt::format("{}, off as the kernel's KHO is; kho_luo takes its place", kernel));
    }
    if (liveupdate_switch(choice.cmdline) == false) {
        return check_warning(name,
                             fmt::format("{}, and liveupdate= switches it off: it throws sessions "
                                         "away",
                                         kernel),
                             "--cmdline with liveupdate=on, or without liveupdate=");
    }
    const auto handed = module ? luo_handed_over(*module) : std::optional<std::string>();
    return check_ok(name, handed && *handed
                              ? fmt::format("{}, as are the sessions that are handed over", kernel)
                              : kernel);
}

Check check_command_line(const Subject& subject, const MethodChoice& choice) {
    const std::string name = "command line";
    if (const auto ok = check_cmdline(subject.kernel, choice.cmdline); !ok) {
        return check_missing(name, ok.error());
    }
    if (choice.added_kho_on || choice.added_liveupdate_on) {
        return check_ok(name,
                        fmt::format("a load puts {}{}{} in front",
                                    choice.added_liveupdate_on ? "liveupdate=on" : "",
                                    choice.added_liveupdate_on && choice.added_kho_on ? " " : "",
                                    choice.added_kho_on ? "kho=on" : ""));
    }
    const bool off = choice.method == Method::indirect && !choice.kernel_abi.empty();
    if (off && !subject.options->wishes.method) {
        return check_warning(name,
                             "kho=off: the kernel's own KHO takes nothing, intervals do instead",
                             "--cmdline with kho=on, or without kho=");
    }
    return check_ok(name, choice.kernel_abi.empty() || off ? "fits" : "has kho=on");
}

/// Scratch of the running kernel's own KHO, where a load would do with it.
std::optional<Check> check_kernels_scratch(const System& sys, const MethodChoice& choice,
                                           const ScratchPlan& plan) {
    if (!choice.by_kernel) {
        return std::nullopt;
    }
    const auto areas = kernel_scratch(sys);
    const bool file = choice.method == Method::file;
    if (!areas || (!file && !place(plan.needs, *areas))) {
        return std::nullopt;
    }
    if (auto room = require_shadow_room(*areas, plan.kho->early); !room) {
        return file ? std::optional(check_missing("scratch", room.error())) : std::nullopt;
    }
    return check_ok("scratch",
                    fmt::format("this kernel's own KHO has {}", human_bytes(total_bytes(*areas))));
}

/// What files a load would keep.
Check check_kept(const keep::Chosen& chosen) {
    std::string found =
        chosen.going.empty() && chosen.left.empty()
            ? std::string("none are named")
            : fmt::format("{} go along: {}", chosen.files, human_bytes(chosen.bytes));
    for (const keep::Left& left : chosen.left) {
        found += fmt::format("; {} stays: {}", keep::escaped(left.path), left.why);
    }
    return check_ok("kept files", found);
}

/// RAM for the incoming kernel besides what it is told to keep, and files that would be kept.
void check_left(const Subject& subject, const MemoryMap& map, const MethodChoice& choice,
                Checks& out) {
    const std::string name = "memory left";
    const System& sys = *subject.seen->sys;
    const auto module = Module::open(sys);
    const auto budget =
        module ? budget_now(*module, map, subject.kernel, subject.initrd_bytes, choice)
               : check_memory(map, {}, subject.kernel, subject.initrd_bytes, choice.kasan);
    if (!budget) {
        out.push_back(check_missing(name, budget.error()));
        return;
    }
    const auto wanted = keep::read_wanted(sys);
    const keep::Limits limits{budget->left_bytes - budget->safe_bytes, free_memory(sys).available};
    const auto chosen = wanted ? keep::choose(*wanted, limits) : tl::unexpected(wanted.error());
    const std::uint64_t kept = chosen ? chosen->bytes : 0;
    out.push_back(check_ok(name, fmt::format("{} for the next kernel, which needs {}",
                                             human_bytes(budget->left_bytes - kept),
                                             human_bytes(budget->safe_bytes))));
    out.push_back(chosen ? check_kept(*chosen) : check_missing("kept files", chosen.error()));
}

/// Scratch, the copy of every segment that the kernel keeps, and what is held while it loads.
Check check_scratch(const Subject& subject, const MethodChoice& choice, const ScratchPlan& plan) {
    const std::string name = "scratch";
    const auto own = check_kernels_scratch(*subject.seen->sys, choice, plan);
    if (own && own->state == CheckState::missing) {
        return *own;
    }
    const FreeMemory free = free_memory(*subject.seen->sys);
    const LoadMemory wanted =
        load_memory(plan, subject.kernel, subject.initrd_bytes, choice.method, own.has_value());
    const std::string figures = (own ? own->found + "; " : "") + wanted.to_string();
    if (!free.available) {
        return check_warning(name, fmt::format("{}; what is free could not be seen", figures),
                             "mount -t proc proc /proc");
    }
    if (const auto enough = require_memory(wanted, free); !enough) {
        return check_missing(name, enough.error());
    }
    if (*free.available < wanted.total()) {
        return check_warning(
            name,
            fmt::format("{} and {} besides while it loads, but only {} are "
                        "available, and others are swapped out",
                        figures, human_bytes(wanted.passing), human_bytes(*free.available)),
            "free memory, or use a smaller kernel or initrd");
    }
    if (!own && plan.kho && free.low && *free.low < plan.kho->low.size) {
        return check_missing(name,
                             fmt::format("{} are taken below 4 GiB, where there are only {}",
                                         human_bytes(plan.kho->low.size), human_bytes(*free.low)),
                             "--method indirect needs none there");
    }
    if (free.in_large_blocks && *free.in_large_blocks < wanted.contiguous) {
        return check_warning(
            name,
            fmt::format("{}, but memory is fragmented: {} are free in blocks of 2 MiB and more",
                        figures, human_bytes(*free.in_large_blocks)),
            "echo 1 > /proc/sys/vm/compact_memory, or load sooner after boot");
    }
    return check_ok(name,
                    fmt::format("{}; {} are available", figures, human_bytes(*free.available)));
}

void check_memory_for(const Subject& subject, const MethodChoice& choice, Checks& out) {
    const Seen& seen = *subject.seen;
    const auto map = MemoryMap::read(seen.sys->path("/sys/firmware/memmap"));
    if (!map) {
        return;  // Said already, of the machine.
    }
    if (seen.status && seen.status->frozen()) {
        return;  // Scratch is taken; what is free says nothing of another load.
    }
    check_left(subject, *map, choice, out);
    const std::uint64_t keys =
        seen.status ? seen.status->number_or("out.keys", 0) + seen.status->number_or("in.keys", 0)
                    : 0;
    const ScratchPlan plan = plan_scratch(*seen.sys, {.kernel = &subject.kernel,
                                                      .initrd_bytes = subject.initrd_bytes,
                                                      .cmdline = choice.cmdline,
                                                      .map = &*map,
                                                      .max_intervals = default_max_intervals,
                                                      .keys = keys,
                                                      .kho = choice.method != Method::indirect,
                                                      .kasan = choice.kasan,
                                                      .efi = seen.efi_or_null()});
    out.push_back(check_scratch(subject, choice, plan));
}

void check_initrd(Subject& subject, Checks& out) {
    if (subject.options->initrd.empty()) {
        return;
    }
    const auto file = MappedFile::open(subject.options->initrd);
    if (!file || file->size() == 0) {
        out.push_back(check_missing(
            "initrd",
            file ? fmt::format("{} is empty", subject.options->initrd.string()) : file.error().what,
            file || file.error().hint.empty() ? "check the path" : file.error().hint));
        return;
    }
    subject.initrd_bytes = file->size();
    out.push_back(check_ok("initrd", human_bytes(file->size())));
}

DoctorKernel check_kernel(const Seen& seen, const DoctorOptions& options, Checks& out) {
    DoctorKernel result;
    result.path = options.kernel.string();
    Subject subject;
    subject.seen = &seen;
    subject.options = &options;
    auto image = MappedFile::open(options.kernel);
    if (!image) {
        out.push_back(check_missing("kernel", image.error().what, "check the path"));
        return result;
    }
    subject.image = std::move(*image);
    auto header = inspect_bzimage(subject.image.bytes());
    if (!header) {
        out.push_back(check_missing("kernel", header.error()));
        return result;
    }
    subject.kernel = std::move(*header);
    result.release = subject.kernel.version.substr(0, subject.kernel.version.find(' '));
    out.push_back(
        check_ok("kernel", result.release.empty() ? "does not say its release" : result.release));
    if (const auto fit = parse_bzimage(subject.image.bytes()); !fit) {
        out.push_back(check_missing("relocatable", fit.error()));
    } else {
        out.push_back(check_ok("relocatable", "yes"));
    }
    const auto probe = probe_kernel(subject.image.bytes());
    result.kernel_abi = probe ? probe->compatible : "";
    out.push_back(check_kho(probe));
    check_initrd(subject, out);

    const auto in_use = seen.status ? abi::version_from(seen.status->text("abi")) : std::nullopt;
    auto choice = choose_method(
        probe, options.wishes, options.cmdline, in_use.value_or(abi::default_version),
        seen.status ? abi::version_from(seen.status->text("native.abi")) : std::nullopt);
    if (!choice) {
        out.push_back(check_missing("method", choice.error()));
        return result;
    }
    result.abi = choice->abi.value_or(in_use.value_or(abi::default_version));
    result.choice = std::move(*choice);
    out.push_back(check_method(result, options.wishes));
    const bool may_be_file = result.choice->method == Method::kho && !options.wishes.method;
    if (may_be_file && !seen.status && preserving_source(seen) == "native") {
        out.back() = check_warning("method", out.back().found + ", or file if this kernel's does",
                                   "load the module, which says so");
    }
    const auto reachable = require_setup_indirect(subject.kernel);
    if (!reachable && result.choice->method == Method::indirect) {
        out.push_back(check_missing("SETUP_INDIRECT", reachable.error()));
    }
    out.push_back(check_luo(seen, *result.choice));
    out.push_back(check_command_line(subject, *result.choice));
    check_memory_for(subject, *result.choice, out);
    return result;
}

}  // namespace

std::size_t DoctorReport::count(CheckState state) const {
    return static_cast<std::size_t>(std::count_if(
        checks.begin(), checks.end(), [state](const Check& c) { return c.state == state; }));
}

ExitCode DoctorReport::code() const {
    return count(CheckState::missing) == 0 ? ExitCode::ok : ExitCode::refused;
}

std::string DoctorReport::verdict() const {
    std::string names;
    for (const Check& check : checks) {
        if (check.state == CheckState::missing) {
            names += fmt::format("{}{}", names.empty() ? "" : ", ", check.name);
        }
    }
    const std::size_t warnings = count(CheckState::warning);
    const std::string besides =
        warnings == 0 ? "" : fmt::format("; {} warning{}", warnings, warnings == 1 ? "" : "s");
    if (!names.empty()) {
        return fmt::format("not ready: {}{}", names, besides);
    }
    if (kernel && kernel->choice) {
        return fmt::format("ready: a load would use method {} with {}{}",
                           to_string(kernel->choice->method), abi::compatible(kernel->abi),
                           besides);
    }
    return fmt::format("this machine is ready{}; name a kernel to see how it would be loaded",
                       besides);
}

Value DoctorReport::to_value() const {
    const auto text = [](const std::string& s) { return s.empty() ? Value() : Value(s); };
    Value value;
    value.set("release", release).set("source", text(source));
    if (kernel) {
        const bool chosen = kernel->choice.has_value();
        Value v;
        v.set("path", kernel->path)
            .set("release", text(kernel->release))
            .set("kho", text(kernel->kernel_abi))
            .set("method", chosen ? Value(to_string(kernel->choice->method)) : Value())
            .set("abi", chosen ? Value(abi::compatible(kernel->abi)) : Value())
            .set("cmdline", chosen ? Value(kernel->choice->cmdline) : Value());
        value.set("kernel", std::move(v));
    }
    Table table{{"check", "state", "found", "remedy"}, {}, true};
    for (const Check& c : checks) {
        table.rows.push_back({c.name, to_string(c.state), c.found, text(c.remedy)});
    }
    value.set("checks", std::move(table))
        .set("missing", std::uint64_t{count(CheckState::missing)})
        .set("warnings", std::uint64_t{count(CheckState::warning)})
        .set("ready", code() == ExitCode::ok)
        .set("verdict", verdict());
    return value;
}

std::string_view to_string(CheckState state) {
    switch (state) {
        case CheckState::ok:
            return "ok";
        case CheckState::warning:
            return "warning";
        case CheckState::missing:
            break;
    }
    return "missing";
}

DoctorReport doctor(const System& sys, const DoctorOptions& options) {
    Seen seen;
    seen.sys = &sys;
    seen.config = KernelConfig::read(sys);
    seen.efi =
        read_efi(sys, read_bytes(sys.path("/sys/kernel/boot_params/data")).value_or(ByteVector{}));
    if (const auto module = Module::open(sys)) {
        if (auto status = module->status()) {
            seen.status = std::move(*status);
        }
        if (auto image = module->image()) {
            seen.image = std::move(*image);
        }
    }
    DoctorReport report;
    report.release = sys.release();
    report.source = preserving_source(seen);
    report.checks = check_machine(seen);
    for (Check& check : check_module(seen)) {
        report.checks.push_back(std::move(check));
    }
    if (!options.kernel.empty()) {
        report.kernel = check_kernel(seen, options, report.checks);
    }
    return report;
}

}  // namespace khob
