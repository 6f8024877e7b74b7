// SPDX-License-Identifier: GPL-2.0-only
// khoctl's command line: one function a subcommand, all of the same shape.
#ifndef KHOB_KHOCTL_CLI_HPP
#define KHOB_KHOCTL_CLI_HPP

#include <CLI/CLI.hpp>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/error.hpp"
#include "base/progress.hpp"
#include "base/system.hpp"
#include "base/value.hpp"

namespace khob::cli {

/// What a subcommand has to work with.
struct Context {
    System* system = nullptr;
    Progress* progress = nullptr;
};

/// What a subcommand gives back: what to print, and what went wrong although there is a result.
struct Outcome {
    std::optional<Value> value;
    std::optional<Error> error;
    ExitCode code = ExitCode::ok;  ///< where there is no error: the result speaks for itself
    std::optional<Value> brief = std::nullopt;  ///< what people get in place of all of `value`
};

using Action = std::function<Result<Outcome>(Context&)>;

/// The subcommand that was asked for.
struct Selection {
    Action action;
    Format format = Format::text;
};

/// Adds a subcommand; `example` ends its help. The returned app lives as long as `app`.
CLI::App* add_command(CLI::App& app, const std::string& name, const std::string& summary,
                      const std::string& example);

/// Adds --json to a subcommand.
void add_json(CLI::App& command, Selection& selection);

/// Adds an option that takes a decimal or 0x hex number from `least` to `most`.
CLI::Option* add_number(CLI::App& command, const std::string& name, std::uint64_t& value,
                        std::uint64_t least, std::uint64_t most, const std::string& summary);

/// Adds an option that takes a value each time that it is given, and may be given again.
void add_repeated(CLI::App& command, const std::string& name, std::vector<std::string>& values,
                  const std::string& summary);

/// A size as people write it. Errors (usage): it is none.
Result<std::uint64_t> size_of(const std::string& text);

/// Adds --max-ranges: how many intervals a covering may have.
void add_max_ranges(CLI::App& command, std::uint64_t& value);

void add_status(CLI::App& app, Selection& selection);    // status
void add_views(CLI::App& app, Selection& selection);     // walk, ls, abi
void add_outgoing(CLI::App& app, Selection& selection);  // preserve, unpreserve, compact, put
void add_kexec(CLI::App& app, Selection& selection);     // load, unload, exec
void add_doctor(CLI::App& app, Selection& selection);    // doctor
void add_inspect(CLI::App& app, Selection& selection);   // probe
void add_bench(CLI::App& app, Selection& selection);     // bench
void add_session(CLI::App& app, Selection& selection);   // session ls, show, drop
void add_keep(CLI::App& app, Selection& selection);      // keep, keep ls, rm, drop
void add_region(CLI::App& app, Selection& selection);    // region create
void add_incoming(CLI::App& app, Selection& selection);  // attach, verify, get, restore, release

}  // namespace khob::cli

#endif  // KHOB_KHOCTL_CLI_HPP
