// SPDX-License-Identifier: GPL-2.0-only
// The subcommand that measures: bench.
#include "module/bench.hpp"

#include <fmt/format.h>

#include "cli.hpp"
#include "module/module.hpp"

namespace khob::cli {

namespace {

constexpr std::string_view file = "sandbox/bench";

Result<Outcome> bench(Context& ctx, std::uint64_t keys) {
    const auto module = Module::open(*ctx.system);
    if (!module) {
        return tl::unexpected(module.error());
    }
    if (auto ok = module->control(file, fmt::format("keys={}", keys)); !ok) {
        return tl::unexpected(ok.error());
    }
    ctx.progress->step(fmt::format("timing the radix tree with {} keys", keys));
    // Without a handler: a signal ends this program, and with it the module's work.
    const auto said = module->run(file);
    if (!said) {
        Error error = said.error();
        if (error.code == ExitCode::refused) {
            error.hint = "give --keys a smaller number, or free memory";
        }
        return tl::unexpected(error);
    }
    const auto found = Bench::parse(*said);
    if (!found) {
        return tl::unexpected(found.error());
    }
    return Outcome{found->to_value(), {}};
}

}  // namespace

void add_bench(CLI::App& app, Selection& selection) {
    CLI::App* command = add_command(
        app, "bench", "Time the radix tree in this kernel, next to the kernel's own if it has KHO",
        "khoctl bench --keys 65536 --json");
    const auto keys = std::make_shared<std::uint64_t>(default_bench_keys);
    add_number(*command, "--keys", *keys, least_bench_keys, most_bench_keys,
               fmt::format("that are added one by one; the rest follows from it (default {})",
                           default_bench_keys));
    add_json(*command, selection);
    command->callback([&selection, keys] {
        selection.action = [keys](Context& ctx) { return bench(ctx, *keys); };
    });
}

}  // namespace khob::cli
