// SPDX-License-Identifier: GPL-2.0-only
// The setup_data chain as the incoming kernel will walk it.
#include "plan/setup_chain.hpp"

#include <gtest/gtest.h>

#include "base/bytes.hpp"
#include "base/digest.hpp"
#include "core/setup_data.h"

namespace khob {
namespace {

constexpr PhysAddr base{0x12345000};

struct Node {
    abi::setup_data header;
    std::uint64_t at;
    ByteView data;
};

/// Walks the chain by its addresses.
std::vector<Node> walk(const ByteVector& chain) {
    std::vector<Node> out;
    std::uint64_t at = base.value();
    while (at != 0) {
        Node node{};
        const std::uint64_t offset = at - base.value();
        EXPECT_TRUE(is_aligned(at, chain_alignment));
        const auto header = slice(chain, offset, sizeof(node.header));
        if (!header) {
            ADD_FAILURE() << "a node outside the chain";
            break;
        }
        std::memcpy(&node.header, header->data(), sizeof(node.header));
        const auto data = slice(chain, offset + sizeof(node.header), node.header.len);
        EXPECT_TRUE(data);
        node.data = data.value_or(ByteView{});
        node.at = at;
        out.push_back(node);
        at = node.header.next;
    }
    return out;
}

std::vector<MapEntry> extra(std::size_t n) {
    std::vector<MapEntry> out;
    for (std::uint64_t i = 0; i < n; ++i) {
        out.push_back(MapEntry{make_range(i << 20, (i << 20) + 4096), E820Type::reserved});
    }
    return out;
}

TEST(SetupChain, KhoFirstThenOneNodeAnInterval) {
    const KhoData kho{PhysAddr(0x5000000), 417, PhysAddr(0x6000000), 32};
    const std::vector<Range> intervals{make_range(0x1000000, 0x2000000),
                                       make_range(0x200000000, 0x200001000)};
    const auto chain = build_chain(base, kho, intervals, {});
    EXPECT_EQ(chain.size(), chain_bytes(2, 0));
    const auto nodes = walk(chain);
    ASSERT_EQ(nodes.size(), 4);
    EXPECT_EQ(nodes[0].header.type, abi::setup_kexec_kho);
    ASSERT_EQ(nodes[0].data.size(), sizeof(abi::kho_data));
    EXPECT_EQ(load_le<std::uint64_t>(nodes[0].data, 0), 0x5000000);
    EXPECT_EQ(load_le<std::uint64_t>(nodes[0].data, 8), 417);
    EXPECT_EQ(load_le<std::uint64_t>(nodes[0].data, 16), 0x6000000);
    EXPECT_EQ(load_le<std::uint64_t>(nodes[0].data, 24), 32);
    for (std::size_t i = 0; i < 2; ++i) {
        const Node& n = nodes[i + 2];
        EXPECT_EQ(n.header.type, abi::setup_indirect_type);
        ASSERT_EQ(n.data.size(), sizeof(abi::setup_indirect));
        EXPECT_EQ(load_le<std::uint32_t>(n.data, 0), abi::setup_indirect_range);
        EXPECT_EQ(load_le<std::uint32_t>(n.data, 4), 0);
        EXPECT_EQ(load_le<std::uint64_t>(n.data, 8), intervals[i].size());
        EXPECT_EQ(load_le<std::uint64_t>(n.data, 16), intervals[i].start.value());
    }
}

TEST(SetupChain, NodesTouchSoThatTheyMergeIntoOneSlot) {
    for (const std::size_t n :
         {std::size_t{0}, std::size_t{1}, std::size_t{64}, std::size_t{1000}}) {
        for (const std::size_t more : {std::size_t{0}, std::size_t{1}, std::size_t{3}}) {
            const std::vector<Range> intervals(n, make_range(0x1000000, 0x2000000));
            const auto chain = build_chain(base, {}, intervals, extra(more));
            EXPECT_EQ(chain.size(), chain_bytes(n, more));
            const auto nodes = walk(chain);
            EXPECT_EQ(nodes.size(), 2 + n + (more != 0 ? 1 : 0));
            for (std::size_t i = 1; i < nodes.size(); ++i) {
                EXPECT_EQ(nodes[i].at,
                          nodes[i - 1].at + sizeof(abi::setup_data) + nodes[i - 1].header.len);
            }
        }
    }
}

TEST(SetupChain, CarriesEfiWhereItMerges) {
    const Efi efi{.systab = {}, .setup = {1, 0, 3, 4, {}}, .map = {}, .secure_boot = 0};
    const std::vector<Range> intervals{make_range(0x1000000, 0x2000000)};
    const auto chain = build_chain(base, {}, intervals, extra(1), &efi);
    EXPECT_EQ(chain.size(), chain_bytes(1, 1, true));
    const auto nodes = walk(chain);
    ASSERT_EQ(nodes.size(), 5);
    EXPECT_EQ(nodes[2].header.type, 4);
    ASSERT_EQ(nodes[2].data.size(), 96);
    EXPECT_EQ(load_le<std::uint64_t>(nodes[2].data, 0), 1);
    EXPECT_EQ(load_le<std::uint64_t>(nodes[2].data, 16), 3);
    EXPECT_EQ(load_le<std::uint64_t>(nodes[2].data, 24), 4);
    EXPECT_EQ(nodes[3].at, nodes[2].at + sizeof(abi::setup_data) + 96);
}

TEST(SetupChain, CarriesE820EntriesBehindThe128th) {
    const auto chain = build_chain(base, {}, {}, extra(3));
    const auto nodes = walk(chain);
    ASSERT_EQ(nodes.size(), 3);
    EXPECT_EQ(nodes[2].header.type, 1);
    ASSERT_EQ(nodes[2].data.size(), 3 * 20);
    EXPECT_EQ(load_le<std::uint64_t>(nodes[2].data, 40), 2ULL << 20);
    EXPECT_EQ(load_le<std::uint64_t>(nodes[2].data, 48), 4096);
    EXPECT_EQ(load_le<std::uint32_t>(nodes[2].data, 56), 2);
}

/// What the core reads of a chain that lies at `base`.
struct Reader {
    const ByteVector* chain;
    std::vector<Range> ranges;
};

int read_at(void* ctx, std::uint64_t pa, void* to, std::size_t len) {
    const auto part = slice(*static_cast<Reader*>(ctx)->chain, pa - base.value(), len);
    if (pa < base.value() || !part) {
        return -1;
    }
    std::memcpy(to, part->data(), len);
    return 0;
}

int range_at(void* ctx, std::uint64_t start, std::uint64_t end) {
    static_cast<Reader*>(ctx)->ranges.push_back(make_range(start, end));
    return 0;
}

TEST(SetupChain, IsSealedAsTheModuleReadsIt) {
    const KhoData kho{PhysAddr(0x5000000), 417, PhysAddr(0x6000000), 32};
    // The last one ends where RAM does, and leaves its last byte out.
    const std::vector<Range> intervals{make_range(0x1000000, 0x2000000),
                                       make_range(0x200000000, 0x200001fff)};
    const auto chain = build_chain(base, kho, intervals, {});
    Reader reader{&chain, {}};
    const khob_chain_ops ops{.read = read_at, .range = range_at};
    khob_chain_info info{};
    ASSERT_EQ(khob_chain_read(base.value(), &ops, &reader, &info), 0) << info.why;
    ASSERT_TRUE(info.sealed);
    ASSERT_EQ(reader.ranges.size(), 2);
    EXPECT_EQ(info.seal.nr_intervals, 2);
    ByteVector all;
    for (const Range& r : reader.ranges) {
        append(all, abi::chunk{.addr = r.start.value(), .size = r.size()});
    }
    EXPECT_EQ(info.seal.intervals_digest, xxh64(all));
    ByteVector location;
    append(location, info.kho);
    EXPECT_EQ(info.seal.kho_digest, xxh64(location));
}

}  // namespace
}  // namespace khob
