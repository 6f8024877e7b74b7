// SPDX-License-Identifier: GPL-2.0-only
// The subcommands around the jump: load, unload, exec.
#include <fmt/format.h>

#include <algorithm>
#include <filesystem>

#include "base/files.hpp"
#include "base/numbers.hpp"
#include "boot/next.hpp"
#include "cli.hpp"
#include "load/again.hpp"
#include "load/joined.hpp"
#include "load/load.hpp"
#include "module/module.hpp"
#include "session/late_room.hpp"
#include "wishes.hpp"

namespace khob::cli {

namespace {

// More than a module of any version has; that refuses in its own words.
constexpr std::uint64_t most_late_room_mib = 1024;

struct LoadArguments {
    std::string kernel;
    std::vector<std::string> initrds;
    std::string cmdline;
    bool dry_run = false;
    std::uint64_t max_ranges = default_max_intervals;
    bool has_cmdline = false;
    bool reuse_cmdline = false;
    bool compact = false;
    std::uint64_t late_room_mib = 0;
    bool has_late_room = false;
    std::vector<std::string> carve;
    std::vector<std::string> uncarve;
    WishWords wishes;
};

Result<std::string> cmdline_of(const System& sys, const LoadArguments& args) {
    if (!args.reuse_cmdline) {
        if (!args.has_cmdline) {
            return fail(ExitCode::usage, "the incoming kernel needs a command line",
                        "give --cmdline TEXT or --reuse-cmdline");
        }
        return args.cmdline;
    }
    const auto running = read_text(sys.path("/proc/cmdline"));
    if (!running) {
        return tl::unexpected(running.error());
    }
    // Both: what --cmdline adds comes last, where it wins.
    std::string out = reusable_cmdline(*running);
    if (!args.cmdline.empty()) {
        out += fmt::format("{}{}", out.empty() ? "" : " ", args.cmdline);
    }
    return out;
}

/// The kernel that is named, or the one that would boot next.
Result<boot::Next> subject_of(const System& sys, const LoadArguments& args) {
    if (args.kernel.empty()) {
        if (!args.initrds.empty() || args.has_cmdline || args.reuse_cmdline) {
            return fail(ExitCode::usage,
                        "--initrd, --cmdline and --reuse-cmdline are of a kernel that is named",
                        "khoctl load KERNEL, or no more than khoctl load");
        }
        return boot::next_boot(sys);
    }
    auto cmdline = cmdline_of(sys, args);
    if (!cmdline) {
        return tl::unexpected(cmdline.error());
    }
    return boot::Next{.from = "the command line",
                      .title = "",
                      .kernel = args.kernel,
                      .initrds = {args.initrds.begin(), args.initrds.end()},
                      .cmdline = std::move(*cmdline)};
}

Result<LoadOptions> options_of(const LoadArguments& args) {
    const auto wishes = wishes_of(args.wishes);
    if (!wishes) {
        return tl::unexpected(wishes.error());
    }
    LoadOptions out;
    out.max_intervals = args.max_ranges;
    out.wishes = *wishes;
    out.compact = args.compact;
    out.uncarve = args.uncarve;
    if (args.has_late_room) {
        out.late_room = args.late_room_mib << 20U;
    }
    for (const std::string& text : args.carve) {
        auto wish = parse_carve(text);
        if (!wish) {
            return tl::unexpected(wish.error());
        }
        out.carve.push_back(std::move(*wish));
    }
    return out;
}

/// The kernel alone, as load.conf wants it if the load was refused.
Result<Outcome> load_without(System& sys, const LoadOptions& options, const Error& refusal) {
    if (auto ok = sys.kexec_file_load(options.kernel, options.initrd, options.cmdline); !ok) {
        return tl::unexpected(refusal);
    }
    Value value;
    value.set("kernel", options.kernel.string())
        .set("handed_over", false)
        .set("refused", refusal.what)
        .set("hint", refusal.hint);
    return Outcome{std::move(value), {}};
}

/// Where it is called from may not be where it is called from next time.
std::string from_root(const std::filesystem::path& path) {
    std::error_code err;
    const std::filesystem::path whole = std::filesystem::absolute(path, err);
    return err ? path.string() : whole.string();
}

/// What `load --again` reads. Behind an equals sign a value may begin with a dash, and without one
/// it may be empty.
LoadWords words_of(const LoadArguments& args, const boot::Next& subject) {
    LoadWords out{"load", from_root(subject.kernel)};
    const auto add = [&out](const std::string& option, const std::string& value) {
        if (value.empty()) {
            out.insert(out.end(), {option, value});
        } else {
            out.push_back(option + "=" + value);
        }
    };
    const auto add_all = [&add](const std::string& option, const std::vector<std::string>& values) {
        for (const std::string& value : values) {
            add(option, value);
        }
    };
    for (const auto& initrd : subject.initrds) {
        add("--initrd", from_root(initrd));
    }
    add("--cmdline", subject.cmdline);
    add("--method", args.wishes.method);
    add("--abi", args.wishes.abi);
    add("--max-ranges", std::to_string(args.max_ranges));
    if (args.has_late_room) {
        add("--late-room", std::to_string(args.late_room_mib));
    }
    add_all("--carve", args.carve);
    add_all("--uncarve", args.uncarve);
    if (args.compact) {
        out.emplace_back("--compact");
    }
    return out;
}

Result<Outcome> load_kernel(Context& ctx, const LoadArguments& args) {
    auto options = options_of(args);
    const auto subject = options ? subject_of(*ctx.system, args) : tl::unexpected(options.error());
    if (!subject) {
        return tl::unexpected(subject.error());
    }
    if (args.dry_run) {
        return Outcome{subject->to_value(), {}};
    }
    const auto initrd = JoinedInitrds::open(subject->initrds);
    if (!initrd) {
        return tl::unexpected(initrd.error());
    }
    options->kernel = subject->kernel;
    options->initrd = initrd->path();
    options->cmdline = subject->cmdline;
    const auto report = load(*ctx.system, *options, *ctx.progress);
    if (!report) {
        const ExitCode code = report.error().code;
        const bool refused = code == ExitCode::refused || code == ExitCode::absent;
        return refused && subject->boot_if_refused
                   ? load_without(*ctx.system, *options, report.error())
                   : tl::unexpected(report.error());
    }
    if (auto ok = write_last_load(*ctx.system, words_of(args, *subject)); !ok) {
        return Outcome{report->to_value(), ok.error()};
    }
    return Outcome{report->to_value(), {}};
}

/// What these words ask for.
Result<Action> action_of(LoadWords words) {
    CLI::App app;
    Selection selection;
    add_kexec(app, selection);
    std::reverse(words.begin(), words.end());
    try {
        app.parse(std::move(words));
    } catch (const CLI::ParseError& e) {
        return fail(ExitCode::failure, fmt::format("{}: {}", last_load_path, e.what()),
                    "remove it, and load the kernel by name");
    }
    return selection.action;
}

/// What is loaded, with files as they are now; or what would boot next.
Result<Outcome> load_again(Context& ctx) {
    const auto last = read_last_load(*ctx.system);
    const auto action =
        last ? action_of(last->value_or(LoadWords{"load"})) : tl::unexpected(last.error());
    const auto module = action ? Module::open(*ctx.system) : tl::unexpected(action.error());
    const auto image = module ? module->image() : tl::unexpected(module.error());
    if (!image) {
        return tl::unexpected(image.error());
    }
    // Whoever has loaded another one wants that.
    if (kexec_loaded(*ctx.system) && image->state != device::ImageState::loaded) {
        return tl::unexpected(image_error(*image));
    }
    if (auto undone = unload(*ctx.system); !undone) {
        return tl::unexpected(undone.error());
    }
    return (*action)(ctx);
}

Result<Outcome> unload_kernel(Context& ctx) {
    const auto report = unload(*ctx.system);
    if (!report) {
        return tl::unexpected(report.error());
    }
    return Outcome{report->to_value(), {}};
}

Result<Outcome> exec_kernel(Context& ctx, bool whatever) {
    return tl::unexpected(whatever ? ctx.system->kexec_exec() : exec(*ctx.system));
}

}  // namespace

void add_kexec(CLI::App& app, Selection& selection) {
    const auto args = std::make_shared<LoadArguments>();
    CLI::App* load_cmd =
        add_command(app, "load", "Load the next kernel so that what is preserved survives into it",
                    "khoctl load /boot/vmlinuz --initrd /boot/initrd.img --reuse-cmdline");
    load_cmd->add_option("KERNEL", args->kernel,
                         "a relocatable bzImage for x86-64; without it the one that "
                         "/etc/kho-bridge/load.conf names, or that would boot next");
    add_repeated(*load_cmd, "--initrd", args->initrds,
                 "its initrd; of several, each behind the other");
    CLI::Option* cmdline = load_cmd->add_option("--cmdline", args->cmdline, "its command line");
    load_cmd->add_flag("--reuse-cmdline", args->reuse_cmdline,
                       "this kernel's command line, then that of --cmdline");
    add_max_ranges(*load_cmd, args->max_ranges);
    load_cmd->add_flag("--dry-run", args->dry_run, "only say what would be loaded");
    load_cmd->add_flag("--compact", args->compact, "do as `khoctl compact` first");
    const CLI::Option* late_room = add_number(
        *load_cmd, "--late-room", args->late_room_mib, 0, most_late_room_mib,
        fmt::format("MiB for what programs preserve after the load, with kho_luo (default: a 64th "
                    "of memory, at most {})",
                    late_room_most >> 20U));
    add_repeated(
        *load_cmd, "--carve", args->carve,
        "NAME=SIZE[,dax|pmem]: memory that is a /dev/daxN.M, or a /dev/pmemN, from the next "
        "kernel on, and no RAM");
    add_repeated(*load_cmd, "--uncarve", args->uncarve, "NAME of what was carved out: RAM again");
    add_wishes(*load_cmd, args->wishes);
    const std::vector<CLI::Option*> others = load_cmd->get_options(
        [load_cmd](const CLI::Option* o) { return o != load_cmd->get_help_ptr(); });
    CLI::Option* again = load_cmd->add_flag("--again")->description(
        "what is loaded once more, with kept files as they are now; if nothing is, as without a "
        "KERNEL");
    for (CLI::Option* other : others) {
        again->excludes(other);
    }
    add_json(*load_cmd, selection);
    load_cmd->callback([&selection, args, cmdline, late_room, again] {
        if (again->count() > 0) {
            selection.action = load_again;
            return;
        }
        args->has_late_room = late_room->count() > 0;
        args->has_cmdline = cmdline->count() > 0;
        selection.action = [args](Context& ctx) { return load_kernel(ctx, *args); };
    });

    CLI::App* unload_cmd = add_command(
        app, "unload", "Forget the loaded kernel and give its memory back", "khoctl unload");
    add_json(*unload_cmd, selection);
    unload_cmd->callback([&selection] { selection.action = unload_kernel; });

    CLI::App* exec_cmd =
        add_command(app, "exec", "Jump into the loaded kernel now, without shutting down services",
                    "khoctl exec");
    const auto whatever = std::make_shared<bool>(false);
    exec_cmd->add_flag("--whatever", *whatever,
                       "also into a kernel that was not loaded by khoctl: nothing is handed over "
                       "to that one");
    exec_cmd->callback([&selection, whatever] {
        selection.action = [whatever](Context& ctx) { return exec_kernel(ctx, *whatever); };
    });
}

}  // namespace khob::cli
