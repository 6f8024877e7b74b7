// SPDX-License-Identifier: GPL-2.0-only
// The subcommands of the incoming side: attach, verify, get, restore, release.
#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>

#include "attach/attach.hpp"
#include "attach/verify.hpp"
#include "base/digest.hpp"
#include "base/files.hpp"
#include "base/interrupt.hpp"
#include "base/numbers.hpp"
#include "cli.hpp"
#include "module/module.hpp"
#include "target.hpp"

namespace khob::cli {

namespace {

struct AttachArguments {
    std::string module;
    std::string setup_data;
    bool check = false;
};

Result<Outcome> attach_handover(Context& ctx, const AttachArguments& args) {
    if (args.check) {
        const bool handed = find_handover(*ctx.system).has_value();
        return Outcome{{}, {}, handed ? ExitCode::ok : ExitCode::nothing_handed};
    }
    AttachOptions options;
    options.module = args.module;
    if (!args.setup_data.empty()) {
        const auto addr = parse_u64(args.setup_data);
        if (!addr || *addr == 0) {
            return fail(ExitCode::usage,
                        fmt::format("--setup-data {} is no address", args.setup_data),
                        "give the physical address of the first setup_data node");
        }
        options.setup_data = PhysAddr(*addr);
    }
    // Set by a PID 1 that reads the time stamp counter first thing.
    if (const char* tsc = std::getenv("KHOB_INIT_TSC")) {
        options.init_tsc = parse_u64(tsc);
    }
    ctx.progress->step("attaching to what was handed over");
    const auto report = attach(*ctx.system, options, *ctx.progress);
    if (!report) {
        return tl::unexpected(report.error());
    }
    Outcome out{report->to_value(), {}};
    if (report->shown.intervals != 0) {
        out.error = shown_error(report->shown);
    }
    return out;
}

/// The module, with something attached.
Result<Module> open_attached(const System& sys) {
    auto module = Module::open(sys);
    if (!module) {
        return module;
    }
    const auto status = module->status();
    if (!status) {
        return tl::unexpected(status.error());
    }
    if (auto ok = require_attached(*status); !ok) {
        return tl::unexpected(ok.error());
    }
    return module;
}

Value report_value(const VerifyReport& report, double ms) {
    Value value;
    value.set("records", report.records)
        .set("verified", report.verified)
        .set("corrupt", report.corrupt)
        .set("lost", report.lost)
        .set("restored", report.restored)
        .set("verified_pages", report.verified_pages)
        .set("verified_bytes", Bytes{report.verified_bytes})
        .set("ms", Millis{ms});
    Table problems{{"verdict", "kind", "addr", "size", "why"}, {}};
    for (const Finding& f : report.findings) {
        problems.rows.push_back({to_string(f.verdict),
                                 f.record.kind == abi::record_fill ? "fill" : "blob",
                                 Address{f.record.addr}, Bytes{f.record.size}, f.why});
    }
    value.set("problems", std::move(problems));
    return value;
}

Result<Outcome> verify_handover(Context& ctx) {
    const auto module = open_attached(*ctx.system);
    if (!module) {
        return tl::unexpected(module.error());
    }
    const Stopwatch time;
    const auto raw = module->subtree(Side::in, abi::records_name);
    if (!raw) {
        return fail(ExitCode::refused, "the outgoing kernel handed over no records to verify by",
                    raw.error().what);
    }
    const auto records = parse_records(*raw);
    const auto keys = module->keys(Side::in);
    const auto ranges = module->ranges(Side::in);
    const auto subtrees = module->subtrees(Side::in);
    const auto data = module->open_data(Side::in);
    const auto status = module->status();
    for (const Error* e : {records ? nullptr : &records.error(), keys ? nullptr : &keys.error(),
                           data ? nullptr : &data.error(), status ? nullptr : &status.error()}) {
        if (e != nullptr) {
            return tl::unexpected(*e);
        }
    }
    const InterruptGuard interrupts;
    ctx.progress->step(fmt::format("verifying {} records", records->size()));
    const auto held_blobs = std::count_if(subtrees->begin(), subtrees->end(), [](const Subtree& s) {
        return s.name != abi::meta_name && s.name != abi::records_name;
    });
    Progress& progress = *ctx.progress;
    const VerifyReport report =
        verify({.records = *records,
                .keys = *keys,
                .ranges = *ranges,
                .restored_pages = status->number_or("in.restored_pages", 0),
                .held_blobs = static_cast<std::uint64_t>(held_blobs),
                .read = [&data](PhysAddr at, ByteSpan to) { return read_at(*data, at, to); },
                .progressed =
                    [&progress](std::uint64_t done, std::uint64_t all) {
                        progress.update(done, all);
                        return InterruptGuard::check().has_value();
                    }});
    if (report.stopped) {
        return fail(ExitCode::interrupted, "interrupted", "nothing was changed");
    }
    Outcome out{report_value(report, time.millis()), {}};
    if (!report.good()) {
        out.error = Error{ExitCode::data_damaged,
                          fmt::format("of {} records {} are corrupt and {} lost", report.records,
                                      report.corrupt, report.lost),
                          ""};
    }
    return out;
}

struct GetArguments {
    std::string name;
    std::string file;
    bool out = false;
};

/// What an incoming subtree has to hold, if anybody has told.
std::optional<std::uint64_t> digest_of(const Module& module, const std::string& name) {
    const auto all = module.subtrees(Side::in);
    const auto is = [&name](const Subtree& s) { return s.name == name; };
    if (!all || std::none_of(all->begin(), all->end(), is)) {
        return std::nullopt;
    }
    return std::find_if(all->begin(), all->end(), is)->digest;
}

Result<Outcome> get(Context& ctx, const GetArguments& args) {
    if (auto ok = check_subtree_name(args.name); !ok) {
        return tl::unexpected(ok.error());
    }
    const auto module = args.out ? Module::open(*ctx.system) : open_attached(*ctx.system);
    if (!module) {
        return tl::unexpected(module.error());
    }
    const auto data = module->subtree(args.out ? Side::out : Side::in, args.name);
    if (!data) {
        return tl::unexpected(data.error());
    }
    // A client may have written to its own until the jump; of all others it is known what they
    // were.
    const auto digest = args.out ? std::nullopt : digest_of(*module, args.name);
    if (digest && xxh64(*data) != *digest) {
        return fail(ExitCode::data_damaged,
                    fmt::format("the subtree '{}' is not what was handed over", args.name),
                    "`khoctl verify` tells what else is damaged");
    }
    const bool to_stdout = args.file.empty() || args.file == "-";
    const auto written = to_stdout ? write_all(STDOUT_FILENO, *data, "standard output")
                                   : write_file(args.file, *data);
    if (!written) {
        return tl::unexpected(written.error());
    }
    return Outcome{};
}

Result<Outcome> restore(Context& ctx, const std::vector<std::string>& target) {
    const auto what = parse_target(target, TargetKinds{.page = true, .subtree = false});
    if (!what) {
        return tl::unexpected(what.error());
    }
    const auto module = open_attached(*ctx.system);
    if (!module) {
        return tl::unexpected(module.error());
    }
    const auto before = module->status();
    if (!before) {
        return tl::unexpected(before.error());
    }
    ctx.progress->step("giving preserved pages to this kernel");
    const Stopwatch time;
    if (auto ok = module->restore(*what); !ok) {
        return tl::unexpected(ok.error());
    }
    const double ms = time.millis();
    const auto after = module->status();
    if (!after) {
        return tl::unexpected(after.error());
    }
    const std::uint64_t total = after->number_or("in.restored_pages", 0);
    Value value;
    value.set("restored_pages", total - before->number_or("in.restored_pages", 0))
        .set("restored_pages_total", total)
        .set("ms", Millis{ms});
    return Outcome{std::move(value), {}};
}

Result<Outcome> release(Context& ctx, const std::vector<std::string>& target) {
    const auto what = parse_target(target, TargetKinds{.page = false, .subtree = true});
    if (!what) {
        return tl::unexpected(what.error());
    }
    const auto module = Module::open(*ctx.system);
    if (!module) {
        return tl::unexpected(module.error());
    }
    const auto status = module->status();
    if (!status) {
        return tl::unexpected(status.error());
    }
    // A handover that was refused can still be given up: its memory is all that is left of it.
    if (auto ok = require_attached(*status); !ok && status->text("in.state") != "refused") {
        return tl::unexpected(ok.error());
    }
    const Stopwatch time;
    if (auto ok = module->release(*what); !ok) {
        return tl::unexpected(ok.error());
    }
    Value value;
    value.set("released", to_string(*what)).set("ms", Millis{time.millis()});
    return Outcome{std::move(value), {}};
}

void add_attach(CLI::App& app, Selection& selection) {
    const auto args = std::make_shared<AttachArguments>();
    CLI::App* command = add_command(app, "attach", "Take over what the previous kernel handed over",
                                    "khoctl attach --module /lib/modules/kho_bridge.ko");
    command->add_option("--module", args->module,
                        "the module's file, if it is not loaded (default: below /lib/modules)");
    command->add_option("--setup-data", args->setup_data,
                        "physical address of the first setup_data node (default: from sysfs)");
    command->add_flag(
        "--check", args->check,
        "only say by the exit status whether this kernel was handed anything: 0 or 6");
    add_json(*command, selection);
    command->callback([&selection, args] {
        selection.action = [args](Context& ctx) { return attach_handover(ctx, *args); };
    });
}

}  // namespace

void add_incoming(CLI::App& app, Selection& selection) {
    add_attach(app, selection);

    CLI::App* verify_cmd = add_command(
        app, "verify", "Check every page and subtree that was handed over", "khoctl verify --json");
    add_json(*verify_cmd, selection);
    verify_cmd->callback([&selection] { selection.action = verify_handover; });

    const auto args = std::make_shared<GetArguments>();
    CLI::App* get_cmd = add_command(app, "get", "Write a subtree's bytes to a file",
                                    "khoctl get config -o app.conf");
    get_cmd->add_option("NAME", args->name, "the subtree, as `khoctl ls` shows it")->required();
    get_cmd->add_flag("--out", args->out, "an outgoing one (default: an incoming one)");
    get_cmd->add_option("-o,--output", args->file, "where to (default: standard output)");
    get_cmd->callback([&selection, args] {
        selection.action = [args](Context& ctx) { return get(ctx, *args); };
    });

    const auto to_restore = std::make_shared<std::vector<std::string>>();
    CLI::App* restore_cmd =
        add_command(app, "restore", "Give preserved pages to this kernel's page allocator",
                    "khoctl restore all");
    restore_cmd->add_option("TARGET", *to_restore, "all (default) | PHYS ORDER")->expected(0, 2);
    add_json(*restore_cmd, selection);
    restore_cmd->callback([&selection, to_restore] {
        if (to_restore->empty()) {
            to_restore->emplace_back("all");
        }
        selection.action = [to_restore](Context& ctx) { return restore(ctx, *to_restore); };
    });

    const auto to_release = std::make_shared<std::vector<std::string>>();
    CLI::App* release_cmd = add_command(
        app, "release", "Drop what is left of a handover, or one subtree", "khoctl release all");
    release_cmd->add_option("TARGET", *to_release, "all | subtree NAME")
        ->required()
        ->expected(1, 2);
    add_json(*release_cmd, selection);
    release_cmd->callback([&selection, to_release] {
        selection.action = [to_release](Context& ctx) { return release(ctx, *to_release); };
    });
}

}  // namespace khob::cli
