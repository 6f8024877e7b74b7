// SPDX-License-Identifier: GPL-2.0-only
#include "memory.hpp"

#include <sanitizer/asan_interface.h>
#include <sys/mman.h>

#include <algorithm>
#include <bit>
#include <cstdlib>
#include <cstring>
#include <iostream>

#include "core/radix_node.h"

namespace khob::test {

namespace {

// Nothing of it exists before it is written to, so that addresses are no shortage.
constexpr std::uint64_t slice_size = std::uint64_t{1} << 30U;
constexpr std::uint64_t slices = 32;
// Address 0 is no node's, and low addresses are where memory has others.
constexpr std::uint64_t first_node = 0x100000;
// No entry of a sound tree: whoever follows it ends in memory that there is not.
constexpr int garbage = 0xa5;

[[noreturn]] void die(const char* what) {
    std::cerr << what << '\n';
    std::abort();
}

void* reserve(std::uint64_t size) {
    void* memory = mmap(nullptr, size, PROT_READ | PROT_WRITE,
                        MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (memory == MAP_FAILED) {
        die("no addresses for test memory");
    }
    return memory;
}

/// All of the program's physical memory, in slices.
class Ram {
  public:
    Ram() : free_(slices) {
        khob_user_ram.bytes = static_cast<u8*>(reserve(slices * slice_size));
        khob_user_ram.pages = static_cast<khob_user_page*>(
            reserve(slices * slice_size / page_size * sizeof(khob_user_page)));
        for (std::uint64_t i = 0; i < slices; i++) {
            free_[i] = (slices - 1 - i) * slice_size;
        }
    }
    std::uint64_t take() {
        const std::lock_guard lock(mutex_);
        if (free_.empty()) {
            die("too many test memories at once");
        }
        const std::uint64_t slice = free_.back();
        free_.pop_back();
        return slice;
    }
    void give(std::uint64_t slice) {
        const std::lock_guard lock(mutex_);
        free_.push_back(slice);
    }

  private:
    std::mutex mutex_;
    std::vector<std::uint64_t> free_;
};

Ram& ram() {
    static Ram all;
    return all;
}

/// The nodes below one, level by level; see Tree::flaw().
class Inspector {
  public:
    Inspector(Memory& memory, unsigned int flags) : memory_(memory), flags_(flags) {}

    void node(std::uint64_t pa, unsigned int level) {
        const Node* found = memory_.find(pa);
        if (found == nullptr || !seen_.insert(pa).second) {
            flaw_ = "a node is not allocated or has two parents";
            return;
        }
        std::uint64_t entries = 0;
        for (const std::uint64_t word : *found) {
            if (word == 0) {
                continue;
            }
            if (level == 0) {
                entries += static_cast<std::uint64_t>(std::popcount(word));
            } else {
                entries++;
                node(word, level - 1);
            }
        }
        if (level == 0) {
            keys_ += entries;
        }
        if (entries == 0 && level + 1 < KHOB_TREE_DEPTH) {
            flaw_ = "a node is empty";
        }
        const bool counted = (flags_ & KHOB_RADIX_UNCOUNTED) == 0;
        const __u64 used = *khob_node_used(khob_node_at(pa));
        const std::uint64_t count = used / KHOB_USED_ONE;
        if (count != (counted ? entries : 0)) {
            flaw_ = "a node of level " + std::to_string(level) + " has " + std::to_string(entries) +
                    " entries and counts " + std::to_string(count);
        }
        for (unsigned int i = 0; counted && i < KHOB_TABLE_ENTRIES; i++) {
            if ((*found)[i] != 0 && (used & khob_part(i)) == 0) {
                flaw_ = "a node has something in a part that is said to be empty";
            }
        }
    }
    std::string result(const khob_radix& radix) {
        if (flaw_.empty() && seen_.size() != radix.nr_nodes) {
            flaw_ = "nr_nodes is wrong";
        }
        if (flaw_.empty() && seen_.size() != memory_.live()) {
            flaw_ = "a node is in no tree";
        }
        if (flaw_.empty() && (flags_ & KHOB_RADIX_SHARED) == 0 && keys_ != radix.nr_keys) {
            flaw_ = "nr_keys is wrong";
        }
        return flaw_;
    }

  private:
    Memory& memory_;
    unsigned int flags_;
    std::set<std::uint64_t> seen_;
    std::uint64_t keys_ = 0;
    std::string flaw_;
};

}  // namespace

Memory::Memory() : base_(ram().take() + first_node) {}

Memory::~Memory() {
    const std::size_t size = allocated_.size() * page_size;
    ASAN_UNPOISON_MEMORY_REGION(khob_node_at(base_), size);
    for (std::size_t i = 0; i < allocated_.size(); i++) {
        if (allocated_[i]) {
            *khob_node_used(khob_node_at(base_ + i * page_size)) = 0;
        }
    }
    // Where there was much, it goes back; a few pages are cheaper kept.
    if (allocated_.size() > 256) {
        madvise(khob_node_at(base_), size, MADV_DONTNEED);
    }
    ram().give(base_ - first_node);
}

const khob_radix_ops* Memory::ops() {
    static const khob_radix_ops table = {.alloc_node = alloc_node, .free_node = free_node};
    return &table;
}

std::uint64_t Memory::live() const {
    const std::lock_guard lock(mutex_);
    return live_;
}

void Memory::allow(std::uint64_t allocations) {
    const std::lock_guard lock(mutex_);
    allowed_ = allocations;
}

void Memory::fail_every(std::uint64_t allocations) {
    const std::lock_guard lock(mutex_);
    fail_every_ = allocations;
}

std::uint64_t Memory::failures() const {
    const std::lock_guard lock(mutex_);
    return failures_;
}

Node* Memory::at(std::uint64_t pa) const {
    const std::uint64_t index = (pa - base_) / page_size;
    if (pa < base_ || pa % page_size != 0 || index >= allocated_.size() || !allocated_[index]) {
        return nullptr;
    }
    return reinterpret_cast<Node*>(khob_node_at(pa));
}

Node* Memory::find(std::uint64_t pa) {
    const std::lock_guard lock(mutex_);
    return at(pa);
}

std::map<std::uint64_t, Node> Memory::snapshot() const {
    const std::lock_guard lock(mutex_);
    std::map<std::uint64_t, Node> all;
    for (std::uint64_t pa = base_; pa < end_pa(); pa += page_size) {
        if (const Node* node = at(pa); node != nullptr) {
            all.emplace(pa, *node);
        }
    }
    return all;
}

std::map<std::uint64_t, std::uint64_t> Memory::counts() const {
    const std::lock_guard lock(mutex_);
    std::map<std::uint64_t, std::uint64_t> all;
    for (std::uint64_t pa = base_; pa < end_pa(); pa += page_size) {
        if (at(pa) != nullptr) {
            all.emplace(pa, *khob_node_used(khob_node_at(pa)) / KHOB_USED_ONE);
        }
    }
    return all;
}

bool Memory::refuses() {
    asked_++;
    if (allowed_ == 0 || (fail_every_ != 0 && asked_ % fail_every_ == 0)) {
        failures_++;
        return true;
    }
    if (allowed_ != never) {
        allowed_--;
    }
    return false;
}

void* Memory::alloc_node(void* ctx, std::uint64_t* pa) {
    auto& self = *static_cast<Memory*>(ctx);
    const std::lock_guard lock(self.mutex_);
    if (self.refuses()) {
        return nullptr;
    }
    if (self.free_.empty()) {
        if (self.allocated_.size() >= (slice_size - first_node) / page_size) {
            die("a test memory is used up");
        }
        self.free_.push_back(self.allocated_.size());
        self.allocated_.push_back(false);
    }
    const std::size_t index = self.free_.back();
    self.free_.pop_back();
    self.allocated_[index] = true;
    self.live_++;
    *pa = self.base_ + index * page_size;
    khob_node* node = khob_node_at(*pa);
    ASAN_UNPOISON_MEMORY_REGION(node, page_size);
    std::memset(node, garbage, page_size);
    return node;
}

void Memory::free_node(void* ctx, void* node, std::uint64_t pa) {
    auto& self = *static_cast<Memory*>(ctx);
    const std::lock_guard lock(self.mutex_);
    Node* found = self.at(pa);
    if (found == nullptr || found != node) {
        die("a node was freed that is not allocated");
    }
    if (*khob_node_used(khob_node_at(pa)) != 0) {
        die("a node was freed whose entries are still counted");
    }
    if (self.frees_are_empty_ &&
        std::any_of(found->begin(), found->end(), [](std::uint64_t word) { return word != 0; })) {
        self.full_frees_++;
    }
    // Who still looks at it must not find what was there.
    std::memset(node, garbage, page_size);
    ASAN_POISON_MEMORY_REGION(node, page_size);
    const std::size_t index = (pa - self.base_) / page_size;
    self.allocated_[index] = false;
    self.free_.push_back(index);
    self.live_--;
}

Tree::Tree(unsigned int flags) {
    if (khob_radix_init(&radix_, Memory::ops(), &memory_, flags) != 0) {
        die("no tree");
    }
}

Tree::~Tree() {
    memory_.frees_are_empty(false);
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
        &radix_, 0, ~std::uint64_t{0},
        [](void* ctx, std::uint64_t key) {
            static_cast<std::vector<std::uint64_t>*>(ctx)->push_back(key);
            return 0;
        },
        &all);
    return all;
}

State Tree::state() {
    return {.nodes = memory_.snapshot(),
            .counts = memory_.counts(),
            .nr_keys = radix_.nr_keys,
            .nr_nodes = radix_.nr_nodes,
            .digest = khob_radix_digest(&radix_)};
}

std::string Tree::flaw() {
    Inspector inspector(memory_, radix_.flags);
    inspector.node(radix_.root_pa, KHOB_TREE_DEPTH - 1);
    return inspector.result(radix_);
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
