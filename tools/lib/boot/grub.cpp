// SPDX-License-Identifier: GPL-2.0-only
#include "boot/grub.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <optional>
#include <string>
#include <vector>

#include "base/numbers.hpp"
#include "boot/grub_script.hpp"

namespace khob::boot {

namespace {

constexpr std::string_view name_it = "name the kernel in /etc/kho-bridge/load.conf, or give it";

/// An entry of a menu, or a submenu, not entered yet.
struct Item {
    std::string title;
    std::string id;
    bool submenu = false;
    const std::vector<Statement>* body = nullptr;
};

/// What was found in a menu, or in an entry.
struct Found {
    std::vector<Item> items;
    std::optional<std::vector<std::string>> linux;
    std::vector<std::string> initrds;
    bool unsure = false;  ///< a kernel stands where it cannot be told whether GRUB comes by
};

using Words = std::vector<std::string>;

/// `[ ... ]`: nothing if it cannot be told.
std::optional<bool> condition(Words words) {
    const bool brackets = words.size() >= 2 && words.front() == "[" && words.back() == "]";
    if (!brackets && (words.empty() || words.front() != "test")) {
        return std::nullopt;
    }
    words.erase(words.begin());
    if (brackets) {
        words.pop_back();
    }
    bool negate = false;
    while (!words.empty() && words.front() == "!") {
        negate = !negate;
        words.erase(words.begin());
    }
    std::optional<bool> out;
    if (words.size() <= 1) {
        out = !words.empty() && !words[0].empty();
    } else if (words.size() == 2 && (words[0] == "-n" || words[0] == "-z")) {
        out = words[1].empty() == (words[0] == "-z");
    } else if (words.size() == 3 && (words[1] == "=" || words[1] == "==" || words[1] == "!=")) {
        out = (words[0] == words[2]) == (words[1] != "!=");
    }
    return out ? std::optional(*out != negate) : out;
}

/// Goes through statements as GRUB would.
class Run {
  public:
    Run(Variables& variables, Found& out) : variables_(variables), out_(out) {}

    void all(const std::vector<Statement>& statements) {
        for (const Statement& statement : statements) {
            Words words = expanded(statement, variables_);
            step(statement, words);
        }
    }

  private:
    /// An `if`, or a loop, which is one whose condition cannot be told.
    struct Branch {
        bool active = true;    ///< this branch is taken
        bool done = false;     ///< it or one before it
        bool unknown = false;  ///< it may be taken
        bool doubt = false;    ///< it or one before it
    };

    bool active() const {
        return std::all_of(branches_.begin(), branches_.end(), [](auto& b) { return b.active; });
    }

    /// Whether GRUB may come by here, or not, for a condition that cannot be told.
    bool unsure() const {
        return std::any_of(branches_.begin(), branches_.end(), [](auto& b) { return b.doubt; }) &&
               std::all_of(branches_.begin(), branches_.end(),
                           [](auto& b) { return b.active || b.unknown; });
    }

    static void enter(Branch& branch, const Words& words) {
        const auto known = condition({words.begin() + 1, words.end()});
        branch.active = !branch.done && known.value_or(false);
        branch.unknown = !branch.done && !known;
        branch.doubt = branch.doubt || branch.unknown;
        branch.done = branch.done || branch.active;
    }

    /// Whether it was a word of an `if` or of a loop.
    bool control(Words& words) {
        const std::string name = words[0];
        if (name == "if") {
            branches_.emplace_back();
            enter(branches_.back(), words);
        } else if (name == "for" || name == "while" || name == "until") {
            branches_.push_back({false, true, true, true});
        } else if (name == "elif" && !branches_.empty()) {
            enter(branches_.back(), words);
        } else if (name == "else" && !branches_.empty()) {
            Branch& branch = branches_.back();
            branch.active = !branch.done;
            branch.unknown = false;
            branch.done = true;
            words.erase(words.begin());
            return words.empty();
        } else if (name == "fi" || name == "done") {
            if (!branches_.empty()) {
                branches_.pop_back();
            }
        } else if (name == "then" || name == "do") {
            words.erase(words.begin());
            return words.empty();
        } else {
            return false;
        }
        return true;
    }

    void step(const Statement& statement, Words& words) {
        while (!words.empty()) {
            const std::size_t before = words.size();
            if (control(words)) {
                return;
            }
            if (words.size() == before) {
                break;
            }
        }
        if (words.empty() || words[0] == "function") {
            return;
        }
        const bool kernel = is_one_of(words[0], {"linux", "linux16", "linuxefi"});
        const bool initrd = is_one_of(words[0], {"initrd", "initrd16", "initrdefi"});
        out_.unsure = out_.unsure || ((kernel || initrd) && unsure());
        if (!active()) {
            return;
        }
        if (kernel) {
            out_.linux = Words(words.begin() + 1, words.end());
        } else if (initrd) {
            out_.initrds.assign(words.begin() + 1, words.end());
        } else if (words[0] == "menuentry" || words[0] == "submenu") {
            add_item(statement, words);
        } else {
            assign(words);
        }
    }

