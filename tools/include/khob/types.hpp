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

inline constexpr std::uint64_t page_size = abi::page_size;

/// A physical address in bytes.
class PhysAddr {
  public:
    constexpr PhysAddr() = default;
    constexpr explicit PhysAddr(std::uint64_t value) : value_(value) {}
    constexpr std::uint64_t value() const { return value_; }

    // clang-tidy 14 takes a defaulted comparison for a null pointer.
    // NOLINTNEXTLINE(modernize-use-nullptr)
    friend constexpr auto operator<=>(const PhysAddr&, const PhysAddr&) = default;
    /// The caller makes sure that it does not wrap.
    friend constexpr PhysAddr operator+(PhysAddr a, std::uint64_t bytes) {
        return PhysAddr(a.value_ + bytes);
    }
    /// Bytes from `b` to `a`; the caller makes sure that b <= a.
    friend constexpr std::uint64_t operator-(PhysAddr a, PhysAddr b) { return a.value_ - b.value_; }

  private:
    std::uint64_t value_ = 0;
};

/// log2 of a folio's size in pages: 0..abi::order_max.
class Order {
  public:
    constexpr Order() = default;
    constexpr explicit Order(unsigned value) : value_(value) {}
    constexpr unsigned value() const { return value_; }
    constexpr bool valid() const { return value_ <= abi::order_max; }
    /// Bytes of a folio; 0 for what is no order or does not fit 64 bits.
    constexpr std::uint64_t bytes() const {
        return value_ < 64 - abi::page_shift ? page_size << value_ : 0;
    }
    // clang-tidy 14 takes a defaulted comparison for a null pointer.
    // NOLINTNEXTLINE(modernize-use-nullptr)
    friend constexpr auto operator<=>(const Order&, const Order&) = default;

  private:
    unsigned value_ = 0;
};

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
