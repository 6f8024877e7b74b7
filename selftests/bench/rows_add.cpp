// SPDX-License-Identifier: GPL-2.0-only
// Rows that add: key by key, arrays of keys, ranges, extents of any length.
#include <cstring>
#include <memory>

#include "others.hpp"
#include "rows.hpp"

namespace khob::bench {

namespace {

/// A row for a structure that begins empty, as it is made of `args`, and must end as the content.
template <class S, class Work, class... Args>
void adds(const Row& row, Work work, Args... args) {
    measure(
        row, [args...] { return std::make_unique<S>(args...); },
        [work, content = row.content](S& made) { work(made, *content); },
        [content = row.content](S& made) { return made.holds(*content); });
}

template <class S, class... Args>
void one_by_one(const Row& row, Args... args) {
    adds<S>(
        row,
        [](S& made, const Content& content) {
            for (const auto key : content.keys()) {
                made.add(key);
            }
        },
        args...);
}

template <class S, class... Args>
void array(const Row& row, Args... args) {
    adds<S>(
        row, [](S& made, const Content& content) { made.add_many(content.keys()); }, args...);
}

template <class S>
void range(const Row& row) {
    adds<S>(row, [](S& made, const Content& content) {
        for (const auto extent : content.extents()) {
            made.add_pages(extent);
        }
    });
}

template <class S, class... Args>
void preserve(const Row& row, Args... args) {
    adds<S>(
        row,
        [](S& made, const Content& content) {
            for (const auto extent : content.extents()) {
                made.add_extent(extent);
            }
        },
        args...);
}

/// The least for single calls: a bit set under the lock that each of them takes.
class LockedBitmap : public Bitmap {
  public:
    explicit LockedBitmap(std::uint64_t pages) : Bitmap(pages) { mutex_init(&lock_); }
    void add(std::uint64_t key) {
        mutex_lock(&lock_);
        Bitmap::add(key);
        mutex_unlock(&lock_);
    }
    void add_extent(Extent extent) {
        mutex_lock(&lock_);
        Bitmap::add_extent(extent);
        mutex_unlock(&lock_);
    }

  private:
    mutex lock_{};
};

/// The least for a range: as many leaves zeroed and filled.
void least_range(const Row& row) {
    using Leaves = std::vector<std::uint64_t>;
    measure(
        row,
        [content = row.content] {
            auto leaves = std::make_unique<Leaves>();
            for (std::size_t i = leaves_of(content->root()).size(); i != 0; i--) {
                leaves->push_back(Ram::get().take());
            }
            return leaves;
        },
        [](Leaves& leaves) {
            for (const auto pa : leaves) {
                std::memset(khob_node_at(pa), 0, KHOB_PAGE_SIZE);
                benchmark::ClobberMemory();
                std::memset(khob_node_at(pa), UINT8_MAX, KHOB_PAGE_SIZE);
            }
        },
        [](Leaves& leaves) {
            for (const auto pa : leaves) {
                Ram::get().give(pa);
            }
            return true;
        });
}

void arrays(const Sizes& sizes, const std::string& order, const Shares& content,
            std::uint64_t pages) {
    const std::string name = "array-" + order;
    const int repetitions = sizes.repetitions;
    array<Upstream>({name, "upstream", content, repetitions});
    array<Locked>({name, "ours", content, repetitions});
    array<Shared>({name, "ours-shared", content, repetitions});
    array<StdSet>({name, "set", content, sizes.few()});
    array<Intervals>({name, "intervals", content, sizes.few()});
    array<Croaring>({name, "roaring", content, sizes.few()});
    array<Bitmap>({name, "limit", content, repetitions}, pages);
}

void extents(const Sizes& sizes, const std::string& order, const Shares& content) {
    const std::string name = "preserve-" + order;
    preserve<Upstream>({name, "upstream", content, sizes.repetitions});
    preserve<Locked>({name, "ours", content, sizes.repetitions});
    preserve<Shared>({name, "ours-shared", content, sizes.repetitions});
    preserve<StdSet>({name, "set", content, sizes.few()});
    preserve<Intervals>({name, "intervals", content, sizes.few()});
    preserve<Croaring>({name, "roaring", content, sizes.few()});
    preserve<LockedBitmap>({name, "limit", content, sizes.repetitions},
                           first_pfn + 2 * longest_extent * sizes.extents);
}

}  // namespace

void register_adding(const Sizes& sizes) {
    const int repetitions = sizes.repetitions;
    const Shares in_a_row = sequential(sizes.keys);
    one_by_one<Upstream>({"add", "upstream", in_a_row, repetitions});
    one_by_one<Locked>({"add", "ours", in_a_row, repetitions});
    one_by_one<Shared>({"add", "ours-shared", in_a_row, repetitions});
    one_by_one<StdSet>({"add", "set", in_a_row, sizes.few()});
    one_by_one<Intervals>({"add", "intervals", in_a_row, sizes.few()});
    one_by_one<Croaring>({"add", "roaring", in_a_row, sizes.few()});
    one_by_one<LockedBitmap>({"add", "limit", in_a_row, repetitions}, first_pfn + sizes.keys);

    arrays(sizes, "sequential", in_a_row, first_pfn + sizes.keys);
    arrays(sizes, "random", random_pages(sizes.keys), first_pfn + random_spread * sizes.keys);
    arrays(sizes, "mixed", mixed_orders(sizes.keys), first_pfn + random_spread * sizes.keys);

    const Shares large = dense(sizes.pages);
    const Shares part = dense(sizes.part);
    range<Upstream>({"range", "upstream", part, repetitions});
    range<Locked>({"range", "ours", large, repetitions});
    range<Shared>({"range", "ours-shared", large, repetitions});
    range<StdSet>({"range", "set", part, sizes.few()});
    range<Intervals>({"range", "intervals", large, sizes.few()});
    range<Croaring>({"range", "roaring", large, sizes.few()});
    least_range({"range", "limit", large, repetitions});

    extents(sizes, "ascending", fragments(sizes.extents, false));
    extents(sizes, "shuffled", fragments(sizes.extents, true));
}

}  // namespace khob::bench
