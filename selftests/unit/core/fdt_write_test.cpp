// SPDX-License-Identifier: GPL-2.0-only
// What the writer writes, read back by libfdt and by our own reader.
#include <gtest/gtest.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <string>
#include <utility>

#include "fdt_fixture.hpp"

namespace {

using namespace khob::test;

constexpr auto versions = std::to_array({KHOB_ABI_KHO_V2, KHOB_ABI_KHO_V3, KHOB_ABI_KHO_V4});

/// A property of exactly eight bytes, through libfdt.
std::uint64_t u64_of(const Bytes& fdt, int node, const char* name) {
    int len = 0;
    const void* value = fdt_getprop(fdt.data(), node, name, &len);
    EXPECT_NE(value, nullptr) << name;
    EXPECT_EQ(len, 8) << name;
    std::uint64_t number = 0;
    if (value != nullptr && len == 8) {
        std::memcpy(&number, value, sizeof(number));
    }
    return number;
}

void expect_readable(khob_abi abi, const std::vector<khob_fdt_subtree>& subs) {
    const Bytes fdt = write_fdt(abi, subs);
    ASSERT_EQ(libfdt_check(fdt), 0);
    ASSERT_EQ(fdt_totalsize(fdt.data()), fdt.size());
    EXPECT_EQ(fdt_node_check_compatible(fdt.data(), 0, khob_abi_compatible(abi)), 0);
    EXPECT_EQ(u64_of(fdt, 0, KHOB_PROP_MEMORY_MAP), map_pa);

    const Read read = read_fdt(fdt);
    ASSERT_EQ(read.err, 0) << read.why();
    EXPECT_EQ(read.info.abi, abi);
    EXPECT_EQ(read.info.map_pa, map_pa);
    EXPECT_EQ(read.info.nr_subtrees, subs.size());
    ASSERT_EQ(read.subtrees.size(), subs.size());

    int node = fdt_first_subnode(fdt.data(), 0);
    for (std::size_t i = 0; i < subs.size(); i++) {
        ASSERT_GE(node, 0);
        EXPECT_STREQ(fdt_get_name(fdt.data(), node, nullptr), subs[i].name);
        EXPECT_EQ(u64_of(fdt, node, KHOB_PROP_DATA), subs[i].addr);
        EXPECT_STREQ(read.subtrees[i].name, subs[i].name);
        EXPECT_EQ(read.subtrees[i].addr, subs[i].addr);
        if (khob_abi_has_blob_size(abi)) {
            EXPECT_EQ(u64_of(fdt, node, KHOB_PROP_BLOB_SIZE), subs[i].size);
            EXPECT_EQ(read.subtrees[i].size, subs[i].size);
        } else {
            EXPECT_EQ(fdt_getprop(fdt.data(), node, KHOB_PROP_BLOB_SIZE, nullptr), nullptr);
            EXPECT_EQ(read.subtrees[i].size, 0U);
        }
        node = fdt_next_subnode(fdt.data(), node);
    }
    EXPECT_EQ(node, -FDT_ERR_NOTFOUND);
}

TEST(FdtWrite, EveryVersionIsReadBackByBoth) {
    for (const khob_abi abi : versions) {
        for (const std::size_t count : {0, 1, 2, 17, 500, KHOB_SUBTREES_MAX}) {
            expect_readable(abi, some_subtrees(count));
        }
    }
}

TEST(FdtWrite, GrowsBeyondAPage) {
    EXPECT_GT(khob_fdt_size(KHOB_ABI_KHO_V4, some_subtrees(500).data(), 500), 8 * KHOB_PAGE_SIZE);
}

TEST(FdtWrite, AnyAlignmentWillDo) {
    const auto subs = some_subtrees(3);
    const Bytes good = write_fdt(KHOB_ABI_KHO_V4, subs);
    for (std::size_t shift = 1; shift < 8; shift++) {
        Bytes room(good.size() + shift);
        EXPECT_EQ(khob_fdt_write(room.data() + shift, good.size(), KHOB_ABI_KHO_V4, map_pa,
                                 subs.data(), subs.size()),
                  static_cast<long>(good.size()));
        EXPECT_EQ(std::memcmp(room.data() + shift, good.data(), good.size()), 0);
        EXPECT_EQ(read_fdt({room.data() + shift, good.size()}).err, 0);
    }
}

TEST(FdtWrite, WritesNothingIfThereIsNoRoom) {
    const auto subs = some_subtrees(5);
    for (const khob_abi abi : versions) {
        const std::size_t need = khob_fdt_size(abi, subs.data(), subs.size());
        for (std::size_t room = 0; room < need; room++) {
            Bytes bytes(room, 0xa5);
            EXPECT_EQ(khob_fdt_write(bytes.data(), room, abi, map_pa, subs.data(), subs.size()),
                      -ENOSPC);
            EXPECT_EQ(bytes, Bytes(room, 0xa5));
        }
    }
}

TEST(FdtWrite, RefusesWhatTheReaderWould) {
    Bytes room(4096);
    const auto write = [&room](const khob_fdt_subtree& sub, khob_abi abi = KHOB_ABI_KHO_V4,
                               std::uint64_t map = map_pa) {
        return khob_fdt_write(room.data(), room.size(), abi, map, &sub, 1);
    };
    const khob_fdt_subtree good = subtree("good", 0x1000, 1);
    EXPECT_GT(write(good), 0);
    EXPECT_EQ(write(good, KHOB_ABI_NR), -EINVAL);
    EXPECT_EQ(write(good, static_cast<khob_abi>(100)), -EINVAL);
    EXPECT_EQ(write(good, KHOB_ABI_KHO_V4, 0), -EINVAL);
    EXPECT_EQ(write(good, KHOB_ABI_KHO_V4, map_pa + 8), -EINVAL);
    EXPECT_EQ(write(subtree("good", 0, 1)), -EINVAL);
    EXPECT_EQ(write(subtree("good", 0x1000, 0)), -EINVAL);
    EXPECT_GT(write(subtree("good", 0x1000, 0), KHOB_ABI_KHO_V2), 0);
    EXPECT_EQ(write(subtree("good", ~std::uint64_t{0}, 2)), -EINVAL);
    EXPECT_EQ(write(subtree("", 0x1000, 1)), -EINVAL);
    EXPECT_EQ(write(subtree("a/b", 0x1000, 1)), -EINVAL);
    khob_fdt_subtree endless{};
    std::memset(static_cast<void*>(endless.name), 'a', sizeof(endless.name));
    endless.addr = 0x1000;
    endless.size = 1;
    EXPECT_EQ(write(endless), -EINVAL);

    const auto twice = std::to_array({good, subtree("other", 0x1000, 1), good});
    EXPECT_EQ(khob_fdt_write(room.data(), room.size(), KHOB_ABI_KHO_V4, map_pa, twice.data(), 3),
              -EINVAL);
    EXPECT_EQ(khob_fdt_size(KHOB_ABI_KHO_V4, twice.data(), 3), 0U);
    const auto many = some_subtrees(KHOB_SUBTREES_MAX + 1);
    EXPECT_EQ(khob_fdt_size(KHOB_ABI_KHO_V4, many.data(), many.size()), 0U);
}

TEST(FdtNames, AreThoseOfDeviceTreeNodes) {
    const std::string longest(KHOB_SUBTREE_NAME_MAX, 'x');
    for (const std::string& name : {std::string("a"), std::string("kexec-metadata"),
                                    std::string("A0,._+-z"), std::string("..."), longest}) {
        EXPECT_TRUE(khob_subtree_name_ok(name.c_str())) << name;
    }
    for (const std::string& name : {std::string(), std::string("."), std::string(".."),
                                    longest + "x", std::string("a b"), std::string("a/b")}) {
        EXPECT_FALSE(khob_subtree_name_ok(name.c_str())) << name;
    }
    const std::string allowed =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789,._+-";
    for (int c = 1; c < 256; c++) {
        const std::string name = {'n', static_cast<char>(c)};
        EXPECT_EQ(khob_subtree_name_ok(name.c_str()), allowed.find(name[1]) != std::string::npos);
    }
}

TEST(FdtVersions, AreKnownByTheirCompatible) {
    for (const khob_abi abi : versions) {
        EXPECT_EQ(khob_abi_from_compatible(khob_abi_compatible(abi)), abi);
    }
    for (const char* other : {"", "kho-v1", "kho-v5", "kho-v40", "kho-v", "KHO-V4"}) {
        EXPECT_EQ(khob_abi_from_compatible(other), KHOB_ABI_NR) << other;
    }
    EXPECT_STREQ(khob_abi_compatible(KHOB_ABI_NR), "unknown");
    EXPECT_FALSE(khob_abi_has_blob_size(KHOB_ABI_NR));
    EXPECT_FALSE(khob_abi_has_blob_size(KHOB_ABI_KHO_V2));
    EXPECT_TRUE(khob_abi_has_blob_size(KHOB_ABI_KHO_V3));
}

}  // namespace
