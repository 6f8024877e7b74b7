// SPDX-License-Identifier: GPL-2.0-only
// The nodes of both kinds of tree: pages of one piece of memory that is all there before
// anything is timed, as a kernel's is.
#pragma once

#include <cstdint>
#include <mutex>
#include <vector>

#include "core/radix.h"

namespace khob::bench {

/// Gives out pages, in an order that settle() renews, and takes them back.
class Ram {
  public:
    static Ram& get();

    /// Makes room for so many nodes, once. Returns false if there is no memory.
    [[nodiscard]] bool reserve(std::size_t nodes);
    /// The physical address of a page, 0 when none is left. Its contents do not matter.
    std::uint64_t take();
    void give(std::uint64_t pa);
    /// Makes what is given out next independent of what was before.
    void settle();
    /// Pages given out.
    [[nodiscard]] std::size_t live() const { return nodes_ - free_.size(); }

    /// Where a tree of ours gets its nodes.
    static const khob_radix_ops* ops();

  private:
    std::mutex mutex_;
    std::vector<std::uint64_t> free_;
    std::size_t nodes_ = 0;
};

}  // namespace khob::bench
