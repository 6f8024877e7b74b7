// SPDX-License-Identifier: GPL-2.0-only
// The schema with every expression computed: first for one version each
// (Resolved), then all chosen versions in one (Model), which is what the JSON
// holds and all that templates get to see.
#ifndef KHOB_ABI_GEN_MODEL_HPP
#define KHOB_ABI_GEN_MODEL_HPP

#include <compare>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "error.hpp"
#include "schema.hpp"

namespace khob::gen {

/// Which bits of a number are a field; 0 is the least significant one.
struct Bits {
    std::uint64_t first = 0;
    std::uint64_t count = 0;

    bool operator==(const Bits&) const = default;
};

/// Where a struct's field lies; offset and size in bytes.
struct FieldLayout {
    std::uint64_t offset = 0;
    std::uint64_t size = 0;               ///< of the whole array; 0 if flexible
    std::optional<std::uint64_t> length;  ///< elements, if it is an array of fixed length
    std::optional<Bits> bits;             ///< of a bit field, in the number at offset

    bool operator==(const FieldLayout&) const = default;
};

/// A struct's layout as the System V x86-64 ABI has it; in bytes.
struct Layout {
    std::uint64_t size = 0;
    std::uint64_t alignment = 1;
    std::vector<FieldLayout> fields;

    bool operator==(const Layout&) const = default;
};

/// All values of one version at one page size.
struct Resolved {
    std::size_t version = 0;
    std::uint64_t page_shift = 0;
    std::map<std::string, std::uint64_t> constants;
    std::map<std::string, Layout> structs;
    /// The same of the schema that is used, as far as all of its versions agree on it.
    std::map<std::string, std::uint64_t> used_constants;
    std::map<std::string, Layout> used_structs;
};

/// Bytes of a type that is no struct; nothing if there is none of that name.
std::optional<std::uint64_t> primitive_size(const std::string& type);

/// A constant or struct that depends on the page size or on the version.
struct Dependent {
    enum class Kind { constant, structure };

    Kind kind = Kind::constant;
    std::string name;

    // clang-tidy 14 takes a defaulted comparison for a null pointer.
    // NOLINTNEXTLINE(modernize-use-nullptr)
    auto operator<=>(const Dependent&) const = default;
};

/// All that depend on either, each behind those that it is made of. What they
/// are is the same for every choice of versions and page size.
/// @param schema one without cycles: check_order() accepts it
std::vector<Dependent> dependents(const Schema& schema);

/// There is an order in which all that depend on either can be defined, whatever
/// the version: versions may define constants by each other, but not in a circle.
/// @param schema one that resolve() accepts in each version
void check_order(const Schema& schema, Errors& errors);

/// Stage 2: computes everything that the version has.
/// @param page_shift one of the schema's values
/// @return no value and no error if only what parse has reported is in the way
Result<Resolved> resolve(const Schema& schema, std::size_t version, std::uint64_t page_shift);

/// The two sides of an invariant in one version.
struct Sides {
    std::size_t version = 0;
    std::uint64_t left = 0;
    std::uint64_t right = 0;
};

/// One page and how the tree finds it.
struct Vector {
    std::uint64_t pa = 0;  ///< bytes
    std::uint64_t order = 0;
    std::uint64_t key = 0;
    std::vector<std::uint64_t> index;  ///< at each level, the leaf first
};

/// Stage 3: proves the invariants, and that the key's encoding can be undone, is
/// free of collisions and has an index that fits at each level.
/// @return the sides of each invariant, by its place in the schema; no value
///         where the version does not have it
Result<std::vector<std::optional<Sides>>> check(const Schema& schema, const Resolved& resolved);

/// The same of a device: that programs of any age and width are understood.
Errors check_device(const Schema& schema, const Resolved& resolved);

/// Test vectors: all orders, physical addresses at both ends of the 64-bit
/// space and patterns between. A vector that does not survive decoding, or
/// whose key another one has, is an error.
Result<std::vector<Vector>> make_vectors(const Schema& schema, const Resolved& resolved);

/// A constant as emitted; variant says for which version if its value depends on it.
struct ModelConstant {
    const Constant* schema = nullptr;
    std::uint64_t value = 0;
    std::optional<std::size_t> variant;
    std::size_t first_version = 0;  ///< of all variants that share the value
    std::size_t last_version = 0;
};

struct ModelStruct {
    const Struct* schema = nullptr;
    Layout layout;
    std::optional<std::size_t> variant;
};

struct ModelSection {
    const Section* schema = nullptr;
    std::vector<ModelConstant> constants;
    std::vector<const StringConstant*> strings;
    std::vector<const Property*> properties;
    std::vector<ModelStruct> structs;
};

struct ModelInvariant {
    const Invariant* schema = nullptr;
    std::vector<Sides> sides;
};

/// Everything that is emitted. Points into the schema, which has to outlive it.
struct Model {
    const Schema* schema = nullptr;
    std::uint64_t page_shift = 0;
    std::vector<std::size_t> versions;
    std::vector<ModelSection> sections;
    std::vector<ModelInvariant> invariants;
};

/// A version at a page size.
struct Combination {
    std::size_t version = 0;
    std::uint64_t page_shift = 0;
    const Refusal* refusal = nullptr;  ///< the schema's, if it is not to be used
};

/// All combinations, version by version.
std::vector<Combination> combinations(const Schema& schema);

/// Stages 2 and 3 of every combination: those that the schema refuses have to
/// fail, all others to pass.
/// @return of those that are refused, what fails
Result<std::vector<Error>> prove(const Schema& schema);

/// Adds what stages 2 and 3 find wrong with what they can compute of a schema that
/// is not right in form.
void find_value_errors(const Schema& schema, Errors& errors);

/// Stages 2 and 3 for each of versions, and the merge of their results.
Result<Model> build_model(const Schema& schema, const std::vector<std::size_t>& versions,
                          std::uint64_t page_shift);

}  // namespace khob::gen

#endif  // KHOB_ABI_GEN_MODEL_HPP
