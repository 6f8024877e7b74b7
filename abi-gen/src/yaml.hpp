// SPDX-License-Identifier: GPL-2.0-only
// The seam to yaml-cpp: the only place that knows it, and where its exceptions
// end. What comes out is a plain tree in which everything has its place.
#ifndef KHOB_ABI_GEN_YAML_HPP
#define KHOB_ABI_GEN_YAML_HPP

#include <string>
#include <vector>

#include "error.hpp"

namespace khob::gen {

struct TreeEntry;

/// A YAML node; map entries keep their order, duplicate keys included.
struct Tree {
    enum class Kind { null, scalar, list, map };

    Kind kind = Kind::null;
    std::string scalar;
    Position at;  ///< of a scalar: its first character, behind an opening quote
    std::vector<Tree> list;
    std::vector<TreeEntry> map;
};

struct TreeEntry {
    Located<std::string> key;
    Tree value;
};

/// Reads text; file is only what errors call it.
Result<Tree> read_yaml(const std::string& text, const std::string& file);

}  // namespace khob::gen

#endif  // KHOB_ABI_GEN_YAML_HPP
