// SPDX-License-Identifier: GPL-2.0-only
// khoctl's entry: real streams, the real system, and the one place that catches.
#include <unistd.h>

#include <cstdio>
#include <exception>

#include "run.hpp"

int main(int argc, char** argv) {
    try {
        const khob::cli::Streams streams{stdout, stderr, ::isatty(STDERR_FILENO) == 1};
        const auto code = khob::cli::run(
            argc, argv, streams,
            [](const std::filesystem::path& root) { return std::make_unique<khob::System>(root); });
        return khob::to_int(code);
    } catch (const std::exception& e) {
        // Out of memory, in practice: everything expected is a value.
        (void)std::fprintf(stderr, "khoctl: internal error: %s\n", e.what());
        return khob::to_int(khob::ExitCode::failure);
    }
}
