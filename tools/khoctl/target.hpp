// SPDX-License-Identifier: GPL-2.0-only
// What unpreserve, restore and release act on: "all", a folio, a subtree.
#ifndef KHOB_KHOCTL_TARGET_HPP
#define KHOB_KHOCTL_TARGET_HPP

#include <string>
#include <vector>

#include "base/error.hpp"
#include "module/module.hpp"

namespace khob::cli {

/// Which targets besides "all" a command takes.
struct TargetKinds {
    bool page = false;
    bool subtree = false;
};

/// What these words are. Errors (usage).
Result<Target> parse_target(const std::vector<std::string>& words, TargetKinds kinds);

}  // namespace khob::cli

#endif  // KHOB_KHOCTL_TARGET_HPP
