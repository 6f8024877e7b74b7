// SPDX-License-Identifier: GPL-2.0-only
// Stage 2: expressions to numbers, structs to layouts, for one version at one
// page size. Names are computed when they are first needed, so the schema's
// order does not matter; what needs itself is reported as a cycle.
#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <utility>

#include "model.hpp"
#include "reader.hpp"

namespace khob::gen {
namespace {

using Lookup = tl::expected<std::uint64_t, std::string>;

struct Primitive {
    const char* name;
    std::uint64_t size;
};

constexpr Primitive primitives[] = {  // NOLINT(modernize-avoid-c-arrays): sized by its list
    {"u8", 1}, {"u16", 2}, {"u32", 4}, {"u64", 8}, {"char", 1}, {"be32", 4}};

constexpr std::uint64_t max_struct_bytes = 1ULL << 32;

// Bounds how deep resolving recurses.
constexpr std::size_t max_chain = 64;

/// Errors name what failed; what depends on it stays silent about it.
constexpr const char* already_reported = "";

std::uint64_t largest(ConstantType type) {
    switch (type) {
        case ConstantType::int32:
            return INT32_MAX;
        case ConstantType::u32:
            return UINT32_MAX;
        default:
            return UINT64_MAX;
    }
}

std::uint64_t align_up(std::uint64_t value, std::uint64_t alignment) {
    return (value + alignment - 1) / alignment * alignment;
}

class Resolver {
  public:
    Resolver(const Schema& schema, std::size_t version, std::uint64_t page_shift)
        : schema_(schema) {
        result_.version = version;
        result_.page_shift = page_shift;
        for (const Section& section : schema.sections) {
            for (const Constant& c : section.constants) {
                if (c.info.in_version(version)) {
                    constants_.emplace(c.info.name, &c);
                }
            }
            for (const Struct& s : section.structs) {
                if (s.info.in_version(version)) {
                    structs_.emplace(s.info.name, &s);
                }
            }
        }
    }

    Result<Resolved> run() {
        for (const auto& [name, constant] : constants_) {
            static_cast<void>(constant_value(name));
        }
        for (const auto& [name, structure] : structs_) {
            static_cast<void>(struct_layout(name));
        }
        if (!failed_.empty()) {
            return tl::unexpected<Errors>(std::move(errors_));
        }
        return std::move(result_);
    }

  private:
    [[nodiscard]] const std::string& version_name() const {
        return schema_.versions[result_.version].info.name;
    }

    [[nodiscard]] std::string context() const {
        return fmt::format("{} at page_shift {}", version_name(), result_.page_shift);
    }

    /// The cycle that ends in what, as "a -> b -> a".
    [[nodiscard]] std::string cycle(const std::string& what) const {
        const auto start = std::find(active_.begin(), active_.end(), what);
        std::string text;
        for (auto at = start; at != active_.end(); ++at) {
            text += *at + " -> ";
        }
        return text + what;
    }

    [[nodiscard]] bool is_active(const std::string& what) const {
        return std::find(active_.begin(), active_.end(), what) != active_.end();
    }

    [[nodiscard]] std::string too_long(const std::string& what) const {
        return fmt::format("'{}' is the last of more than {} that need each other, from '{}' on",
                           what, max_chain, active_.front());
    }

    Lookup name_value(const std::string& name) {
        if (name == schema_.page_shift.info.name) {
            return result_.page_shift;
        }
        return constant_value(name);
    }

    Lookup constant_value(const std::string& name) {
        if (const auto known = result_.constants.find(name); known != result_.constants.end()) {
            return known->second;
        }
        const auto constant = constants_.find(name);
        if (constant == constants_.end()) {
            return tl::unexpected<std::string>(
                fmt::format("there is no constant '{}' in {}", name, version_name()));
        }
        if (failed_.contains(name)) {
            return tl::unexpected<std::string>(already_reported);
        }
        if (is_active(name)) {
            return tl::unexpected<std::string>(
                fmt::format("'{}' depends on itself: {}", name, cycle(name)));
        }
        if (active_.size() >= max_chain) {
            return tl::unexpected<std::string>(too_long(name));
        }
        active_.push_back(name);
        auto value = number(constant->second->value, fmt::format("constant {}", name));
        active_.pop_back();
        const std::uint64_t most = largest(constant->second->type);
        if (value && *value > most) {
            report(constant->second->value.at,
                   fmt::format("constant {} is {}, more than its type's {}", name, *value, most));
            value.reset();
        }
        if (!value) {
            failed_.insert(name);
            return tl::unexpected<std::string>(already_reported);
        }
        result_.constants.emplace(name, *value);
        return *value;
    }

    std::optional<std::uint64_t> number(const SchemaExpr& expr, const std::string& what) {
        if (expr.text.empty()) {
            return std::nullopt;
        }
        const Scope scope{[this](const std::string& name) { return name_value(name); },
                          [this](const std::string& type) { return size_of(type); }};
        const auto value = evaluate(expr.expr, scope);
        if (!value) {
            if (value.error().text != already_reported) {
                report(inside(expr.at, value.error().offset),
                       fmt::format("{}: {}", what, value.error().text));
            }
            return std::nullopt;
        }
        return *value;
    }

