// SPDX-License-Identifier: GPL-2.0-only
// Lists that a module of ours gives out, as the array of structs that they are.
#ifndef KHOB_DECODE_HPP
#define KHOB_DECODE_HPP

#include <fmt/format.h>

#include <cstring>
#include <string_view>
#include <type_traits>
#include <vector>

#include "base/error.hpp"
#include "base/types.hpp"

namespace khob {

inline tl::unexpected<Error> makes_no_sense(std::string_view what, std::size_t i) {
    return fail(ExitCode::failure, fmt::format("the module's {} {} makes no sense", what, i),
                "khoctl and the module may be of different versions: `khoctl status` tells the "
                "module's");
}

/// Whole structs of one kind, nothing else.
template <typename T>
Result<std::vector<T>> decode(ByteView bytes, std::string_view what) {
    static_assert(std::is_trivially_copyable_v<T>);
    if (bytes.size() % sizeof(T) != 0) {
        return makes_no_sense(what, bytes.size() / sizeof(T));
    }
    std::vector<T> out(bytes.size() / sizeof(T));
    if (!out.empty()) {
        std::memcpy(out.data(), bytes.data(), bytes.size());
    }
    return out;
}

}  // namespace khob

#endif  // KHOB_DECODE_HPP
