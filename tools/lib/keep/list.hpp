// SPDX-License-Identifier: GPL-2.0-only
// Which paths are kept: those that were noted, and those that the configuration names.
#ifndef KHOB_KEEP_LIST_HPP
#define KHOB_KEEP_LIST_HPP

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.hpp"
#include "base/system.hpp"

namespace khob::keep {

inline constexpr std::string_view list_path = "/var/lib/kho-bridge/keep.json";
inline constexpr std::string_view patterns_dir = "/etc/kho-bridge/keep.d";

/// A path, and when it goes along.
struct Noted {
    std::string path;
    std::string once;                         ///< the boot that it ends with; empty: always
    std::optional<std::uint64_t> most_bytes;  ///< it stays here if it is larger
    bool optional = false;                    ///< it stays here if there is no room
};

/// A path that is to be kept, and who says so.
struct Wanted {
    Noted noted;
    std::string from;
};

/// "Once" of a boot that is over is not in it. Errors (failure): it cannot be read, or is no list.
Result<std::vector<Noted>> read_noted(const System& sys);
/// Notes a path, in place of what is noted of it so far.
void note(std::vector<Noted>& list, Noted noted);
Result<void> write_noted(const System& sys, const std::vector<Noted>& list);

/// What tells this boot from any other.
std::string this_boot(const System& sys);

/**
 * All of them, each path once, those first that matter most: noted ones, then what the patterns
 * match just now, file by file as they are called, line by line. Those of a line that begins with
 * "-" are optional.
 */
Result<std::vector<Wanted>> read_wanted(const System& sys);

std::string list_to_json(const std::vector<Noted>& list);
Result<std::vector<Noted>> parse_list(std::string_view text);

}  // namespace khob::keep

#endif  // KHOB_KEEP_LIST_HPP
