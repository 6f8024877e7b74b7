// SPDX-License-Identifier: GPL-2.0-only
// The lists of the module's device: all of one or nothing.
#include "module/lists.hpp"

#include <gtest/gtest.h>

#include <cstring>
#include <initializer_list>

#include "module/text.hpp"

namespace khob {
namespace {

template <typename T>
ByteVector bytes_of(std::initializer_list<T> items) {
    ByteVector out(items.size() * sizeof(T));
    std::size_t at = 0;
    for (const T& item : items) {
        std::memcpy(out.data() + at, &item, sizeof(T));
        at += sizeof(T);
    }
    return out;
}

std::uint64_t key(std::uint64_t pa, unsigned order) {
    return Layout::encode(PhysAddr(pa), Order(order)).value();
}

device::subtree subtree(std::string_view name, std::uint64_t len) {
    device::subtree s;
    s.name = text_in<sizeof(s.name)>(name);
    s.len = len;
    return s;
}

TEST(Lists, Keys) {
    const auto keys = decode_keys(bytes_of({key(0x200000, 9), key(0x1000, 0)}));
    ASSERT_TRUE(keys);
    ASSERT_EQ(keys->size(), 2);
    EXPECT_EQ(keys->at(0).range(), make_range(0x200000, 0x400000));
    EXPECT_TRUE(decode_keys({})->empty());
    // Of no page; of one that ends behind 64 bits.
    for (const std::uint64_t bad :
         {std::uint64_t{0}, ~std::uint64_t{0}, key(1ULL << 63U, 51), key(0, 52)}) {
        const auto refused = decode_keys(bytes_of({key(0x1000, 0), bad}));
        ASSERT_FALSE(refused) << bad;
        EXPECT_EQ(refused.error().code, ExitCode::failure);
        EXPECT_NE(refused.error().what.find("key 1"), std::string::npos);
    }
    EXPECT_FALSE(decode_keys(ByteVector(9)));
}

TEST(Lists, Ranges) {
    const auto ranges =
        decode_ranges(bytes_of<device::range>({{0x1000, 0x3000}, {0x3000, 0x4000}}));
    ASSERT_TRUE(ranges);
    EXPECT_EQ(ranges->at(1), make_range(0x3000, 0x4000));
    for (const device::range bad : {device::range{0x1000, 0x2000}, device::range{0x5000, 0x5000},
                                    device::range{0x6000, 0x5000}, device::range{0x5001, 0x6000},
                                    device::range{0x5000, 0x6001}}) {
        EXPECT_FALSE(decode_ranges(bytes_of({device::range{0x3000, 0x4000}, bad})))
            << bad.start << " " << bad.end;
    }
    EXPECT_FALSE(decode_ranges(ByteVector(8)));
    EXPECT_TRUE(decode_areas(bytes_of<device::range>({{0x3000, 0x4000}, {0x1000, 0x2000}})));
    EXPECT_FALSE(decode_areas(bytes_of<device::range>({{0x3000, 0x3000}})));
}

TEST(Lists, Extents) {
    const auto extents = decode_extents(
        bytes_of<device::extent>({{0x1000, 0x5000, 0x2000}, {0x6000, 0x7000, 0x1000}}));
    ASSERT_TRUE(extents);
    EXPECT_EQ(extents->at(0).range, make_range(0x1000, 0x5000));
    EXPECT_EQ(extents->at(0).bytes, 0x2000);
    for (const device::extent bad :
         {device::extent{0x1000, 0x2000, 0x1000}, device::extent{0x5000, 0x5000, 0x1000},
          device::extent{0x5000, 0x7000, 0}, device::extent{0x5000, 0x7000, 0x3000},
          device::extent{0x5000, 0x7000, 0x800}, device::extent{0x5001, 0x7000, 0x1000}}) {
        EXPECT_FALSE(decode_extents(bytes_of({device::extent{0x3000, 0x4000, 0x1000}, bad})))
            << bad.start << " " << bad.end << " " << bad.bytes;
    }
    EXPECT_FALSE(decode_extents(ByteVector(16)));
}

TEST(Lists, Subtrees) {
    device::subtree told = subtree("a", 5);
    told.flags = device::subtree_flags::has_digest;
    told.digest = 7;
    const auto list = decode_subtrees(bytes_of({subtree("b", 1), told}));
    ASSERT_TRUE(list);
    ASSERT_EQ(list->size(), 2);
    EXPECT_EQ(list->at(0).name, "a");
    EXPECT_EQ(list->at(0).bytes, 5);
    EXPECT_EQ(list->at(0).digest, 7);
    EXPECT_EQ(list->at(1).digest, std::nullopt);
    EXPECT_FALSE(decode_subtrees(bytes_of({subtree("", 1)})));
    EXPECT_FALSE(decode_subtrees(bytes_of({subtree("a/b", 1)})));
    // A name that fills all of the field has no room for its 0.
    device::subtree endless = subtree("x", 1);
    endless.name.fill('x');
    EXPECT_FALSE(decode_subtrees(bytes_of({endless})));
}

TEST(Lists, Bench) {
    device::bench_row row;
    row.work = text_in<sizeof(row.work)>("add");
    row.keys = 1;
    row.ns = 1;
    EXPECT_EQ(decode_bench(bytes_of({row, row}))->size(), 2);
    for (const auto spoil :
         {+[](device::bench_row& r) { r.keys = 0; }, +[](device::bench_row& r) { r.ns = 0; },
          +[](device::bench_row& r) { r.work = {}; }}) {
        device::bench_row bad = row;
        spoil(bad);
        EXPECT_FALSE(decode_bench(bytes_of({row, bad})));
    }
}

TEST(Lists, SubtreeNames) {
    EXPECT_TRUE(check_subtree_name("a-B.9_,+"));
    EXPECT_TRUE(check_subtree_name(std::string(63, 'x')));
    for (const auto& bad : {std::string(), std::string(64, 'x'), std::string("a/b"),
                            std::string("a b"), std::string("."), std::string("..")}) {
        EXPECT_FALSE(check_subtree_name(bad)) << bad;
    }
}

}  // namespace
}  // namespace khob
