// SPDX-License-Identifier: GPL-2.0-only
// --method and --abi, for every subcommand that has them.
#ifndef KHOB_KHOCTL_WISHES_HPP
#define KHOB_KHOCTL_WISHES_HPP

#include <CLI/CLI.hpp>
#include <string>

#include "base/error.hpp"
#include "plan/method.hpp"

namespace khob::cli {

/// As given; "auto" leaves it to khoctl.
struct WishWords {
    std::string method{"auto"};
    std::string abi{"auto"};
};

void add_wishes(CLI::App& command, WishWords& words);

/// What is left to khoctl is empty. Errors (usage): an unknown version.
Result<MethodWishes> wishes_of(const WishWords& words);

}  // namespace khob::cli

#endif  // KHOB_KHOCTL_WISHES_HPP
