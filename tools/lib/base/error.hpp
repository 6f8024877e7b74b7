// SPDX-License-Identifier: GPL-2.0-only
// Errors as values: what is wrong, what to do about it, and the exit code.
#ifndef KHOB_ERROR_HPP
#define KHOB_ERROR_HPP

#include <string>
#include <tl/expected.hpp>
#include <utility>

#include "base/exit_codes.hpp"

namespace khob {

/// One failure. `what` and `hint` are sentences without a full stop; `hint` may be empty.
struct Error {
    ExitCode code = ExitCode::failure;
    std::string what;
    std::string hint;
};

template <typename T>
using Result = tl::expected<T, Error>;

/// The failure half of a Result.
inline tl::unexpected<Error> fail(ExitCode code, std::string what, std::string hint = {}) {
    return tl::unexpected<Error>(Error{code, std::move(what), std::move(hint)});
}

/// A failed call: `what: strerror(err)`.
tl::unexpected<Error> fail_errno(int err, std::string_view what, std::string hint = {});

}  // namespace khob

#endif  // KHOB_ERROR_HPP
