// SPDX-License-Identifier: GPL-2.0-only
// What every fuzz target uses.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <iostream>

/// libFuzzer's entry: one input.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

namespace khob::fuzz {

/// Ends the run: a promise was broken. libFuzzer saves the input.
inline void require(bool holds, const char* promise) {
    if (!holds) {
        std::cerr << "broken: " << promise << '\n';
        std::abort();
    }
}

}  // namespace khob::fuzz
