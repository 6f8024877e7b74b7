// SPDX-License-Identifier: GPL-2.0-only
// The two radix trees, with the same members, so that a row of the benchmark is written once.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "content.hpp"
#include "lock.h"
#include "upstream.h"

namespace khob::bench {

/// Says what is wrong and ends the program: a time that was measured of wrong work is worse
/// than none.
[[noreturn]] void fatal(const std::string& what);

/// Upstream's tree, each of its functions under its own lock.
class Upstream {
  public:
    Upstream();
    ~Upstream() { upstream_free(tree_); }
    Upstream(const Upstream&) = delete;
    Upstream& operator=(const Upstream&) = delete;
    Upstream(Upstream&&) = delete;
    Upstream& operator=(Upstream&&) = delete;

    void add(std::uint64_t key) { check(kho_radix_add_key(tree_, key)); }
    void del(std::uint64_t key) { kho_radix_del_key(tree_, key); }
    void add_many(std::span<const std::uint64_t> keys);
    /// Page by page, for that is all there is.
    void add_pages(Extent extent);
    void del_pages(Extent extent);
    /// Split into orders.
    void add_extent(Extent extent) { check(upstream_preserve(tree_, extent.pfn, extent.nr)); }
    void del_extent(Extent extent) { upstream_unpreserve(tree_, extent.pfn, extent.nr); }

    std::uint64_t sum();
    std::vector<Extent> ranges();
    std::vector<Run> runs();
    [[nodiscard]] bool holds(Content& content) const;
    [[nodiscard]] const khob_node* root() const { return upstream_root(tree_); }

  private:
    static void check(int err) {
        if (err != 0) {
            fatal("upstream's tree refuses what it is given");
        }
    }

    kho_radix_tree* tree_;
};

/// Our tree under the lock that upstream's has.
class Locked {
  public:
    explicit Locked(unsigned int flags = 0);
    ~Locked() { khob_radix_destroy(&tree_); }
    Locked(const Locked&) = delete;
    Locked& operator=(const Locked&) = delete;
    Locked(Locked&&) = delete;
    Locked& operator=(Locked&&) = delete;

    void add(std::uint64_t key) {
        const Hold hold(lock_);
        check(khob_radix_add(&tree_, key));
    }
    void del(std::uint64_t key) {
        const Hold hold(lock_);
        check(khob_radix_del(&tree_, key));
    }
    /// 512 at a time.
    void add_many(std::span<const std::uint64_t> keys);
    void add_pages(Extent extent) { add_range(extent, 0); }
    void del_pages(Extent extent) { del_range(extent, 0); }
    void add_extent(Extent extent) { add_range(extent, KHOB_ORDER_MAX); }
    void del_extent(Extent extent) { del_range(extent, KHOB_ORDER_MAX); }

    std::uint64_t sum();
    std::vector<Extent> ranges();
    std::vector<Run> runs();
    [[nodiscard]] bool holds(Content& content) const;
    [[nodiscard]] const khob_node* root() const { return tree_.root; }

  protected:
    /// The lock, held for a block.
    class Hold {
      public:
        explicit Hold(mutex& lock) : lock_(lock) { mutex_lock(&lock_); }
        ~Hold() { mutex_unlock(&lock_); }
        Hold(const Hold&) = delete;
        Hold& operator=(const Hold&) = delete;
        Hold(Hold&&) = delete;
        Hold& operator=(Hold&&) = delete;

      private:
        mutex& lock_;
    };

    static void check(int err) {
        if (err != 0) {
            fatal("our tree refuses what it is given");
        }
    }
    void add_range(Extent extent, unsigned int max_order) {
        const Hold hold(lock_);
        check(khob_radix_add_range(&tree_, extent.pfn, extent.nr, max_order));
    }
    void del_range(Extent extent, unsigned int max_order) {
        const Hold hold(lock_);
        check(khob_radix_del_range(&tree_, extent.pfn, extent.nr, max_order));
    }

    khob_radix tree_{};
    mutex lock_{};
};

/// Our tree that needs no lock.
class Shared : public Locked {
  public:
    Shared() : Locked(KHOB_RADIX_SHARED) {}

    void add(std::uint64_t key) { check(khob_radix_add(&tree_, key)); }
    void del(std::uint64_t key) { check(khob_radix_del(&tree_, key)); }
    void add_many(std::span<const std::uint64_t> keys);
};

}  // namespace khob::bench
