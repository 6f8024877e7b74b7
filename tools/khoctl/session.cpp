// SPDX-License-Identifier: GPL-2.0-only
// The subcommands of live update sessions: session ls, show, drop.
#include <fmt/format.h>

#include <algorithm>

#include "cli.hpp"
#include "session/sessions.hpp"

namespace khob::cli {

namespace {

Value holders_of(const Session& session) {
    std::string out;
    for (const Holder& holder : session.holders) {
        out += fmt::format("{}{} ({})", out.empty() ? "" : ", ", holder.comm, holder.pid);
    }
    return out.empty() ? Value() : Value(std::move(out));
}

Result<Outcome> list(Context& ctx) {
    const auto sessions = list_sessions(*ctx.system);
    if (!sessions) {
        return tl::unexpected(sessions.error());
    }
    Table table{{"name", "state", "files", "left", "bytes", "folios", "metadata", "holder"}, {}};
    for (const Session& s : *sessions) {
        const auto figure = [&s](std::uint64_t value) { return s.told ? Value(value) : Value(); };
        const auto amount = [&s](std::uint64_t bytes) {
            return s.told ? Value(Bytes{bytes}) : Value();
        };
        const sessions::session told = s.told.value_or(sessions::session{});
        table.rows.push_back({s.name, s.state(), figure(told.files), figure(told.left),
                              amount(told.bytes), figure(told.folios), amount(told.metadata),
                              holders_of(s)});
    }
    return Outcome{Value(std::move(table)), {}};
}

Value processes_of(const Session& session) {
    Table table{{"pid", "comm"}, {}};
    for (const Holder& holder : session.holders) {
        table.rows.push_back({holder.pid, holder.comm});
    }
    return {std::move(table)};
}

Result<Outcome> show(Context& ctx, const std::string& name) {
    const auto sessions = list_sessions(*ctx.system);
    if (!sessions) {
        return tl::unexpected(sessions.error());
    }
    const auto it = std::find_if(sessions->begin(), sessions->end(),
                                 [&name](const Session& s) { return s.name == name; });
    if (it == sessions->end()) {
        return fail(ExitCode::absent, fmt::format("there is no session '{}'", name),
                    "`khoctl session ls` lists those that there are");
    }
    Value value;
    value.set("name", it->name).set("state", it->state());
    if (it->told) {
        value.set("files", it->told->files)
            .set("left", it->told->left)
            .set("bytes", Bytes{it->told->bytes})
            .set("folios", it->told->folios)
            .set("metadata", Bytes{it->told->metadata});
    }
    value.set("holders", processes_of(*it));
    return Outcome{std::move(value), {}};
}

Result<Outcome> drop(Context& ctx, const std::string& name) {
    if (auto ok = drop_session(*ctx.system, name); !ok) {
        return tl::unexpected(ok.error());
    }
    Value value;
    value.set("dropped", name);
    return Outcome{std::move(value), {}};
}

Result<Outcome> drop_all(Context& ctx) {
    const auto names = drop_waiting_sessions(*ctx.system);
    if (!names) {
        return tl::unexpected(names.error());
    }
    Table table{{"name"}, {}};
    for (const std::string& name : *names) {
        table.rows.push_back({name});
    }
    Value value;
    value.set("dropped", Value(std::move(table)));
    return Outcome{std::move(value), {}};
}

void add_show(CLI::App& session, Selection& selection) {
    const auto which = std::make_shared<std::string>();
    CLI::App* command =
        add_command(session, "show", "Show one session", "khoctl session show systemd");
    command->add_option("NAME", *which, "as `khoctl session ls` shows it")->required();
    add_json(*command, selection);
    command->callback([&selection, which] {
        selection.action = [which](Context& ctx) { return show(ctx, *which); };
    });
}

void add_drop(CLI::App& session, Selection& selection) {
    const auto which = std::make_shared<std::string>();
    const auto all = std::make_shared<bool>(false);
    CLI::App* command =
        add_command(session, "drop", "End a session of the kernel before that nobody has open",
                    "khoctl session drop systemd");
    CLI::Option_group* target = command->add_option_group("what");
    target->add_option("NAME", *which, "as `khoctl session ls` shows it");
    target->add_flag("--all", *all, "all of them, whatever they are called");
    target->require_option(1);
    add_json(*command, selection);
    command->callback([&selection, which, all] {
        selection.action = [which, all](Context& ctx) {
            return *all ? drop_all(ctx) : drop(ctx, *which);
        };
    });
}

}  // namespace

void add_session(CLI::App& app, Selection& selection) {
    CLI::App* session =
        add_command(app, "session", "Live update sessions (kho_luo): list, look at, drop one",
                    "khoctl session ls --json");
    session->require_subcommand(1);
    CLI::App* list_cmd = add_command(*session, "ls", "List the sessions, and what each costs",
                                     "khoctl session ls --json");
    add_json(*list_cmd, selection);
    list_cmd->callback([&selection] { selection.action = list; });
    add_show(*session, selection);
    add_drop(*session, selection);
}

}  // namespace khob::cli
