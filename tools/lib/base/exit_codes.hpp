// SPDX-License-Identifier: GPL-2.0-only
// khoctl's exit codes: part of its interface, documented in khoctl(1) and
// relied upon by scripts and by the tests inside the virtual machines.
#ifndef KHOB_EXIT_CODES_HPP
#define KHOB_EXIT_CODES_HPP

namespace khob {

enum class ExitCode : int {
    ok = 0,              ///< done
    failure = 1,         ///< an input/output or internal failure
    usage = 2,           ///< the command line makes no sense
    refused = 3,         ///< a precondition does not hold; nothing was changed
    absent = 4,          ///< the module is not loaded (or its debugfs is out of reach)
    data_damaged = 5,    ///< something handed over is lost or corrupt
    nothing_handed = 6,  ///< this kernel was handed nothing
    interrupted = 130,   ///< ended by a signal (Ctrl-C); nothing was left behind
};

/// The number for exit(2).
constexpr int to_int(ExitCode code) {
    return static_cast<int>(code);
}

}  // namespace khob

#endif  // KHOB_EXIT_CODES_HPP
