// SPDX-License-Identifier: GPL-2.0-only
// What was loaded last, for whoever wants the same once more.
#ifndef KHOB_LOAD_AGAIN_HPP
#define KHOB_LOAD_AGAIN_HPP

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.hpp"
#include "base/system.hpp"

namespace khob {

inline constexpr std::string_view last_load_path = "/run/kho-bridge/load.json";

/// A load as it was asked for, with nothing left to find out.
struct LastLoad {
    std::string kernel;                ///< absolute
    std::vector<std::string> initrds;  ///< absolute
    std::string cmdline;
    std::string method;
    std::string abi;
    std::uint64_t max_intervals = 0;
    bool compact = false;
    std::optional<std::uint64_t> late_room_mib;
    std::vector<std::string> carve;
    std::vector<std::string> uncarve;
};

Result<void> write_last_load(const System& sys, const LastLoad& load);

/// Nothing: there was none since boot, or it was unloaded. Errors: what is there is not one.
Result<std::optional<LastLoad>> read_last_load(const System& sys);

/// It is not to be done again.
void forget_last_load(const System& sys);

}  // namespace khob

#endif  // KHOB_LOAD_AGAIN_HPP
