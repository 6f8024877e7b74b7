// SPDX-License-Identifier: GPL-2.0-only
// The schema as written: everything named, located and well-formed, nothing
// computed yet. Output of the parse stage, input of the resolve stage.
#ifndef KHOB_ABI_GEN_SCHEMA_HPP
#define KHOB_ABI_GEN_SCHEMA_HPP

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
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
    bool limit = false;  ///< of a device: it may become larger
    std::string group;   ///< of a device: the flags or the enumeration that it is one of
    std::string within;  ///< its name there, without the group's prefix
};

struct StringConstant {
    Info info;
    std::string value;
};

struct Field {
    Info info;
    Located<std::string> type;
    std::optional<SchemaExpr> length;            ///< of an array
    bool flexible = false;                       ///< an array that ends the struct, of any length
    Located<std::optional<std::uint64_t>> bits;  ///< of a bit field; none: it has whole bytes
    Located<std::string> values;  ///< of a device: the group that its values are of, or none
};

struct Struct {
    Info info;
    bool packed = false;
    bool stream = false;  ///< of a device: read one after the other, so that it cannot grow
    std::vector<Field> fields;

    /// Whether versions that have the struct disagree on which fields it has.
    [[nodiscard]] bool fields_differ() const;
    [[nodiscard]] bool ends_flexible() const { return !fields.empty() && fields.back().flexible; }
};

/// A property of the root FDT or of its subnodes.
struct Property {
    Info info;
    std::string node;
    std::string property;
    std::string type;
    bool optional = false;  ///< a reader does without it
};

/// Flags or an enumeration of a device; what is in it stands among the constants.
struct Group {
    Info info;
    bool flags = false;
};

/// An errno and when it is returned.
struct Errno {
    Located<std::string> name;
    std::string doc;
};

struct Ioctl {
    Info info;
    Located<std::optional<std::uint64_t>> number;  ///< none: it is wrong in form
    std::string number_name;                       ///< of the constant that it is, or empty
    Located<std::string> argument;                 ///< a struct; empty: it takes none
    std::string needs;          ///< a capability; empty: whoever has the device open may
    bool returns_fd = false;    ///< else 0
    std::vector<Errno> errors;  ///< besides those that any may return
};

/// Elements that belong together, in the order that they are emitted in.
struct Section {
    Info info;
    std::vector<Constant> constants;  ///< those for different versions may share a name
    std::vector<StringConstant> strings;
    std::vector<Property> properties;
    std::vector<Group> groups;
    std::vector<Ioctl> ioctls;
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

/// What a schema of a device says of it as a whole.
struct Device {
    Info info;  ///< its header is upstream's, if it is upstream's device
    std::string path;
    std::string ioctl_type;     ///< the constant that is the type of all ioctls
    std::string guard;          ///< what C's header is guarded by
    std::vector<Errno> errors;  ///< that any ioctl may return
};

struct Schema;

/// Another schema whose constants and structs this one's are made of. It has versions of its
/// own, which move on their own: what is used of it is the same in all of them from one on, so
/// that a version of this schema goes with each of those.
struct Uses {
    std::shared_ptr<const Schema> schema;
    std::size_t since = 0;  ///< the oldest of its versions
};

struct Schema {
    std::string file;
    std::string prefix;
    std::string title;       ///< as a heading
    std::string doc;         ///< sentences about it as a whole; may be empty
    std::string name_space;  ///< of C++, whose words are also where headers are: khob::abi
    std::optional<Uses> uses;
    /// If it is one of a device, there is one page size, which is 0 and has no name, neither a
    /// key nor invariants, and what is emitted is the newest version.
    std::optional<Device> device;
    PageShift page_shift;
    std::vector<Version> versions;  ///< oldest first
    std::size_t default_version = 0;
    std::vector<Section> sections;
    std::optional<Key> key;  ///< none: it has no tree
    std::vector<Invariant> invariants;

    /// What errors of value call a version at a page size.
    [[nodiscard]] std::string context(std::size_t version, std::uint64_t page_shift) const;
    /// A struct of any version, or nullptr.
    [[nodiscard]] const Struct* find_struct(const std::string& name) const;
};

/// One name for one thing, as emitted: constants, strings, properties and
/// structs share a namespace in C++; docs refer to them by these names.
void check_names(const Schema& schema, Errors& errors);

/// The same of what only a device has, whose names C and C++ keep apart in another way.
void check_device_names(const Schema& schema, Errors& errors);

/// Whether C or C++ has it as a word, or their headers as a macro.
bool is_keyword(const std::string& name);

/// A struct stands before those that it is a field of: C wants it so. Of a
/// schema without cycles.
void check_nesting(const Schema& schema, Errors& errors);

/// What reads the file of a schema that another one uses.
using FileReader = std::function<Result<std::string>(const std::string& path)>;

/// Parses a schema; reports everything that is wrong with it at once: if anything
/// is in form, what is wrong in value with all the rest as well.
/// @param read none: it must not use another one
Result<Schema> parse_schema(const std::string& text, const std::string& file,
                            const FileReader& read);

/// The same, with a schema that it uses from the directory of its file.
Result<Schema> parse_schema(const std::string& text, const std::string& file);

}  // namespace khob::gen

#endif  // KHOB_ABI_GEN_SCHEMA_HPP
