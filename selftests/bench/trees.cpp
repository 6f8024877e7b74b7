// SPDX-License-Identifier: GPL-2.0-only
#include "trees.hpp"

#include <algorithm>
#include <cstdlib>
#include <iostream>
#include <utility>

#include "ram.hpp"

namespace khob::bench {

namespace {

constexpr std::size_t batch = 512;

/// Callbacks of both walks.
int add_up(u64 key, void* sum) {
    *static_cast<std::uint64_t*>(sum) += key;
    return 0;
}

int add_run(u64 key, void* runs) {
    static_cast<Runs*>(runs)->add(key, key);
    return 0;
}

void append(std::vector<Extent>& all, Extent extent) {
    if (!all.empty() && all.back().pfn + all.back().nr == extent.pfn) {
        all.back().nr += extent.nr;
    } else {
        all.push_back(extent);
    }
}

}  // namespace

void fatal(const std::string& what) {
    std::cerr << "bench: " << what << '\n';
    std::exit(EXIT_FAILURE);  // NOLINT(concurrency-mt-unsafe)
}

Upstream::Upstream() : tree_(upstream_new()) {
    if (tree_ == nullptr) {
        fatal("no memory for upstream's tree");
    }
}

void Upstream::add_many(std::span<const std::uint64_t> keys) {
    for (const auto key : keys) {
        add(key);
    }
}

void Upstream::add_pages(Extent extent) {
    for (std::uint64_t i = 0; i < extent.nr; i++) {
        add(key_of(extent.pfn + i));
    }
}

void Upstream::del_pages(Extent extent) {
    for (std::uint64_t i = 0; i < extent.nr; i++) {
        del(key_of(extent.pfn + i));
    }
}

std::uint64_t Upstream::sum() {
    std::uint64_t sum = 0;
    check(upstream_walk(tree_, add_up, &sum));
    return sum;
}

std::vector<Extent> Upstream::ranges() {
    std::vector<Extent> all;
    check(upstream_walk(
        tree_,
        [](u64 key, void* data) {
            append(*static_cast<std::vector<Extent>*>(data), pages_of(key));
            return 0;
        },
        &all));
    return all;
}

std::vector<Run> Upstream::runs() {
    Runs runs;
    check(upstream_walk(tree_, add_run, &runs));
    return std::move(runs.all());
}

bool Upstream::holds(Content& content) const {
    return same_nodes(root(), content.root());
}

Locked::Locked(unsigned int flags) {
    mutex_init(&lock_);
    check(khob_radix_init(&tree_, Ram::ops(), nullptr, flags));
}

void Locked::add_many(std::span<const std::uint64_t> keys) {
    while (!keys.empty()) {
        const auto now = keys.first(std::min(batch, keys.size()));
        const Hold hold(lock_);
        check(khob_radix_add_batch(&tree_, now.data(), now.size()));
        keys = keys.subspan(now.size());
    }
}

void Shared::add_many(std::span<const std::uint64_t> keys) {
    while (!keys.empty()) {
        const auto now = keys.first(std::min(batch, keys.size()));
        check(khob_radix_add_batch(&tree_, now.data(), now.size()));
        keys = keys.subspan(now.size());
    }
}

std::uint64_t Locked::sum() {
    std::uint64_t sum = 0;
    check(khob_radix_walk(
        &tree_, 0, U64_MAX, [](void* data, u64 key) { return add_up(key, data); }, &sum));
    return sum;
}

std::vector<Extent> Locked::ranges() {
    std::vector<Extent> all;
    khob_range_iter it{};
    khob_range_iter_init(&it, &tree_, 0);
    check(khob_radix_walk_ranges(
        &it, KHOB_PFN_END,
        [](void* data, u64 pfn, u64 nr) {
            static_cast<std::vector<Extent>*>(data)->push_back({pfn, nr});
            return 0;
        },
        &all));
    return all;
}

std::vector<Run> Locked::runs() {
    Runs runs;
    check(khob_radix_walk(
        &tree_, 0, U64_MAX, [](void* data, u64 key) { return add_run(key, data); }, &runs));
    return std::move(runs.all());
}

bool Locked::holds(Content& content) const {
    return same_nodes(root(), content.root());
}

}  // namespace khob::bench
