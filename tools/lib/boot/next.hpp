// SPDX-License-Identifier: GPL-2.0-only
// The kernel that would boot next: load.conf's, or the boot loader's default entry.
#ifndef KHOB_BOOT_NEXT_HPP
#define KHOB_BOOT_NEXT_HPP

#include <filesystem>
#include <string>
#include <vector>

#include "base/error.hpp"
#include "base/system.hpp"
#include "base/value.hpp"

namespace khob::boot {

struct Next {
    std::string from;   ///< whose choice it is: a file, and of a boot loader the entry
    std::string title;  ///< of the entry
    std::filesystem::path kernel;
    std::vector<std::filesystem::path> initrds;
    std::string cmdline;
    bool boot_if_refused = false;

    Value to_value() const;
};

/// Errors (refused): no boot loader's files are there, or what would boot cannot be told.
Result<Next> next_boot(const System& sys);

}  // namespace khob::boot

#endif  // KHOB_BOOT_NEXT_HPP
