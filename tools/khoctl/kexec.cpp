// SPDX-License-Identifier: GPL-2.0-only
// The subcommands around the jump: load, unload, exec.
#include <fmt/format.h>

#include "base/files.hpp"
#include "base/numbers.hpp"
#include "cli.hpp"
#include "load/load.hpp"
#include "session/late_room.hpp"
#include "wishes.hpp"

namespace khob::cli {

namespace {

// More than a module of any version has; that refuses in its own words.
constexpr std::uint64_t most_late_room_mib = 1024;

struct LoadArguments {
    std::string kernel;
    std::string initrd;
    std::string cmdline;
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

Result<Outcome> load_kernel(Context& ctx, const LoadArguments& args) {
    auto cmdline = cmdline_of(*ctx.system, args);
    if (!cmdline) {
        return tl::unexpected(cmdline.error());
    }
    const auto wishes = wishes_of(args.wishes);
    if (!wishes) {
        return tl::unexpected(wishes.error());
    }
    std::vector<CarveWish> carve;
    for (const std::string& text : args.carve) {
        auto wish = parse_carve(text);
        if (!wish) {
            return tl::unexpected(wish.error());
        }
        carve.push_back(std::move(*wish));
    }
    const LoadOptions options{
        .kernel = args.kernel,
        .initrd = args.initrd,
        .cmdline = std::move(*cmdline),
        .max_intervals = args.max_ranges,
        .wishes = *wishes,
        .compact = args.compact,
        .late_room = args.has_late_room ? std::optional(args.late_room_mib << 20U) : std::nullopt,
        .carve = std::move(carve),
        .uncarve = args.uncarve};
    const auto report = load(*ctx.system, options, *ctx.progress);
    if (!report) {
        return tl::unexpected(report.error());
    }
    return Outcome{report->to_value(), {}};
}

Result<Outcome> unload_kernel(Context& ctx) {
    const auto report = unload(*ctx.system);
    if (!report) {
        return tl::unexpected(report.error());
    }
    return Outcome{report->to_value(), {}};
}

Result<Outcome> exec_kernel(Context& ctx) {
    return tl::unexpected(exec(*ctx.system));
}

}  // namespace

void add_kexec(CLI::App& app, Selection& selection) {
    const auto args = std::make_shared<LoadArguments>();
    CLI::App* load_cmd =
        add_command(app, "load", "Load the next kernel so that what is preserved survives into it",
                    "khoctl load /boot/vmlinuz --initrd /boot/initrd.img --reuse-cmdline");
    load_cmd->add_option("KERNEL", args->kernel, "a relocatable bzImage for x86-64")->required();
    load_cmd->add_option("--initrd", args->initrd, "its initrd");
    CLI::Option* cmdline = load_cmd->add_option("--cmdline", args->cmdline, "its command line");
    load_cmd->add_flag("--reuse-cmdline", args->reuse_cmdline,
                       "this kernel's command line, then that of --cmdline");
    add_max_ranges(*load_cmd, args->max_ranges);
    load_cmd->add_flag("--compact", args->compact, "do as `khoctl compact` first");
    const CLI::Option* late_room = add_number(
        *load_cmd, "--late-room", args->late_room_mib, 0, most_late_room_mib,
        fmt::format("MiB for what programs preserve after the load, with kho_luo (default: a 64th "
                    "of memory, at most {})",
                    late_room_most >> 20U));
    load_cmd
        ->add_option(
            "--carve", args->carve,
            "NAME=SIZE[,dax|pmem]: memory that is a /dev/daxN.M, or a /dev/pmemN, from the "
            "next kernel on, and no RAM; may be repeated")
        ->expected(1)
        ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
    load_cmd
        ->add_option("--uncarve", args->uncarve,
                     "NAME of what was carved out: RAM again; may be repeated")
        ->expected(1)
        ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
    add_wishes(*load_cmd, args->wishes);
    add_json(*load_cmd, selection);
    load_cmd->callback([&selection, args, cmdline, late_room] {
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
    exec_cmd->callback([&selection] { selection.action = exec_kernel; });
}

}  // namespace khob::cli
