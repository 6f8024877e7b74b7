// SPDX-License-Identifier: GPL-2.0-only
// The fill stream against vectors, and the verifier on memory that is whole, damaged, gone.
#include "attach/verify.hpp"

#include <gtest/gtest.h>

#include <cstring>
#include <map>

#include "attach/fill.hpp"
#include "base/digest.hpp"

namespace khob {
namespace {

/// Preserved memory, and what was recorded of it.
struct World {
    std::map<std::uint64_t, ByteVector> memory;
    std::vector<abi::record> records;
    std::vector<Key> keys;
    std::vector<Range> ranges;
    std::uint64_t restored_pages = 0;
    std::uint64_t held_blobs = 0;

    void folio(std::uint64_t addr, unsigned order, std::uint64_t index) {
        constexpr std::uint64_t seed = 42;
        ByteVector& bytes = memory[addr] = ByteVector(page_size << order);
        fill(bytes, seed, index);
        records.push_back(abi::record{.addr = addr,
                                      .size = bytes.size(),
                                      .seed = seed,
                                      .index = index,
                                      .digest = xxh64(bytes),
                                      .kind = abi::record_fill,
                                      .reserved = 0});
        keys.push_back(Key{PhysAddr(addr), Order(order)});
    }
    void blob(std::uint64_t addr, std::size_t size) {
        const std::uint64_t page = align_down(addr, page_size);
        ByteVector& bytes = memory[page] = ByteVector(page_round(addr + size) - page);
        for (std::size_t i = 0; i < size; ++i) {
            bytes[addr - page + i] = static_cast<std::byte>(i * 7);
        }
        records.push_back(abi::record{.addr = addr,
                                      .size = size,
                                      .seed = 0,
                                      .index = 0,
                                      .digest = xxh64(ByteView(bytes).subspan(addr - page, size)),
                                      .kind = abi::record_blob,
                                      .reserved = 0});
        ranges.push_back(make_range(page, page + bytes.size()));
        ++held_blobs;
    }
    Result<void> read(PhysAddr at, ByteSpan to) const {
        auto it = memory.upper_bound(at.value());
        if (it == memory.begin()) {
            return fail(ExitCode::failure, "unreadable");
        }
        --it;
        const std::uint64_t offset = at.value() - it->first;
        if (offset + to.size() > it->second.size()) {
            return fail(ExitCode::failure, "unreadable");
        }
        std::memcpy(to.data(), it->second.data() + offset, to.size());
        return {};
    }
    VerifyReport verify() const {
        return khob::verify({.records = records,
                             .keys = keys,
                             .ranges = ranges,
                             .restored_pages = restored_pages,
                             .held_blobs = held_blobs,
                             .read = [this](PhysAddr at, ByteSpan to) { return read(at, to); },
                             .progressed = {}});
    }
};

World world() {
    World w;
    w.folio(0x10000000, 0, 0);
    w.folio(0x10002000, 1, 1);
    w.folio(0x10400000, 10, 2);
    w.blob(0x20000010, 3 * page_size);
    return w;
}

TEST(Fill, IsSplitmix64) {
    // Of the generator with seed 1234567, by its author's reference: the first outputs.
    EXPECT_EQ(fill_word(1234567, 0, 0), 6457827717110365317ULL);
    EXPECT_EQ(fill_word(1234567, 0, 1), 3203168211198807973ULL);
    EXPECT_EQ(fill_word(1234567, 0, 2), 9817491932198370423ULL);
    EXPECT_EQ(fill_word(0, 1, 0), fill_word(abi::fill_gamma << 32, 0, 0));
}

TEST(Fill, XxhVectors) {
    EXPECT_EQ(xxh64({}), 0xef46db3751d8e999ULL);
    Digest digest;
    const ByteVector bytes(5000, std::byte{1});
    digest.feed(ByteView(bytes).first(1000));
    digest.feed(ByteView(bytes).subspan(1000));
    EXPECT_EQ(digest.value(), xxh64(bytes));
}

TEST(Fill, CheckFindsTheFirstWrongWord) {
    ByteVector page(page_size);
    fill(page, 5, 9);
    FillCheck good(5, 9);
    good.feed(ByteView(page).first(2048));
    good.feed(ByteView(page).subspan(2048));
    EXPECT_TRUE(good.good());
    page[3000] ^= std::byte{1};
    FillCheck bad(5, 9);
    bad.feed(page);
    EXPECT_FALSE(bad.good());
    EXPECT_EQ(bad.bad_offset(), 3000);
}

TEST(Verify, WholeMemoryIsVerified) {
    const auto report = world().verify();
    EXPECT_TRUE(report.good());
    EXPECT_EQ(report.records, 4);
    EXPECT_EQ(report.verified, 4);
    EXPECT_EQ(report.verified_pages, 1 + 2 + 1024);
    EXPECT_EQ(report.verified_bytes, (1 + 2 + 1024 + 3) * page_size);
}

TEST(Verify, OneBitAnywhereIsCorrupt) {
    for (const std::uint64_t addr : {0x10000000, 0x10002000, 0x10400000, 0x20000000}) {
        World w = world();
        ByteVector& bytes = w.memory[addr];
        bytes[bytes.size() / 2] ^= std::byte{0x10};
        const auto report = w.verify();
        EXPECT_EQ(report.corrupt, 1);
        EXPECT_EQ(report.lost, 0);
        EXPECT_EQ(report.verified, 3);
        ASSERT_EQ(report.findings.size(), 1);
        EXPECT_EQ(report.findings[0].verdict, Verdict::corrupt);
        EXPECT_EQ(align_down(report.findings[0].record.addr, page_size), addr);
    }
}

TEST(Verify, DigestAndSeedAreCheckedApart) {
    World w = world();
    w.records[0].digest ^= 1;
    auto report = w.verify();
    EXPECT_EQ(report.corrupt, 1);
    EXPECT_NE(report.findings[0].why.find("xxh64"), std::string::npos);
    w = world();
    w.records[0].seed ^= 1;
    report = w.verify();
    EXPECT_EQ(report.corrupt, 1);
    EXPECT_NE(report.findings[0].why.find("stored digest agrees"), std::string::npos);
}

TEST(Verify, WhatIsNoLongerHeldIsLost) {
    World w = world();
    w.keys.erase(w.keys.begin());
    auto report = w.verify();
    EXPECT_EQ(report.lost, 1);
    EXPECT_EQ(report.verified, 3);
    // Another order at the same address is another folio.
    w = world();
    w.keys[1] = Key{PhysAddr(0x10002000), Order(0)};
    EXPECT_EQ(w.verify().lost, 1);
    w = world();
    w.ranges[0].end = PhysAddr(0x20002000);
    EXPECT_EQ(w.verify().lost, 1);
    w = world();
    w.memory.erase(0x10400000);
    EXPECT_EQ(w.verify().lost, 1);
}

TEST(Verify, WhatWasGivenBackIsNotLost) {
    World w = world();
    w.keys.erase(w.keys.begin() + 1, w.keys.end());
    w.restored_pages = 1026;
    auto report = w.verify();
    EXPECT_TRUE(report.good());
    EXPECT_EQ(report.restored, 2);
    w.restored_pages = 1025;
    EXPECT_EQ(w.verify().lost, 2);
    w = world();
    w.ranges.clear();
    w.held_blobs = 0;
    EXPECT_EQ(w.verify().restored, 1);
}

TEST(Verify, ListsOnlySoMany) {
    World w;
    for (std::uint64_t i = 0; i < 100; ++i) {
        w.folio(0x10000000 + i * page_size, 0, i);
    }
    w.keys.clear();
    const auto report = w.verify();
    EXPECT_EQ(report.lost, 100);
    EXPECT_EQ(report.findings.size(), max_findings);
}

TEST(Verify, RecordsAreUntrusted) {
    World w = world();
    const auto bytes_of = [&w] {
        const auto* first = reinterpret_cast<const std::byte*>(w.records.data());
        return ByteVector(first, first + w.records.size() * sizeof(abi::record));
    };
    const auto good = parse_records(bytes_of());
    ASSERT_TRUE(good);
    EXPECT_EQ(good->size(), 4);
    EXPECT_TRUE(parse_records({})->empty());
    auto torn = bytes_of();
    torn.pop_back();
    ASSERT_FALSE(parse_records(torn));
    EXPECT_EQ(parse_records(torn).error().code, ExitCode::data_damaged);
    const abi::record fine = w.records[0];
    // Of memory that is broken there is nothing to verify.
    w.records[0].kind = abi::record_poison;
    EXPECT_EQ(parse_records(bytes_of()).value().size(), 3);
    for (const auto& spoil : std::vector<std::function<void(abi::record&)>>{
             [](abi::record& r) { r.kind = 4; }, [](abi::record& r) { r.size = 0; },
             [](abi::record& r) { r.size = 3 * page_size; }, [](abi::record& r) { r.addr += 8; },
             [](abi::record& r) { r.size = 2 * page_size, r.addr = page_size; },
             [](abi::record& r) { r.addr = ~0ULL - 4095; },
             [](abi::record& r) { r.kind = abi::record_blob, r.addr = ~0ULL - 10, r.size = 5; }}) {
        w.records[0] = fine;
        spoil(w.records[0]);
        EXPECT_FALSE(parse_records(bytes_of()));
    }
}

TEST(Verify, ReportsProgress) {
    const World w = world();
    std::uint64_t last = 0;
    (void)khob::verify({.records = w.records,
                        .keys = w.keys,
                        .ranges = w.ranges,
                        .restored_pages = 0,
                        .held_blobs = 1,
                        .read = [&w](PhysAddr at, ByteSpan to) { return w.read(at, to); },
                        .progressed =
                            [&last](std::uint64_t done, std::uint64_t all) {
                                EXPECT_GE(done, last);
                                EXPECT_LE(done, all);
                                last = done;
                                return true;
                            }});
    EXPECT_EQ(last, (1 + 2 + 1024 + 3) * page_size);
}

TEST(Verify, StopsWhenItIsToldTo) {
    const World w = world();
    int calls = 0;
    const auto got = khob::verify(
        {.records = w.records,
         .keys = w.keys,
         .ranges = w.ranges,
         .restored_pages = 0,
         .held_blobs = 1,
         .read = [&w](PhysAddr at, ByteSpan to) { return w.read(at, to); },
         .progressed = [&calls](std::uint64_t, std::uint64_t) { return ++calls < 2; }});
    EXPECT_TRUE(got.stopped);
    EXPECT_EQ(calls, 2);
    EXPECT_EQ(got.verified, 1);
    EXPECT_TRUE(got.good()) << "what was not looked at is not held against it";
    EXPECT_FALSE(w.verify().stopped);
}

}  // namespace
}  // namespace khob
