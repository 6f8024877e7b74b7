// SPDX-License-Identifier: GPL-2.0-only
// Several threads that do something to one tree at once.
#pragma once

#include <functional>
#include <latch>
#include <thread>
#include <vector>

namespace khob::test {

inline constexpr unsigned int threads = 4;

// Every access is slower by an order of magnitude where it is watched.
#ifdef KHOB_WATCHED
inline constexpr int less = 8;
#else
inline constexpr int less = 1;
#endif

/// Calls `fn` with 0, 1, ... in a thread each, none of which begins before all are there.
inline void in_parallel(const std::function<void(unsigned int number)>& fn) {
    std::latch start(threads);
    std::vector<std::thread> all;
    all.reserve(threads);
    for (unsigned int number = 0; number < threads; number++) {
        all.emplace_back([&start, &fn, number] {
            start.arrive_and_wait();
            fn(number);
        });
    }
    for (std::thread& thread : all) {
        thread.join();
    }
}

}  // namespace khob::test
