// SPDX-License-Identifier: GPL-2.0-only
// Goes through the arguments as the parser did, and names what that knows nothing of.
#include "unknown.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

#include "base/nearest.hpp"

namespace khob::cli {

namespace {

struct Known {
    std::vector<std::string> names;  ///< with their dashes
    bool takes_value = false;
    bool hidden = false;  ///< from the help: not suggested
};

/// The options of a command.
std::vector<Known> options_of(const CLI::App& command) {
    std::vector<Known> out;
    for (const CLI::Option* option : command.get_options()) {
        Known known;
        for (const std::string& name : option->get_lnames()) {
            known.names.push_back("--" + name);
        }
        for (const std::string& name : option->get_snames()) {
            known.names.push_back("-" + name);
        }
        known.takes_value = option->get_items_expected_min() > 0;
        known.hidden = option->get_group().empty();
        out.push_back(std::move(known));
    }
    return out;
}

Error unknown(std::string_view kind, std::string_view word, const std::vector<std::string>& known,
              std::string hint) {
    const auto meant = nearest(word, known);
    return Error{ExitCode::usage,
                 fmt::format("unknown {} '{}'{}", kind, word,
                             meant ? fmt::format("; did you mean {}?", *meant) : ""),
                 std::move(hint)};
}

bool is_option(std::string_view arg) {
    return arg.size() > 1 && arg.starts_with('-') && arg != "--" &&
           !(arg[1] >= '0' && arg[1] <= '9');
}

std::vector<std::string> commands_of(const CLI::App& app) {
    std::vector<std::string> out;
    for (const CLI::App* command : app.get_subcommands([](const CLI::App*) { return true; })) {
        out.push_back(command->get_name());
    }
    return out;
}

/// Whether the next argument is that option's value. Errors: it is none of the command's.
Result<bool> takes_next(const CLI::App& command, std::string_view arg, const std::string& help) {
    const std::string name(arg.substr(0, arg.find('=')));
    std::vector<std::string> shown;
    for (const Known& known : options_of(command)) {
        if (std::find(known.names.begin(), known.names.end(), name) != known.names.end()) {
            return known.takes_value && name.size() == arg.size();
        }
        if (!known.hidden) {
            shown.insert(shown.end(), known.names.begin(), known.names.end());
        }
    }
    return tl::unexpected(unknown("option", name, shown, help));
}

}  // namespace

std::optional<Error> find_unknown(const CLI::App& app, std::span<const char* const> args) {
    const CLI::App* command = &app;
    std::string path = "khoctl";
    for (std::size_t i = 0; i < args.size(); ++i) {
        const std::string_view arg = args[i];
        if (arg == "--") {
            break;
        }
        const std::string help = path + " --help";
        if (is_option(arg)) {
            const auto takes = takes_next(*command, arg, help);
            if (!takes) {
                return takes.error();
            }
            // Whatever it looks like, the next one is its value.
            i += *takes ? 1 : 0;
        } else if (const auto commands = commands_of(*command); !commands.empty()) {
            if (std::find(commands.begin(), commands.end(), arg) == commands.end()) {
                return unknown("command", arg, commands, help);
            }
            command = command->get_subcommand(std::string(arg));
            path += fmt::format(" {}", arg);
        }
    }
    return std::nullopt;
}

}  // namespace khob::cli
