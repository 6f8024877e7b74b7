// SPDX-License-Identifier: GPL-2.0-only
// /etc/kho-bridge/load.conf: which kernel is loaded if none is named, and what a refusal ends.
#ifndef KHOB_BOOT_LOAD_CONF_HPP
#define KHOB_BOOT_LOAD_CONF_HPP

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.hpp"

namespace khob::boot {

inline constexpr std::string_view load_conf_path = "/etc/kho-bridge/load.conf";

struct LoadConf {
    std::string kernel;  ///< empty: what the boot loader would boot next
    std::vector<std::string> initrds;
    std::optional<std::string> cmdline;  ///< nothing: the entry's, or this kernel's
    bool boot_if_refused = false;
};

/// Errors (refused): a line makes no sense.
Result<LoadConf> parse_load_conf(std::string_view text);

}  // namespace khob::boot

#endif  // KHOB_BOOT_LOAD_CONF_HPP
