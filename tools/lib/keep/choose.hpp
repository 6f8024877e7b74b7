// SPDX-License-Identifier: GPL-2.0-only
// Which of the paths that are wanted go along, so that the next kernel has enough left.
#ifndef KHOB_KEEP_CHOOSE_HPP
#define KHOB_KEEP_CHOOSE_HPP

#include <cstdint>
#include <optional>
#include <vector>

#include "base/error.hpp"
#include "keep/list.hpp"
#include "keep/walk.hpp"

namespace khob::keep {

/// What goes along, as it is now.
struct Chosen {
    std::vector<Wanted> going;
    std::vector<Left> left;  ///< of those that were wanted
    std::uint64_t files = 0;
    std::uint64_t bytes = 0;  ///< memory that the files will have, with what tells of it
};

/// What there is for it, in bytes.
struct Limits {
    std::uint64_t spare = 0;                 ///< that the next kernel can do without
    std::optional<std::uint64_t> free = {};  ///< that this one has; nothing: it could not be seen
};

/**
 * Of what is wanted, that which may and can go along: all that must, then what may stay, as long
 * as it fits, the first first.
 *
 * `any_file_system`: not only tmpfs, for tests. Errors (refused): what must go along has more than
 * the next kernel can do without; its holes, which are filled, have more than there is room for
 * here; something cannot be read.
 */
Result<Chosen> choose(const std::vector<Wanted>& wanted, const Limits& limits,
                      bool any_file_system = false);

}  // namespace khob::keep

#endif  // KHOB_KEEP_CHOOSE_HPP
