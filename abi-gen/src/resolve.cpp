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
    {"u8", 1}, {"u16", 2}, {"u32", 4}, {"u64", 8}, {"s32", 4}, {"char", 1}, {"be32", 4}};

constexpr std::uint64_t max_struct_bytes = 1ULL << 32;
constexpr std::uint64_t bits_per_byte = 8;

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
        if (schema.uses) {
            use(*schema.uses);
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
    /// Of what is used, only that which all of its versions agree on has a value here.
    void use(const Uses& uses) {
        const Schema& used = *uses.schema;
        bool first = true;
        for (std::size_t version = uses.since; version < used.versions.size(); ++version) {
            if (used.versions[version].refusal(result_.page_shift) != nullptr) {
                continue;
            }
            auto resolved = resolve(used, version, result_.page_shift);
            if (!resolved) {
                continue;  // it was parsed, and so it was proved
            }
            if (std::exchange(first, false)) {
                result_.used_constants = std::move(resolved->constants);
                result_.used_structs = std::move(resolved->structs);
            } else {
                keep_common(result_.used_constants, resolved->constants);
                keep_common(result_.used_structs, resolved->structs);
            }
        }
    }

    template <typename Values>
    void keep_common(Values& all, const Values& others) {
        for (auto at = all.begin(); at != all.end();) {
            const auto other = others.find(at->first);
            const bool same = other != others.end() && other->second == at->second;
            if (!same) {
                differing_.insert(at->first);
            }
            at = same ? std::next(at) : all.erase(at);
        }
    }

    /// Why there is nothing of that name.
    [[nodiscard]] std::string missing(const char* kind, const std::string& name) const {
        if (!differing_.contains(name)) {
            return fmt::format("there is no {} '{}' in {}", kind, name, version_name());
        }
        return fmt::format(
            "the versions of {} from {} on do not agree on {} '{}', so that {} "
            "cannot be made of it",
            schema_.uses->schema->file,
            schema_.uses->schema->versions[schema_.uses->since].info.name, kind, name,
            version_name());
    }

    [[nodiscard]] const std::string& version_name() const {
        return schema_.versions[result_.version].info.name;
    }

    [[nodiscard]] std::string context() const {
        return schema_.context(result_.version, result_.page_shift);
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
            const auto used = result_.used_constants.find(name);
            return used != result_.used_constants.end()
                       ? Lookup(used->second)
                       : Lookup(tl::unexpected<std::string>(missing("constant", name)));
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
            const auto used = result_.used_structs.find(name);
            if (used == result_.used_structs.end()) {
                return tl::unexpected<std::string>(missing("type", name));
            }
            return used->second;
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
        BitUnit unit;
        bool good = true;
        for (const Field& field : structure.fields) {
            if (field.type.value.empty()) {
                good = false;
            } else if (!field.info.in_version(result_.version)) {
                layout.fields.push_back({});  // keeps the places of the others
            } else if (field.bits.value) {
                good = add_bits(structure, field, unit, layout) && good;
            } else {
                good = is_full(unit) && add_field(structure, field, layout) && good;
            }
        }
        good = is_full(unit) && good;
        layout.size = align_up(layout.size, layout.alignment);
        return good ? std::optional<Layout>(layout) : std::nullopt;
    }

    /// A number that bit fields are in, as far as it has been given away.
    struct BitUnit {
        const Field* last = nullptr;  ///< none: no bit field stands before
        std::string what;             ///< how errors call it
        std::uint64_t offset = 0;     ///< bytes
        std::uint64_t size = 0;       ///< bytes
        std::uint64_t used = 0;       ///< bits
        bool reported = false;
    };

    /// Compilers agree on where bit fields are only if these leave nothing over, so that is
    /// what a schema may have.
    bool is_full(BitUnit& unit) {
        const std::uint64_t width = unit.size * bits_per_byte;
        if (unit.last != nullptr && unit.used < width && !unit.reported) {
            unit.reported = true;
            report(unit.last->bits.at,
                   fmt::format("the bit fields up to {} have {} of the {} bits of a {}; name the "
                               "others",
                               unit.what, unit.used, width, unit.last->type.value));
        }
        return !unit.reported;
    }

    bool add_bits(const Struct& structure, const Field& field, BitUnit& unit, Layout& layout) {
        const std::string what =
            fmt::format("field {} of struct {}", field.info.name, structure.info.name);
        const std::string& type = field.type.value;
        if (type != "u8" && type != "u16" && type != "u32" && type != "u64") {
            report(field.type.at,
                   fmt::format("{} is a bit field and its type none of: u8, u16, u32, u64", what));
            unit.reported = true;
            return false;
        }
        const std::uint64_t width = *primitive_size(type) * bits_per_byte;
        const std::uint64_t bits = *field.bits.value;
        const bool fresh = unit.last == nullptr || unit.used == unit.size * bits_per_byte;
        if (!fresh && unit.last->type.value != type && !is_full(unit)) {
            return false;
        }
        const std::uint64_t used = fresh ? 0 : unit.used;
        if (bits == 0 || bits > width - used) {
            report(field.bits.at, fmt::format("{} has {} bits; there are 1 to {} left in its {}",
                                              what, bits, width - used, type));
            unit.reported = true;
            return false;
        }
        if (fresh) {
            if (!add_field(structure, field, layout)) {
                return false;
            }
            const FieldLayout& placed = layout.fields.back();
            unit.offset = placed.offset;
            unit.size = placed.size;
        } else {
            layout.fields.push_back({unit.offset, unit.size, std::nullopt, std::nullopt});
        }
        layout.fields.back().bits = Bits{used, bits};
        unit.last = &field;
        unit.what = what;
        unit.used = used + bits;
        return !unit.reported;
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
        if (field.bits.value && placed.offset != layout.size) {
            report(field.bits.at,
                   fmt::format("{} is a bit field, and {} bytes before it have no name: a compiler "
                               "would put it there; name them",
                               what, placed.offset - layout.size));
            return false;
        }
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
        if (const auto structure = structs_.find(type); structure != structs_.end()) {
            return structure->second->ends_flexible();
        }
        const Struct* used = schema_.uses ? schema_.uses->schema->find_struct(type) : nullptr;
        return used != nullptr && used->ends_flexible();
    }

    const Schema& schema_;
    Resolved result_;
    std::map<std::string, const Constant*> constants_;
    std::map<std::string, const Struct*> structs_;
    std::set<std::string> failed_;
    std::set<std::string> differing_;  ///< of what is used
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
