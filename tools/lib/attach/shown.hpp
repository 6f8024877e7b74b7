// SPDX-License-Identifier: GPL-2.0-only
// What the running kernel itself shows of a handover: it makes each interval's memory a file
// in sysfs, for every user, for as long as it runs. Attaching closes that; here it is seen to,
// from outside.
#ifndef KHOB_SHOWN_HPP
#define KHOB_SHOWN_HPP

#include <cstddef>
#include <string>

#include "base/error.hpp"
#include "base/system.hpp"

namespace khob {

struct Shown {
    std::size_t intervals = 0;  ///< whose memory this process can read there
    std::size_t for_all = 0;    ///< of them, those that every user can read
};

/// Takes the files from everybody but root, before and without the module. What does not
/// work is for see_shown() to find.
void close_shown(const System& sys);

Shown see_shown(const System& sys);

/// "N intervals of what was handed over".
std::string describe(const Shown& shown);

/// What to say where a kernel still shows intervals that were attached to.
Error shown_error(const Shown& shown);

}  // namespace khob

#endif  // KHOB_SHOWN_HPP
