// SPDX-License-Identifier: GPL-2.0-only
// How a fuzz input describes a few nodes of a tree: a list of words to store.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <vector>

#include "core/radix.h"

namespace khob::fuzz {

/// One word of one node. Words that no store names are 0, so that an input is some
/// bytes long where the nodes are pages.
struct Store {
    std::uint8_t node;
    std::uint8_t unused;
    std::uint16_t word;
    std::uint32_t value_low;
    std::uint32_t value_high;
};
static_assert(sizeof(Store) == 12);

/// Nodes at consecutive pages from `base`; the root is the first one.
class Image {
  public:
    static constexpr std::uint64_t base = 0x100000;
    static constexpr std::uint64_t page_size = KHOB_PAGE_SIZE;
    static constexpr std::size_t count = 16;
    using Node = std::array<std::uint64_t, KHOB_TABLE_ENTRIES>;

    Image() : nodes_(count) {}
    Image(const std::uint8_t* data, std::size_t size) : nodes_(count) {
        Store store{};
        for (; size >= sizeof(store); data += sizeof(store), size -= sizeof(store)) {
            std::memcpy(&store, data, sizeof(store));
            nodes_[store.node % count].at(store.word % KHOB_TABLE_ENTRIES) =
                std::uint64_t{store.value_high} << 32U | store.value_low;
        }
    }
    /// The node at a physical address, or nullptr.
    [[nodiscard]] Node* find(std::uint64_t pa) {
        const std::uint64_t index = (pa - base) / page_size;
        return pa < base || pa % page_size != 0 || index >= count ? nullptr : &nodes_[index];
    }

  private:
    std::vector<Node> nodes_;
};

}  // namespace khob::fuzz
