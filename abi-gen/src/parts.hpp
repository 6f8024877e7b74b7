// SPDX-License-Identifier: GPL-2.0-only
// Reading what both kinds of schema have: sections, and the constants and structs
// in them. parse.cpp has the rest of an ABI's, parse_device.cpp of a device's.
#ifndef KHOB_ABI_GEN_PARTS_HPP
#define KHOB_ABI_GEN_PARTS_HPP

#include <fmt/format.h>

#include <cstddef>
#include <string>

#include "reader.hpp"
#include "schema.hpp"

namespace khob::gen {

/// Each is proved at each page size.
inline constexpr std::size_t max_versions = 32;

/// Lower-case letters, digits and _, beginning with a letter.
bool is_identifier(const std::string& name);

/// What is read goes to schema_, what is wrong to errors_.
class PartParser {
  public:
    PartParser(const Tree& tree, const std::string& file, const FileReader& read, Errors& errors);
    PartParser(const PartParser&) = delete;
    PartParser& operator=(const PartParser&) = delete;
    PartParser(PartParser&&) = delete;
    PartParser& operator=(PartParser&&) = delete;

  protected:
    ~PartParser() = default;

    /// Runs what everything else is computed from: if that is wrong, nothing is.
    template <typename F>
    void essential(F run) {
        const std::size_t before = errors_.size();
        run();
        computable_ = computable_ && errors_.size() == before;
    }

    template <typename F>
    void for_each(const Tree& tree, const std::string& what, F visit) {
        const MapReader duplicates(tree, what, errors_);
        computable_ = computable_ && tree.kind == Tree::Kind::map;
        for (const TreeEntry& entry : tree.map) {
            visit(entry);
        }
    }

    template <typename F>
    void for_each_of(MapReader& in, const std::string& key, F visit) {
        if (const Tree* tree = in.take(key)) {
            for_each(*tree, fmt::format("'{}' of {}", key, in.what()), visit);
        }
    }

    /// The keys that every element may have. What is inside another element has
    /// its source, header and versions unless it says otherwise.
    Info facts(MapReader& in, const Located<std::string>& name, const Info& parent);
    /// The same of what need not be in every version.
    Info info(MapReader& in, const Located<std::string>& name, const Info& parent);
    /// The same of what stands in a header as it is called here.
    Info named(MapReader& in, const Located<std::string>& name, const Info& parent);
    /// What has no parent: in every version.
    [[nodiscard]] Info top(const std::string& source = "") const;

    /// The format, which says whether the rest can be read.
    void format();
    void prefix();
    /// Of C++, and a name for it if there is none.
    void name_space(const std::string& preset);
    /// Once all has been read: what can be said of it as a whole.
    Schema finish();
    /// @param what what has the name, and a space; or nothing
    void require_name(const Located<std::string>& name, const std::string& what);
    std::string identifier(const Tree& tree, const std::string& what);
    std::string alias(MapReader& in);
    std::size_t version(MapReader& in, const std::string& key, std::size_t preset);
    /// A version's name for errors: there is none if the schema says so little.
    [[nodiscard]] std::string version_name(std::size_t version) const;

    Constant constant(const Located<std::string>& name, const Tree& tree, const Info& parent);
    Struct structure(const TreeEntry& entry, const Info& parent);

    [[nodiscard]] bool is_device() const { return schema_.device.has_value(); }

    MapReader top_;
    const FileReader& read_;
    Errors& errors_;
    Schema schema_;
    bool computable_ = true;  ///< what is right can be computed though not all is
    const Tree empty_{Tree::Kind::map, {}, {}, {}, {}};

  private:
    void field(const Tree& tree, const std::string& parent, Struct& to);
    void field_type(MapReader& in, const std::string& parent, Field& field);
};

/// Reads a schema of an ABI.
Schema parse_abi(const Tree& tree, const std::string& file, const FileReader& read, Errors& errors);

/// Reads a schema of a device.
Schema parse_device(const Tree& tree, const std::string& file, const FileReader& read,
                    Errors& errors);

}  // namespace khob::gen

#endif  // KHOB_ABI_GEN_PARTS_HPP