    static bool is_one_of(std::string_view name, std::array<std::string_view, 3> names) {
        return std::find(names.begin(), names.end(), name) != names.end();
    }

    /// `set name=value`, or without `set`.
    void assign(const Words& words) {
        const std::size_t at = words[0] == "set" || words[0] == "export" ? 1 : 0;
        if (words.size() != at + 1) {
            return;
        }
        if (const auto equals = words[at].find('='); equals != std::string::npos && equals > 0) {
            variables_[words[at].substr(0, equals)] = words[at].substr(equals + 1);
        }
    }

    void add_item(const Statement& statement, const Words& words) {
        Item item{"", "", words[0] == "submenu", &statement.body};
        for (std::size_t i = 1; i < words.size(); ++i) {
            const bool takes_value = is_one_of(words[i], {"--class", "--users", "--hotkey"});
            if (words[i] == "--id" && i + 1 < words.size()) {
                item.id = words[++i];
            } else if (words[i].starts_with("--id=")) {
                item.id = words[i].substr(5);
            } else if (takes_value) {
                ++i;
            } else if (item.title.empty() && !words[i].starts_with("--")) {
                item.title = words[i];
            }
        }
        out_.items.push_back(std::move(item));
    }

    Variables& variables_;
    Found& out_;
    std::vector<Branch> branches_;
};

/// The item that GRUB takes: by place, id or title, and if there is no such one the first.
const Item& chosen(const std::vector<Item>& items, const std::string& wanted) {
    if (const auto number = parse_u64(wanted); number && *number < items.size()) {
        return items[*number];
    }
    const auto named = std::find_if(items.begin(), items.end(), [&wanted](const Item& item) {
        return (!item.id.empty() && item.id == wanted) || item.title == wanted;
    });
    return named == items.end() ? items.front() : *named;
}

/// As GRUB gives it to a kernel.
std::string cmdline_of(const std::vector<std::string>& words) {
    std::string out;
    for (std::size_t i = 1; i < words.size(); ++i) {
        out += i == 1 ? "" : " ";
        const bool blank = words[i].find(' ') != std::string::npos;
        out += blank ? "\"" : "";
        for (const char c : words[i]) {
            if (c == '\\' || c == '\'' || c == '"') {
                out += '\\';
            }
            out += c;
        }
        out += blank ? "\"" : "";
    }
    return out;
}

/// Without the device that GRUB looks on.
std::string path_of(const std::string& path) {
    const auto end = path.starts_with('(') ? path.find(')') : std::string::npos;
    return end == std::string::npos ? path : path.substr(end + 1);
}

Result<Entry> entry_of(const Item& item, Variables& variables) {
    Found found;
    Run(variables, found).all(*item.body);
    if (found.unsure) {
        return fail(ExitCode::refused,
                    fmt::format("what GRUB's entry '{}' boots depends on what only GRUB can tell",
                                item.title),
                    std::string(name_it));
    }
    if (!found.linux || found.linux->empty() || !path_of(found.linux->front()).starts_with('/')) {
        return fail(ExitCode::refused,
                    fmt::format("GRUB's default entry '{}' boots no Linux kernel", item.title),
                    std::string(name_it));
    }
    Entry out{item.title, path_of(found.linux->front()), {}, cmdline_of(*found.linux)};
    for (const std::string& initrd : found.initrds) {
        out.initrds.push_back(path_of(initrd));
    }
    return out;
}

}  // namespace

Variables parse_grubenv(std::string_view text) {
    Variables out;
    for (const std::string_view line : lines(text)) {
        const auto equals = line.find('=');
        if (line.starts_with('#') || equals == std::string_view::npos || equals == 0) {
            continue;
        }
        std::string value;
        for (std::size_t i = equals + 1; i < line.size(); ++i) {
            i += line[i] == '\\' && i + 1 < line.size() ? 1 : 0;
            value += line[i];
        }
        out[std::string(line.substr(0, equals))] = std::move(value);
    }
    return out;
}

Result<Entry> grub_default(std::string_view grub_cfg, Variables variables) {
    const auto script = parse_grub_script(grub_cfg);
    if (!script) {
        return tl::unexpected(script.error());
    }
    // What every GRUB 2 sets; Debian's grub.cfg asks for it.
    variables.emplace("feature_menuentry_id", "y");
    Found menu;
    Run(variables, menu).all(*script);
    std::string path = variables["default"];
    while (!menu.items.empty()) {
        const auto end = std::min(path.find('>'), path.size());
        const Item item = chosen(menu.items, path.substr(0, end));
        path = path.substr(std::min(end + 1, path.size()));
        if (!item.submenu) {
            return entry_of(item, variables);
        }
        menu = {};
        Run(variables, menu).all(*item.body);
    }
    return fail(ExitCode::refused, "GRUB's menu has no entry", std::string(name_it));
}

}  // namespace khob::boot
