// SPDX-License-Identifier: GPL-2.0-only
// Puts together what differs at each page size, and whether a reader can tell.
#include "conform.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <iterator>
#include <map>
#include <nlohmann/json.hpp>
#include <utility>

#include "compare.hpp"

namespace khob::gen {
namespace {

constexpr std::array<const char*, 3> grade_names = {"compatible", "breaks-source", "breaks-layout"};

std::string page_size(std::uint64_t page_shift) {
    constexpr unsigned shift_of_k = 10;
    return fmt::format("{}K", (std::uint64_t{1} << page_shift) >> shift_of_k);
}

void compare_page_sizes(const Schema& from, const Version& before, const Schema& to,
                        const Version& after, Findings& findings) {
    const auto usable = [](const Schema& schema, const Version& version, std::uint64_t value) {
        const auto& values = schema.page_shift.values;
        return std::count(values.begin(), values.end(), value) != 0 &&
               version.refusal(value) == nullptr;
    };
    std::vector<std::uint64_t> all = from.page_shift.values;
    all.insert(all.end(), to.page_shift.values.begin(), to.page_shift.values.end());
    std::sort(all.begin(), all.end());
    all.erase(std::unique(all.begin(), all.end()), all.end());
    for (const std::uint64_t value : all) {
        const bool was = usable(from, before, value);
        const bool is = usable(to, after, value);
        if (was != is) {
            findings.push_back({is ? Grade::compatible : Grade::breaks_source,
                                "parameter page_shift",
                                fmt::format("{} pages {} be used", page_size(value),
                                            is ? "can now" : "can no longer")});
        }
    }
}

/// The findings of each page size; what is found at all of them is said once,
/// the rest with the page sizes that it is true for.
class PageSizes {
  public:
    void add(std::uint64_t page_shift, Findings findings) {
        ++count_;
        for (Finding& finding : findings) {
            const auto [at, is_new] = sizes_.emplace(std::move(finding), 0);
            if (is_new) {
                order_.emplace_back(at);
            }
            at->second.push_back(page_size(page_shift));
        }
    }

    [[nodiscard]] Findings all() const {
        Findings findings;
        for (const auto& at : order_) {
            Finding finding = at->first;
            if (at->second.size() < count_) {
                finding.text += fmt::format(" at {} pages", fmt::join(at->second, " and "));
            }
            findings.push_back(std::move(finding));
        }
        return findings;
    }

  private:
    using Sizes = std::map<Finding, std::vector<std::string>>;

