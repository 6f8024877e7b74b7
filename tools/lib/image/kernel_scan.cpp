// SPDX-License-Identifier: GPL-2.0-only
// KHO leaves its compatible string and the name of the root's property in the
// kernel's read-only data. A kernel that has both speaks it; neither comes from a
// module. Names of other properties differ between versions.
#include "image/kernel_scan.hpp"

#include <algorithm>

#include "khob/abi.hpp"

namespace khob {

namespace {

constexpr std::string_view kho_prefix = "kho-v";
constexpr std::string_view luo_prefix = "luo-v";
constexpr std::size_t max_digits = 4;
// Of Linux's mm/kasan: nothing else in a kernel is called so.
constexpr std::string_view kasan_banner = "KernelAddressSanitizer initialized";

// Bytes that are looked at once more with those that follow. What is looked for is shorter,
// with the NUL that has to stand behind it and the one before it.
constexpr std::size_t overlap = 64;
static_assert(abi::prop_memory_map.size() + 1 <= overlap);
static_assert(kho_prefix.size() + max_digits + 2 <= overlap);
static_assert(luo_prefix.size() + max_digits + 2 <= overlap);
static_assert(kasan_banner.size() <= overlap);

/// Whether wanted stands in kernel as a C string of its own, or as the end of a longer one:
/// linkers merge strings by their tails.
bool holds_string(std::string_view kernel, std::string_view wanted) {
    return kernel.find(std::string(wanted) + '\0') != std::string_view::npos;
}

/// The first compatible string with that prefix; empty: none. `from_start`: nothing stands before
/// `kernel`.
std::string_view find_compatible(std::string_view kernel, std::string_view prefix,
                                 bool from_start) {
    for (std::size_t at = kernel.find(prefix); at != std::string_view::npos;
         at = kernel.find(prefix, at + 1)) {
        const std::size_t digits = at + prefix.size();
        const std::size_t end = kernel.find_first_not_of("0123456789", digits);
        const bool starts = at == 0 ? from_start : kernel[at - 1] == '\0';
        if (starts && end != std::string_view::npos && kernel[end] == '\0' && end > digits &&
            end - digits <= max_digits) {
            return kernel.substr(at, end - at);
        }
    }
    return {};
}

}  // namespace

void KernelScan::look_at(std::string_view text, bool from_start) {
    property_ = property_ || holds_string(text, abi::prop_memory_map);
    kasan_ = kasan_ || text.find(kasan_banner) != std::string_view::npos;
    if (compatible_.empty()) {
        compatible_ = find_compatible(text, kho_prefix, from_start);
    }
    if (luo_.empty()) {
        luo_ = find_compatible(text, luo_prefix, from_start);
    }
}

void KernelScan::feed(ByteView piece) {
    const std::string_view text(reinterpret_cast<const char*>(piece.data()), piece.size());
    const bool first = at_start_ && tail_.empty();
    if (!first) {
        look_at(tail_ + std::string(text.substr(0, overlap)), at_start_);
    }
    look_at(text, first);

    tail_ += text.substr(text.size() - std::min(text.size(), overlap));
    if (tail_.size() > overlap) {
        tail_.erase(0, tail_.size() - overlap);
        at_start_ = false;
    }
    at_start_ = at_start_ && text.size() <= overlap;
}

}  // namespace khob
