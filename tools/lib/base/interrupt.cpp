// SPDX-License-Identifier: GPL-2.0-only
// Signal handlers that note and nothing more.
#include "base/interrupt.hpp"

#include <array>
#include <csignal>

namespace khob {

namespace {

constexpr std::array<int, 3> signals{SIGINT, SIGTERM, SIGHUP};

// The first is the only state that the handler touches.
volatile std::sig_atomic_t came = 0;
std::array<struct sigaction, signals.size()> before{};

extern "C" void note_signal(int number) {
    came = number;
}

}  // namespace

InterruptGuard::InterruptGuard() {
    came = 0;
    struct sigaction action {};
    action.sa_handler = note_signal;  // no SA_RESTART: a blocking write has to end
    for (std::size_t i = 0; i < signals.size(); ++i) {
        ::sigaction(signals.at(i), &action, &before.at(i));
    }
}

InterruptGuard::~InterruptGuard() {
    for (std::size_t i = 0; i < signals.size(); ++i) {
        ::sigaction(signals.at(i), &before.at(i), nullptr);
    }
}

Result<void> InterruptGuard::check() {
    if (came != 0) {
        return fail(ExitCode::interrupted, "interrupted", "what was begun has been undone");
    }
    return {};
}

}  // namespace khob
