// SPDX-License-Identifier: GPL-2.0-only
// A fuzz input as the plan of a handover: what there is, which edits damage it, and which
// digests are mended afterwards. All bytes mean something, so that no mutation is lost.
#pragma once

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <vector>

namespace khob::fuzz {

/// Who hands over, and to whom.
enum class Way : std::uint8_t {
    bridge,   ///< a kho_bridge and its loader
    foreign,  ///< a root FDT and a tree of others', intervals of a loader that seals nothing
    held,     ///< a kho_bridge, to a kernel whose own KHO took it: there are no intervals
    count
};

struct Plan {
    std::uint8_t way;
    std::uint8_t abi;
    std::uint8_t data;      ///< folios
    std::uint8_t far;       ///< how many of them lie beyond 4 GiB
    std::uint8_t order;     ///< of the largest
    std::uint8_t spacing;   ///< pages between them: two bits for every fourth
    std::uint8_t blobs;     ///< subtrees of clients
    std::uint8_t blob_len;  ///< bytes of the first one, in units of 64
    std::uint8_t records;
    std::uint8_t foreign;   ///< nodes of others in the chain: a bit for a place
    std::uint8_t chunks;    ///< pieces of metadata
    std::uint8_t gap;       ///< pages between two preserved ones that intervals bridge
    std::uint8_t fault;     ///< 1: an allocation fails, 2: a pause ends it, 3: a read fails
    std::uint8_t fault_at;  ///< which one
    std::uint8_t mend;      ///< a bit for a digest
    std::uint8_t others;    ///< folios that clients of the outgoing kernel's own KHO preserved
};
static_assert(sizeof(Plan) == 16);

enum class How : std::uint8_t {
    flip,       ///< one bit
    set,        ///< a word, to zeroes, ones or an address that means something
    add,        ///< to a word
    copy_page,  ///< over another
    swap,       ///< two pages
    cut,        ///< zeroes from there to the end
    repeat,     ///< some bytes over those behind them
    drop,       ///< what the kernel held there is somebody's now
    count
};

struct Edit {
    std::uint8_t how;
    std::uint8_t where;  ///< which structure
    std::uint16_t at;    ///< where in it
    std::uint32_t value;
};
static_assert(sizeof(Edit) == 8);

constexpr std::size_t max_edits = 8;

/// Digests that are mended.
enum Mend : std::uint8_t {
    mend_fdt = 1,
    mend_tree = 2,
    mend_records = 4,
    mend_meta = 8,
    mend_kho = 16,
    mend_intervals = 32,
    mend_others = 64,
    mend_all = 0x7f,
};

struct Input {
    Plan plan{};
    std::vector<Edit> edits;
};

/// Bytes that are missing are 0.
inline Input parse_input(const std::uint8_t* data, std::size_t size) {
    Input input;
    const std::size_t n = std::min(size, sizeof(input.plan));
    if (n != 0) {
        std::memcpy(&input.plan, data, n);
    }
    for (std::size_t at = sizeof(input.plan);
         at + sizeof(Edit) <= size && input.edits.size() < max_edits; at += sizeof(Edit)) {
        Edit edit{};
        std::memcpy(&edit, data + at, sizeof(edit));
        input.edits.push_back(edit);
    }
    return input;
}

/// Return: bytes written; edits that do not fit are left out.
inline std::size_t write_input(const Input& input, std::uint8_t* data, std::size_t max_size) {
    if (max_size < sizeof(input.plan)) {
        return 0;
    }
    std::memcpy(data, &input.plan, sizeof(input.plan));
    std::size_t at = sizeof(input.plan);
    for (const Edit& edit : input.edits) {
        if (at + sizeof(edit) > max_size) {
            break;
        }
        std::memcpy(data + at, &edit, sizeof(edit));
        at += sizeof(edit);
    }
    return at;
}

}  // namespace khob::fuzz
