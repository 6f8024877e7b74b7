// SPDX-License-Identifier: GPL-2.0-only
// Several versions in one model: what is the same in each version that has it
// appears once, what differs appears once a version, marked as a variant.
#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <set>
#include <utility>

#include "model.hpp"

namespace khob::gen {
namespace {

/// Elements of one section and kind, grouped: made(element, resolved, variant)
/// is called once if all versions agree on value(), else for each version.
/// splits(element) says that they do not agree though the values are the same.
template <typename Element, typename ValueOf, typename Splits, typename Make>
void merge(const std::vector<Element>& elements, const std::vector<Resolved>& versions,
           ValueOf value_of, Splits splits, Make make) {
    std::set<std::string> done;
    for (const Element& element : elements) {
        if (!done.insert(element.info.name).second) {
            continue;
        }
        std::vector<std::pair<const Element*, const Resolved*>> found;
        for (const Resolved& version : versions) {
            for (const Element& other : elements) {
                if (other.info.name == element.info.name &&
                    other.info.in_version(version.version)) {
                    found.emplace_back(&other, &version);
                }
            }
        }
        if (found.empty()) {
            continue;
        }
        // The newest wording describes a value that all versions share.
        const auto& [newest, last] = found.back();
        const auto value = value_of(*newest, *last);
        const bool same =
            !splits(*newest) && std::all_of(found.begin(), found.end(), [&](const auto& f) {
                return value_of(*f.first, *f.second) == value;
            });
        if (same) {
            make(*newest, value, std::nullopt);
            continue;
        }
        for (const auto& [at, version] : found) {
            make(*at, value_of(*at, *version), std::optional<std::size_t>(version->version));
        }
    }
}

/// @param variants names of the structs that differ between versions so far: a
///        struct that has one as a field is a variant too
ModelSection merge_section(const Section& section, const std::vector<Resolved>& versions,
                           std::set<std::string>& variants) {
    ModelSection result;
    result.schema = &section;
    const auto used = [&](const Info& info) {
        return std::any_of(versions.begin(), versions.end(),
                           [&](const Resolved& r) { return info.in_version(r.version); });
    };
    merge(
        section.constants, versions,
        [](const Constant& c, const Resolved& r) { return r.constants.at(c.info.name); },
        [](const Constant&) { return false; },
        [&](const Constant& c, std::uint64_t value, std::optional<std::size_t> variant) {
            ModelConstant merged{&c, value, variant, c.info.first_version, c.info.last_version};
            for (const Constant& other : section.constants) {
                if (!variant && other.info.name == c.info.name) {
                    merged.first_version = std::min(merged.first_version, other.info.first_version);
                    merged.last_version = std::max(merged.last_version, other.info.last_version);
                }
            }
            result.constants.push_back(merged);
        });
    merge(
        section.structs, versions,
        [](const Struct& s, const Resolved& r) { return r.structs.at(s.info.name); },
        [&](const Struct& s) {
            return std::any_of(s.fields.begin(), s.fields.end(),
                               [&](const Field& f) { return variants.contains(f.type.value); });
        },
        [&](const Struct& s, Layout layout, std::optional<std::size_t> variant) {
            if (variant) {
                variants.insert(s.info.name);
            }
            result.structs.push_back({&s, std::move(layout), variant});
        });
    for (const StringConstant& string : section.strings) {
        if (used(string.info)) {
            result.strings.push_back(&string);
        }
    }
    for (const Property& property : section.properties) {
        if (used(property.info)) {
            result.properties.push_back(&property);
        }
    }
    return result;
}

/// What no version or page size takes part in fails for each of them.
void append_new(Errors& to, const Errors& from) {
    std::copy_if(from.begin(), from.end(), std::back_inserter(to),
                 [&](const Error& error) { return std::count(to.begin(), to.end(), error) == 0; });
}

}  // namespace

Result<Model> build_model(const Schema& schema, const std::vector<std::size_t>& versions,
                          std::uint64_t page_shift) {
    Model model{&schema, page_shift, versions, {}, {}};
    for (const Invariant& invariant : schema.invariants) {
        model.invariants.push_back({&invariant, {}});
    }
    std::vector<Resolved> all;
    Errors errors;
    for (const std::size_t version : versions) {
        auto resolved = resolve(schema, version, page_shift);
        if (!resolved) {
            std::move(resolved.error().begin(), resolved.error().end(), std::back_inserter(errors));
            continue;
        }
        auto sides = check(schema, *resolved);
        if (!sides) {
            std::move(sides.error().begin(), sides.error().end(), std::back_inserter(errors));
            continue;
        }
        for (std::size_t i = 0; i < sides->size(); ++i) {
            if ((*sides)[i]) {
                model.invariants[i].sides.push_back(*(*sides)[i]);
            }
        }
        all.push_back(std::move(*resolved));
    }
    if (all.size() != versions.size()) {
        return tl::unexpected<Errors>(std::move(errors));
    }
    check_nesting(schema, errors);
    check_order(schema, errors);
    if (!errors.empty()) {
        return tl::unexpected<Errors>(std::move(errors));
    }
    std::set<std::string> variants;
    for (const Section& section : schema.sections) {
        if (section.info.first_version <= versions.back() &&
            section.info.last_version >= versions.front()) {
            model.sections.push_back(merge_section(section, all, variants));
        }
    }
    return model;
}

std::vector<Combination> combinations(const Schema& schema) {
    std::vector<Combination> all;
    for (std::size_t version = 0; version < schema.versions.size(); ++version) {
        for (const std::uint64_t page_shift : schema.page_shift.values) {
            all.push_back({version, page_shift, schema.versions[version].refusal(page_shift)});
        }
    }
    return all;
}

void find_value_errors(const Schema& schema, Errors& errors) {
    for (const Combination& one : combinations(schema)) {
        // What is refused has to fail, and says so where the refusal is proved.
        if (one.refusal == nullptr) {
            if (const auto model = build_model(schema, {one.version}, one.page_shift); !model) {
                append_new(errors, model.error());
            }
        }
    }
}

Result<std::vector<Error>> prove(const Schema& schema) {
    Errors errors;
    std::vector<Error> refused;
    for (const Combination& one : combinations(schema)) {
        auto model = build_model(schema, {one.version}, one.page_shift);
        if (one.refusal == nullptr && !model) {
            append_new(errors, model.error());
        } else if (one.refusal != nullptr && model) {
            errors.push_back({one.refusal->at,
                              fmt::format("{} refuses page_shift {}, where nothing fails",
                                          schema.versions[one.version].info.name, one.page_shift)});
        } else if (!model) {
            std::move(model.error().begin(), model.error().end(), std::back_inserter(refused));
        }
    }
    if (!errors.empty()) {
        return tl::unexpected<Errors>(std::move(errors));
    }
    return refused;
}

}  // namespace khob::gen
