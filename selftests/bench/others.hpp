// SPDX-License-Identifier: GPL-2.0-only
// Sets that are not in KHO's layout, for judgement: the trees' members over the same keys. And
// the least that there is to do, a bit set in a table that is there already.
#pragma once

#include <array>
#include <boost/icl/interval_set.hpp>
#include <cstdint>
#include <roaring/roaring64map.hh>
#include <set>
#include <span>
#include <vector>

#include "content.hpp"

namespace khob::bench {

/// What all of them have in common. Self has for_each_run(fn).
template <class Self>
class Other {
  public:
    void add_many(std::span<const std::uint64_t> keys) {
        for (const auto key : keys) {
            self().add(key);
        }
    }
    void add_extent(Extent extent) {
        each_piece(extent, [this](std::uint64_t key) { self().add(key); });
    }
    void del_extent(Extent extent) {
        each_piece(extent, [this](std::uint64_t key) { self().del(key); });
    }
    std::vector<Run> runs() {
        Runs runs;
        self().for_each_run([&runs](std::uint64_t first, std::uint64_t last) {
            runs.add(first, last);
            return true;
        });
        return std::move(runs.all());
    }
    std::uint64_t sum() {
        std::uint64_t sum = 0;
        self().for_each_run([&sum](std::uint64_t first, std::uint64_t last) {
            for (std::uint64_t key = first; key <= last; key++) {
                sum += key;
            }
            return true;
        });
        return sum;
    }
    std::vector<Extent> ranges() {
        std::vector<Extent> all;
        for (const auto& run : runs()) {
            all.push_back({pages_of(run.first).pfn, run.last - run.first + 1});
        }
        return all;
    }
    bool holds(Content& content) { return runs() == content.runs(); }

  private:
    Self& self() { return static_cast<Self&>(*this); }

    template <class Fn>
    static void each_piece(Extent extent, Fn fn) {
        khob_range_split(
            extent.pfn, extent.nr, KHOB_ORDER_MAX,
            [](void* ctx, u64 pa, unsigned int order) {
                (*static_cast<Fn*>(ctx))(key_of(pa >> KHOB_PAGE_SHIFT, order));
                return 0;
            },
            &fn);
    }
};

class StdSet : public Other<StdSet> {
  public:
    void add(std::uint64_t key) { keys_.insert(key); }
    void del(std::uint64_t key) { keys_.erase(key); }
    void add_pages(Extent extent) {
        for (std::uint64_t i = 0; i < extent.nr; i++) {
            keys_.insert(keys_.end(), key_of(extent.pfn + i));
        }
    }
    void del_pages(Extent extent) {
        keys_.erase(keys_.lower_bound(key_of(extent.pfn)),
                    keys_.lower_bound(key_of(extent.pfn + extent.nr)));
    }
    template <class Fn>
    void for_each_run(Fn fn) {
        for (const auto key : keys_) {
            fn(key, key);
        }
    }

  private:
    std::set<std::uint64_t> keys_;
};

/// An interval set of keys: neighbours are merged.
class Intervals : public Other<Intervals> {
  public:
    void add(std::uint64_t key) { set_.add(Interval(key, key + 1)); }
    void del(std::uint64_t key) { set_.subtract(Interval(key, key + 1)); }
    void add_pages(Extent extent) { set_.add(interval(extent)); }
    void del_pages(Extent extent) { set_.subtract(interval(extent)); }
    template <class Fn>
    void for_each_run(Fn fn) {
        for (const auto& interval : set_) {
            fn(interval.lower(), interval.upper() - 1);
        }
    }

  private:
    using Interval = boost::icl::right_open_interval<std::uint64_t>;
    static Interval interval(Extent extent) {
        return {key_of(extent.pfn), key_of(extent.pfn + extent.nr)};
    }

    boost::icl::interval_set<std::uint64_t, std::less, Interval> set_;
};

class Croaring : public Other<Croaring> {
  public:
    void add(std::uint64_t key) { map_.add(key); }
    void del(std::uint64_t key) { map_.remove(key); }
    void add_many(std::span<const std::uint64_t> keys) { map_.addMany(keys.size(), keys.data()); }
    // This release adds no range at once to a 64-bit map, but it flips one.
    void add_pages(Extent extent) { map_.flip(key_of(extent.pfn), key_of(extent.pfn + extent.nr)); }
    void del_pages(Extent extent) { add_pages(extent); }
    template <class Fn>
    void for_each_run(Fn fn) {
        map_.iterate(
            [](std::uint64_t key, void* ctx) { return (*static_cast<Fn*>(ctx))(key, key); }, &fn);
    }

  private:
    Roaring64Map map_;
};

/// A bit for every page of the contents' space, for each order of mixed_orders().
class Bitmap : public Other<Bitmap> {
  public:
    /// `pages`: none of a higher number is added.
    explicit Bitmap(std::uint64_t pages);
    void add(std::uint64_t key) {
        const unsigned int order = KHOB_ORDER_0_BIT - khob_last_bit(key);
        const std::uint64_t bit = key ^ key_of(0, order);
        orders_[order][bit / word] |= std::uint64_t{1} << bit % word;
    }
    template <class Fn>
    void for_each_run(Fn fn) {
        for (std::size_t i = orders_.size(); i-- > 0;) {
            const auto order = static_cast<unsigned int>(i);
            for (std::uint64_t bit = 0; bit < orders_[i].size() * word; bit++) {
                if ((orders_[i][bit / word] >> bit % word & 1U) != 0) {
                    fn(key_of(bit << order, order), key_of(bit << order, order));
                }
            }
        }
    }

  private:
    static constexpr std::uint64_t word = 64;
    std::array<std::vector<std::uint64_t>, 11> orders_;
};

}  // namespace khob::bench
