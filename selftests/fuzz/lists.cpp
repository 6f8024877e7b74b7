// SPDX-License-Identifier: GPL-2.0-only
// Fuzzes the parsers of the lists that the module and the system show: keys, ranges, subtrees and
// rows of a bench as the device gives them, numbers, and a kernel's configuration. What is
// accepted can be written and read again.
#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

#include "base/numbers.hpp"
#include "core/radix.h"
#include "fuzz.hpp"
#include "image/kernel_config.hpp"
#include "module/bench.hpp"
#include "module/lists.hpp"

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

void keys(khob::ByteView bytes) {
    const auto keys = khob::decode_keys(bytes);
    if (!accepted(keys)) {
        return;
    }
    require(keys->size() * sizeof(std::uint64_t) == bytes.size(), "every number is a key");
    for (std::size_t i = 0; i < keys->size(); ++i) {
        const khob::Key& key = keys->at(i);
        std::uint64_t number = 0;
        std::uint64_t given = 0;
        std::memcpy(&given, bytes.data() + i * sizeof(given), sizeof(given));
        require(khob_key_encode(key.addr.value(), key.order.value(), &number) == 0,
                "a page that is listed has a key");
        require(number == given, "it is the one that was listed");
        require(!key.range().empty(), "a page ends in memory");
    }
}

void ranges(khob::ByteView bytes) {
    const auto ranges = khob::decode_ranges(bytes);
    const auto areas = khob::decode_areas(bytes);
    if (!accepted(ranges)) {
        accepted(areas);
        return;
    }
    require(areas && *areas == *ranges, "areas are such in any order");
    khob::PhysAddr end{0};
    for (const khob::Range& range : *ranges) {
        require(!range.empty() && range.start >= end, "ranges ascend and are disjoint");
        require(khob::is_aligned(range.start.value() | range.end.value(), khob::page_size),
                "ranges are whole pages");
        end = range.end;
    }
    const auto joined = khob::merged(*ranges);
    require(khob::total_bytes(joined) == khob::total_bytes(*ranges), "joined they are as long");
    require(joined.size() <= ranges->size(), "joined they are no more");
}

void subtrees(khob::ByteView bytes) {
    const auto subtrees = khob::decode_subtrees(bytes);
    if (!accepted(subtrees)) {
        return;
    }
    for (const khob::Subtree& subtree : *subtrees) {
        require(khob::check_subtree_name(subtree.name).has_value(), "each could be asked for");
    }
}

void bench(khob::ByteView bytes) {
    const auto rows = khob::decode_bench(bytes);
    if (accepted(rows)) {
        const khob::Value value = khob::bench_value(1, *rows);
        require(nlohmann::json::parse(value.json(), nullptr, false).is_object(),
                "what is shown to programs is JSON");
    }
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
    const khob::ByteView bytes(reinterpret_cast<const std::byte*>(data), size);
    keys(bytes);
    ranges(bytes);
    subtrees(bytes);
    bench(bytes);
    numbers(text);
    config(text);
    return 0;
}
