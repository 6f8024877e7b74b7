// SPDX-License-Identifier: GPL-2.0-only
// Rows that delete everything, and how many nodes that leaves.
#include <memory>

#include "others.hpp"
#include "rows.hpp"

namespace khob::bench {

namespace {

/// A row for a structure that begins with the content and must end empty.
template <class S, class Fill, class Work>
void deletes(const Row& row, Fill fill, Work work) {
    measure(
        row,
        [fill, content = row.content] {
            auto made = std::make_unique<S>();
            fill(*made, *content);
            if (!made->holds(*content)) {
                fatal("what is to be deleted is not what upstream has");
            }
            return made;
        },
        [work, content = row.content](S& made) { work(made, *content); },
        [](S& made) { return made.runs().empty(); });
}

template <class S>
void one_by_one(const Row& row) {
    deletes<S>(
        row, [](S& made, const Content& content) { made.add_many(content.keys()); },
        [](S& made, const Content& content) {
            for (const auto key : content.keys()) {
                made.del(key);
            }
        });
}

template <class S>
void range(const Row& row) {
    deletes<S>(
        row, [](S& made, const Content& content) { made.add_pages(content.extents().front()); },
        [](S& made, const Content& content) { made.del_pages(content.extents().front()); });
}

template <class S>
void unpreserve(const Row& row) {
    deletes<S>(
        row,
        [](S& made, const Content& content) {
            for (const auto extent : content.extents()) {
                made.add_extent(extent);
            }
        },
        [](S& made, const Content& content) {
            for (const auto extent : content.extents()) {
                made.del_extent(extent);
            }
        });
}

void single(const Sizes& sizes, const std::string& name, const Shares& content) {
    one_by_one<Upstream>({name, "upstream", content, sizes.repetitions});
    one_by_one<Locked>({name, "ours", content, sizes.repetitions});
    one_by_one<Shared>({name, "ours-shared", content, sizes.repetitions});
    one_by_one<StdSet>({name, "set", content, sizes.few()});
    one_by_one<Intervals>({name, "intervals", content, sizes.few()});
    one_by_one<Croaring>({name, "roaring", content, sizes.few()});
}

}  // namespace

void register_deleting(const Sizes& sizes) {
    const int repetitions = sizes.repetitions;
    single(sizes, "del-sequential", sequential(sizes.keys));
    single(sizes, "del-random", random_pages(sizes.keys));

    const Shares large = dense(sizes.pages);
    const Shares part = dense(sizes.part);
    range<Upstream>({"del-range", "upstream", part, repetitions});
    range<Locked>({"del-range", "ours", large, repetitions});
    range<Shared>({"del-range", "ours-shared", large, repetitions});
    range<StdSet>({"del-range", "set", part, sizes.few()});
    range<Intervals>({"del-range", "intervals", large, sizes.few()});
    range<Croaring>({"del-range", "roaring", large, sizes.few()});

    const Shares extents = fragments(sizes.extents, true);
    unpreserve<Upstream>({"unpreserve", "upstream", extents, repetitions});
    unpreserve<Locked>({"unpreserve", "ours", extents, repetitions});
    unpreserve<Shared>({"unpreserve", "ours-shared", extents, repetitions});
}

}  // namespace khob::bench
