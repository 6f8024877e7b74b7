// SPDX-License-Identifier: GPL-2.0-only
// Physical memory for trees under test: nodes at made-up addresses, counted, full of
// garbage when they are given out, with allocations that fail on request.
#pragma once

#include <array>
#include <cstdint>
#include <limits>
#include <map>
#include <mutex>
#include <random>
#include <set>
#include <string>
#include <vector>

#include "core/radix.h"

namespace khob::test {

/// KHOB_PAGE_SIZE has the kernel's __u64, which is not uint64_t.
inline constexpr std::uint64_t page_size = KHOB_PAGE_SIZE;

/// What no key is above.
inline constexpr std::uint64_t key_max = (std::uint64_t{1} << KHOB_KEY_WIDTH) - 1;

using Node = std::array<std::uint64_t, KHOB_TABLE_ENTRIES>;

/// Gives nodes to a tree through khob_radix_ops and takes them back, from any thread. A node
/// that is freed without being allocated, or with entries still counted, aborts the program.
/// Each instance has physical addresses of its own, so that trees can be told apart.
class Memory {
  public:
    static constexpr std::uint64_t never = std::numeric_limits<std::uint64_t>::max();

    Memory();
    ~Memory();
    Memory(const Memory&) = delete;
    Memory& operator=(const Memory&) = delete;
    Memory(Memory&&) = delete;
    Memory& operator=(Memory&&) = delete;

    [[nodiscard]] static const khob_radix_ops* ops();

    /// Nodes allocated and not freed.
    [[nodiscard]] std::uint64_t live() const;
    /// From now on, so many allocations succeed.
    void allow(std::uint64_t allocations);
    /// From now on, one of so many allocations fails; 0 for none.
    void fail_every(std::uint64_t allocations);
    /// Allocations that failed.
    [[nodiscard]] std::uint64_t failures() const;
    /// Whether a node that is freed must be empty.
    void frees_are_empty(bool yes) { frees_are_empty_ = yes; }
    /// Nodes that were freed with something in them while that was forbidden.
    [[nodiscard]] std::uint64_t full_frees() const { return full_frees_; }

    /// The node at `pa`, or nullptr.
    [[nodiscard]] Node* find(std::uint64_t pa);
    /// Every node's bytes by physical address.
    [[nodiscard]] std::map<std::uint64_t, Node> snapshot() const;
    /// How many entries are counted of each node, by physical address.
    [[nodiscard]] std::map<std::uint64_t, std::uint64_t> counts() const;
    /// First address behind all nodes there ever were, in bytes.
    [[nodiscard]] std::uint64_t end_pa() const { return base_ + allocated_.size() * page_size; }

  private:
    static void* alloc_node(void* ctx, std::uint64_t* pa);
    static void free_node(void* ctx, void* node, std::uint64_t pa);
    [[nodiscard]] bool refuses();
    [[nodiscard]] Node* at(std::uint64_t pa) const;

    mutable std::mutex mutex_;
    std::uint64_t base_;
    std::vector<bool> allocated_;
    std::vector<std::size_t> free_;
    std::uint64_t live_ = 0;
    std::uint64_t allowed_ = never;
    std::uint64_t fail_every_ = 0;
    std::uint64_t asked_ = 0;
    std::uint64_t failures_ = 0;
    std::uint64_t full_frees_ = 0;
    bool frees_are_empty_ = false;
};

/// All that there is of a tree, to see that a call changed nothing.
struct State {
    std::map<std::uint64_t, Node> nodes;
    std::map<std::uint64_t, std::uint64_t> counts;
    std::uint64_t nr_keys = 0;
    std::uint64_t nr_nodes = 0;
    std::uint64_t digest = 0;
    bool operator==(const State&) const = default;
};

/// A tree in a Memory of its own; not copied, as the tree points into it.
class Tree {
  public:
    explicit Tree(unsigned int flags = 0);
    ~Tree();
    Tree(const Tree&) = delete;
    Tree& operator=(const Tree&) = delete;
    Tree(Tree&&) = delete;
    Tree& operator=(Tree&&) = delete;

    khob_radix* operator->() { return &radix_; }
    khob_radix* get() { return &radix_; }
    Memory& memory() { return memory_; }

    int add(std::uint64_t key) { return khob_radix_add(&radix_, key); }
    int del(std::uint64_t key) { return khob_radix_del(&radix_, key); }
    /// Adds a page that must be addable.
    void add_page(std::uint64_t pa, unsigned int order);
    [[nodiscard]] bool has(std::uint64_t key) const { return khob_radix_has(&radix_, key); }
    /// Every key, by khob_radix_walk().
    [[nodiscard]] std::vector<std::uint64_t> keys();
    [[nodiscard]] State state();
    /// What is wrong with the nodes, by brute force over their bytes: each is reached once
    /// and not empty, its count is right, and the tree's own numbers are. "" if nothing is.
    [[nodiscard]] std::string flaw();

  private:
    Memory memory_;
    khob_radix radix_{};
};

/// Random numbers that are the same in every run, so that a failure can be looked into.
inline std::mt19937_64 seeded(std::uint64_t seed) {
    return std::mt19937_64(seed);
}

/// The key of a page, which must have one.
std::uint64_t key_of(std::uint64_t pa, unsigned int order);

/// The nodes that a tree with exactly these keys has, the root included.
std::uint64_t expected_nodes(const std::set<std::uint64_t>& keys);

}  // namespace khob::test
