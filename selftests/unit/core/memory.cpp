// SPDX-License-Identifier: GPL-2.0-only
#include "memory.hpp"

#include <algorithm>
#include <cstdlib>
#include <iostream>

namespace khob::test {

namespace {

[[noreturn]] void die(const char* what) {
    std::cerr << what << '\n';
    std::abort();
}

}  // namespace

const khob_radix_ops* Memory::ops() {
    static const khob_radix_ops table = {
        .alloc_node = alloc_node, .free_node = free_node, .map_node = map_node};
    return &table;
}

Node* Memory::find(std::uint64_t pa) {
    const std::uint64_t index = (pa - base) / page_size;
    if (pa < base || pa % page_size != 0 || index >= nodes_.size()) {
        return nullptr;
    }
    return nodes_[index].get();
}

std::map<std::uint64_t, Node> Memory::snapshot() const {
    std::map<std::uint64_t, Node> all;
    for (std::size_t i = 0; i < nodes_.size(); i++) {
        if (nodes_[i]) {
            all.emplace(base + i * page_size, *nodes_[i]);
        }
    }
    return all;
}

void* Memory::alloc_node(void* ctx, std::uint64_t* pa) {
    auto& self = *static_cast<Memory*>(ctx);
    if (self.allowed_ == 0) {
        return nullptr;
    }
    if (self.allowed_ != never) {
        self.allowed_--;
    }
    if (self.free_.empty()) {
        self.free_.push_back(self.nodes_.size());
        self.nodes_.emplace_back();
    }
    const std::size_t index = self.free_.back();
    self.free_.pop_back();
    self.nodes_[index] = std::make_unique<Node>();
    self.live_++;
    *pa = base + index * page_size;
    return self.nodes_[index].get();
}

void Memory::free_node(void* ctx, void* node, std::uint64_t pa) {
    auto& self = *static_cast<Memory*>(ctx);
    Node* found = self.find(pa);
    if (found == nullptr || found != node) {
        die("a node was freed that is not allocated");
    }
    if (self.frees_are_empty_ &&
        std::any_of(found->begin(), found->end(), [](std::uint64_t word) { return word != 0; })) {
        self.full_frees_++;
    }
    const std::size_t index = (pa - base) / page_size;
    self.nodes_[index].reset();
    self.free_.push_back(index);
    self.live_--;
}

void* Memory::map_node(void* ctx, std::uint64_t pa) {
    Node* found = static_cast<Memory*>(ctx)->find(pa);
    if (found == nullptr) {
        die("a node was mapped that is not allocated");
    }
    return found;
}

Tree::Tree() {
    if (khob_radix_init(&radix_, Memory::ops(), &memory_) != 0) {
        die("no tree");
    }
}

Tree::~Tree() {
    khob_radix_destroy(&radix_);
    if (memory_.live() != 0) {
        die("a destroyed tree left nodes behind");
    }
}

void Tree::add_page(std::uint64_t pa, unsigned int order) {
    if (add(key_of(pa, order)) != 0) {
        die("a page could not be added");
    }
}

std::vector<std::uint64_t> Tree::keys() {
    std::vector<std::uint64_t> all;
    khob_radix_walk(
        &radix_, 0,
        [](void* ctx, std::uint64_t key) {
            static_cast<std::vector<std::uint64_t>*>(ctx)->push_back(key);
            return 0;
        },
        &all);
    return all;
}

std::uint64_t key_of(std::uint64_t pa, unsigned int order) {
    std::uint64_t key = 0;
    if (khob_key_encode(pa, order, &key) != 0) {
        die("no such page");
    }
    return key;
}

std::uint64_t expected_nodes(const std::set<std::uint64_t>& keys) {
    std::uint64_t nodes = 1;
    for (unsigned int level = 0; level + 1 < KHOB_TREE_DEPTH; level++) {
        // The bits of a key above those that index a node of this level name the node.
        const unsigned int shift = KHOB_LEAF_LOG2 + level * KHOB_TABLE_LOG2;
        std::uint64_t last = 0;
        bool first = true;
        for (const std::uint64_t key : keys) {
            if (first || key >> shift != last) {
                nodes++;
            }
            first = false;
            last = key >> shift;
        }
    }
    return nodes;
}

}  // namespace khob::test
