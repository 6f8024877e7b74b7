// SPDX-License-Identifier: GPL-2.0-only
// How an error is shown.
#include "error.hpp"

#include <fmt/format.h>

namespace khob::gen {

std::string to_string(const Error& error) {
    if (error.at.line == 0) {
        return fmt::format("{}: error: {}", error.at.file, error.text);
    }
    return fmt::format("{}:{}:{}: error: {}", error.at.file, error.at.line, error.at.column,
                       error.text);
}

}  // namespace khob::gen