    void report(const Position& at, const std::string& text) {
        errors_.push_back({at, fmt::format("{} ({})", text, context())});
    }

    Lookup size_of(const std::string& type) {
        const auto layout = type_layout(type);
        if (!layout) {
            return tl::unexpected<std::string>(layout.error());
        }
        return layout->size;
    }

    tl::expected<Layout, std::string> type_layout(const std::string& type) {
        if (const auto size = primitive_size(type)) {
            return Layout{*size, *size, {}};
        }
        return struct_layout(type);
    }

    tl::expected<Layout, std::string> struct_layout(const std::string& name) {
        if (const auto known = result_.structs.find(name); known != result_.structs.end()) {
            return known->second;
        }
        const auto structure = structs_.find(name);
        if (structure == structs_.end()) {
            return tl::unexpected<std::string>(
                fmt::format("there is no type '{}' in {}", name, version_name()));
        }
        const std::string what = "struct " + name;
        if (failed_.contains(what)) {
            return tl::unexpected<std::string>(already_reported);
        }
        if (is_active(what)) {
            return tl::unexpected<std::string>(
                fmt::format("'{}' depends on itself: {}", what, cycle(what)));
        }
        if (active_.size() >= max_chain) {
            return tl::unexpected<std::string>(too_long(what));
        }
        active_.push_back(what);
        auto layout = lay_out(*structure->second);
        active_.pop_back();
        if (!layout) {
            failed_.insert(what);
            return tl::unexpected<std::string>(already_reported);
        }
        result_.structs.emplace(name, *layout);
        return *layout;
    }

    std::optional<Layout> lay_out(const Struct& structure) {
        Layout layout;
        bool good = true;
        for (const Field& field : structure.fields) {
            if (field.type.value.empty()) {
                good = false;
            } else if (field.info.in_version(result_.version)) {
                good = add_field(structure, field, layout) && good;
            } else {
                layout.fields.push_back({});  // keeps the places of the others
            }
        }
        layout.size = align_up(layout.size, layout.alignment);
        return good ? std::optional<Layout>(layout) : std::nullopt;
    }

    bool add_field(const Struct& structure, const Field& field, Layout& layout) {
        const std::string what =
            fmt::format("field {} of struct {}", field.info.name, structure.info.name);
        const auto element = type_layout(field.type.value);
        if (!element) {
            if (element.error() != already_reported) {
                report(field.type.at, fmt::format("{}: {}", what, element.error()));
            }
            return false;
        }
        if (ends_flexible(field.type.value)) {
            report(field.type.at,
                   fmt::format("{}: struct {} ends in a flexible array and cannot be a field", what,
                               field.type.value));
            return false;
        }
        FieldLayout placed;
        std::uint64_t length = field.flexible ? 0 : 1;
        if (field.length) {
            const auto value = number(*field.length, fmt::format("length of {}", what));
            if (!value) {
                return false;
            }
            if (*value == 0) {
                report(field.length->at, fmt::format("{} is an array without elements", what));
                return false;
            }
            length = *value;
            placed.length = length;
        }
        const std::uint64_t alignment = structure.packed ? 1 : element->alignment;
        placed.offset = align_up(layout.size, alignment);
        if (__builtin_mul_overflow(element->size, length, &placed.size) ||
            placed.size > max_struct_bytes || placed.offset + placed.size > max_struct_bytes) {
            report(field.info.at,
                   fmt::format("{} makes the struct larger than {} bytes", what, max_struct_bytes));
            return false;
        }
        layout.size = placed.offset + placed.size;
        layout.alignment = std::max(layout.alignment, alignment);
        layout.fields.push_back(placed);
        return true;
    }

    [[nodiscard]] bool ends_flexible(const std::string& type) const {
        const auto structure = structs_.find(type);
        return structure != structs_.end() && !structure->second->fields.empty() &&
               structure->second->fields.back().flexible;
    }

    const Schema& schema_;
    Resolved result_;
    std::map<std::string, const Constant*> constants_;
    std::map<std::string, const Struct*> structs_;
    std::set<std::string> failed_;
    std::vector<std::string> active_;
    Errors errors_;
};

}  // namespace

std::optional<std::uint64_t> primitive_size(const std::string& type) {
    const auto* at =
        std::find_if(std::begin(primitives), std::end(primitives),
                     [&](const Primitive& primitive) { return type == primitive.name; });
    return at == std::end(primitives) ? std::nullopt : std::optional<std::uint64_t>(at->size);
}

Result<Resolved> resolve(const Schema& schema, std::size_t version, std::uint64_t page_shift) {
    return Resolver(schema, version, page_shift).run();
}

}  // namespace khob::gen
