// SPDX-License-Identifier: GPL-2.0-only
// The schema as written: everything named, located and well-formed, nothing
// computed yet. Output of the parse stage, input of the resolve stage.
#ifndef KHOB_ABI_GEN_SCHEMA_HPP
#define KHOB_ABI_GEN_SCHEMA_HPP

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "error.hpp"
#include "expr.hpp"

namespace khob::gen {

/// What every element says about itself.
struct Info {
    std::string name;
    Position at;
    std::string doc;
    std::string unit;      ///< empty: a plain number
    std::string source;    ///< its own or its section's
    std::string alias;     ///< its name where types and constants share names; may be empty
    std::string upstream;  ///< its name in upstream's header; empty if that has none
    std::string header;    ///< upstream's header, its own or its section's; may be empty
    std::size_t first_version = 0;
    std::size_t last_version = 0;

    [[nodiscard]] bool in_version(std::size_t version) const {
        return version >= first_version && version <= last_version;
    }
};

/// An expression, its text and where it starts. Here and below, in a schema that
/// has errors: no text (a struct: a field without a type) is what is not computed,
/// because it is wrong in form and that has been said.
struct SchemaExpr {
    Expr expr;
    std::string text;
    Position at;
};

enum class ConstantType { int32, u32, u64 };

struct Constant {
    Info info;
    SchemaExpr value;
    ConstantType type = ConstantType::int32;
    bool hex = false;
};

struct StringConstant {
    Info info;
    std::string value;
};

struct Field {
    Info info;
    Located<std::string> type;
    std::optional<SchemaExpr> length;  ///< of an array
    bool flexible = false;             ///< an array that ends the struct, of any length
};

struct Struct {
    Info info;
    bool packed = false;
    std::vector<Field> fields;

    /// Whether versions that have the struct disagree on which fields it has.
    [[nodiscard]] bool fields_differ() const;
};

/// A property of the root FDT or of its subnodes.
struct Property {
    Info info;
    std::string node;
    std::string property;
    std::string type;
    bool optional = false;  ///< a reader does without it
};

/// Elements that belong together, in the order that they are emitted in.
struct Section {
    Info info;
    std::vector<Constant> constants;  ///< those for different versions may share a name
    std::vector<StringConstant> strings;
    std::vector<Property> properties;
    std::vector<Struct> structs;
};

/// A page size that a version is not to be used with, and why.
struct Refusal {
    std::uint64_t page_shift = 0;
    std::string doc;
    Position at;
};

struct Version {
    Info info;
    std::string compatible;
    std::vector<Refusal> refused;

    /// The refusal of a page size, or nullptr.
    [[nodiscard]] const Refusal* refusal(std::uint64_t page_shift) const;
};

struct PageShift {
    Info info;
    std::vector<std::uint64_t> values;
    std::uint64_t preset = 0;
};

/// The bit layout of keys; free names: pa, order, key, level.
struct Key {
    Info info;
    SchemaExpr encode;
    SchemaExpr decode_order;
    SchemaExpr decode_pa;
    SchemaExpr leaf_index;
    SchemaExpr node_index;
};

struct Invariant {
    Info info;
    Comparison holds;
    std::string text;  ///< of holds
    Position holds_at;
    std::string fails;  ///< {left} and {right} stand for the two values
};

struct Schema {
    std::string file;
    std::string prefix;
    PageShift page_shift;
    std::vector<Version> versions;  ///< oldest first
    std::size_t default_version = 0;
    std::vector<Section> sections;
    Key key;
    std::vector<Invariant> invariants;
};

/// One name for one thing, as emitted: constants, strings, properties and
/// structs share a namespace in C++; docs refer to them by these names.
void check_names(const Schema& schema, Errors& errors);

/// A struct stands before those that it is a field of: C wants it so. Of a
/// schema without cycles.
void check_nesting(const Schema& schema, Errors& errors);

/// Parses a schema; reports everything that is wrong with it at once: if anything
/// is in form, what is wrong in value with all the rest as well.
Result<Schema> parse_schema(const std::string& text, const std::string& file);

}  // namespace khob::gen

#endif  // KHOB_ABI_GEN_SCHEMA_HPP
