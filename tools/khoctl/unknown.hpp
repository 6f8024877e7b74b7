// SPDX-License-Identifier: GPL-2.0-only
// What is unknown on a command line that could not be parsed.
#ifndef KHOB_KHOCTL_UNKNOWN_HPP
#define KHOB_KHOCTL_UNKNOWN_HPP

#include <CLI/CLI.hpp>
#include <optional>
#include <span>

#include "base/error.hpp"

namespace khob::cli {

/// The first unknown command or option among `args` (without the program's name), with the one
/// that was probably meant; nothing if all of them are known.
std::optional<Error> find_unknown(const CLI::App& app, std::span<const char* const> args);

}  // namespace khob::cli

#endif  // KHOB_KHOCTL_UNKNOWN_HPP
