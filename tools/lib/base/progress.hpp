// SPDX-License-Identifier: GPL-2.0-only
// Progress on standard error: one line that is rewritten on a terminal, one
// line a step otherwise. Results never go here.
#ifndef KHOB_PROGRESS_HPP
#define KHOB_PROGRESS_HPP

#include <chrono>
#include <cstdint>
#include <cstdio>
#include <string>
#include <string_view>

namespace khob {

/// Milliseconds since it was made.
class Stopwatch {
  public:
    double millis() const {
        return std::chrono::duration<double, std::milli>(Clock::now() - start_).count();
    }

  private:
    using Clock = std::chrono::steady_clock;
    Clock::time_point start_ = Clock::now();
};

class Progress {
  public:
    /// Silent.
    Progress() = default;
    /// `live`: `out` is a terminal.
    Progress(std::FILE* out, bool live) : out_(out), live_(live) {}
    Progress(const Progress&) = delete;
    Progress& operator=(const Progress&) = delete;
    Progress(Progress&&) = delete;
    Progress& operator=(Progress&&) = delete;
    ~Progress() { end(); }

    /// Begins a step: "covering 12 ranges".
    void step(std::string_view what);
    /// How far the step is; shown on a terminal only, a few times a second.
    void update(std::uint64_t done, std::uint64_t all);
    /// Leaves a clean line.
    void end();

  private:
    std::FILE* out_ = nullptr;
    bool live_ = false;
    bool line_open_ = false;
    std::string what_;
    Stopwatch since_shown_;
};

}  // namespace khob

#endif  // KHOB_PROGRESS_HPP
