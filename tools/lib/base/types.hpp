// SPDX-License-Identifier: GPL-2.0-only
// The strong types that the library speaks in: physical addresses, ranges, orders.
#ifndef KHOB_TYPES_HPP
#define KHOB_TYPES_HPP

#include <compare>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "khob/abi.hpp"

namespace khob {

using ByteView = std::span<const std::byte>;
using ByteSpan = std::span<std::byte>;
using ByteVector = std::vector<std::byte>;

/// Pages as x86-64 has them; what is used of it is the same in every version.
using Layout = abi::Layout<12>;

using PhysAddr = abi::PhysAddr;
using Order = Layout::Order;

inline constexpr std::uint64_t page_size = Layout::page_size;

/// Physical memory [start, end), in bytes.
struct Range {
    PhysAddr start;
    PhysAddr end;

    constexpr std::uint64_t size() const { return end - start; }
    constexpr bool empty() const { return end <= start; }
    constexpr bool contains(const Range& inner) const {
        return start <= inner.start && inner.end <= end;
    }
    constexpr bool overlaps(const Range& other) const {
        return start < other.end && other.start < end;
    }
    // clang-tidy 14 takes a defaulted comparison for a null pointer.
    // NOLINTNEXTLINE(modernize-use-nullptr)
    friend constexpr auto operator<=>(const Range&, const Range&) = default;
};

constexpr Range make_range(std::uint64_t start, std::uint64_t end) {
    return Range{PhysAddr(start), PhysAddr(end)};
}

constexpr bool is_power_of_two(std::uint64_t v) {
    return v != 0 && (v & (v - 1)) == 0;
}

constexpr bool is_aligned(std::uint64_t v, std::uint64_t align) {
    return (v & (align - 1)) == 0;
}

constexpr std::uint64_t align_down(std::uint64_t v, std::uint64_t align) {
    return v & ~(align - 1);
}

/// `v` rounded up to a power of two; nothing if that does not fit 64 bits.
constexpr std::optional<std::uint64_t> align_up(std::uint64_t v, std::uint64_t align) {
    const std::uint64_t up = v + (align - 1);
    if (up < v) {
        return std::nullopt;
    }
    return align_down(up, align);
}

/// Whole pages that hold `v` bytes, in bytes; for sizes that are known to be far from 2^64.
constexpr std::uint64_t page_round(std::uint64_t v) {
    return align_down(v + page_size - 1, page_size);
}

/// Sorts ranges and joins those that touch or overlap; empty ones are dropped.
std::vector<Range> merged(std::vector<Range> ranges);

/// Bytes in all of these ranges together (they must not overlap).
std::uint64_t total_bytes(std::span<const Range> ranges);

/// "0x1000-0x2000".
std::string to_string(const Range& range);

/// "64.0 MiB", "12 KiB", "17 B": for people; figures that must be exact are given in bytes.
std::string human_bytes(std::uint64_t bytes);

}  // namespace khob

#endif  // KHOB_TYPES_HPP
