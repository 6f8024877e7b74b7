// SPDX-License-Identifier: GPL-2.0-only
// Physical memory of a small machine in which a handover stands, and of the kernel that reads it.
#pragma once

#include <bitset>
#include <cstdint>
#include <cstring>
#include <vector>

#include "core/radix.h"
#include "fuzz.hpp"

namespace khob::fuzz {

/// Addresses that count in 64 bits.
constexpr std::uint64_t page_bytes = KHOB_PAGE_SIZE;

/// Physical memory [start, end).
struct Zone {
    std::uint64_t start;
    std::uint64_t end;
    [[nodiscard]] constexpr bool holds(std::uint64_t from, std::uint64_t to) const {
        return start <= from && from < to && to <= end;
    }
    [[nodiscard]] constexpr bool touches(std::uint64_t from, std::uint64_t to) const {
        return from < end && start < to;
    }
};

/// Four MiB of RAM from address 0 on with what is in it, and some that is far and all zeroes.
class Memory {
  public:
    static constexpr Zone low = {0, 1U << 20U};           ///< never handed over
    static constexpr Zone kernel = {0x200000, 0x240000};  ///< the reader's own made
    static constexpr Zone near = {low.end, 4U << 20U};
    static constexpr Zone hole = {0x3c0000, 0x3d0000};  ///< no memory
    static constexpr Zone far = {1ULL << 32U, (1ULL << 32U) + (64U << 20U)};

    Memory() : bytes_(own.end / sizeof(std::uint64_t)), pages_(own.end / page_bytes) {
        khob_user_ram.bytes = reinterpret_cast<u8*>(bytes_.data());
        khob_user_ram.pages = pages_.data();
    }

    /// Empty again.
    void reset() {
        for (std::size_t i = 0; i < dirty_.size(); i++) {
            if (dirty_[i]) {
                std::memset(khob_node_at(i * page_bytes), 0, page_bytes);
                pages_[i].used = 0;
            }
        }
        dirty_.reset();
        free_ = own.start;
        live_ = 0;
        spare_.clear();
    }

    /// Bytes that a writer may change.
    std::uint8_t* write(std::uint64_t pa, std::uint64_t len) {
        require(Zone{0, near.end}.holds(pa, pa + len), "what is written is in memory");
        for (std::uint64_t page = pa / page_bytes; page <= (pa + len - 1) / page_bytes; page++) {
            dirty_.set(page);
        }
        return khob_user_ram.bytes + pa;
    }
    template <typename T>
    void store(std::uint64_t pa, const T& value) {
        std::memcpy(write(pa, sizeof(value)), &value, sizeof(value));
    }
    template <typename T>
    [[nodiscard]] static T load(std::uint64_t pa) {
        T value{};
        std::memcpy(&value, khob_user_ram.bytes + pa, sizeof(value));
        return value;
    }
    /// Whether all of it is memory that another kernel may have left something in.
    [[nodiscard]] static bool readable(std::uint64_t pa, std::uint64_t len) {
        const std::uint64_t end = pa + len;
        const bool in_near =
            Zone{0, near.end}.holds(pa, end) && !kernel.touches(pa, end) && !hole.touches(pa, end);
        return in_near || far.holds(pa, end);
    }
    /// Copies; false if it is no such memory.
    [[nodiscard]] static bool read(std::uint64_t pa, void* to, std::uint64_t len) {
        if (!readable(pa, len)) {
            return false;
        }
        if (pa >= far.start) {
            std::memset(to, 0, len);
        } else {
            std::memcpy(to, khob_user_ram.bytes + pa, len);
        }
        return true;
    }

    /// Nodes of the reader's own trees.
    [[nodiscard]] void* take_node(std::uint64_t* pa) {
        if (spare_.empty()) {
            require(free_ < own.end, "no tree that is kept is that large");
            spare_.push_back(free_);
            free_ += page_bytes;
        }
        *pa = spare_.back();
        spare_.pop_back();
        dirty_.set(*pa / page_bytes);
        live_++;
        return std::memset(khob_node_at(*pa), 0xa5, page_bytes);
    }
    void give_node(std::uint64_t pa) {
        require(live_ > 0, "a node that was given is freed");
        spare_.push_back(pa);
        live_--;
    }
    [[nodiscard]] std::uint64_t live() const { return live_; }

  private:
    static constexpr Zone own = {near.end, near.end + (8U << 20U)};

    std::vector<std::uint64_t> bytes_;
    std::vector<khob_user_page> pages_;
    std::bitset<own.end / page_bytes> dirty_;
    std::vector<std::uint64_t> spare_;
    std::uint64_t free_ = own.start;
    std::uint64_t live_ = 0;
};

}  // namespace khob::fuzz
