// SPDX-License-Identifier: GPL-2.0-only
// Rows that walk: every key, or every maximal range.
#include <memory>
#include <optional>

#include "others.hpp"
#include "rows.hpp"

namespace khob::bench {

namespace {

/// A structure that holds a content, and what a walk over it says.
template <class S, class Said>
struct Walked {
    S set;
    std::optional<Said> said;
};

template <class S, class Said, class Walk, class Expect>
void walks(const Row& row, Walk walk, Expect expect) {
    measure(
        row,
        [content = row.content] {
            auto made = std::make_unique<Walked<S, Said>>();
            made->set.add_many(content->keys());
            for (const auto extent : content->extents()) {
                made->set.add_pages(extent);
            }
            return made;
        },
        [walk](Walked<S, Said>& made) { made.said = walk(made.set); },
        [expect, content = row.content](Walked<S, Said>& made) {
            return made.set.holds(*content) && made.said == expect(*content);
        });
}

template <class S>
void keys(const Row& row) {
    walks<S, std::uint64_t>(
        row, [](S& set) { return set.sum(); }, [](Content& content) { return content.sum(); });
}

template <class S>
void ranges(const Row& row) {
    walks<S, std::vector<Extent>>(
        row, [](S& set) { return set.ranges(); },
        [](Content& content) { return content.ranges(); });
}

/// The least there is to do: every word of every leaf looked at.
void least(const Row& row) {
    struct Leaves {
        std::vector<const khob_node*> all;
        std::uint64_t sum = 0;
    };
    measure(
        row,
        [content = row.content] {
            return std::make_unique<Leaves>(Leaves{leaves_of(content->root()), 0});
        },
        [](Leaves& leaves) {
            for (const auto* leaf : leaves.all) {
                for (const auto word : leaf->table) {
                    leaves.sum += word;
                }
            }
        },
        [](Leaves& leaves) {
            benchmark::DoNotOptimize(leaves.sum);
            return true;
        });
}

}  // namespace

void register_walking(const Sizes& sizes) {
    const int repetitions = sizes.repetitions;
    const Shares part = dense(sizes.part);
    keys<Upstream>({"walk-keys", "upstream", part, repetitions});
    keys<Locked>({"walk-keys", "ours", part, repetitions});
    keys<Shared>({"walk-keys", "ours-shared", part, repetitions});
    keys<StdSet>({"walk-keys", "set", part, sizes.few()});
    keys<Intervals>({"walk-keys", "intervals", part, sizes.few()});
    keys<Croaring>({"walk-keys", "roaring", part, sizes.few()});

    const Shares large = dense(sizes.pages);
    ranges<Upstream>({"walk-ranges", "upstream", large, repetitions});
    ranges<Locked>({"walk-ranges", "ours", large, repetitions});
    ranges<Shared>({"walk-ranges", "ours-shared", large, repetitions});
    ranges<StdSet>({"walk-ranges", "set", part, sizes.few()});
    ranges<Intervals>({"walk-ranges", "intervals", large, sizes.few()});
    ranges<Croaring>({"walk-ranges", "roaring", part, sizes.few()});
    least({"walk-ranges", "limit", large, repetitions});

    const Shares sparse = one_a_leaf(sizes.leaves);
    keys<Upstream>({"walk-sparse", "upstream", sparse, repetitions});
    keys<Locked>({"walk-sparse", "ours", sparse, repetitions});
    keys<Shared>({"walk-sparse", "ours-shared", sparse, repetitions});
    keys<StdSet>({"walk-sparse", "set", sparse, sizes.few()});
    keys<Intervals>({"walk-sparse", "intervals", sparse, sizes.few()});
    keys<Croaring>({"walk-sparse", "roaring", sparse, sizes.few()});
    least({"walk-sparse", "limit", sparse, repetitions});
}

}  // namespace khob::bench
