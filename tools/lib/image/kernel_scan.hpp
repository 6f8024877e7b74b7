// SPDX-License-Identifier: GPL-2.0-only
// Looks for what tells of a kernel's abilities, in its unpacked bytes as they come.
#ifndef KHOB_KERNEL_SCAN_HPP
#define KHOB_KERNEL_SCAN_HPP

#include <string>
#include <string_view>

#include "base/types.hpp"

namespace khob {

/**
 * Is fed an unpacked kernel piece by piece, in pieces of any size; what lies across a border is
 * found as well.
 */
class KernelScan {
  public:
    void feed(ByteView piece);

    /// The compatible string of the KHO in what was fed, empty if there is none in it.
    /// Source: KHO_FDT_COMPATIBLE, KHO_FDT_MEMORY_MAP_PROP_NAME.
    std::string kho() const { return property_ ? compatible_ : std::string(); }

    /// The compatible string of the Live Update Orchestrator in it, empty if there is none.
    /// Source: LUO_ABI_COMPATIBLE.
    std::string luo() const { return luo_; }

    /// Whether KASAN is in it, which says so when it starts.
    bool kasan() const { return kasan_; }

  private:
    void look_at(std::string_view text, bool from_start);

    std::string tail_;      ///< the last bytes that were fed
    bool at_start_ = true;  ///< tail_ has all of them
    std::string compatible_;
    std::string luo_;
    bool property_ = false;
    bool kasan_ = false;
};

}  // namespace khob

#endif  // KHOB_KERNEL_SCAN_HPP
