// SPDX-License-Identifier: GPL-2.0-only
// Bringing kept files back: the same paths, on the tmpfs that is mounted there now.
#ifndef KHOB_KEEP_RESTORE_HPP
#define KHOB_KEEP_RESTORE_HPP

#include <cstdint>
#include <functional>
#include <set>
#include <string>
#include <vector>

#include "base/error.hpp"
#include "base/progress.hpp"
#include "base/system.hpp"
#include "base/value.hpp"
#include "keep/device.hpp"
#include "keep/record.hpp"
#include "keep/walk.hpp"
#include "module/module.hpp"

namespace khob::keep {

/// What came back, and what did not.
struct RestoreReport {
    std::uint64_t files = 0;
    std::uint64_t bytes = 0;
    std::uint64_t others = 0;  ///< directories, symlinks, further names
    std::vector<Left> left;    ///< what did not come back, or not as it was
    double ms = 0;
    Value to_value() const;
};

/// What a file is called until all is in it.
std::string draft_name(std::uint64_t token);

/// open(2) below a directory: neither "..", nor a symlink on the way or at the end, leads out.
Fd open_below(const Fd& dir, const std::string& path, int flags);

/// Fills an empty file with what kho_luo has for a token.
using Filler =
    std::function<Result<void>(const Fd& empty, const Entry& entry, const std::string& path)>;

/**
 * Makes what a tree has below a directory, without following a symlink on the way. Nothing that is
 * there is changed. `waits`: whether kho_luo has a file of that token.
 *
 * Errors: what `fill` returns. What is back by then stays.
 */
Result<void> restore_tree(const Tree& tree, const std::string& into,
                          const std::set<std::uint64_t>& waits, const Filler& fill,
                          RestoreReport& report);

/**
 * Brings all back that waits. `into`: below this directory in place of the mount points where it
 * was; empty: there.
 *
 * Errors (refused): it does not fit; nothing has been taken then. Errors (data_damaged): what was
 * handed over is none of khoctl's, or is damaged.
 */
Result<RestoreReport> restore(const System& sys, const Module& module, const std::string& into,
                              Progress& progress);

/// Frees all that waits. Return: how many files.
Result<std::uint64_t> discard(const System& sys, const Module& module);

}  // namespace khob::keep

#endif  // KHOB_KEEP_RESTORE_HPP
