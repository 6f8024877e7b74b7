// SPDX-License-Identifier: GPL-2.0-only
// khoctl as a function, for main() and for the tests.
#ifndef KHOB_KHOCTL_RUN_HPP
#define KHOB_KHOCTL_RUN_HPP

#include <cstdio>
#include <filesystem>
#include <functional>
#include <memory>

#include "base/exit_codes.hpp"
#include "base/system.hpp"

namespace khob::cli {

/// Makes the System that khoctl works on, below a root directory.
using SystemFactory = std::function<std::unique_ptr<System>(const std::filesystem::path& root)>;

/// Where khoctl prints; tests give files of their own.
struct Streams {
    std::FILE* out = nullptr;
    std::FILE* err = nullptr;
    bool live = false;  ///< err is a terminal
};

/// All of khoctl: parses, runs, prints. Returns the exit code.
ExitCode run(int argc, const char* const* argv, const Streams& streams,
             const SystemFactory& factory);

}  // namespace khob::cli

#endif  // KHOB_KHOCTL_RUN_HPP
