// SPDX-License-Identifier: GPL-2.0-only
// The index: what is written is believed, and each way to damage it is seen.
#include <gtest/gtest.h>

#include <cstring>
#include <memory>
#include <random>
#include <set>
#include <string>

#include "internal.h"

namespace {

class Index : public testing::Test {
  protected:
    void SetUp() override { kho_index_init(table.get()); }
    void add(const std::string& name, std::uint64_t token) {
        ASSERT_TRUE(kho_index_name_good(name.c_str()));
        ASSERT_LT(table->header.count, std::uint64_t{KHO_INDEX_ENTRIES_MAX});
        kho_index_add(table.get(), name.c_str(), token);
    }
    kho_error check() {
        why = nullptr;
        const kho_error error = kho_index_check(table.get(), &why);
        EXPECT_EQ(error == KHO_OK, why == nullptr);
        return error;
    }
    void refused(kho_error error, const char* sentence) {
        EXPECT_EQ(check(), error);
        EXPECT_STREQ(why, sentence);
    }

    std::unique_ptr<kho_index_table> table = std::make_unique<kho_index_table>();
    const char* why = nullptr;
};

TEST_F(Index, Empty) {
    EXPECT_EQ(check(), KHO_OK);
    EXPECT_EQ(kho_index_find(table.get(), "a"), nullptr);
    EXPECT_EQ(kho_index_find(table.get(), ""), nullptr);
}

TEST_F(Index, LayoutIsThatOfVersion1) {
    add("state", 7);
    const auto* bytes = reinterpret_cast<const char*>(table.get());
    EXPECT_STREQ(bytes, "libkho-index-v1");
    EXPECT_EQ(bytes[48], 1);
    EXPECT_STREQ(bytes + 64, "state");
    EXPECT_EQ(bytes[64 + 56], 7);
    EXPECT_EQ(sizeof(*table), 16384U);
}

TEST_F(Index, Full) {
    for (std::uint64_t i = 1; i <= KHO_INDEX_ENTRIES_MAX; i++) {
        add("file " + std::to_string(i), i);
        ASSERT_EQ(check(), KHO_OK);
    }
    for (std::uint64_t i = 1; i <= KHO_INDEX_ENTRIES_MAX; i++) {
        const auto* entry = kho_index_find(table.get(), ("file " + std::to_string(i)).c_str());
        ASSERT_NE(entry, nullptr);
        EXPECT_EQ(entry->token, i);
    }
}

TEST_F(Index, Names) {
    const std::string longest(KHO_FILE_NAME_MAX, 'x');
    EXPECT_TRUE(kho_index_name_good("a"));
    EXPECT_TRUE(kho_index_name_good("a b/c: \xc3\xa9"));
    EXPECT_TRUE(kho_index_name_good(longest.c_str()));
    EXPECT_FALSE(kho_index_name_good((longest + "x").c_str()));
    EXPECT_FALSE(kho_index_name_good(std::string(100000, 'x').c_str()));
    EXPECT_FALSE(kho_index_name_good(""));
    for (const char* bad : {"\n", "a\x1b[2J", "\x7f", "a\t"}) {
        EXPECT_FALSE(kho_index_name_good(bad));
    }
}

TEST_F(Index, WhatIsBehindTheCountSaysNothing) {
    add("one", 1);
    std::memset(&table->entries[1], 0xff, sizeof(table->entries[1]));
    EXPECT_EQ(check(), KHO_OK);
    EXPECT_EQ(kho_index_find(table.get(), "\xff"), nullptr);
}

TEST_F(Index, OfSomebodyElse) {
    std::memcpy(table->header.compatible, "{\"mappings\":[]}", 16);
    refused(KHO_FOREIGN, "it does not say that it is libkho's");
    std::memset(table.get(), 0, sizeof(*table));
    refused(KHO_FOREIGN, "it does not say that it is libkho's");
}

TEST_F(Index, OfAnotherVersion) {
    table->header.compatible[14] = '2';
    refused(KHO_UNSUPPORTED, "it is of a version that is not known here");
    table->header.compatible[14] = '1';
    table->header.compatible[47] = '1';
    refused(KHO_UNSUPPORTED, "it is of a version that is not known here");
}

TEST_F(Index, Reserved) {
    table->header.reserved = 1;
    refused(KHO_DAMAGED, "a reserved field is not 0");
}

TEST_F(Index, Count) {
    for (const std::uint64_t count :
         {std::uint64_t{KHO_INDEX_ENTRIES_MAX} + 1, ~std::uint64_t{0}}) {
        table->header.count = count;
        refused(KHO_DAMAGED, "it has more names than fit");
    }
}

TEST_F(Index, NameWithoutAnEnd) {
    add("one", 1);
    std::memset(table->entries[0].name, 'x', sizeof(table->entries[0].name));
    refused(KHO_DAMAGED, "a name is empty, has no end, or has control characters");
}

TEST_F(Index, NameThatIsEmpty) {
    table->header.count = 1;
    table->entries[0].token = 1;
    refused(KHO_DAMAGED, "a name is empty, has no end, or has control characters");
}

TEST_F(Index, SomethingBehindAName) {
    add("one", 1);
    table->entries[0].name[5] = 'x';
    refused(KHO_DAMAGED, "a name is empty, has no end, or has control characters");
}

TEST_F(Index, NameWithControlCharacters) {
    add("one", 1);
    table->entries[0].name[1] = '\x1b';
    refused(KHO_DAMAGED, "a name is empty, has no end, or has control characters");
}

TEST_F(Index, TokenOfTheIndex) {
    add("one", 1);
    table->entries[0].token = KHO_INDEX_TOKEN;
    refused(KHO_DAMAGED, "a name has the index's own token");
}

TEST_F(Index, Twice) {
    add("one", 1);
    add("two", 2);
    add("three", 3);
    table->entries[2].token = 1;
    refused(KHO_DAMAGED, "a token is there twice");
    table->entries[2].token = 3;
    std::memcpy(table->entries[2].name, table->entries[0].name, sizeof(table->entries[0].name));
    refused(KHO_DAMAGED, "a name is there twice");
}

/// Every flipped bit is refused, or is a change of a name or a token that cannot be seen.
TEST_F(Index, FlippedBits) {
    add("one", 1);
    add("two", 2);
    auto* bytes = reinterpret_cast<unsigned char*>(table.get());
    const std::size_t used = sizeof(table->header) + 2 * sizeof(table->entries[0]);
    std::size_t seen = 0;
    for (std::size_t bit = 0; bit < used * 8; bit++) {
        bytes[bit / 8] ^= 1U << bit % 8;
        const std::size_t at = bit / 8;
        if (check() != KHO_OK) {
            seen++;
        } else {
            // The count, which may be less than it was; a name's letters; a token.
            EXPECT_TRUE(at == 48 || (at >= 64 && (at - 64) % 64 < 4) || (at - 64) % 64 >= 56) << at;
            EXPECT_LE(table->header.count, 2U);
        }
        bytes[bit / 8] ^= 1U << bit % 8;
    }
    EXPECT_GT(seen, used * 8 * 8 / 10);
    EXPECT_EQ(check(), KHO_OK);
}

/// Whatever is accepted is as it is promised.
TEST_F(Index, Noise) {
    std::mt19937_64 random(1);  // NOLINT: the same each time
    std::size_t accepted = 0;
    for (int round = 0; round < 20000; round++) {
        kho_index_init(table.get());
        const std::uint64_t count = random() % 6;
        for (std::uint64_t i = 0; i < count; i++) {
            kho_index_add(table.get(), std::string(1 + random() % 2, "abcd"[random() % 4]).c_str(),
                          random() % 8);
        }
        if (check() != KHO_OK) {
            continue;
        }
        accepted++;
        std::set<std::string> names;
        std::set<std::uint64_t> tokens;
        for (std::uint64_t i = 0; i < count; i++) {
            EXPECT_TRUE(names.insert(table->entries[i].name).second);
            EXPECT_TRUE(tokens.insert(table->entries[i].token).second);
        }
        EXPECT_FALSE(tokens.contains(KHO_INDEX_TOKEN));
    }
    EXPECT_GT(accepted, 1000U);
    EXPECT_LT(accepted, 19000U);
}

}  // namespace
