// SPDX-License-Identifier: GPL-2.0-only
#include "paths.hpp"

#include <fmt/format.h>

#include <filesystem>

#include "keep/record.hpp"

namespace khob::cli {

Result<std::string> absolute(const std::string& path) {
    std::error_code err;
    const std::filesystem::path whole = std::filesystem::absolute(path, err).lexically_normal();
    std::string out = whole.has_filename() || !whole.has_relative_path()
                          ? whole.string()
                          : whole.parent_path().string();
    if (err || !keep::is_absolute_path(out)) {
        return fail(ExitCode::usage, fmt::format("'{}' is no path", keep::escaped(path)));
    }
    return out;
}

}  // namespace khob::cli
