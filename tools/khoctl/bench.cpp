// SPDX-License-Identifier: GPL-2.0-only
// The subcommand that measures: bench.
#include "module/bench.hpp"

#include <fmt/format.h>

#include "cli.hpp"
#include "module/module.hpp"

namespace khob::cli {

namespace {

Result<Outcome> bench(Context& ctx, std::uint64_t keys) {
    const auto module = Module::open(*ctx.system);
    if (!module) {
        return tl::unexpected(module.error());
    }
    ctx.progress->step(fmt::format("timing the radix tree with {} keys", keys));
    // Without a handler: a signal ends this program, and with it the module's work.
    const auto rows = module->bench(keys);
    if (!rows) {
        Error error = rows.error();
        if (error.code == ExitCode::refused) {
            error.hint = "give --keys a smaller number, or free memory";
        }
        return tl::unexpected(error);
    }
    return Outcome{bench_value(keys, *rows), {}};
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
