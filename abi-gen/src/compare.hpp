// SPDX-License-Identifier: GPL-2.0-only
// One version against another at one page size; conform.cpp puts the page sizes
// and the versions together. What a difference is worth is decided in these
// files and nowhere else; docs/conform.md explains it.
#ifndef KHOB_ABI_GEN_COMPARE_HPP
#define KHOB_ABI_GEN_COMPARE_HPP

#include <fmt/format.h>

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

/// Matches by name: gone(element, a), is_new(element, b) or both(element, a, b), where
/// element is the word and the name.
template <typename Element, typename Gone, typename New, typename Both>
void match(const Side& from, const Side& to, const std::string& word,
           std::vector<Element> Section::*kind, Gone gone, New is_new, Both both) {
    const auto old_ones = elements(from, kind);
    const auto new_ones = elements(to, kind);
    for (const auto& [name, element] : old_ones) {
        const auto other = new_ones.find(name);
        if (other == new_ones.end()) {
            gone(word + name, *element);
        } else {
            both(word + name, *element, *other->second);
        }
    }
    for (const auto& [name, element] : new_ones) {
        if (!old_ones.contains(name)) {
            is_new(word + name, *element);
        }
    }
}

/// "int", "u32" or "u64".
const char* type_name(ConstantType type);

/// Everything but the compatible string. Elements are matched by name.
Result<Findings> compare(const Side& from, const Side& to);

/// The same of two devices.
Findings compare_devices(const Side& from, const Side& to);

/// Says which structs are gone and which are new; of the others both(element, a, b) does.
template <typename Both>
void match_structs(const Side& from, const Side& to, Findings& findings, Both both) {
    const auto size = [](const Side& side, const Struct& s) {
        return side.resolved.structs.at(s.info.name).size;
    };
    match(
        from, to, "struct ", &Section::structs,
        [&](const std::string& element, const Struct& s) {
            findings.push_back(
                {Grade::breaks_source, element,
                 fmt::format("{} had {} bytes and is gone", element, size(from, s))});
        },
        [&](const std::string& element, const Struct& s) {
            findings.push_back({Grade::compatible, element,
                                fmt::format("{} is new and has {} bytes", element, size(to, s))});
        },
        both);
}

/// Two structs of the same name.
/// @param grows whether programs say which size they know, so that there may be more behind
void compare_structs(const Side& from, const Side& to, const Struct& before, const Struct& after,
                     bool grows, Findings& findings);

}  // namespace khob::gen

#endif  // KHOB_ABI_GEN_COMPARE_HPP
