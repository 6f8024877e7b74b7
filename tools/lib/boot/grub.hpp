// SPDX-License-Identifier: GPL-2.0-only
// The entry that GRUB would boot next, by grub.cfg and grubenv: pure code. Of GRUB's language it
// knows what grub-mkconfig writes: variables, comparisons, menus; where it cannot tell it says so.
#ifndef KHOB_BOOT_GRUB_HPP
#define KHOB_BOOT_GRUB_HPP

#include <string_view>

#include "base/error.hpp"
#include "boot/entry.hpp"

namespace khob::boot {

/// GRUB's environment block; what is no assignment is passed over.
Variables parse_grubenv(std::string_view text);

/**
 * The default entry. `variables`: what is set before grub.cfg is read, the environment block
 * among it.
 *
 * Errors (refused): grub.cfg cannot be read, or the entry boots no Linux, or it cannot be told
 * which.
 */
Result<Entry> grub_default(std::string_view grub_cfg, Variables variables);

}  // namespace khob::boot

#endif  // KHOB_BOOT_GRUB_HPP
