// SPDX-License-Identifier: GPL-2.0-only
// Running another program: the renderer, a compiler, a probe.
#ifndef KHOB_ABI_GEN_PROCESS_HPP
#define KHOB_ABI_GEN_PROCESS_HPP

#include <string>
#include <vector>

#include "error.hpp"

namespace khob::gen {

/// What a program left behind.
struct Finished {
    int status = 0;  ///< its exit status, or 128 plus the signal that ended it
    std::string out;
    std::string err;
};

/// Runs a program (looked up in $PATH) and waits for it.
/// @param input all of its standard input
/// @return an error only if it could not be run
Result<Finished> run_program(const std::vector<std::string>& command, const std::string& input);

}  // namespace khob::gen

#endif  // KHOB_ABI_GEN_PROCESS_HPP
