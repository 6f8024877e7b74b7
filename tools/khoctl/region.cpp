// SPDX-License-Identifier: GPL-2.0-only
// The subcommands of regions: region create.
#include <fmt/format.h>

#include "base/size.hpp"
#include "cli.hpp"
#include "keep/region.hpp"
#include "paths.hpp"

namespace khob::cli {

namespace {

struct RegionArguments {
    std::string path;
    std::string size;
    std::string huge = "2M";
    std::optional<std::uint32_t> node;
};

Result<Outcome> create(Context& ctx, const RegionArguments& args) {
    const auto bytes = size_of(args.size);
    if (!bytes) {
        return tl::unexpected(bytes.error());
    }
    if (parse_size(args.huge) != keep::huge_page_bytes) {
        return fail(ExitCode::usage, fmt::format("there are no huge pages of '{}'", args.huge),
                    "2M; for pages of 1 GiB see `khoctl load --carve`");
    }
    if (auto ok = require_root(*ctx.system); !ok) {
        return tl::unexpected(ok.error());
    }
    const auto path = absolute(args.path);
    if (!path) {
        return tl::unexpected(path.error());
    }
    const auto region = keep::create_region(*ctx.system, {*path, *bytes, args.node}, *ctx.progress);
    if (!region) {
        return tl::unexpected(region.error());
    }
    return Outcome{region->to_value(), {}};
}

}  // namespace

void add_region(CLI::App& app, Selection& selection) {
    CLI::App* region = add_command(app, "region", "Files of huge pages on tmpfs, which are kept",
                                   "khoctl region create /dev/shm/guest 4G");
    region->require_subcommand(1);
    const auto args = std::make_shared<RegionArguments>();
    CLI::App* command = add_command(*region, "create",
                                    "Make a file of contiguous huge pages, and keep it from now on",
                                    "khoctl region create /dev/shm/guest 4G --numa 1");
    command->add_option("PATH", args->path, "the file, on a tmpfs; nothing is there yet")
        ->required();
    command->add_option("SIZE", args->size, "bytes, or with K, M, G or T: a multiple of 2M")
        ->required();
    command->add_option("--huge", args->huge, "size of its pages; there is one")
        ->type_name("SIZE")
        ->capture_default_str();
    command->add_option("--numa", args->node, "the node whose memory it is to have; any by default")
        ->type_name("NODE");
    add_json(*command, selection);
    command->callback([&selection, args] {
        selection.action = [args](Context& ctx) { return create(ctx, *args); };
    });
}

}  // namespace khob::cli
