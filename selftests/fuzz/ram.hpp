// SPDX-License-Identifier: GPL-2.0-only
// Physical memory for a tree that a fuzz target or the seeds build.
#pragma once

#include <cstdint>
#include <cstring>
#include <vector>

#include "fuzz.hpp"
#include "image.hpp"

namespace khob::fuzz {

/// Nodes at consecutive pages from Image::base, for one tree at a time.
class Ram {
  public:
    /// More than any input's keys can take.
    static constexpr std::uint64_t count = 8192;

    Ram() : pages_(first_page + count), page_data_(first_page + count) {
        khob_user_ram.bytes = reinterpret_cast<u8*>(pages_.data());
        khob_user_ram.pages = page_data_.data();
    }
    [[nodiscard]] static const khob_radix_ops* ops() {
        static const khob_radix_ops table = {.alloc_node = alloc_node, .free_node = free_node};
        return &table;
    }
    /// Nodes that were given out and not taken back.
    [[nodiscard]] std::uint64_t live() const { return live_; }
    /// Whatever was given out is free again.
    void reset() { next_ = live_ = 0; }

  private:
    static constexpr std::uint64_t first_page = Image::base / Image::page_size;

    static void* alloc_node(void* ctx, std::uint64_t* pa) {
        auto& self = *static_cast<Ram*>(ctx);
        require(self.next_ < count, "no tree is that large");
        self.live_++;
        *pa = Image::base + Image::page_size * self.next_++;
        return std::memset(khob_node_at(*pa), 0xa5, Image::page_size);
    }
    static void free_node(void* ctx, void* node, std::uint64_t pa) {
        auto& self = *static_cast<Ram*>(ctx);
        require(node == khob_node_at(pa) && self.live_ > 0, "a node that was given is freed");
        require(*khob_node_used(khob_node_at(pa)) == 0, "nothing is counted in a freed node");
        self.live_--;
    }

    std::vector<Image::Node> pages_;
    std::vector<khob_user_page> page_data_;
    std::uint64_t next_ = 0;
    std::uint64_t live_ = 0;
};

}  // namespace khob::fuzz
