// SPDX-License-Identifier: GPL-2.0-only
#include "rows.hpp"

namespace khob::bench {

void enter(const std::string& name, int repetitions, std::function<void(benchmark::State&)> body) {
    benchmark::RegisterBenchmark(name.c_str(),
                                 [body = std::move(body)](benchmark::State& state) { body(state); })
        ->Iterations(1)
        ->Repetitions(repetitions)
        ->UseManualTime()
        ->Unit(benchmark::kMillisecond);
}

}  // namespace khob::bench
