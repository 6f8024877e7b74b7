// SPDX-License-Identifier: GPL-2.0-only
// Parses the module's status and gives it types.
#include "module/status.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>

#include "base/numbers.hpp"

namespace khob {

namespace {

enum class Kind { text, number, boolean, address, bytes, micros, orders };

constexpr std::array<std::pair<std::string_view, Kind>, 36> kinds{{
    {"test_build", Kind::boolean},
    {"out.keys", Kind::number},
    {"out.pages", Kind::number},
    {"out.bytes", Kind::bytes},
    {"out.orders", Kind::orders},
    {"out.subtrees", Kind::number},
    {"out.nodes", Kind::number},
    {"out.metadata_bytes", Kind::bytes},
    {"out.carried_keys", Kind::number},
    {"out.root_phys", Kind::address},
    {"out.fdt_phys", Kind::address},
    {"out.fdt_len", Kind::bytes},
    {"out.preserve_us", Kind::number},
    {"scratch.areas", Kind::number},
    {"scratch.bytes", Kind::bytes},
    {"scratch.largest", Kind::bytes},
    {"in.keys", Kind::number},
    {"in.pages", Kind::number},
    {"in.bytes", Kind::bytes},
    {"in.orders", Kind::orders},
    {"in.subtrees", Kind::number},
    {"in.ranges", Kind::number},
    {"in.gap_pages", Kind::number},
    {"in.restored_pages", Kind::number},
    {"in.attach_us", Kind::number},
    {"in.kexec_tsc", Kind::number},
    {"in.tsc_khz", Kind::number},
    {"in.kexec_count", Kind::number},
    {"tsc_khz", Kind::number},
    {"out.folios", Kind::number},
    {"out.arena_bytes", Kind::bytes},
    {"out.compactions", Kind::number},
    {"out.compact_folios", Kind::number},
    {"out.compact_bytes", Kind::bytes},
    {"out.compact_left", Kind::bytes},
    {"out.compact_us", Kind::number},
}};

Kind kind_of(std::string_view name) {
    for (const auto& [known, kind] : kinds) {
        if (known == name) {
            return kind;
        }
    }
    return Kind::text;
}

/// "0:12 3:4".
Value orders_value(std::string_view text) {
    Counts counts;
    for (const std::string_view word : words(text)) {
        const std::size_t colon = word.find(':');
        const auto order = parse_u64(word.substr(0, colon));
        const auto count =
            colon == std::string_view::npos ? std::nullopt : parse_u64(word.substr(colon + 1));
        if (!order || !count) {
            return text;
        }
        counts.items.emplace_back(*order, *count);
    }
    return counts;
}

Value typed(std::string_view name, const std::string& text) {
    const Kind kind = kind_of(name);
    if (kind == Kind::orders) {
        return orders_value(text);
    }
    const auto number = parse_u64(text);
    if (kind == Kind::text || !number) {
        return text;
    }
    switch (kind) {
        case Kind::boolean:
            return *number != 0;
        case Kind::address:
            return Address{*number};
        case Kind::bytes:
            return Bytes{*number};
        default:
            return *number;
    }
}

/// Words with dots between them, as to_value() takes them apart.
bool is_name(std::string_view text) {
    return !text.empty() && !text.starts_with('.') && !text.ends_with('.') &&
           text.find("..") == std::string_view::npos;
}

}  // namespace

Result<Status> Status::parse(std::string_view text) {
    Status out;
    for (const std::string_view line : lines(text)) {
        const std::size_t colon = line.find(':');
        const std::string_view name = trimmed(line.substr(0, colon));
        if (colon == std::string_view::npos || !is_name(name)) {
            return fail(ExitCode::failure, fmt::format("the module's status makes no sense: '{}'",
                                                       line.substr(0, 80)));
        }
        const auto [at, fresh] = out.fields_.insert_or_assign(
            std::string(name), std::string(trimmed(line.substr(colon + 1))));
        if (fresh) {
            out.order_.push_back(at->first);
        }
    }
    return out;
}

std::string Status::text(std::string_view name) const {
    const auto it = fields_.find(name);
    return it == fields_.end() ? std::string() : it->second;
}

std::optional<std::uint64_t> Status::number(std::string_view name) const {
    return parse_u64(text(name));
}

std::uint64_t Status::number_or(std::string_view name, std::uint64_t fallback) const {
    return number(name).value_or(fallback);
}

Value Status::to_value() const {
    Value root{Fields{}};
    std::vector<std::pair<std::string, Value>> groups;
    for (const std::string& name : order_) {
        const std::size_t dot = name.find('.');
        const std::string& text = fields_.find(name)->second;
        if (dot == std::string::npos) {
            root.set(name, typed(name, text));
            continue;
        }
        const std::string group = name.substr(0, dot);
        auto it = std::find_if(groups.begin(), groups.end(),
                               [&group](const auto& g) { return g.first == group; });
        if (it == groups.end()) {
            it = groups.insert(groups.end(), {group, Value{Fields{}}});
        }
        it->second.set(name.substr(dot + 1), typed(name, text));
    }
    for (auto& [group, value] : groups) {
        root.set(group, std::move(value));
    }
    return root;
}

}  // namespace khob
