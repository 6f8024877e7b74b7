// SPDX-License-Identifier: GPL-2.0-only
// The rows of the table. Each is run by every structure that can do its work, by the name
// ROW/STRUCTURE, and what came out is compared with upstream's tree before its time counts.
#pragma once

#include <benchmark/benchmark.h>
#include <valgrind/callgrind.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "content.hpp"
#include "ram.hpp"
#include "trees.hpp"

namespace khob::bench {

/// How much is done.
struct Sizes {
    std::uint64_t keys;     // one by one, or as an array
    std::uint64_t pages;    // of the large range
    std::uint64_t part;     // of it for who can only add single pages
    std::uint64_t extents;  // for preserve
    std::uint64_t leaves;   // with one page each
    std::size_t nodes;      // that all trees may have at a time
    int repetitions;        // of what is compared; of the other sets a third

    [[nodiscard]] int few() const { return std::max(1, repetitions / 3); }
};

using Shares = std::shared_ptr<Content>;

/// What is measured: a structure at its work.
struct Row {
    std::string name;
    std::string structure;
    Shares content;
    int repetitions;
};

/// Registers what sets its own time, for each repetition once.
void enter(const std::string& name, int repetitions, std::function<void(benchmark::State&)> body);

/// Runs work(*made) on make()'s result, and lets the time count if check(*made) is true.
template <class Make, class Work, class Check>
void measure(const Row& row, Make make, Work work, Check check) {
    const std::string name = row.name + "/" + row.structure;
    const auto body = [=](benchmark::State& state) {
        for ([[maybe_unused]] auto once : state) {
            const auto keys = static_cast<double>(row.content->nr_keys());
            Ram::get().settle();
            auto made = make();
            // counting.py has just this counted; outside callgrind these do nothing.
            CALLGRIND_START_INSTRUMENTATION;
            const auto begin = std::chrono::steady_clock::now();
            work(*made);
            const auto end = std::chrono::steady_clock::now();
            CALLGRIND_STOP_INSTRUMENTATION;
            CALLGRIND_DUMP_STATS_AT(name.c_str());
            if (!check(*made)) {
                fatal(name + ": what came out is not what upstream has");
            }
            state.SetIterationTime(std::chrono::duration<double>(end - begin).count());
            state.counters["keys"] = keys;
            if constexpr (requires { made->root(); }) {
                state.counters["nodes"] = static_cast<double>(count_nodes(made->root()));
            }
        }
    };
    enter(name, row.repetitions, body);
}

/// Each registers some of the rows.
void register_adding(const Sizes& sizes);
void register_deleting(const Sizes& sizes);
void register_walking(const Sizes& sizes);
void register_threads(const Sizes& sizes);
void register_memory(const Sizes& sizes);

}  // namespace khob::bench
