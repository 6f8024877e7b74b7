// SPDX-License-Identifier: GPL-2.0-only
// Shows progress.
#include "base/progress.hpp"

#include <fmt/format.h>

#include "base/types.hpp"

namespace khob {

namespace {

constexpr double update_interval_ms = 100;

void show(std::FILE* out, const std::string& text) {
    // Progress that cannot be written is no reason to fail.
    (void)std::fputs(text.c_str(), out);
    (void)std::fflush(out);
}

}  // namespace

void Progress::step(std::string_view what) {
    if (out_ == nullptr) {
        return;
    }
    what_ = what;
    since_shown_ = Stopwatch();
    if (live_) {
        show(out_, fmt::format("\r\033[K{}...", what_));
        line_open_ = true;
    } else {
        show(out_, fmt::format("{}\n", what_));
    }
}

void Progress::update(std::uint64_t done, std::uint64_t all) {
    if (!live_ || all == 0 || since_shown_.millis() < update_interval_ms) {
        return;
    }
    since_shown_ = Stopwatch();
    show(out_, fmt::format("\r\033[K{}... {} of {} ({}%)", what_, human_bytes(done),
                           human_bytes(all), done * 100 / all));
    line_open_ = true;
}

void Progress::end() {
    if (line_open_) {
        show(out_, "\r\033[K");
        line_open_ = false;
    }
}

}  // namespace khob
