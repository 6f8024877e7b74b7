// SPDX-License-Identifier: GPL-2.0-only
// How much memory each structure has for a content, in bytes for each GiB that is preserved.
// The trees' nodes are counted, and what the others ask the C library for.
#include <malloc.h>

#include <functional>
#include <memory>

#include "others.hpp"
#include "rows.hpp"

namespace khob::bench {

namespace {

std::size_t heap() {
    const auto info = mallinfo2();
    return info.uordblks + info.hblkhd;
}

template <class S>
void fill(S& made, const Content& content) {
    made.add_many(content.keys());
    for (const auto extent : content.extents()) {
        made.add_extent(extent);
    }
}

template <class S>
void memory(const std::string& name, const std::string& structure, const Shares& content) {
    const std::string full = "memory-" + name + "/" + structure;
    enter(full, 1, [=](benchmark::State& state) {
        for ([[maybe_unused]] auto once : state) {
            const double gib = content->gib();
            const auto nodes = Ram::get().live();
            const auto before = heap();
            S made;
            fill(made, *content);
            const auto bytes = heap() - before + (Ram::get().live() - nodes) * KHOB_PAGE_SIZE;
            if (!made.holds(*content)) {
                fatal(full + ": not what upstream has");
            }
            // Nothing is timed here.
            state.SetIterationTime(0);
            state.counters["bytes"] = static_cast<double>(bytes);
            state.counters["gib"] = gib;
        }
    });
}

void all(const std::string& name, const Shares& content) {
    memory<Upstream>(name, "upstream", content);
    memory<Locked>(name, "ours", content);
    memory<StdSet>(name, "set", content);
    memory<Intervals>(name, "intervals", content);
    memory<Croaring>(name, "roaring", content);
}

}  // namespace

void register_memory(const Sizes& sizes) {
    all("dense", sequential(sizes.keys));
    all("every-other", every_other(sizes.keys));
    all("random", random_pages(sizes.keys));
    all("fragments", fragments(sizes.extents, false));
    all("one-a-leaf", one_a_leaf(sizes.leaves / 8));
}

}  // namespace khob::bench
