// SPDX-License-Identifier: GPL-2.0-only
// Ctrl-C while something is half done: noted, and acted upon between two steps.
#ifndef KHOB_INTERRUPT_HPP
#define KHOB_INTERRUPT_HPP

#include "base/error.hpp"

namespace khob {

/// While one exists, SIGINT, SIGTERM and SIGHUP only set a flag (and end blocking calls).
class InterruptGuard {
  public:
    InterruptGuard();
    InterruptGuard(const InterruptGuard&) = delete;
    InterruptGuard& operator=(const InterruptGuard&) = delete;
    InterruptGuard(InterruptGuard&&) = delete;
    InterruptGuard& operator=(InterruptGuard&&) = delete;
    ~InterruptGuard();

    /// An Error (interrupted) if a signal came since.
    static Result<void> check();
};

}  // namespace khob

#endif  // KHOB_INTERRUPT_HPP
