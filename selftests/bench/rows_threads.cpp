// SPDX-License-Identifier: GPL-2.0-only
// Rows with threads: one, and two that add at the same time, each keys of its own. Each has
// its own CPU: a scheduler may take longer than a row to find out that one is idle.
#include <pthread.h>
#include <sched.h>

#include <atomic>
#include <iostream>
#include <memory>
#include <span>
#include <thread>
#include <vector>

#include "others.hpp"
#include "rows.hpp"

namespace khob::bench {

namespace {

/// The CPUs that this program may use.
std::vector<std::size_t> cpus() {
    cpu_set_t allowed;
    CPU_ZERO(&allowed);
    std::vector<std::size_t> found;
    if (sched_getaffinity(0, sizeof(allowed), &allowed) == 0) {
        for (std::size_t cpu = 0; cpu < CPU_SETSIZE; cpu++) {
            if (CPU_ISSET(cpu, &allowed)) {
                found.push_back(cpu);
            }
        }
    }
    return found;
}

void stay_on(std::size_t cpu) {
    cpu_set_t only;
    CPU_ZERO(&only);
    CPU_SET(cpu, &only);
    if (pthread_setaffinity_np(pthread_self(), sizeof(only), &only) != 0) {
        fatal("a thread cannot be tied to a CPU");
    }
}

/// Threads that wait to add their share of the content's keys; then a tree that has them.
template <class S>
class Crew {
  public:
    template <class... Args>
    Crew(const Content& content, std::size_t threads, Args... args) : set_(args...) {
        const std::span<const std::uint64_t> keys = content.keys();
        const std::size_t share = keys.size() / threads;
        for (std::size_t i = 0; i < threads; i++) {
            threads_.emplace_back([this, i, mine = keys.subspan(i * share, share)] {
                stay_on(cpus().at(i));
                add(mine);
            });
        }
        while (ready_ != threads) {
            std::this_thread::yield();
        }
    }

    void work() {
        go_ = true;
        for (auto& thread : threads_) {
            thread.join();
        }
    }
    bool holds(Content& content) { return set_.holds(content); }
    [[nodiscard]] const khob_node* root() const requires requires(const S& set) { set.root(); }
    { return set_.root(); }

  private:
    void add(std::span<const std::uint64_t> keys) {
        ready_++;
        while (!go_) {
        }
        for (const auto key : keys) {
            set_.add(key);
        }
    }

    S set_;
    std::atomic<std::size_t> ready_ = 0;
    std::atomic<bool> go_ = false;
    std::vector<std::thread> threads_;
};

template <class S, class... Args>
void crew(const Row& row, std::size_t threads, Args... args) {
    measure(
        row,
        [=, content = row.content] {
            return std::make_unique<Crew<S>>(*content, threads, args...);
        },
        [](Crew<S>& made) { made.work(); },
        [content = row.content](Crew<S>& made) { return made.holds(*content); });
}

}  // namespace

void register_threads(const Sizes& sizes) {
    const Shares content = sequential(8 * sizes.keys);
    for (const std::size_t threads : {1U, 2U}) {
        if (threads > cpus().size()) {
            std::cerr << "bench: one CPU only, so nothing is said of two threads\n";
            return;
        }
        const std::string name = "threads-" + std::to_string(threads);
        crew<Upstream>({name, "upstream", content, sizes.repetitions}, threads);
        crew<Locked>({name, "ours", content, sizes.repetitions}, threads);
        crew<Shared>({name, "ours-shared", content, sizes.repetitions}, threads);
        // What the machine has to give to a second thread.
        crew<Bitmap>({name, "limit", content, sizes.repetitions}, threads,
                     first_pfn + 8 * sizes.keys);
    }
}

}  // namespace khob::bench
