// SPDX-License-Identifier: GPL-2.0-only
// The userspace benchmark: our radix tree, upstream's and other sets at the same work in one
// run. --quick does so little that only the comparison of contents means anything. All other
// options are Google Benchmark's.
#include <benchmark/benchmark.h>
#include <valgrind/valgrind.h>

#include <span>
#include <string_view>
#include <vector>

#include "ram.hpp"
#include "rows.hpp"

namespace {

constexpr khob::bench::Sizes full = {.keys = 1U << 20U,
                                     .pages = 1U << 26U,
                                     .part = 1U << 22U,
                                     .extents = 1U << 16U,
                                     .leaves = 1U << 15U,
                                     .nodes = 1U << 17U,
                                     .repetitions = 9};
constexpr khob::bench::Sizes quick = {.keys = 1U << 14U,
                                      .pages = 1U << 20U,
                                      .part = 1U << 16U,
                                      .extents = 1U << 10U,
                                      .leaves = 1U << 8U,
                                      .nodes = 1U << 13U,
                                      .repetitions = 1};

}  // namespace

int main(int argc, char** argv) {
    std::vector<char*> words(argv, argv + argc);
    const bool less = std::erase_if(words, [](const char* word) {
                          return std::string_view(word) == "--quick";
                      }) != 0;
    auto sizes = less ? quick : full;
    // What is counted is the same each time.
    if (RUNNING_ON_VALGRIND != 0) {
        sizes.repetitions = 1;
    }
    int count = static_cast<int>(words.size());
    words.push_back(nullptr);
    benchmark::Initialize(&count, words.data());
    if (benchmark::ReportUnrecognizedArguments(count, words.data())) {
        return 2;
    }
    if (!khob::bench::Ram::get().reserve(sizes.nodes)) {
        khob::bench::fatal("no memory for the trees' nodes");
    }
    benchmark::AddCustomContext("pages_of_the_range", std::to_string(sizes.pages));
    khob::bench::register_adding(sizes);
    khob::bench::register_deleting(sizes);
    khob::bench::register_walking(sizes);
    khob::bench::register_threads(sizes);
    khob::bench::register_memory(sizes);
    benchmark::RunSpecifiedBenchmarks();
    benchmark::Shutdown();
    return 0;
}
