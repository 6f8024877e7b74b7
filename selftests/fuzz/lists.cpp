// SPDX-License-Identifier: GPL-2.0-only
// Fuzzes the parsers of the lists that the module and the system show: keys, ranges, numbers,
// and a kernel's configuration. What is accepted can be written and read again.
#include <fmt/format.h>

#include <algorithm>
#include <string>
#include <string_view>

#include "base/numbers.hpp"
#include "core/radix.h"
#include "fuzz.hpp"
#include "image/kernel_config.hpp"

namespace {

using khob::fuzz::require;

template <typename T>
bool accepted(const khob::Result<T>& result) {
    require(result || !result.error().what.empty(), "a refusal says why");
    return result.has_value();
}

/// A list has an item a line.
template <typename T>
void expect_whole(const std::vector<T>& items, std::string_view text) {
    require(items.size() == khob::lines(text).size(), "every line is an item");
}

void keys(std::string_view text) {
    const auto keys = khob::parse_keys(text);
    if (!accepted(keys)) {
        return;
    }
    expect_whole(*keys, text);
    std::string again;
    for (const khob::Key& key : *keys) {
        std::uint64_t number = 0;
        require(khob_key_encode(key.addr.value(), key.order.value(), &number) == 0,
                "a page that is listed has a key");
        require(!key.range().empty(), "a page ends in memory");
        again += fmt::format("{:#x} {}\n", key.addr.value(), key.order.value());
    }
    const auto same = khob::parse_keys(again);
    require(same && *same == *keys, "keys come out as they went in");
}

void ranges(std::string_view text) {
    const auto ranges = khob::parse_ranges(text);
    if (!accepted(ranges)) {
        return;
    }
    expect_whole(*ranges, text);
    std::string again;
    khob::PhysAddr end{0};
    for (const khob::Range& range : *ranges) {
        require(!range.empty() && range.start >= end, "ranges ascend and are disjoint");
        require(khob::is_aligned(range.start.value() | range.end.value(), khob::page_size),
                "ranges are whole pages");
        end = range.end;
        again += fmt::format("{:#x} {}\n", range.start.value(), range.end.value());
    }
    const auto same = khob::parse_ranges(again);
    require(same && *same == *ranges, "ranges come out as they went in");
    const auto joined = khob::merged(*ranges);
    require(khob::total_bytes(joined) == khob::total_bytes(*ranges), "joined they are as long");
    require(joined.size() <= ranges->size(), "joined they are no more");
}

void numbers(std::string_view text) {
    const auto numbers = khob::parse_numbers(text);
    if (!accepted(numbers)) {
        return;
    }
    expect_whole(*numbers, text);
    std::string again;
    for (const std::uint64_t number : *numbers) {
        again += fmt::format("{}\n", number);
    }
    const auto same = khob::parse_numbers(again);
    require(same && *same == *numbers, "numbers come out as they went in");
}

void config(std::string_view text) {
    const auto config = khob::KernelConfig::parse(text, "fuzz");
    for (const std::string_view line : khob::lines(text)) {
        const std::string_view name = line.substr(0, line.find('='));
        require(!config.has(name) || name.starts_with("CONFIG_"), "options are named so");
        const bool comment = line.starts_with('#');
        require(!comment || !config.has(line), "a comment sets nothing");
    }
}

}  // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view text(reinterpret_cast<const char*>(data), size);
    keys(text);
    ranges(text);
    numbers(text);
    config(text);
    return 0;
}
