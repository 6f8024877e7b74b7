// SPDX-License-Identifier: GPL-2.0-only
// Parses the command line, runs the subcommand, prints what came of it.
#include "cli.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <span>

#include "base/numbers.hpp"
#include "base/size.hpp"
#include "plan/covering.hpp"
#include "run.hpp"
#include "unknown.hpp"

#ifndef KHOB_VERSION
#error "the build has to say KHOB_VERSION"
#endif

namespace khob::cli {

namespace {

void report(const Streams& streams, const Error& error) {
    fmt::print(streams.err, "khoctl: {}\n", error.what);
    if (!error.hint.empty()) {
        fmt::print(streams.err, "hint: {}\n", error.hint);
    }
}

bool print(std::FILE* out, const std::string& text) {
    return std::fwrite(text.data(), 1, text.size(), out) == text.size() && std::fflush(out) == 0;
}

/// What CLI11 has to say: help and version to out, complaints to err.
ExitCode parse_result(const CLI::App& app, const CLI::ParseError& e,
                      std::span<const char* const> args, const Streams& streams) {
    if (e.get_exit_code() == static_cast<int>(CLI::ExitCodes::Success)) {
        const bool version = e.get_name() == "CallForVersion";
        const std::string text = version ? fmt::format("khoctl {}\n", KHOB_VERSION) : app.help();
        return print(streams.out, text) ? ExitCode::ok : ExitCode::failure;
    }
    // The parser complains of what is missing first, which a word that is misspelt may be.
    report(streams, find_unknown(app, args).value_or(
                        Error{ExitCode::usage, e.what(), "khoctl --help, khoctl COMMAND --help"}));
    return ExitCode::usage;
}

}  // namespace

CLI::App* add_command(CLI::App& app, const std::string& name, const std::string& summary,
                      const std::string& example) {
    CLI::App* command = app.add_subcommand(name, summary);
    command->footer("Example:\n  " + example);
    return command;
}

void add_json(CLI::App& command, Selection& selection) {
    command.add_flag_callback(
        "--json", [&selection] { selection.format = Format::json; }, "print JSON");
}

CLI::Option* add_number(CLI::App& command, const std::string& name, std::uint64_t& value,
                        std::uint64_t least, std::uint64_t most, const std::string& summary) {
    // CLI11's own conversion takes 010 for 8.
    return command
        .add_option_function<std::string>(
            name,
            [&value, name, least, most](const std::string& text) {
                const auto number = parse_u64(text);
                if (!number || *number < least || *number > most) {
                    throw CLI::ValidationError(
                        name, fmt::format("'{}' is no number from {} to {}", text, least, most));
                }
                value = *number;
            },
            summary)
        ->type_name("NUMBER");
}

void add_repeated(CLI::App& command, const std::string& name, std::vector<std::string>& values,
                  const std::string& summary) {
    command.add_option(name, values, summary + "; may be repeated")
        ->expected(1)
        ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
}

Result<std::uint64_t> size_of(const std::string& text) {
    const auto size = parse_size(text);
    return size ? Result<std::uint64_t>(*size)
                : fail(ExitCode::usage, fmt::format("'{}' is no size", text),
                       "bytes, or with K, M, G or T behind them");
}

void add_max_ranges(CLI::App& command, std::uint64_t& value) {
    add_number(command, "--max-ranges", value, 1, most_intervals,
               fmt::format("cover what is preserved with at most so many intervals (default {})",
                           default_max_intervals));
}

ExitCode run(int argc, const char* const* argv, const Streams& streams,
             const SystemFactory& factory) {
    CLI::App app{"Hands memory over to the next kernel through kexec, with the module kho_bridge.",
                 "khoctl"};
    app.set_version_flag("--version", std::string("khoctl ") + KHOB_VERSION);
    app.require_subcommand(1);
    app.footer(
        "Example:\n  khoctl preserve --pages 1024 --order mixed --seed 1\n"
        "  khoctl load /boot/vmlinuz --initrd /boot/initrd.img --reuse-cmdline\n"
        "  khoctl exec");
    std::string root = "/";
    app.add_option("--sysroot", root, "look for /sys, /proc and /lib below this directory")
        ->group("");  // for tests: not in the help
    Selection selection;
    add_status(app, selection);
    add_views(app, selection);
    add_inspect(app, selection);
    add_doctor(app, selection);
    add_outgoing(app, selection);
    add_kexec(app, selection);
    add_incoming(app, selection);
    add_session(app, selection);
    add_keep(app, selection);
    add_region(app, selection);
    add_bench(app, selection);
    try {
        app.parse(argc, argv);
    } catch (const CLI::ParseError& e) {
        const auto count = static_cast<std::size_t>(std::max(argc, 1));
        return parse_result(app, e, std::span(argv, count).subspan(1), streams);
    }

    const auto system = factory(root);
    Progress progress(streams.err, streams.live);
    Context context{system.get(), &progress};
    const auto outcome = selection.action(context);
    progress.end();
    if (!outcome) {
        report(streams, outcome.error());
        return outcome.error().code;
    }
    const bool in_brief = outcome->brief && selection.format == Format::text;
    const std::optional<Value>& shown = in_brief ? outcome->brief : outcome->value;
    if (shown && !print(streams.out, render(*shown, selection.format))) {
        report(streams, Error{ExitCode::failure, "cannot write the result", ""});
        return ExitCode::failure;
    }
    if (outcome->error) {
        report(streams, *outcome->error);
        return outcome->error->code;
    }
    return outcome->code;
}

}  // namespace khob::cli
