// SPDX-License-Identifier: GPL-2.0-only
// Gives what is in the module's status names and types.
#include "module/status.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <utility>

#include "base/numbers.hpp"
#include "module/text.hpp"

namespace khob {

namespace {

enum class Kind { text, number, boolean, address, bytes, orders };

/// By what a name ends with; of all others numbers are numbers.
constexpr std::array<std::pair<std::string_view, Kind>, 10> kinds{{
    {"test_build", Kind::boolean},
    {"chain_damaged", Kind::boolean},
    {"orders", Kind::orders},
    {"_phys", Kind::address},
    {"_addr", Kind::address},
    {"setup_data", Kind::address},
    {"bytes", Kind::bytes},
    {"_len", Kind::bytes},
    {"_size", Kind::bytes},
    {"largest", Kind::bytes},
}};
constexpr std::string_view left_to_compact = "out.compact_left";

Kind kind_of(std::string_view name, bool text) {
    if (text) {
        return Kind::text;
    }
    for (const auto& [ending, kind] : kinds) {
        if (name.ends_with(ending)) {
            return kind;
        }
    }
    return name == left_to_compact ? Kind::bytes : Kind::number;
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

Value typed(std::string_view name, const std::string& text, bool is_text) {
    const Kind kind = kind_of(name, is_text);
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

/// A number at a place in the struct, of either size.
std::uint64_t number_at(const device::status& s, const device::Field& field, std::size_t i) {
    const auto* const at = reinterpret_cast<const char*>(&s) + field.offset + i * field.size;
    if (field.size == sizeof(std::uint32_t)) {
        std::uint32_t small = 0;
        std::memcpy(&small, at, sizeof(small));
        return small;
    }
    std::uint64_t number = 0;
    std::memcpy(&number, at, sizeof(number));
    return number;
}

std::string value_of(const device::status& s, const device::Field& field) {
    if (field.text) {
        const std::string_view all(reinterpret_cast<const char*>(&s) + field.offset, field.length);
        return std::string(all.substr(0, all.find('\0')));
    }
    if (field.length == 1) {
        return fmt::format("{}", number_at(s, field, 0));
    }
    std::string counts;
    for (std::size_t i = 0; i < field.length; ++i) {
        if (const std::uint64_t n = number_at(s, field, i); n != 0) {
            counts += fmt::format("{}{}:{}", counts.empty() ? "" : " ", i, n);
        }
    }
    return counts;
}

/// What a field is called outside of the struct: out_keys is out.keys.
std::string name_of(std::string_view field) {
    constexpr std::array<std::string_view, 4> groups{"out_", "scratch_", "in_", "native_"};
    std::string name(field);
    for (const std::string_view group : groups) {
        if (field.starts_with(group)) {
            name[group.size() - 1] = '.';
        }
    }
    return name;
}

std::string_view in_state(const device::status& s) {
    switch (static_cast<device::InState>(s.in_state)) {
        case device::InState::attached:
            return "attached";
        case device::InState::refused:
            return "refused";
        case device::InState::none:
            break;
    }
    return "none";
}

}  // namespace

Status::Status(const device::status& from) {
    namespace flags = device::status_flags;
    const auto has = [&from](std::uint32_t flag) { return (from.flags & flag) != 0; };
    const auto is = [&has](std::uint32_t flag) { return has(flag) ? "1" : "0"; };
    set("version", text_of(from.version));
    set("test_build", is(flags::test_build), false);
    set("source", has(flags::native) ? "native" : "bridge");
    set("native.abi", text_of(from.native_abi));
    set("abi", text_of(from.abi));
    set("out.state", has(flags::frozen) ? "frozen" : "open");
    set("in.state", in_state(from));
    set("in.reason", text_of(from.in_reason));
    set("in.chain_damaged", is(flags::chain_damaged), false);
    set("in.method", !attached() ? "" : has(flags::in_native) ? "kho" : "indirect");
    for (const device::Field& field : device::status_fields) {
        // What is said above, and what programs have among themselves.
        if (field.name == "size" || field.name == "flags" || field.name == "changes") {
            continue;
        }
        if (std::string name = name_of(field.name); fields_.find(name) == fields_.end()) {
            set(std::move(name), value_of(from, field), field.text);
        }
    }
}

void Status::set(std::string name, std::string_view value, bool is_text) {
    order_.push_back(name);
    fields_.emplace(std::move(name), Said{std::string(trimmed(value)), is_text});
}

std::string Status::text(std::string_view name) const {
    const auto it = fields_.find(name);
    return it == fields_.end() ? std::string() : it->second.text;
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
        const auto& [text, is_text] = fields_.find(name)->second;
        if (dot == std::string::npos) {
            root.set(name, typed(name, text, is_text));
            continue;
        }
        const std::string group = name.substr(0, dot);
        auto it = std::find_if(groups.begin(), groups.end(),
                               [&group](const auto& g) { return g.first == group; });
        if (it == groups.end()) {
            it = groups.insert(groups.end(), {group, Value{Fields{}}});
        }
        it->second.set(name.substr(dot + 1), typed(name, text, is_text));
    }
    for (auto& [group, value] : groups) {
        root.set(group, std::move(value));
    }
    return root;
}

}  // namespace khob
