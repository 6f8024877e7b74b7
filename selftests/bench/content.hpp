// SPDX-License-Identifier: GPL-2.0-only
// What the structures are filled with, and what they must hold afterwards.
#pragma once

#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

#include "core/range.h"

namespace khob::bench {

/// Pages [pfn, pfn + nr).
struct Extent {
    std::uint64_t pfn;
    std::uint64_t nr;
    friend bool operator==(const Extent&, const Extent&) = default;
};

/// Keys [first, last] without a gap.
struct Run {
    std::uint64_t first;
    std::uint64_t last;
    friend bool operator==(const Run&, const Run&) = default;
};

/// Collects ascending keys, or runs of them, as maximal runs.
class Runs {
  public:
    void add(std::uint64_t first, std::uint64_t last) {
        if (!all_.empty() && all_.back().last + 1 == first) {
            all_.back().last = last;
        } else {
            all_.push_back({first, last});
        }
    }
    [[nodiscard]] std::vector<Run>& all() { return all_; }

  private:
    std::vector<Run> all_;
};

/// The key of a page, and the other way round.
inline std::uint64_t key_of(std::uint64_t pfn, unsigned int order = 0) {
    return (std::uint64_t{1} << (KHOB_ORDER_0_BIT - order)) | pfn >> order;
}
inline Extent pages_of(std::uint64_t key) {
    const unsigned int order = KHOB_ORDER_0_BIT - khob_last_bit(key);
    const std::uint64_t nr = std::uint64_t{1} << order;
    return {(key << order) & ~(std::uint64_t{1} << KHOB_ORDER_0_BIT), nr};
}

/// How extents become keys.
enum class Split { pages, largest_orders };

class Upstream;

/// Keys or extents in the order in which they are added, and the tree that upstream makes of
/// them, which is made when it is first asked for.
class Content {
  public:
    explicit Content(std::vector<std::uint64_t> keys);
    Content(std::vector<Extent> extents, Split split);
    ~Content();
    Content(const Content&) = delete;
    Content& operator=(const Content&) = delete;
    Content(Content&&) = delete;
    Content& operator=(Content&&) = delete;

    [[nodiscard]] const std::vector<std::uint64_t>& keys() const { return keys_; }
    [[nodiscard]] const std::vector<Extent>& extents() const { return extents_; }
    /// The reference's root, what its walk says, and what follows from that.
    const khob_node* root();
    const std::vector<Run>& runs();
    std::uint64_t nr_keys();
    std::uint64_t sum();
    double gib();
    /// Maximal physical ranges, of contents that have order 0 only.
    std::vector<Extent> ranges();

  private:
    Upstream& reference();
    void examine();

    std::vector<std::uint64_t> keys_;
    std::vector<Extent> extents_;
    Split split_ = Split::pages;
    std::unique_ptr<Upstream> reference_;
    std::vector<Run> runs_;
};

/// First page of all contents. None reaches behind page 2^32, so that the keys of an order
/// differ in their low 32 bits only.
inline constexpr std::uint64_t first_pfn = 1U << 20U;
/// random_pages() are out of so many times as many pages; mixed orders reach about as far.
inline constexpr std::uint64_t random_spread = 16;
/// Pages of an extent of fragments(), and of a gap, at most.
inline constexpr std::uint64_t longest_extent = 1024;

using ContentPtr = std::unique_ptr<Content>;

/// `nr` keys of order 0 in a row.
ContentPtr sequential(std::uint64_t nr, std::uint64_t pfn = first_pfn);
/// `nr` keys of order 0 in random order, out of 16 times as many.
ContentPtr random_pages(std::uint64_t nr);
/// Page behind page, each of a random order of 0 to 10; all orders have as many bytes.
ContentPtr mixed_orders(std::uint64_t nr);
/// One page in each of so many leaves.
ContentPtr one_a_leaf(std::uint64_t leaves);
/// Every other page.
ContentPtr every_other(std::uint64_t nr);
/// Extents of 1 to longest_extent pages with gaps of as many, ascending or in random order.
ContentPtr fragments(std::uint64_t nr, bool shuffled);
/// One extent, of single pages.
ContentPtr dense(std::uint64_t nr);

/// Whether two trees have the same nodes: shape and bitmaps, whatever their addresses.
bool same_nodes(const khob_node* a, const khob_node* b);
/// The leaves of a tree in the order of their keys.
std::vector<const khob_node*> leaves_of(const khob_node* root);
/// The nodes of a tree, the root included.
std::size_t count_nodes(const khob_node* root);

}  // namespace khob::bench
