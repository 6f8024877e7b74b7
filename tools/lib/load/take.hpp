// SPDX-License-Identifier: GPL-2.0-only
// Takes scratch from the module and gives it back when nothing came of it.
#ifndef KHOB_TAKE_HPP
#define KHOB_TAKE_HPP

#include <cstdint>
#include <optional>

#include "base/error.hpp"
#include "khob/abi.hpp"
#include "module/module.hpp"
#include "plan/kho_scratch.hpp"
#include "plan/scratch.hpp"

namespace khob {

class ScratchTaker {
  public:
    /// `abi`: the version to freeze in; empty: the one that the module is set to.
    ScratchTaker(const Module& module, std::optional<abi::Version> abi)
        : module_(&module), abi_(abi) {}
    ScratchTaker(const ScratchTaker&) = delete;
    ScratchTaker& operator=(const ScratchTaker&) = delete;
    ScratchTaker(ScratchTaker&&) = delete;
    ScratchTaker& operator=(ScratchTaker&&) = delete;
    /// Gives all of it back, which also thaws, unless loaded() was called. Were this program
    /// killed, the module would do the same.
    ~ScratchTaker();

    Result<void> take(const AreaRequest& request);
    /// Freezes for a handover by the running kernel's own KHO; areas may be taken besides.
    Result<void> leave_to_kernel();
    std::size_t areas() const { return areas_; }
    /// The kernel is loaded: it belongs to that from here on.
    Result<void> loaded();

    /// After a refusal: the largest piece that the module found, in bytes.
    std::uint64_t largest() const { return largest_; }

  private:
    const Module* module_;
    std::optional<abi::Version> abi_;
    std::size_t areas_ = 0;
    std::uint64_t largest_ = 0;
    bool held_ = false;
};

/// One area if there is one, else two. Errors (refused): neither; names the figures.
Result<void> take_for_indirect(ScratchTaker& taker, const ScratchNeeds& needs);

/// The low area, then the image's, then the nodes'. What is early goes into pieces where it
/// finds no room in one. Errors (refused): too little; names the figures.
Result<void> take_for_kho(ScratchTaker& taker, const KhoScratch& wanted);

}  // namespace khob

#endif  // KHOB_TAKE_HPP
