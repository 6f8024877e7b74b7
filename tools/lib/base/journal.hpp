// SPDX-License-Identifier: GPL-2.0-only
// What whoever looks after the machine reads later, whoever ran khoctl.
#ifndef KHOB_JOURNAL_HPP
#define KHOB_JOURNAL_HPP

#include <string>

namespace khob {

/// A warning in the system's log; lost where nobody keeps one.
void warn_in_journal(const std::string& line);

}  // namespace khob

#endif  // KHOB_JOURNAL_HPP
