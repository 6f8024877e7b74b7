// SPDX-License-Identifier: GPL-2.0-only
// Shows progress.
#include "base/progress.hpp"

#include <fmt/format.h>
#include <sys/ioctl.h>

#include <algorithm>

#include "base/types.hpp"

namespace khob {

namespace {

constexpr double update_interval_ms = 100;
// Before that a rate says little.
constexpr double estimate_after_ms = 1000;
constexpr std::size_t default_columns = 80;

std::string duration(double ms) {
    const auto seconds = static_cast<std::uint64_t>(ms / 1000) + 1;
    if (seconds < 60) {
        return fmt::format("{} s", seconds);
    }
    return seconds < 3600 ? fmt::format("{} min {} s", seconds / 60, seconds % 60)
                          : fmt::format("{} h {} min", seconds / 3600, seconds / 60 % 60);
}

std::size_t columns_of(std::FILE* out) {
    winsize size{};
    const bool known = ::ioctl(::fileno(out), TIOCGWINSZ, &size) == 0 && size.ws_col > 1;
    return known ? size.ws_col : default_columns;
}

}  // namespace

std::string progress_line(std::string_view what, std::uint64_t done, std::uint64_t all,
                          double elapsed_ms) {
    done = std::min(done, all);
    const double part = static_cast<double>(done) / static_cast<double>(all);
    std::string line = fmt::format("{}... {} of {}, {:.0f}%", what, human_bytes(done),
                                   human_bytes(all), 100 * part);
    if (done != 0 && done != all && elapsed_ms >= estimate_after_ms) {
        line += fmt::format(", {} left", duration(elapsed_ms * (1 - part) / part));
    }
    return line;
}

// A line that is as long as the terminal is wide would make two.
Progress::Progress(std::FILE* out, bool live)
    : out_(live ? out : nullptr), columns_(live ? columns_of(out) - 1 : 0) {}

void Progress::show(std::string_view line) {
    // Progress that cannot be written is no reason to fail.
    (void)std::fputs(fmt::format("\r\033[K{}", line.substr(0, columns_)).c_str(), out_);
    (void)std::fflush(out_);
    since_shown_ = Stopwatch();
}

void Progress::step(std::string_view what) {
    if (out_ == nullptr) {
        return;
    }
    what_ = what;
    since_begun_ = Stopwatch();
    show(fmt::format("{}...", what_));
    line_open_ = true;
}

void Progress::update(std::uint64_t done, std::uint64_t all) {
    if (out_ == nullptr || all == 0 || since_shown_.millis() < update_interval_ms) {
        return;
    }
    show(progress_line(what_, done, all, since_begun_.millis()));
    line_open_ = true;
}

void Progress::end() {
    if (line_open_) {
        show("");
        line_open_ = false;
    }
}

}  // namespace khob