    std::size_t count_ = 0;
    Sizes sizes_;
    std::vector<Sizes::const_iterator> order_;
};

Result<Conformance> conform(const Schema& from, std::size_t old_version, const Schema& to,
                            std::size_t new_version, const std::string& versions) {
    PageSizes sizes;
    for (const std::uint64_t page_shift : from.page_shift.values) {
        const auto& values = to.page_shift.values;
        if (std::count(values.begin(), values.end(), page_shift) == 0) {
            continue;
        }
        const auto before = resolve(from, old_version, page_shift);
        const auto after = resolve(to, new_version, page_shift);
        if (!before || !after) {
            return tl::unexpected<Errors>(before ? after.error() : before.error());
        }
        auto findings = compare({from, *before}, {to, *after});
        if (!findings) {
            return tl::unexpected<Errors>(std::move(findings.error()));
        }
        sizes.add(page_shift, std::move(*findings));
    }
    Findings findings = sizes.all();
    const Version& before = from.versions[old_version];
    const Version& after = to.versions[new_version];
    compare_page_sizes(from, before, to, after, findings);

    Conformance result;
    const bool breaks = std::any_of(findings.begin(), findings.end(), [](const Finding& finding) {
        return finding.grade == Grade::breaks_layout;
    });
    if (before.compatible != after.compatible) {
        findings.insert(
            findings.begin(),
            {Grade::breaks_layout, "property compatible",
             fmt::format("the compatible string changes from \"{}\" to \"{}\", so that neither "
                         "side takes what the other wrote",
                         before.compatible, after.compatible)});
    } else if (breaks) {
        result.errors.push_back(
            fmt::format("{}: the layout breaks and the compatible string stays \"{}\"; give the "
                        "new layout a version with a compatible string of its own",
                        versions, after.compatible));
    }
    for (Finding& finding : findings) {
        result.differences.push_back(
            {finding.grade, versions, std::move(finding.element), std::move(finding.text)});
    }
    return result;
}

Result<Conformance> conform_device(const Schema& from, std::size_t old_version, const Schema& to,
                                   std::size_t new_version) {
    const auto before = resolve(from, old_version, 0);
    const auto after = resolve(to, new_version, 0);
    if (!before || !after) {
        return tl::unexpected<Errors>(before ? after.error() : before.error());
    }
    const std::string& was = from.versions[old_version].info.name;
    const std::string& is = to.versions[new_version].info.name;
    const std::string versions = was == is ? is : fmt::format("{} to {}", was, is);
    Conformance result;
    for (Finding& finding : compare_devices({from, *before}, {to, *after})) {
        result.differences.push_back(
            {finding.grade, versions, std::move(finding.element), std::move(finding.text)});
    }
    if (std::any_of(result.differences.begin(), result.differences.end(),
                    [](const Difference& d) { return d.grade != Grade::compatible; })) {
        result.errors.push_back(
            fmt::format("{}: a program that works today no longer does, or no longer compiles; "
                        "leave what there is as it is and add to it",
                        versions));
    }
    return result;
}

void sort(Conformance& conformance) {
    std::stable_sort(conformance.differences.begin(), conformance.differences.end(),
                     [](const Difference& a, const Difference& b) { return a.grade > b.grade; });
}

std::array<std::size_t, 3> count(const Conformance& conformance) {
    std::array<std::size_t, 3> counts{};
    for (const Difference& difference : conformance.differences) {
        ++counts.at(static_cast<std::size_t>(difference.grade));
    }
    return counts;
}

}  // namespace

std::string to_string(Grade grade) {
    return grade_names.at(static_cast<std::size_t>(grade));
}

Result<Conformance> conform_versions(const Schema& schema, std::size_t from, std::size_t to) {
    const auto name = [&](std::size_t version) { return schema.versions[version].info.name; };
    auto result = schema.device ? conform_device(schema, from, schema, to)
                                : conform(schema, from, schema, to,
                                          fmt::format("{} to {}", name(from), name(to)));
    if (result) {
        sort(*result);
    }
    return result;
}

Result<Conformance> conform_schemas(const Schema& from, const Schema& to) {
    if (from.device.has_value() != to.device.has_value()) {
        return fail({to.file, 0, 0},
                    fmt::format("is no schema of the kind that {} is of", from.file));
    }
    if (from.device) {
        auto result = conform_device(from, from.default_version, to, to.default_version);
        if (result) {
            sort(*result);
        }
        return result;
    }
    Conformance all;
    const auto take = [&](Result<Conformance> part) -> Result<void> {
        if (!part) {
            return tl::unexpected<Errors>(std::move(part.error()));
        }
        std::move(part->differences.begin(), part->differences.end(),
                  std::back_inserter(all.differences));
        std::move(part->errors.begin(), part->errors.end(), std::back_inserter(all.errors));
        return {};
    };
    const auto find = [](const Schema& schema, const std::string& name) {
        return static_cast<std::size_t>(
            std::find_if(schema.versions.begin(), schema.versions.end(),
                         [&](const Version& version) { return version.info.name == name; }) -
            schema.versions.begin());
    };
    for (std::size_t version = 0; version < from.versions.size(); ++version) {
        const std::string& name = from.versions[version].info.name;
        const std::size_t other = find(to, name);
        if (other == to.versions.size()) {
            all.differences.push_back({Grade::breaks_source, name, "", "the version is gone"});
        } else if (auto done = take(conform(from, version, to, other, name)); !done) {
            return tl::unexpected<Errors>(std::move(done.error()));
        }
    }
    for (std::size_t version = 0; version < to.versions.size(); ++version) {
        const std::string& name = to.versions[version].info.name;
        if (find(from, name) != from.versions.size()) {
            continue;
        }
        all.differences.push_back({Grade::compatible, name, "", "the version is new"});
        if (version == 0) {
            continue;
        }
        if (auto done = take(conform_versions(to, version - 1, version)); !done) {
            return tl::unexpected<Errors>(std::move(done.error()));
        }
    }
    sort(all);
    return all;
}

std::string to_text(const Conformance& conformance) {
    std::string text;
    for (const Difference& difference : conformance.differences) {
        text += fmt::format("{}: {}: {}\n", to_string(difference.grade), difference.versions,
                            difference.text);
    }
    for (const std::string& error : conformance.errors) {
        text += fmt::format("error: {}\n", error);
    }
    const auto counts = count(conformance);
    return text + fmt::format("{} {}, {} {}, {} {}, {} {}\n", counts[2], grade_names[2], counts[1],
                              grade_names[1], counts[0], grade_names[0], conformance.errors.size(),
                              conformance.errors.size() == 1 ? "error" : "errors");
}

std::string to_json(const Conformance& conformance) {
    nlohmann::ordered_json out;
    out["differences"] = nlohmann::ordered_json::array();
    for (const Difference& difference : conformance.differences) {
        out["differences"].push_back({{"grade", to_string(difference.grade)},
                                      {"versions", difference.versions},
                                      {"element", difference.element},
                                      {"text", difference.text}});
    }
    out["errors"] = conformance.errors;
    const auto counts = count(conformance);
    for (std::size_t grade = counts.size(); grade-- > 0;) {
        out["counts"][grade_names.at(grade)] = counts.at(grade);
    }
    return out.dump(2) + "\n";
}

}  // namespace khob::gen
