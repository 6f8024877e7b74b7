// SPDX-License-Identifier: GPL-2.0-only
// Progress on standard error: one line that is rewritten, on a terminal only.
// Results never go here.
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

/// "unpacking... 12.0 MiB of 40.0 MiB, 30%, 12 s left": what is left follows from the time that
/// the step has taken so far, and is said after a second. `all` is not 0.
std::string progress_line(std::string_view what, std::uint64_t done, std::uint64_t all,
                          double elapsed_ms);

class Progress {
  public:
    /// Silent.
    Progress() = default;
    /// `live`: `out` is a terminal; else this is silent too.
    Progress(std::FILE* out, bool live);
    Progress(const Progress&) = delete;
    Progress& operator=(const Progress&) = delete;
    Progress(Progress&&) = delete;
    Progress& operator=(Progress&&) = delete;
    ~Progress() { end(); }

    /// Whether anybody sees it.
    bool live() const { return out_ != nullptr; }
    /// Begins a step: "covering 12 ranges". One of which nobody knows how long it takes has
    /// nothing more to show.
    void step(std::string_view what);
    /// How many bytes of the step are done; shown a few times a second.
    void update(std::uint64_t done, std::uint64_t all);
    /// Leaves a clean line.
    void end();

  private:
    void show(std::string_view line);

    std::FILE* out_ = nullptr;
    std::size_t columns_ = 0;  ///< that a line may have
    bool line_open_ = false;
    std::string what_;
    Stopwatch since_begun_;
    Stopwatch since_shown_;
};

}  // namespace khob

#endif  // KHOB_PROGRESS_HPP
