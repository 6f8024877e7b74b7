// SPDX-License-Identifier: GPL-2.0-only
// The subcommands of kept files: keep, keep --restore, keep ls, rm, drop.
#include <fmt/format.h>

#include <algorithm>

#include "cli.hpp"
#include "keep/keeping.hpp"
#include "keep/list.hpp"
#include "keep/restore.hpp"
#include "module/module.hpp"
#include "paths.hpp"

namespace khob::cli {

namespace {

struct KeepArguments {
    std::vector<std::string> paths;
    bool once = false;
    std::string unless_larger;
    bool optional = false;
    bool restore = false;
    std::string into;
};

Result<std::vector<std::string>> all_absolute(const std::vector<std::string>& paths) {
    std::vector<std::string> out;
    for (const std::string& path : paths) {
        auto whole = absolute(path);
        if (!whole) {
            return tl::unexpected(whole.error());
        }
        out.push_back(std::move(*whole));
    }
    return out;
}

Value paths_of(const std::vector<std::string>& paths) {
    Table table{{"path"}, {}};
    for (const std::string& path : paths) {
        table.rows.push_back({keep::escaped(path)});
    }
    return {std::move(table)};
}

Result<Outcome> note(Context& ctx, const KeepArguments& args) {
    std::optional<std::uint64_t> most;
    if (!args.unless_larger.empty()) {
        const auto size = size_of(args.unless_larger);
        if (!size) {
            return tl::unexpected(size.error());
        }
        most = *size;
    }
    if (auto ok = require_root(*ctx.system); !ok) {
        return tl::unexpected(ok.error());
    }
    const auto paths = all_absolute(args.paths);
    auto list = paths ? keep::read_noted(*ctx.system) : tl::unexpected(paths.error());
    if (!list) {
        return tl::unexpected(list.error());
    }
    for (const std::string& path : *paths) {
        keep::note(*list,
                   {path, args.once ? keep::this_boot(*ctx.system) : "", most, args.optional});
    }
    if (auto ok = keep::write_noted(*ctx.system, *list); !ok) {
        return tl::unexpected(ok.error());
    }
    Value value;
    value.set("noted", paths_of(*paths));
    return Outcome{std::move(value), {}};
}

Result<Outcome> remove(Context& ctx, const std::vector<std::string>& given) {
    if (auto ok = require_root(*ctx.system); !ok) {
        return tl::unexpected(ok.error());
    }
    const auto paths = all_absolute(given);
    auto list = paths ? keep::read_noted(*ctx.system) : tl::unexpected(paths.error());
    if (!list) {
        return tl::unexpected(list.error());
    }
    for (const std::string& path : *paths) {
        if (std::erase_if(*list, [&path](const keep::Noted& n) { return n.path == path; }) == 0) {
            return fail(
                ExitCode::refused, fmt::format("{} is not noted", keep::escaped(path)),
                "`khoctl keep ls` lists those that are; what keep.d names is removed there");
        }
    }
    if (auto ok = keep::write_noted(*ctx.system, *list); !ok) {
        return tl::unexpected(ok.error());
    }
    Value value;
    value.set("removed", paths_of(*paths));
    return Outcome{std::move(value), {}};
}

/// What kho_luo has, if it is there.
void add_known(const System& sys, Value& value) {
    const auto device = keep::Device::open(sys);
    const auto known = device ? device->list() : tl::unexpected(device.error());
    for (const bool waits : {false, true}) {
        std::uint64_t files = 0;
        std::uint64_t bytes = 0;
        for (const keep::Known& file : known.value_or(std::vector<keep::Known>{})) {
            files += file.waits == waits ? 1 : 0;
            bytes += file.waits == waits ? file.bytes : 0;
        }
        const std::string what = waits ? "waiting" : "kept";
        value.set(what + "_files", known ? Value(files) : Value())
            .set(what + "_bytes", known ? Value(Bytes{bytes}) : Value());
    }
}

Result<Outcome> list(Context& ctx) {
    if (auto ok = require_root(*ctx.system); !ok) {
        return tl::unexpected(ok.error());
    }
    const auto wanted = keep::read_wanted(*ctx.system);
    if (!wanted) {
        return tl::unexpected(wanted.error());
    }
    Table table{{"path", "once", "unless_larger", "optional", "from"}, {}};
    for (const keep::Wanted& w : *wanted) {
        table.rows.push_back({keep::escaped(w.noted.path), !w.noted.once.empty(),
                              w.noted.most_bytes ? Value(Bytes{*w.noted.most_bytes}) : Value(),
                              w.noted.optional, w.from});
    }
    Value value;
    value.set("paths", Value(std::move(table)));
    add_known(*ctx.system, value);
    return Outcome{std::move(value), {}};
}

Result<Outcome> bring_back(Context& ctx, const KeepArguments& args) {
    const auto module = Module::open(*ctx.system);
    if (!module) {
        return tl::unexpected(module.error());
    }
    const auto into = args.into.empty() ? Result<std::string>("") : absolute(args.into);
    if (!into) {
        return tl::unexpected(into.error());
    }
    const auto report = keep::restore(*ctx.system, *module, *into, *ctx.progress);
    if (!report) {
        return tl::unexpected(report.error());
    }
    Outcome out{report->to_value(), {}};
    if (!report->left.empty()) {
        out.error = Error{ExitCode::failure,
                          fmt::format("{} did not come back, or not as it was: {}",
                                      keep::escaped(report->left[0].path), report->left[0].why),
                          "`khoctl keep drop` frees what still waits"};
    }
    return out;
}

Result<Outcome> drop(Context& ctx) {
    const auto module = Module::open(*ctx.system);
    if (!module) {
        return tl::unexpected(module.error());
    }
    const auto files = keep::discard(*ctx.system, *module);
    if (!files) {
        return tl::unexpected(files.error());
    }
    Value value;
    value.set("dropped_files", *files);
    return Outcome{std::move(value), {}};
}

Result<Outcome> keep_paths(Context& ctx, const KeepArguments& args) {
    if (args.restore && !args.paths.empty()) {
        return fail(ExitCode::usage, "--restore brings everything back, and takes no paths",
                    "khoctl keep --restore");
    }
    if (!args.restore && (args.paths.empty() || !args.into.empty())) {
        return fail(ExitCode::usage, "nothing to keep is named", "khoctl keep /dev/shm/cache");
    }
    return args.restore ? bring_back(ctx, args) : note(ctx, args);
}

void add_rm(CLI::App& keep, Selection& selection) {
    const auto paths = std::make_shared<std::vector<std::string>>();
    CLI::App* command = add_command(keep, "rm", "Keep paths no longer, from the next load on",
                                    "khoctl keep rm /dev/shm/cache");
    command->add_option("PATH", *paths, "as `khoctl keep ls` shows it")->required();
    add_json(*command, selection);
    command->callback([&selection, paths] {
        selection.action = [paths](Context& ctx) { return remove(ctx, *paths); };
    });
}

}  // namespace

void add_keep(CLI::App& app, Selection& selection) {
    const auto args = std::make_shared<KeepArguments>();
    CLI::App* keep = add_command(
        app, "keep", "Files on tmpfs that go along with every load (kho_luo); bring them back",
        "khoctl keep /dev/shm/cache");
    keep->require_subcommand(0, 1);
    keep->add_option("PATH", args->paths, "files, and directories with all that is in them");
    keep->add_flag("--once", args->once, "only with the next kexec");
    keep->add_option("--unless-larger", args->unless_larger,
                     "leave it out of a load if it has more then: bytes, or with K, M, G or T")
        ->type_name("SIZE");
    keep->add_flag("--optional", args->optional,
                   "leave it out of a load if the next kernel has no room for it");
    CLI::Option* restore =
        keep->add_flag("--restore", args->restore, "bring back what the kernel before has kept");
    keep->add_option("--into", args->into,
                     "with --restore: below this directory of a tmpfs, not where it was")
        ->needs(restore);
    add_json(*keep, selection);
    CLI::App* list_cmd =
        add_command(*keep, "ls", "List what is kept, and what the kernel before has left",
                    "khoctl keep ls --json");
    add_json(*list_cmd, selection);
    list_cmd->callback([&selection] { selection.action = list; });
    add_rm(*keep, selection);
    CLI::App* drop_cmd =
        add_command(*keep, "drop", "Free what the kernel before has kept and nobody has restored",
                    "khoctl keep drop");
    add_json(*drop_cmd, selection);
    drop_cmd->callback([&selection] { selection.action = drop; });
    keep->callback([&selection, args, keep] {
        if (keep->get_subcommands().empty()) {
            selection.action = [args](Context& ctx) { return keep_paths(ctx, *args); };
        }
    });
}

}  // namespace khob::cli
