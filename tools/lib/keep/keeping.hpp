// SPDX-License-Identifier: GPL-2.0-only
// Keeping files, from a load until its unload.
#ifndef KHOB_KEEP_KEEPING_HPP
#define KHOB_KEEP_KEEPING_HPP

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/error.hpp"
#include "base/progress.hpp"
#include "base/system.hpp"
#include "base/value.hpp"
#include "keep/device.hpp"
#include "keep/list.hpp"
#include "keep/walk.hpp"
#include "module/module.hpp"

namespace khob::keep {

/// What a load has kept.
struct KeepReport {
    std::uint64_t files = 0;
    std::uint64_t bytes = 0;
    std::vector<Left> left;
    double ms = 0;
    Value to_value() const;
};

/**
 * The files that go along with a load: they are thawed again, and what tells of them is taken
 * back, unless stay() is called.
 */
class Keeping {
  public:
    Keeping() = default;
    Keeping(const Keeping&) = delete;
    Keeping& operator=(const Keeping&) = delete;
    Keeping(Keeping&& other) noexcept;
    Keeping& operator=(Keeping&&) = delete;
    ~Keeping();

    /**
     * Keeps what is wanted, as far as it may and can be. What has no room is said in the journal.
     *
     * `spare`: bytes that the next kernel can do without. Errors: one of the files cannot be kept,
     * or those that must be are more, and then none is; no kho_luo; interrupted.
     */
    static Result<Keeping> make(const System& sys, const Module& module,
                                const std::vector<Wanted>& wanted, std::uint64_t spare,
                                Progress& progress);

    /// Thaws what was kept, and takes back what tells of it. Nothing to drop is no error.
    static Result<void> drop(const System& sys, const Module& module);

    const KeepReport& report() const { return report_; }
    void stay() { module_ = nullptr; }

  private:
    const System* sys_ = nullptr;
    const Module* module_ = nullptr;
    KeepReport report_;
};

}  // namespace khob::keep

#endif  // KHOB_KEEP_KEEPING_HPP
