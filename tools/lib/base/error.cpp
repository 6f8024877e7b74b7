// SPDX-License-Identifier: GPL-2.0-only
// Errors from errno.
#include "base/error.hpp"

#include <fmt/format.h>

#include <cstring>
#include <string_view>

namespace khob {

tl::unexpected<Error> fail_errno(int err, std::string_view what, std::string hint) {
    return fail(ExitCode::failure, fmt::format("{}: {}", what, std::strerror(err)),
                std::move(hint));
}

}  // namespace khob
