// SPDX-License-Identifier: GPL-2.0-only
// The subcommands that say what survives, and where: preserve, unpreserve, compact, put.
#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <limits>

#include "base/interrupt.hpp"
#include "base/numbers.hpp"
#include "cli.hpp"
#include "load/compact.hpp"
#include "module/module.hpp"
#include "target.hpp"

namespace khob::cli {

namespace {

constexpr std::uint64_t default_scatter = 50;

struct PreserveOptions {
    std::uint64_t pages = 0;
    std::string order = "mixed";
    std::uint64_t seed = 0;
    std::vector<std::string> scatter;
    bool scattered = false;
};

Result<PreserveRequest> preserve_request(const PreserveOptions& options) {
    const auto order = parse_u64(options.order);
    if (options.order != "mixed" && (!order || *order > Layout::order_max)) {
        return fail(ExitCode::usage, fmt::format("--order {} is no order", options.order),
                    "give a number from 0, or mixed");
    }
    PreserveRequest request{.pages = options.pages, .seed = options.seed};
    if (order && options.order != "mixed") {
        request.order = Order(static_cast<unsigned>(*order));
    }
    if (options.scattered) {
        const auto percent = options.scatter.empty() || options.scatter[0].empty()
                                 ? default_scatter
                                 : parse_u64(options.scatter[0]);
        if (!percent || *percent < 1 || *percent > 100) {
            return fail(ExitCode::usage, "--scatter takes a percentage from 1 to 100",
                        "khoctl preserve --pages 1024 --scatter 50");
        }
        request.scatter = static_cast<unsigned>(*percent);
    }
    return request;
}

Result<Outcome> preserve(Context& ctx, const PreserveOptions& options) {
    const auto request = preserve_request(options);
    if (!request) {
        return tl::unexpected(request.error());
    }
    const auto module = Module::open(*ctx.system);
    if (!module) {
        return tl::unexpected(module.error());
    }
    ctx.progress->step(fmt::format("preserving {} pages ({})", options.pages,
                                   human_bytes(options.pages * page_size)));
    const Stopwatch time;
    if (auto ok = module->preserve(*request); !ok) {
        return tl::unexpected(ok.error());
    }
    const double ms = time.millis();
    const auto status = module->status();
    if (!status) {
        return tl::unexpected(status.error());
    }
    Value value;
    value.set("pages", options.pages)
        .set("bytes", Bytes{options.pages * page_size})
        .set("order", options.order)
        .set("seed", options.seed)
        .set("ms", Millis{ms})
        .set("module_us", status->number_or("out.preserve_us", 0))
        .set("out_pages", status->number_or("out.pages", 0))
        .set("out_keys", status->number_or("out.keys", 0));
    return Outcome{std::move(value), {}};
}

Result<Outcome> unpreserve(Context& ctx, const std::vector<std::string>& target) {
    const auto what = parse_target(target, TargetKinds{.page = true, .subtree = true});
    if (!what) {
        return tl::unexpected(what.error());
    }
    const auto module = Module::open(*ctx.system);
    if (!module) {
        return tl::unexpected(module.error());
    }
    if (auto ok = module->unpreserve(*what); !ok) {
        return tl::unexpected(ok.error());
    }
    const auto status = module->status();
    if (!status) {
        return tl::unexpected(status.error());
    }
    Value value;
    value.set("unpreserved", to_string(*what)).set("out_pages", status->number_or("out.pages", 0));
    return Outcome{std::move(value), {}};
}

struct CompactOptions {
    std::uint64_t max_ranges = default_max_intervals;
    bool dry_run = false;
};

Result<Outcome> compact_memory(Context& ctx, const CompactOptions& options) {
    const auto module = Module::open(*ctx.system);
    if (!module) {
        return tl::unexpected(module.error());
    }
    const auto map = MemoryMap::read(ctx.system->path("/sys/firmware/memmap"));
    if (!map) {
        return tl::unexpected(map.error());
    }
    if (options.dry_run) {
        const auto spread = Spread::read(*module, *map, options.max_ranges);
        if (!spread) {
            return tl::unexpected(spread.error());
        }
        Value value;
        value.set("before", spread->to_value());
        return Outcome{std::move(value), {}};
    }
    const InterruptGuard interrupts;
    const auto report = compact(*module, *map, options.max_ranges, *ctx.progress);
    if (!report) {
        return tl::unexpected(report.error());
    }
    return Outcome{report->to_value(), report->error};
}

Result<Outcome> put(Context& ctx, const std::string& name, const std::string& file) {
    if (auto ok = check_subtree_name(name); !ok) {
        return tl::unexpected(ok.error());
    }
    const auto module = Module::open(*ctx.system);
    if (!module) {
        return tl::unexpected(module.error());
    }
    const auto data = file == "-" ? read_all(STDIN_FILENO, "standard input") : read_bytes(file);
    if (!data) {
        return tl::unexpected(data.error());
    }
    if (data->empty()) {
        return fail(ExitCode::refused, fmt::format("{} is empty", file),
                    "a subtree has at least one byte");
    }
    ctx.progress->step(fmt::format("putting {} into '{}'", human_bytes(data->size()), name));
    const Stopwatch time;
    if (auto ok = module->put(name, *data); !ok) {
        return tl::unexpected(ok.error());
    }
    Value value;
    value.set("name", name).set("bytes", Bytes{data->size()}).set("ms", Millis{time.millis()});
    return Outcome{std::move(value), {}};
}

}  // namespace

void add_outgoing(CLI::App& app, Selection& selection) {
    const auto options = std::make_shared<PreserveOptions>();
    CLI::App* preserve_cmd =
        add_command(app, "preserve", "Allocate, fill and preserve memory",
                    "khoctl preserve --pages 65536 --order mixed --seed 42 --scatter 50");
    constexpr std::uint64_t most = std::numeric_limits<std::uint64_t>::max();
    add_number(*preserve_cmd, "--pages", options->pages, 1, most / page_size,
               "pages of 4 KiB in all")
        ->required();
    preserve_cmd->add_option("--order", options->order,
                             "folios of 2^ORDER pages, or mixed (default)");
    add_number(*preserve_cmd, "--seed", options->seed, 0, most, "of the fill pattern (default 0)");
    CLI::Option* scatter =
        preserve_cmd->add_option("--scatter", options->scatter,
                                 "place every second folio at random over the upper PERCENT of "
                                 "memory (default 50)");
    scatter->expected(0, 1)->type_name("PERCENT");
    add_json(*preserve_cmd, selection);
    preserve_cmd->callback([&selection, options, scatter] {
        options->scattered = scatter->count() > 0;
        selection.action = [options](Context& ctx) { return preserve(ctx, *options); };
    });

    const auto target = std::make_shared<std::vector<std::string>>();
    CLI::App* unpreserve_cmd =
        add_command(app, "unpreserve", "Give preserved memory back to this kernel",
                    "khoctl unpreserve subtree config");
    unpreserve_cmd->add_option("TARGET", *target, "all | PHYS ORDER | subtree NAME")
        ->required()
        ->expected(1, 2);
    add_json(*unpreserve_cmd, selection);
    unpreserve_cmd->callback([&selection, target] {
        selection.action = [target](Context& ctx) { return unpreserve(ctx, *target); };
    });

    const auto compaction = std::make_shared<CompactOptions>();
    CLI::App* compact_cmd = add_command(
        app, "compact", "Move what the module owns together, so that few intervals cover it",
        "khoctl compact --json");
    add_max_ranges(*compact_cmd, compaction->max_ranges);
    compact_cmd->add_flag("--dry-run", compaction->dry_run,
                          "only say what covering it as it is would cost");
    add_json(*compact_cmd, selection);
    compact_cmd->callback([&selection, compaction] {
        selection.action = [compaction](Context& ctx) { return compact_memory(ctx, *compaction); };
    });

    const auto names = std::make_shared<std::pair<std::string, std::string>>();
    CLI::App* put_cmd = add_command(app, "put", "Hand over a file's bytes as a named subtree",
                                    "khoctl put config /etc/app.conf");
    put_cmd->add_option("NAME", names->first, "1 to 63 of A-Z a-z 0-9 , . _ + -")->required();
    put_cmd->add_option("FILE", names->second, "what to hand over; - is standard input")
        ->required();
    add_json(*put_cmd, selection);
    put_cmd->callback([&selection, names] {
        selection.action = [names](Context& ctx) { return put(ctx, names->first, names->second); };
    });
}

}  // namespace khob::cli
