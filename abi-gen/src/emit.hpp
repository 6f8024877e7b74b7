// SPDX-License-Identifier: GPL-2.0-only
// Stage 5: files of each language, for one version and page size, for all
// versions in one, or for everything there is.
#ifndef KHOB_ABI_GEN_EMIT_HPP
#define KHOB_ABI_GEN_EMIT_HPP

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "error.hpp"
#include "schema.hpp"

namespace khob::gen {

/// The names that --lang knows.
std::vector<std::string> languages();

/// What is to be emitted.
struct Target {
    std::optional<std::size_t> version;  ///< none: all that the page size can be used with
    std::uint64_t page_shift = 0;
    std::string language;
    std::string output;  ///< file; empty: returned instead
};

/// How and from what.
struct EmitOptions {
    std::string schema_name;  ///< what outputs call the schema
    std::string renderer;     ///< path of render.py
    std::string python;       ///< an interpreter that has Jinja2
};

/// Emits all targets with at most one start of Python.
/// @return the text of the target that has no output, if there is one
Result<std::string> emit(const Schema& schema, const std::vector<Target>& targets,
                         const EmitOptions& options);

/// Every language of every combination that the schema does not refuse, and of
/// all versions in one at each page size, as files in directory.
std::vector<Target> every_target(const Schema& schema, const std::string& directory);

/// Writes text unless the file holds it already, so that nothing is rebuilt for
/// the same bytes.
Result<void> write_if_changed(const std::string& path, const std::string& text);

/// All of a file.
Result<std::string> read_file(const std::string& path);

}  // namespace khob::gen

#endif  // KHOB_ABI_GEN_EMIT_HPP
