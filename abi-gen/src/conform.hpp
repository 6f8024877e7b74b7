// SPDX-License-Identifier: GPL-2.0-only
// What a change of the ABI breaks: two versions of a schema, or two schemas.
#ifndef KHOB_ABI_GEN_CONFORM_HPP
#define KHOB_ABI_GEN_CONFORM_HPP

#include <cstdint>
#include <string>
#include <vector>

#include "error.hpp"
#include "schema.hpp"

namespace khob::gen {

/// How bad a difference is; the worst last.
enum class Grade {
    compatible,     ///< old data and old code go on working
    breaks_source,  ///< code that uses the old header does not compile, or not as before
    breaks_layout,  ///< one side reads what the other wrote as something else
};

/// "compatible", "breaks-source" or "breaks-layout".
std::string to_string(Grade grade);

struct Difference {
    Grade grade = Grade::compatible;
    std::string versions;  ///< what is compared: "kho-v3 to kho-v4"
    std::string element;   ///< "struct meta"; empty for a version as a whole
    std::string text;      ///< one sentence with both values
};

/// All differences, the worst first; errors are layout breaks that readers
/// cannot tell, because the compatible string is the same, and breaks of programs.
struct Conformance {
    std::vector<Difference> differences;
    std::vector<std::string> errors;
};

/// From one version of a schema to another, at every page size that both can
/// be used with.
Result<Conformance> conform_versions(const Schema& schema, std::size_t from, std::size_t to);

/// From one schema to another: each version that both have, and each that is
/// new, from the one before it. Of a device the newest only, where whatever is not
/// compatible is an error.
Result<Conformance> conform_schemas(const Schema& from, const Schema& to);

/// A line for each difference and error, and one that counts.
std::string to_text(const Conformance& conformance);

/// The same as a JSON object: differences[] with grade, versions, element and
/// text, errors[], and counts by grade.
std::string to_json(const Conformance& conformance);

}  // namespace khob::gen

#endif  // KHOB_ABI_GEN_CONFORM_HPP
