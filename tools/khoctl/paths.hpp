// SPDX-License-Identifier: GPL-2.0-only
// Paths as people give them.
#ifndef KHOB_KHOCTL_PATHS_HPP
#define KHOB_KHOCTL_PATHS_HPP

#include <string>

#include "base/error.hpp"

namespace khob::cli {

/// A path from the root on, without a slash behind it. Errors (usage): it is none, or too long.
Result<std::string> absolute(const std::string& path);

}  // namespace khob::cli

#endif  // KHOB_KHOCTL_PATHS_HPP
