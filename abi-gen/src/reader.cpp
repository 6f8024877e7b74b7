// SPDX-License-Identifier: GPL-2.0-only
// Reading maps and scalars of the schema.
#include "reader.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace khob::gen {

MapReader::MapReader(const Tree& tree, std::string what, Errors& errors)
    : tree_(tree),
      what_(std::move(what)),
      errors_(errors),
      before_(errors.size()),
      is_map_(tree.kind == Tree::Kind::map) {
    if (!is_map_) {
        errors_.push_back({tree.at, fmt::format("{} has to be a map", what_)});
        return;
    }
    std::set<std::string> seen;
    for (const TreeEntry& entry : tree.map) {
        if (!seen.insert(entry.key.value).second) {
            errors_.push_back(
                {entry.key.at, fmt::format("{} has '{}' twice", what_, entry.key.value)});
        }
    }
}

const Tree* MapReader::take(std::string_view key) {
    taken_.emplace(key);
    const auto entry = std::find_if(tree_.map.begin(), tree_.map.end(),
                                    [key](const TreeEntry& e) { return e.key.value == key; });
    return entry == tree_.map.end() ? nullptr : &entry->value;
}

const Tree* MapReader::need(std::string_view key) {
    const Tree* value = take(key);
    if (value == nullptr && is_map_) {
        errors_.push_back({tree_.at, fmt::format("{} has no '{}'", what_, key)});
    }
    return value;
}

std::string MapReader::text(std::string_view key) {
    const Tree* value = need(key);
    return value == nullptr ? ""
                            : read_scalar(*value, fmt::format("'{}' of {}", key, what_), errors_);
}

std::string MapReader::text_or(std::string_view key) {
    return take(key) == nullptr ? "" : text(key);
}

bool MapReader::flag(std::string_view key) {
    const std::string value = one_of(key, {"true", "false"}, "false");
    return value == "true";
}

SchemaExpr MapReader::expr(std::string_view key) {
    const Tree* value = need(key);
    return value == nullptr ? SchemaExpr{}
                            : read_expr(*value, fmt::format("'{}' of {}", key, what_), errors_);
}

std::string MapReader::one_of(std::string_view key, const std::vector<std::string>& choices,
                              const std::string& preset) {
    const Tree* value = preset.empty() ? need(key) : take(key);
    if (value == nullptr) {
        return preset;
    }
    std::string text = read_scalar(*value, fmt::format("'{}' of {}", key, what_), errors_);
    if (!text.empty() && std::find(choices.begin(), choices.end(), text) == choices.end()) {
        errors_.push_back({value->at, fmt::format("'{}' of {} is '{}', not one of: {}", key, what_,
                                                  text, fmt::join(choices, ", "))});
    }
    return text;
}

bool MapReader::finish() {
    for (const TreeEntry& entry : tree_.map) {
        if (!taken_.contains(entry.key.value)) {
            errors_.push_back(
                {entry.key.at, fmt::format("{} has an unknown key '{}'; known are: {}", what_,
                                           entry.key.value, fmt::join(taken_, ", "))});
        }
    }
    return errors_.size() == before_;
}

std::string read_scalar(const Tree& tree, const std::string& what, Errors& errors) {
    if (tree.kind != Tree::Kind::scalar || tree.scalar.empty()) {
        errors.push_back({tree.at, fmt::format("{} has to be a text that is not empty", what)});
        return "";
    }
    return tree.scalar;
}

std::optional<std::uint64_t> read_number(const Tree& tree, const std::string& what,
                                         Errors& errors) {
    const auto parsed = parse_expr(tree.kind == Tree::Kind::scalar ? tree.scalar : "");
    if (!parsed || parsed->kind != Expr::Kind::number) {
        errors.push_back({tree.at, fmt::format("{} has to be a number", what)});
        return std::nullopt;
    }
    return parsed->number;
}

SchemaExpr read_expr(const Tree& tree, const std::string& what, Errors& errors) {
    SchemaExpr result{{}, read_scalar(tree, what, errors), tree.at};
    if (result.text.empty()) {
        return result;
    }
    auto parsed = parse_expr(result.text);
    if (!parsed) {
        errors.push_back({inside(tree.at, parsed.error().offset),
                          fmt::format("{}: {}", what, parsed.error().text)});
        return result;
    }
    result.expr = std::move(*parsed);
    return result;
}

Position inside(const Position& start, std::size_t offset) {
    return Position{start.file, start.line, start.column + static_cast<int>(offset)};
}

}  // namespace khob::gen
