// SPDX-License-Identifier: GPL-2.0-only
// Root FDTs as libfdt writes them, sound ones and such as must be refused by name.
#include <gtest/gtest.h>

#include <cerrno>
#include <functional>
#include <string>

#include "fdt_fixture.hpp"

namespace {

using namespace khob::test;

void expect_refused(const Bytes& fdt, const std::string& part) {
    const Read read = read_fdt(fdt);
    EXPECT_EQ(read.err, -EINVAL) << part;
    EXPECT_NE(read.why().find(part), std::string::npos) << read.why() << " lacks " << part;
    EXPECT_TRUE(read.subtrees.empty()) << part;
}

Builder root() {
    Builder b;
    b.root("kho-v4");
    return b;
}

TEST(FdtRead, ReadsWhatUpstreamWrites) {
    const Bytes fdt = root().sub("memblock", 0x7000, 4096).sub("LUO", 0x9008, 100).end().finish();
    const Read read = read_fdt(fdt);
    ASSERT_EQ(read.err, 0) << read.why();
    EXPECT_EQ(read.info.abi, KHOB_ABI_KHO_V4);
    ASSERT_EQ(read.subtrees.size(), 2U);
    EXPECT_STREQ(read.subtrees[0].name, "memblock");
    EXPECT_EQ(read.subtrees[1].addr, 0x9008U);
    EXPECT_EQ(read.subtrees[1].size, 100U);
}

TEST(FdtRead, PassesOverWhatItDoesNotKnow) {
    Builder b;
    b.reserve(0x1000, 0x2000).reserve(0, 0x10);
    b.root("kho-v3").text("vendor", "us").prop("empty", {});
    b.begin("a").u64("future", 3).u64(KHOB_PROP_DATA, 0x1000).u64(KHOB_PROP_BLOB_SIZE, 1);
    b.begin("deeper").u64(KHOB_PROP_DATA, 0).begin("deeper").end().end().end();
    b.begin("b").u64(KHOB_PROP_BLOB_SIZE, 1).u64(KHOB_PROP_DATA, 0x2000).end();
    const Read read = read_fdt(b.end().finish());
    ASSERT_EQ(read.err, 0) << read.why();
    ASSERT_EQ(read.subtrees.size(), 2U);
    EXPECT_EQ(read.subtrees[0].addr, 0x1000U);
    EXPECT_EQ(read.subtrees[1].addr, 0x2000U);
}

TEST(FdtRead, IgnoresBlobSizeUnderKhoV2) {
    Builder b;
    b.root("kho-v2").begin("a").u64(KHOB_PROP_DATA, 0x1000).text(KHOB_PROP_BLOB_SIZE, "x").end();
    const Read read = read_fdt(b.end().finish());
    ASSERT_EQ(read.err, 0) << read.why();
    EXPECT_EQ(read.subtrees.at(0).size, 0U);
}

TEST(FdtRead, SaysWhatIsWrongWithTheRoot) {
    expect_refused(Builder().begin("").end().finish(), "no compatible");
    expect_refused(Builder().begin("").u64(KHOB_PROP_MEMORY_MAP, map_pa).end().finish(),
                   "no compatible");
    expect_refused(Builder().begin("").text(KHOB_PROP_COMPATIBLE, "kho-v4").end().finish(),
                   "no preserved-memory-map");
    expect_refused(root().text(KHOB_PROP_COMPATIBLE, "kho-v4").end().finish(), "two compatible");
    expect_refused(root().u64(KHOB_PROP_MEMORY_MAP, map_pa).end().finish(),
                   "preserved-memory-map is not one");
    const Bytes four(4);
    for (const std::uint64_t bad : {std::uint64_t{0}, std::uint64_t{0x1001}, ~std::uint64_t{0}}) {
        expect_refused(Builder()
                           .begin("")
                           .text(KHOB_PROP_COMPATIBLE, "kho-v4")
                           .u64(KHOB_PROP_MEMORY_MAP, bad)
                           .end()
                           .finish(),
                       "preserved-memory-map is not");
    }
    expect_refused(Builder()
                       .begin("")
                       .text(KHOB_PROP_COMPATIBLE, "kho-v4")
                       .prop(KHOB_PROP_MEMORY_MAP, four)
                       .end()
                       .finish(),
                   "preserved-memory-map is not one");
}

TEST(FdtRead, SaysThatAVersionIsUnknown) {
    for (const char* other : {"kho-v1", "kho-v5", "kho-v44", "", "linux,dummy-virt"}) {
        Builder b;
        expect_refused(b.root(other).end().finish(), "no version that is known here: kho-v2");
    }
    // Not terminated.
    Builder b;
    const Bytes text = {'k', 'h', 'o', '-', 'v', '4'};
    b.begin("").prop(KHOB_PROP_COMPATIBLE, text).u64(KHOB_PROP_MEMORY_MAP, map_pa).end();
    expect_refused(b.finish(), "no version that is known");
}

TEST(FdtRead, FindsAVersionInAList) {
    Builder b;
    const std::string list = std::string("kho-v9") + '\0' + "kho-v3" + '\0';
    b.begin("").prop(KHOB_PROP_COMPATIBLE, Bytes(list.begin(), list.end()));
    b.u64(KHOB_PROP_MEMORY_MAP, map_pa).end();
    const Read read = read_fdt(b.finish());
    ASSERT_EQ(read.err, 0) << read.why();
    EXPECT_EQ(read.info.abi, KHOB_ABI_KHO_V3);
}

TEST(FdtRead, SaysWhatIsWrongWithASubtree) {
    const Bytes seven(7);
    const Bytes nine(9);
    const auto with = [](const std::function<void(Builder&)>& fill) {
        Builder b = root();
        b.sub("good", 0x1000, 1).begin("bad");
        fill(b);
        return b.end().end().finish();
    };
    expect_refused(with([](Builder&) {}), "no preserved-data");
    expect_refused(with([](Builder& b) { b.u64(KHOB_PROP_DATA, 0x1000); }), "no blob-size");
    expect_refused(with([](Builder& b) { b.u64(KHOB_PROP_DATA, 0); }), "preserved-data is not one");
    expect_refused(with([&](Builder& b) { b.prop(KHOB_PROP_DATA, seven); }),
                   "preserved-data is not one");
    expect_refused(with([](Builder& b) { b.u64(KHOB_PROP_DATA, 1).u64(KHOB_PROP_DATA, 1); }),
                   "preserved-data is not one");
    expect_refused(with([](Builder& b) { b.u64(KHOB_PROP_BLOB_SIZE, 0); }), "blob-size is not one");
    expect_refused(with([&](Builder& b) { b.prop(KHOB_PROP_BLOB_SIZE, nine); }),
                   "blob-size is not one");
    expect_refused(
        with([](Builder& b) { b.u64(KHOB_PROP_BLOB_SIZE, 1).u64(KHOB_PROP_BLOB_SIZE, 1); }),
        "blob-size is not one");
    expect_refused(with([](Builder& b) {
                       b.u64(KHOB_PROP_DATA, ~std::uint64_t{0}).u64(KHOB_PROP_BLOB_SIZE, 2);
                   }),
                   "behind the end");
}

TEST(FdtRead, RefusesBadNames) {
    for (const std::string& name :
         {std::string("a@1"), std::string("."), std::string(".."), std::string(64, 'x')}) {
        expect_refused(root().sub(name, 0x1000, 1).end().finish(), "name that none may have");
    }
    EXPECT_EQ(read_fdt(root().sub(std::string(63, 'x'), 0x1000, 1).end().finish()).err, 0);
    expect_refused(root().sub("", 0x1000, 1).end().finish(), "another node has none");
    expect_refused(
        root().sub("a", 0x1000, 1).sub("b", 0x1000, 1).sub("a", 0x2000, 1).end().finish(),
        "same name");
}

TEST(FdtRead, RefusesTooMuch) {
    Builder many = root();
    for (std::size_t i = 0; i <= KHOB_SUBTREES_MAX; i++) {
        many.sub("s" + std::to_string(i), 0x1000, 1);
    }
    expect_refused(many.end().finish(), "too many subtrees");
    Bytes large = root().end().finish();
    large.resize(KHOB_FDT_SIZE_MAX + 1);
    fdt_set_totalsize(large.data(), static_cast<std::uint32_t>(large.size()));
    expect_refused(large, "too large");
}

TEST(FdtRead, RefusesBadStructure) {
    expect_refused(root().sub("a", 0x1000, 1).u64("late", 1).end().finish(), "follows a node");
    expect_refused(Builder().begin("root").end().finish(), "has a name");

    // One token replaced by another.
    const Bytes good = root().sub("a", 0x1000, 1).end().finish();
    const std::size_t at = fdt_off_dt_struct(good.data());
    const std::size_t last = at + fdt_size_dt_struct(good.data()) - 4;
    const auto with = [&good](std::size_t offset, std::uint8_t token) {
        Bytes bad = good;
        bad.at(offset + 3) = token;
        return bad;
    };
    expect_refused(with(at, KHOB_FDT_NOP), "does not begin");
    expect_refused(with(at, KHOB_FDT_END), "does not begin");
    expect_refused(with(last, KHOB_FDT_NOP), "follows the FDT's root");
    expect_refused(with(last, 5), "unknown token");
    expect_refused(with(last - 4, KHOB_FDT_END), "ends inside a node");
    expect_refused(with(last - 4, KHOB_FDT_NOP), "ends inside a node");
    expect_refused(with(last - 8, KHOB_FDT_NOP), "ends inside a node");
}

TEST(FdtRead, RefusesBadHeaders) {
    const Bytes good = root().sub("a", 0x1000, 1).end().finish();
    for (std::size_t size = 0; size < good.size(); size++) {
        expect_refused(Bytes(good.begin(), good.begin() + static_cast<std::ptrdiff_t>(size)), "");
    }
    struct Case {
        std::size_t field;
        std::uint32_t value;
        const char* why;
    };
    const auto size = static_cast<std::uint32_t>(good.size());
    const auto at = static_cast<std::uint32_t>(fdt_off_dt_struct(good.data()));
    for (const Case& c : {
             Case{offsetof(khob_fdt_header, magic), 0xedfe0dd0, "magic"},
             Case{offsetof(khob_fdt_header, totalsize), 0, "total size"},
             Case{offsetof(khob_fdt_header, totalsize), size + 1, "total size"},
             Case{offsetof(khob_fdt_header, totalsize), ~0U, "total size"},
             Case{offsetof(khob_fdt_header, version), 16, "version"},
             Case{offsetof(khob_fdt_header, last_comp_version), 18, "version"},
             Case{offsetof(khob_fdt_header, off_dt_struct), 0, "structure block"},
             Case{offsetof(khob_fdt_header, off_dt_struct), at + 1, "structure block"},
             Case{offsetof(khob_fdt_header, off_dt_struct), ~3U, "structure block"},
             Case{offsetof(khob_fdt_header, size_dt_struct), ~3U, "structure block"},
             Case{offsetof(khob_fdt_header, size_dt_struct), 0, "does not end"},
             Case{offsetof(khob_fdt_header, off_dt_strings), 4, "strings block"},
             Case{offsetof(khob_fdt_header, size_dt_strings), ~0U, "strings block"},
             Case{offsetof(khob_fdt_header, size_dt_strings), 0, "name is not in the strings"},
             Case{offsetof(khob_fdt_header, size_dt_strings), 1, "name is not in the strings"},
             Case{offsetof(khob_fdt_header, off_mem_rsvmap), 36, "reservation"},
             Case{offsetof(khob_fdt_header, off_mem_rsvmap), 44, "reservation"},
             Case{offsetof(khob_fdt_header, off_mem_rsvmap), ~7U, "reservation"},
         }) {
        Bytes bad = good;
        for (unsigned int i = 0; i < 4; i++) {
            bad.at(c.field + i) = static_cast<std::uint8_t>(c.value >> (24 - 8 * i));
        }
        expect_refused(bad, c.why);
    }
}

TEST(FdtRead, EndsWithWhatItsCallbackReturns) {
    const Bytes fdt = write_fdt(KHOB_ABI_KHO_V4, some_subtrees(5));
    int calls = 0;
    const auto third = [](void* ctx, const khob_fdt_subtree* /*sub*/) {
        return ++*static_cast<int*>(ctx) == 3 ? -ENOMEM : 0;
    };
    khob_fdt_info info{};
    EXPECT_EQ(khob_fdt_read(fdt.data(), fdt.size(), &info, third, &calls), -ENOMEM);
    EXPECT_EQ(calls, 3);
    EXPECT_EQ(khob_fdt_read(fdt.data(), fdt.size(), &info, nullptr, nullptr), 0);
    EXPECT_EQ(info.nr_subtrees, 5U);
}

}  // namespace
