// SPDX-License-Identifier: GPL-2.0-only
#include "keep/record.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <limits>
#include <nlohmann/json.hpp>
#include <set>

namespace khob::keep {

namespace {

using Json = nlohmann::ordered_json;

constexpr int version = 1;
constexpr std::uint32_t all_permissions = 07777;
constexpr std::uint32_t second = 1'000'000'000;
constexpr std::uint64_t most_size = std::numeric_limits<std::int64_t>::max();
constexpr std::array<std::string_view, 4> type_names{"directory", "file", "symlink", "link"};

std::string_view to_string(EntryType type) {
    return type_names.at(static_cast<std::size_t>(type));
}

Json to_json(const Time& time) {
    return Json::array({time.seconds, time.nanoseconds});
}

Json to_json(const Entry& entry) {
    Json out;
    out["path"] = escaped(entry.path);
    out["type"] = to_string(entry.type);
    if (entry.type == EntryType::link) {
        out["target"] = escaped(entry.target);
        return out;
    }
    out["mode"] = entry.mode;
    out["uid"] = entry.uid;
    out["gid"] = entry.gid;
    out["atime"] = to_json(entry.atime);
    out["mtime"] = to_json(entry.mtime);
    for (const auto& [name, value] : entry.xattrs) {
        out["xattrs"][escaped(name)] = escaped(value);
    }
    if (entry.type == EntryType::symlink) {
        out["target"] = escaped(entry.target);
    }
    if (entry.type == EntryType::file) {
        out["token"] = entry.token;
        out["size"] = entry.size;
    }
    if (entry.data) {
        out["data"] = Json::array();
        for (const Span& span : *entry.data) {
            out["data"].push_back(Json::array({span.start, span.bytes}));
        }
    }
    return out;
}

/// Why a record is none; thrown and caught in this file, as nlohmann's own are.
struct Nonsense {
    std::string why;
};

/// A field that has to be there.
const Json& field(const Json& of, const char* name) {
    if (!of.is_object() || !of.contains(name)) {
        throw Nonsense{fmt::format("there is no '{}'", name)};
    }
    return of[name];
}

std::uint64_t number(const Json& of, const char* name, std::uint64_t most) {
    const Json& value = field(of, name);
    if (!value.is_number_unsigned() || value.get<std::uint64_t>() > most) {
        throw Nonsense{fmt::format("'{}' is no number, or too large", name)};
    }
    return value.get<std::uint64_t>();
}

std::uint32_t small(const Json& of, const char* name, std::uint32_t most) {
    return static_cast<std::uint32_t>(number(of, name, most));
}

std::string bytes_of(const std::string& text) {
    auto out = unescaped(text);
    if (!out) {
        throw Nonsense{fmt::format("'{}' is no escaped text", escaped(text))};
    }
    return std::move(*out);
}

std::string text(const Json& of, const char* name, std::size_t most) {
    const Json& value = field(of, name);
    if (!value.is_string()) {
        throw Nonsense{fmt::format("'{}' is no text", name)};
    }
    std::string out = bytes_of(value.get_ref<const std::string&>());
    if (out.size() > most) {
        throw Nonsense{fmt::format("'{}' is too long", name)};
    }
    return out;
}

Time time_of(const Json& of, const char* name) {
    const Json& value = field(of, name);
    if (!value.is_array() || value.size() != 2 || !value[0].is_number_integer() ||
        !value[1].is_number_unsigned() || value[1].get<std::uint64_t>() >= second) {
        throw Nonsense{fmt::format("'{}' is no time", name)};
    }
    return {value[0].get<std::int64_t>(), value[1].get<std::uint32_t>()};
}

std::vector<Span> data_of(const Json& value, std::uint64_t size) {
    std::vector<Span> out;
    std::uint64_t end = 0;
    if (!value.is_array()) {
        throw Nonsense{"'data' is no list"};
    }
    for (const Json& span : value) {
        if (!span.is_array() || span.size() != 2 || !span[0].is_number_unsigned() ||
            !span[1].is_number_unsigned()) {
            throw Nonsense{"'data' has what is no piece"};
        }
        const Span got{span[0].get<std::uint64_t>(), span[1].get<std::uint64_t>()};
        if (got.start < end || got.start > size || got.bytes > size - got.start) {
            throw Nonsense{"'data' is beyond the file's end or out of order"};
        }
        end = got.start + got.bytes;
        out.push_back(got);
    }
    return out;
}

EntryType type_of(const Json& of) {
    const std::string name = text(of, "type", most_name);
    const auto* const it = std::find(type_names.begin(), type_names.end(), name);
    if (it == type_names.end()) {
        throw Nonsense{fmt::format("'{}' is no type", escaped(name))};
    }
    return static_cast<EntryType>(it - type_names.begin());
}

void parse_xattrs(const Json& of, Entry& to) {
    constexpr std::size_t most_value = 65536;
    if (!of.is_object()) {
        throw Nonsense{"'xattrs' are none"};
    }
    for (const auto& [name, value] : of.items()) {
        if (!value.is_string()) {
            throw Nonsense{"an extended attribute is no text"};
        }
        std::pair<std::string, std::string> got{bytes_of(name),
                                                bytes_of(value.get_ref<const std::string&>())};
        if (got.first.empty() || got.first.size() > most_name ||
            got.first.find('\0') != std::string::npos || got.second.size() > most_value) {
            throw Nonsense{"an extended attribute is too long, or has no name"};
        }
        to.xattrs.push_back(std::move(got));
    }
}

void parse_kind(const Json& of, Entry& to) {
    if (to.type == EntryType::symlink) {
        to.target = text(of, "target", most_path);
        if (to.target.empty() || to.target.find('\0') != std::string::npos) {
            throw Nonsense{"a symlink says nothing"};
        }
    }
    if (to.type == EntryType::file) {
        to.token = number(of, "token", std::numeric_limits<std::uint64_t>::max());
        to.size = number(of, "size", most_size);
        if (of.contains("data")) {
            to.data = data_of(of["data"], to.size);
        }
    }
}

Entry parse_entry(const Json& of) {
    Entry out;
    out.path = text(of, "path", most_path);
    out.type = type_of(of);
    const bool top = out.path.empty() && out.type == EntryType::directory;
    if (!top && !is_inner_path(out.path)) {
        throw Nonsense{fmt::format("'{}' is no path below a directory", escaped(out.path))};
    }
    if (out.type == EntryType::link) {
        out.target = text(of, "target", most_path);
        if (!is_inner_path(out.target)) {
            throw Nonsense{fmt::format("'{}' is no path below a directory", escaped(out.target))};
        }
        return out;
    }
    constexpr std::uint32_t most = std::numeric_limits<std::uint32_t>::max();
    out.mode = small(of, "mode", all_permissions);
    out.uid = small(of, "uid", most);
    out.gid = small(of, "gid", most);
    out.atime = time_of(of, "atime");
    out.mtime = time_of(of, "mtime");
    if (of.contains("xattrs")) {
        parse_xattrs(of["xattrs"], out);
    }
    parse_kind(of, out);
    return out;
}

Tree parse_tree(const Json& of, std::set<std::uint64_t>& tokens) {
    Tree out;
    out.mount = text(of, "mount", most_path);
    if (!is_absolute_path(out.mount)) {
        throw Nonsense{fmt::format("'{}' is no absolute path", escaped(out.mount))};
    }
    const Json& entries = field(of, "entries");
    if (!entries.is_array()) {
        throw Nonsense{"'entries' is no list"};
    }
    for (const Json& entry : entries) {
        out.entries.push_back(parse_entry(entry));
        const Entry& last = out.entries.back();
        if (last.type == EntryType::file && !tokens.insert(last.token).second) {
            throw Nonsense{"two files have the same token"};
        }
    }
    return out;
}

Record parse(std::string_view text_of_it) {
    Record out;
    std::set<std::uint64_t> tokens;
    const Json json = Json::parse(text_of_it);
    if (number(json, "version", std::numeric_limits<std::uint64_t>::max()) != version) {
        throw Nonsense{"it is of a version that is not known here"};
    }
    const Json& trees = field(json, "trees");
    if (!trees.is_array()) {
        throw Nonsense{"'trees' is no list"};
    }
    for (const Json& tree : trees) {
        out.trees.push_back(parse_tree(tree, tokens));
    }
    return out;
}

tl::unexpected<Error> no_record(std::string_view why) {
    return fail(ExitCode::data_damaged,
                fmt::format("what was handed over of kept files makes no sense: {}", why),
                "`khoctl keep drop` frees them");
}

}  // namespace

bool is_inner_path(std::string_view path) {
    if (path.empty() || path.size() > most_path || path.find('\0') != std::string_view::npos) {
        return false;
    }
    for (;;) {
        const std::size_t slash = path.find('/');
        const std::string_view name = path.substr(0, slash);
        if (name.empty() || name.size() > most_name || name == "." || name == "..") {
            return false;
        }
        if (slash == std::string_view::npos) {
            return true;
        }
        path.remove_prefix(slash + 1);
    }
}

bool is_absolute_path(std::string_view path) {
    return path == "/" || (path.starts_with('/') && is_inner_path(path.substr(1)));
}

std::pair<std::string, std::string> split_path(const std::string& path) {
    const std::size_t slash = path.rfind('/');
    if (slash == std::string::npos) {
        return {"", path};
    }
    return {path.substr(0, slash), path.substr(slash + 1)};
}

std::string subtree_name(std::uint64_t first_token) {
    return fmt::format("{}{:016x}", subtree_prefix, first_token);
}

std::string escaped(std::string_view bytes) {
    std::string out;
    for (const char c : bytes) {
        const auto byte = static_cast<unsigned char>(c);
        if (byte <= ' ' || byte > '~' || c == '%' || c == '"' || c == '\\') {
            out += fmt::format("%{:02x}", byte);
        } else {
            out += c;
        }
    }
    return out;
}

std::optional<std::string> unescaped(std::string_view text) {
    constexpr std::string_view digits = "0123456789abcdef";
    std::string out;
    for (std::size_t i = 0; i < text.size(); i++) {
        if (text[i] != '%') {
            out += text[i];
            continue;
        }
        if (text.size() - i < 3) {
            return std::nullopt;
        }
        const std::size_t high = digits.find(text[i + 1]);
        const std::size_t low = digits.find(text[i + 2]);
        if (high == std::string_view::npos || low == std::string_view::npos) {
            return std::nullopt;
        }
        out += static_cast<char>(16 * high + low);
        i += 2;
    }
    return out;
}

std::string to_json(const Record& record) {
    Json out;
    out["version"] = version;
    out["trees"] = Json::array();
    for (const Tree& tree : record.trees) {
        Json entries = Json::array();
        for (const Entry& entry : tree.entries) {
            entries.push_back(to_json(entry));
        }
        out["trees"].push_back(
            Json{{"mount", escaped(tree.mount)}, {"entries", std::move(entries)}});
    }
    return out.dump();
}

Result<Record> parse_record(std::string_view text_of_it) {
    try {
        return parse(text_of_it);
    } catch (const Nonsense& nonsense) {
        return no_record(nonsense.why);
    } catch (const nlohmann::json::exception&) {
        return no_record("it is no JSON");
    }
}

}  // namespace khob::keep
