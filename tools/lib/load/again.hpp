// SPDX-License-Identifier: GPL-2.0-only
// What was loaded last, for whoever wants the same once more.
#ifndef KHOB_LOAD_AGAIN_HPP
#define KHOB_LOAD_AGAIN_HPP

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.hpp"
#include "base/system.hpp"

namespace khob {

inline constexpr std::string_view last_load_path = "/run/kho-bridge/load.json";

/// Words of a command line: it is read again as what a person types is.
using LoadWords = std::vector<std::string>;

/// `words`: behind "khoctl", with nothing left to find out.
Result<void> write_last_load(const System& sys, const LoadWords& words);

/// Nothing: there was none since boot, or it was unloaded. Errors: what is there is not one.
Result<std::optional<LoadWords>> read_last_load(const System& sys);

/// It is not to be done again.
void forget_last_load(const System& sys);

}  // namespace khob

#endif  // KHOB_LOAD_AGAIN_HPP
