// SPDX-License-Identifier: GPL-2.0-only
// What can go wrong, as a value: every stage reports all that it finds, each
// with its place in the schema and one sentence.
#ifndef KHOB_ABI_GEN_ERROR_HPP
#define KHOB_ABI_GEN_ERROR_HPP

#include <string>
#include <tl/expected.hpp>
#include <utility>
#include <vector>

namespace khob::gen {

/// A place in a file; line and column count from 1, 0 means the file as a whole.
struct Position {
    std::string file;
    int line = 0;
    int column = 0;

    bool operator==(const Position&) const = default;
};

/// One sentence (no capital, no full stop) about one place.
struct Error {
    Position at;
    std::string text;

    bool operator==(const Error&) const = default;
};

using Errors = std::vector<Error>;

template <typename T>
using Result = tl::expected<T, Errors>;

/// A value and where it was written.
template <typename T>
struct Located {
    T value{};
    Position at;
};

inline tl::unexpected<Errors> fail(Position at, std::string text) {
    return tl::unexpected<Errors>(Errors{Error{std::move(at), std::move(text)}});
}

/// "file:line:column: error: text", as compilers print it.
std::string to_string(const Error& error);

}  // namespace khob::gen

#endif  // KHOB_ABI_GEN_ERROR_HPP
