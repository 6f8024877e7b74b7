// SPDX-License-Identifier: GPL-2.0-only
#include "keep/list.hpp"

#include <fmt/format.h>
#include <glob.h>

#include <algorithm>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "base/bytes.hpp"
#include "base/files.hpp"
#include "base/numbers.hpp"
#include "keep/record.hpp"

namespace khob::keep {

namespace {

namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;

constexpr int version = 1;

tl::unexpected<Error> no_list() {
    return fail(ExitCode::failure, fmt::format("{} is no list of paths", list_path),
                "remove it, and note the paths again");
}

/// What `glob` finds; nothing if it cannot.
std::vector<std::string> matches(const std::string& pattern) {
    std::vector<std::string> out;
    glob_t found{};
    if (::glob(pattern.c_str(), 0, nullptr, &found) == 0) {
        for (std::size_t i = 0; i < found.gl_pathc; i++) {
            out.emplace_back(found.gl_pathv[i]);
        }
    }
    ::globfree(&found);
    return out;
}

void add(std::vector<Wanted>& to, Wanted wanted) {
    const auto same = [&wanted](const Wanted& w) { return w.noted.path == wanted.noted.path; };
    if (std::none_of(to.begin(), to.end(), same)) {
        to.push_back(std::move(wanted));
    }
}

Noted noted_of(const Json& item) {
    Noted out;
    out.path = unescaped(item.at("path").get<std::string>()).value_or("");
    out.once = item.value("once", "");
    if (item.contains("unless_larger")) {
        out.most_bytes = item["unless_larger"].get<std::uint64_t>();
    }
    out.optional = item.value("optional", false);
    return out;
}

}  // namespace

std::string list_to_json(const std::vector<Noted>& list) {
    Json out;
    out["version"] = version;
    out["paths"] = Json::array();
    for (const Noted& noted : list) {
        Json item;
        item["path"] = escaped(noted.path);
        if (!noted.once.empty()) {
            item["once"] = noted.once;
        }
        if (noted.most_bytes) {
            item["unless_larger"] = *noted.most_bytes;
        }
        if (noted.optional) {
            item["optional"] = true;
        }
        out["paths"].push_back(std::move(item));
    }
    return out.dump(2) + "\n";
}

Result<std::vector<Noted>> parse_list(std::string_view text) {
    std::vector<Noted> out;
    try {
        const Json json = Json::parse(text);
        if (json.at("version").get<int>() != version) {
            return no_list();
        }
        for (const Json& item : json.at("paths")) {
            out.push_back(noted_of(item));
            if (!is_absolute_path(out.back().path)) {
                return no_list();
            }
        }
    } catch (const nlohmann::json::exception&) {
        return no_list();
    }
    return out;
}

std::string this_boot(const System& sys) {
    const auto id = read_text(sys.path("/proc/sys/kernel/random/boot_id"));
    return id ? std::string(trimmed(*id)) : "unknown";
}

Result<std::vector<Noted>> read_noted(const System& sys) {
    std::error_code ignored;
    const fs::path path = sys.path(list_path);
    if (!fs::exists(path, ignored)) {
        return std::vector<Noted>{};
    }
    const auto text = read_text(path);
    auto list = text ? parse_list(*text) : tl::unexpected(text.error());
    if (list) {
        const std::string boot = this_boot(sys);
        std::erase_if(*list, [&boot](const Noted& n) { return !n.once.empty() && n.once != boot; });
    }
    return list;
}

void note(std::vector<Noted>& list, Noted noted) {
    std::erase_if(list, [&noted](const Noted& n) { return n.path == noted.path; });
    list.push_back(std::move(noted));
}

Result<void> write_noted(const System& sys, const std::vector<Noted>& list) {
    std::error_code err;
    const fs::path path = sys.path(list_path);
    fs::path fresh = path;
    fresh += ".new";
    // What others keep is nobody's business.
    if (fs::create_directories(path.parent_path(), err)) {
        fs::permissions(path.parent_path(), fs::perms::owner_all, err);
    }
    const std::string text = list_to_json(list);
    if (auto ok = write_file(fresh, as_bytes(text)); !ok) {
        return ok;
    }
    fs::rename(fresh, path, err);
    return err ? fail_errno(err.value(), path.string()) : Result<void>{};
}

Result<std::vector<Wanted>> read_wanted(const System& sys) {
    std::vector<Wanted> out;
    auto noted = read_noted(sys);
    if (!noted) {
        return tl::unexpected(noted.error());
    }
    for (Noted& one : *noted) {
        add(out, {std::move(one), std::string(list_path)});
    }
    std::error_code ignored;
    const fs::path dir = sys.path(patterns_dir);
    if (!fs::exists(dir, ignored)) {
        return out;
    }
    const auto names = list_dir(dir);
    if (!names) {
        return tl::unexpected(names.error());
    }
    for (const std::string& name : *names) {
        if (!name.ends_with(".conf")) {
            continue;
        }
        const auto text = read_text(dir / name);
        if (!text) {
            return tl::unexpected(text.error());
        }
        for (const std::string_view line : lines(*text)) {
            const std::string_view text_of = trimmed(line);
            if (text_of.empty() || text_of.starts_with('#')) {
                continue;
            }
            const bool optional = text_of.starts_with('-');
            for (std::string& path : matches(std::string(text_of.substr(optional ? 1 : 0)))) {
                add(out, {{std::move(path), "", std::nullopt, optional}, (dir / name).string()});
            }
        }
    }
    return out;
}

}  // namespace khob::keep
