// SPDX-License-Identifier: GPL-2.0-only
// Fuzzes khob_check_tree() with whatever a few pages of memory may hold.
#include "core/check.h"

#include <cerrno>
#include <set>
#include <vector>

#include "fuzz.hpp"
#include "image.hpp"
#include "ram.hpp"

namespace {

using khob::fuzz::Image;
using khob::fuzz::require;

constexpr std::uint64_t end_pa = std::uint64_t{1} << 40U;

struct Reader {
    Image image;
    std::set<std::uint64_t> claimed;
    std::vector<std::uint64_t> keys;
    std::uint64_t digest = 0;
};

const void* node(void* ctx, std::uint64_t pa, unsigned int level, const char** /*why*/) {
    auto& reader = *static_cast<Reader*>(ctx);
    require(pa != 0 && pa % Image::page_size == 0 && pa <= end_pa - Image::page_size,
            "a node's address is checked before the node is asked for");
    require(level < KHOB_TREE_DEPTH, "levels are those of the tree");
    const Image::Node* found = reader.image.find(pa);
    if (found == nullptr || !reader.claimed.insert(pa).second) {
        return nullptr;
    }
    reader.digest += khob_node_digest(found, pa, level);
    return found;
}

int key(void* ctx, std::uint64_t pa, unsigned int order, const char** /*why*/) {
    auto& reader = *static_cast<Reader*>(ctx);
    std::uint64_t number = 0;
    require(khob_key_encode(pa, order, &number) == 0, "a page has a key");
    require(pa < end_pa && Image::page_size << order <= end_pa - pa, "a page ends in memory");
    require(reader.keys.empty() || reader.keys.back() < number, "keys ascend");
    reader.keys.push_back(number);
    return 0;
}

/// What was read is what a tree of these keys holds.
void rebuild(const std::vector<std::uint64_t>& keys) {
    static khob::fuzz::Ram ram;
    ram.reset();
    khob_radix radix{};
    require(khob_radix_init(&radix, khob::fuzz::Ram::ops(), &ram, 0) == 0, "a tree begins");
    for (const std::uint64_t number : keys) {
        require(khob_radix_add(&radix, number) == 0, "a key that was read can be added");
    }
    std::uint64_t from = 0;
    for (const std::uint64_t number : keys) {
        std::uint64_t found = 0;
        require(khob_radix_next(&radix, from, &found) && found == number, "keys are found again");
        from = number + 1;
    }
    khob_radix_destroy(&radix);
    require(ram.live() == 0, "no node is left");
}

}  // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    static const khob_check_ops ops = {.node = node, .key = key, .word = nullptr};
    constexpr khob_check_limits limits = {.end_pa = end_pa, .max_nodes = 12};
    Reader reader{.image = Image(data, size), .claimed = {}, .keys = {}};
    khob_check_result result{};

    const int err = khob_check_tree(Image::base, &ops, &reader, &limits, &result);
    require(err == 0 || (err == -EINVAL && result.why != nullptr), "a refusal says why");
    require(result.nr_nodes <= limits.max_nodes, "nodes are bounded");
    require(result.nr_keys == reader.keys.size(), "keys are counted");
    require(result.digest == reader.digest, "the digest is that of the nodes that were seen");
    if (err == 0 && reader.keys.size() <= 1000) {
        rebuild(reader.keys);
    }
    return 0;
}
