// SPDX-License-Identifier: GPL-2.0-only
// Physical memory for a tree under test: nodes at made-up addresses, counted,
// with allocations that fail on request.
#pragma once

#include <array>
#include <cstdint>
#include <limits>
#include <map>
#include <memory>
#include <random>
#include <set>
#include <vector>

#include "core/radix.h"

namespace khob::test {

/// KHOB_PAGE_SIZE has the kernel's __u64, which is not uint64_t.
inline constexpr std::uint64_t page_size = KHOB_PAGE_SIZE;

using Node = std::array<std::uint64_t, KHOB_TABLE_ENTRIES>;

/// Gives nodes to a tree through khob_radix_ops and takes them back. A node that is mapped
/// or freed without being allocated aborts the test program.
class Memory {
  public:
    static constexpr std::uint64_t never = std::numeric_limits<std::uint64_t>::max();

    [[nodiscard]] static const khob_radix_ops* ops();

    /// Nodes allocated and not freed.
    [[nodiscard]] std::uint64_t live() const { return live_; }
    /// From now on, so many allocations succeed.
    void allow(std::uint64_t allocations) { allowed_ = allocations; }
    /// Whether a node that is freed must be empty.
    void frees_are_empty(bool yes) { frees_are_empty_ = yes; }
    /// Nodes that were freed with something in them while that was forbidden.
    [[nodiscard]] std::uint64_t full_frees() const { return full_frees_; }

    /// The node at `pa`, or nullptr.
    [[nodiscard]] Node* find(std::uint64_t pa);
    /// Every node's bytes by physical address.
    [[nodiscard]] std::map<std::uint64_t, Node> snapshot() const;
    /// First address behind all nodes there ever were, in bytes.
    [[nodiscard]] std::uint64_t end_pa() const { return base + nodes_.size() * page_size; }

    static constexpr std::uint64_t base = 0x100000;

  private:
    static void* alloc_node(void* ctx, std::uint64_t* pa);
    static void free_node(void* ctx, void* node, std::uint64_t pa);
    static void* map_node(void* ctx, std::uint64_t pa);

    std::vector<std::unique_ptr<Node>> nodes_;
    std::vector<std::size_t> free_;
    std::uint64_t live_ = 0;
    std::uint64_t allowed_ = never;
    std::uint64_t full_frees_ = 0;
    bool frees_are_empty_ = false;
};

/// A tree in a Memory of its own; not copied, as the tree points into it.
class Tree {
  public:
    Tree();
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
