// SPDX-License-Identifier: GPL-2.0-only
// Reading a map of the schema: every key has to be known, required ones have to
// be there, and all complaints are collected.
#ifndef KHOB_ABI_GEN_READER_HPP
#define KHOB_ABI_GEN_READER_HPP

#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "error.hpp"
#include "schema.hpp"
#include "yaml.hpp"

namespace khob::gen {

/// A map whose keys are taken one by one; finish() complains about what is left.
class MapReader {
  public:
    /// what names the map in errors ("constant page_size").
    MapReader(const Tree& tree, std::string what, Errors& errors);

    /// The value of key, or nullptr.
    const Tree* take(std::string_view key);
    /// The same, and an error if it is missing.
    const Tree* need(std::string_view key);

    std::string text(std::string_view key);     ///< required, not empty
    std::string text_or(std::string_view key);  ///< empty if missing
    bool flag(std::string_view key);            ///< true or false, false if missing
    SchemaExpr expr(std::string_view key);      ///< required
    std::string one_of(std::string_view key, const std::vector<std::string>& choices,
                       const std::string& preset);  ///< required if preset is empty

    /// @return whether all of it was right, what is inside it included
    bool finish();
    [[nodiscard]] const Position& at() const { return tree_.at; }
    [[nodiscard]] const std::string& what() const { return what_; }

  private:
    const Tree& tree_;
    std::string what_;
    Errors& errors_;
    std::size_t before_;  ///< errors when it was begun
    std::set<std::string, std::less<>> taken_;
    bool is_map_ = false;
};

/// The scalar in tree, or an error that calls it what.
std::string read_scalar(const Tree& tree, const std::string& what, Errors& errors);
std::optional<std::uint64_t> read_number(const Tree& tree, const std::string& what, Errors& errors);
SchemaExpr read_expr(const Tree& tree, const std::string& what, Errors& errors);

/// Where the character at offset of a scalar that starts at start stands.
Position inside(const Position& start, std::size_t offset);

}  // namespace khob::gen

#endif  // KHOB_ABI_GEN_READER_HPP
