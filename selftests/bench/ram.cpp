// SPDX-License-Identifier: GPL-2.0-only
#include "ram.hpp"

#include <sys/mman.h>

#include <algorithm>
#include <cstring>
#include <utility>

#include "upstream.h"

namespace khob::bench {

namespace {

void* map(std::size_t bytes) {
    void* found = mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (found == MAP_FAILED) {
        return nullptr;
    }
    // The kernel's direct map has large pages too, and is never faulted in.
    madvise(found, bytes, MADV_HUGEPAGE);
    std::memset(found, 0, bytes);
    return found;
}

void* alloc_node(void* /*ctx*/, u64* pa) {
    *pa = Ram::get().take();
    return *pa == 0 ? nullptr : khob_node_at(*pa);
}

void free_node(void* /*ctx*/, void* /*node*/, u64 pa) {
    Ram::get().give(pa);
}

}  // namespace

Ram& Ram::get() {
    static Ram ram;
    return ram;
}

bool Ram::reserve(std::size_t nodes) {
    // Physical address 0 is no node's.
    void* bytes = map((nodes + 1) * KHOB_PAGE_SIZE);
    void* pages = map((nodes + 1) * sizeof(khob_user_page));
    if (bytes == nullptr || pages == nullptr) {
        return false;
    }
    khob_user_ram.bytes = static_cast<u8*>(bytes);
    khob_user_ram.pages = static_cast<khob_user_page*>(pages);
    nodes_ = nodes;
    for (std::size_t i = 1; i <= nodes; i++) {
        free_.push_back(i * KHOB_PAGE_SIZE);
    }
    settle();
    return true;
}

std::uint64_t Ram::take() {
    const std::scoped_lock hold(mutex_);
    if (free_.empty()) {
        return 0;
    }
    const std::uint64_t pa = free_.back();
    free_.pop_back();
    khob_user_ram.pages[pa / KHOB_PAGE_SIZE].used = 0;
    return pa;
}

void Ram::give(std::uint64_t pa) {
    const std::scoped_lock hold(mutex_);
    free_.push_back(pa);
}

void Ram::settle() {
    // Neighbours in time are not neighbours in place: here the counters of eight pages share
    // a cache line, in a kernel each is in a struct page that has a line of its own. But they
    // are not all eight pages apart either: then they would share an eighth of the cache.
    constexpr std::uint64_t sharers = 8;
    const auto place = [](std::uint64_t pa) {
        const std::uint64_t page = pa / KHOB_PAGE_SIZE;
        return std::pair((page + page / sharers) % sharers, page);
    };
    std::sort(free_.begin(), free_.end(),
              [&place](std::uint64_t a, std::uint64_t b) { return place(a) > place(b); });
}

const khob_radix_ops* Ram::ops() {
    static const khob_radix_ops table = {.alloc_node = alloc_node, .free_node = free_node};
    return &table;
}

}  // namespace khob::bench

void* upstream_zeroed_node() {
    const std::uint64_t pa = khob::bench::Ram::get().take();
    return pa == 0 ? nullptr : std::memset(khob_node_at(pa), 0, KHOB_PAGE_SIZE);
}

void upstream_free_node(void* node) {
    khob::bench::Ram::get().give(
        static_cast<std::uint64_t>(static_cast<u8*>(node) - khob_user_ram.bytes));
}
