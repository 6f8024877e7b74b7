// SPDX-License-Identifier: GPL-2.0-only
// What the running kernel itself shows of a handover: it makes each interval's memory a file
// in sysfs, for every user, for as long as it runs. Attaching closes that; here it is seen to,
// from outside.
#ifndef KHOB_SHOWN_HPP
#define KHOB_SHOWN_HPP

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "base/error.hpp"
#include "base/system.hpp"
#include "base/value.hpp"
#include "module/status.hpp"

namespace khob {

struct Shown {
    /// The kernel goes along the chain anew at each reading: along one that is damaged to
    /// anywhere, and it warns in its log. So that was not tried.
    bool damaged = false;
    std::size_t intervals = 0;  ///< whose memory this process can read there
    std::size_t for_all = 0;    ///< of them, those that every user can read
};

/// Takes the files from everybody but root, before and without the module. What does not
/// work is for see_shown() to find.
void close_shown(const System& sys);

/// @param status The module's, where it is loaded: it knows whether the chain is sound.
Shown see_shown(const System& sys, const std::optional<Status>& status);

/// Of Shown::damaged, in words.
inline constexpr std::string_view not_looked_at =
    "the setup_data chain is damaged: what the kernel shows of it was not looked at";

/// How many intervals are shown, for JSON and people; nothing if nobody has looked.
Value shown_value(const Shown& shown);

/// "N intervals of what was handed over".
std::string describe(const Shown& shown);

/// What to say where a kernel still shows intervals that were attached to.
Error shown_error(const Shown& shown);

}  // namespace khob

#endif  // KHOB_SHOWN_HPP
