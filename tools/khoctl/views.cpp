// SPDX-License-Identifier: GPL-2.0-only
// The subcommands that look: walk, ls, abi.
#include <fmt/format.h>

#include "cli.hpp"
#include "module/module.hpp"

namespace khob::cli {

namespace {

struct WalkOptions {
    bool in = false;
    bool out = false;
    bool ranges = false;
};

Result<Side> side_of(const Module& module, const WalkOptions& options) {
    if (options.in || options.out) {
        return options.in ? Side::in : Side::out;
    }
    const auto status = module.status();
    if (!status) {
        return tl::unexpected(status.error());
    }
    return status->attached() ? Side::in : Side::out;
}

Result<Outcome> walk_ranges(const Module& module, Side side) {
    const auto ranges = module.ranges(side);
    if (!ranges) {
        return tl::unexpected(ranges.error());
    }
    Table table{{"start", "end", "size"}, {}};
    for (const Range& r : *ranges) {
        table.rows.push_back({r.start, r.end, Bytes{r.size()}});
    }
    return Outcome{Value(std::move(table)), {}};
}

Result<Outcome> walk(Context& ctx, const WalkOptions& options) {
    const auto module = Module::open(*ctx.system);
    if (!module) {
        return tl::unexpected(module.error());
    }
    const auto side = side_of(*module, options);
    if (!side) {
        return tl::unexpected(side.error());
    }
    if (options.ranges) {
        return walk_ranges(*module, *side);
    }
    const auto keys = module->keys(*side);
    if (!keys) {
        return tl::unexpected(keys.error());
    }
    Table table{{"addr", "order", "size"}, {}};
    for (const Key& k : *keys) {
        table.rows.push_back({k.addr, std::uint64_t{k.order.value()}, Bytes{k.order.bytes()}});
    }
    return Outcome{Value(std::move(table)), {}};
}

Result<Outcome> list(Context& ctx) {
    const auto module = Module::open(*ctx.system);
    if (!module) {
        return tl::unexpected(module.error());
    }
    Table table{{"side", "name", "size"}, {}};
    for (const Side side : {Side::in, Side::out}) {
        const auto subtrees = module->subtrees(side);
        if (!subtrees) {
            return tl::unexpected(subtrees.error());
        }
        for (const Subtree& s : *subtrees) {
            table.rows.push_back({to_string(side), s.name, Bytes{s.bytes}});
        }
    }
    return Outcome{Value(std::move(table)), {}};
}

Result<Outcome> abi_version(Context& ctx, const std::string& version) {
    const auto module = Module::open(*ctx.system);
    if (!module) {
        return tl::unexpected(module.error());
    }
    if (!version.empty()) {
        const auto wanted = abi::version_from(version);
        if (!wanted) {
            return fail(ExitCode::usage, fmt::format("'{}' is no version of the ABI", version),
                        "`khoctl abi` lists them");
        }
        if (auto ok = module->set_abi(*wanted); !ok) {
            return tl::unexpected(ok.error());
        }
    }
    const auto status = module->status();
    if (!status) {
        return tl::unexpected(status.error());
    }
    const std::string in_use = status->text("abi");
    Table table{{"abi", "in_use"}, {}};
    for (const abi::Version v : abi::versions) {
        table.rows.push_back({abi::compatible(v), abi::compatible(v) == in_use});
    }
    return Outcome{Value(std::move(table)), {}};
}

}  // namespace

void add_views(CLI::App& app, Selection& selection) {
    const auto options = std::make_shared<WalkOptions>();
    CLI::App* walk_cmd = add_command(
        app, "walk", "List preserved folios; what came in if anything did, else what goes out",
        "khoctl walk --out --ranges");
    CLI::Option* in = walk_cmd->add_flag("--in", options->in, "what this kernel was handed");
    walk_cmd->add_flag("--out", options->out, "what this kernel hands over")->excludes(in);
    walk_cmd->add_flag("--ranges", options->ranges, "joined physical ranges instead of folios");
    add_json(*walk_cmd, selection);
    walk_cmd->callback([&selection, options] {
        selection.action = [options](Context& ctx) { return walk(ctx, *options); };
    });

    CLI::App* ls = add_command(app, "ls", "List subtrees, incoming and outgoing", "khoctl ls");
    add_json(*ls, selection);
    ls->callback([&selection] { selection.action = list; });

    const auto version = std::make_shared<std::string>();
    CLI::App* abi_cmd = add_command(app, "abi", "Show or choose the ABI version to hand over with",
                                    "khoctl abi kho-v3");
    abi_cmd->add_option("VERSION", *version, "kho-v2, kho-v3 or kho-v4");
    add_json(*abi_cmd, selection);
    abi_cmd->callback([&selection, version] {
        selection.action = [version](Context& ctx) { return abi_version(ctx, *version); };
    });
}

}  // namespace khob::cli
