// SPDX-License-Identifier: GPL-2.0-only
// One finding of `khoctl doctor`: what was looked at, what is there, what to do.
#ifndef KHOB_CHECK_HPP
#define KHOB_CHECK_HPP

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/error.hpp"

namespace khob {

enum class CheckState {
    ok,
    warning,  ///< a load may fail, or this could not be seen
    missing,  ///< a load fails
};

/// "ok", "warning" or "missing".
std::string_view to_string(CheckState state);

struct Check {
    std::string name;
    CheckState state = CheckState::ok;
    std::string found;   ///< no full stop
    std::string remedy;  ///< a command or an option; empty: nothing to do
};

using Checks = std::vector<Check>;

inline Check check_ok(std::string name, std::string found) {
    return Check{std::move(name), CheckState::ok, std::move(found), {}};
}

inline Check check_warning(std::string name, std::string found, std::string remedy) {
    return Check{std::move(name), CheckState::warning, std::move(found), std::move(remedy)};
}

inline Check check_missing(std::string name, std::string found, std::string remedy) {
    return Check{std::move(name), CheckState::missing, std::move(found), std::move(remedy)};
}

/// What a load would refuse with, in the same words.
inline Check check_missing(std::string name, const Error& error) {
    return check_missing(std::move(name), error.what, error.hint);
}

}  // namespace khob

#endif  // KHOB_CHECK_HPP
