// SPDX-License-Identifier: GPL-2.0-only
// One version against another at one page size; conform.cpp puts the page sizes
// and the versions together. What a difference is worth is decided in these
// files and nowhere else; docs/conform.md explains it.
#ifndef KHOB_ABI_GEN_COMPARE_HPP
#define KHOB_ABI_GEN_COMPARE_HPP

#include <map>
#include <string>
#include <tuple>
#include <vector>

#include "conform.hpp"
#include "model.hpp"

namespace khob::gen {

/// A version of a schema, resolved at one page size.
struct Side {
    const Schema& schema;
    const Resolved& resolved;

    [[nodiscard]] const Version& version() const { return schema.versions[resolved.version]; }
};

/// What was found, without the names of the versions.
struct Finding {
    Grade grade = Grade::compatible;
    std::string element;
    std::string text;

    // clang-tidy 14 takes a defaulted comparison for a null pointer.
    // NOLINTNEXTLINE(modernize-use-nullptr)
    auto operator<=>(const Finding&) const = default;
};

using Findings = std::vector<Finding>;

/// The elements of a kind that a version has, by name.
template <typename Element>
std::map<std::string, const Element*> elements(const Side& side,
                                               std::vector<Element> Section::*kind) {
    std::map<std::string, const Element*> all;
    for (const Section& section : side.schema.sections) {
        for (const Element& element : section.*kind) {
            if (element.info.in_version(side.resolved.version)) {
                all.emplace(element.info.name, &element);
            }
        }
    }
    return all;
}

/// Everything but the compatible string. Elements are matched by name.
Result<Findings> compare(const Side& from, const Side& to);

/// Two structs of the same name.
void compare_structs(const Side& from, const Side& to, const Struct& before, const Struct& after,
                     Findings& findings);

}  // namespace khob::gen

#endif  // KHOB_ABI_GEN_COMPARE_HPP
