// SPDX-License-Identifier: GPL-2.0-only
// What another kernel's LUO has written: sound lists as they come, and each way to damage them.
#include <gtest/gtest.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <map>
#include <random>
#include <set>
#include <string>
#include <vector>

#include "core/luo_core.h"

namespace {

constexpr std::uint64_t page = KHOB_PAGE_SIZE;
constexpr std::uint64_t end_pa = std::uint64_t{1} << 32U;
constexpr std::uint64_t root_pa = 0x100000;
constexpr std::uint64_t all_ones = ~std::uint64_t{0};

using Page = std::array<std::uint64_t, KHOB_PAGE_SIZE / 8>;

/// What a session is to be, or came out as.
struct Session {
    std::string name;
    std::vector<std::uint64_t> tokens;
    bool operator==(const Session& other) const = default;
};

/// Memory that was handed over, and what is told of it.
class Read : public testing::Test {
  protected:
    /// A page that nothing is in, and where it is.
    std::uint64_t fresh() {
        const std::uint64_t pa = root_pa + page * (1 + memory.size());
        memory[pa] = Page{};
        return pa;
    }
    template <typename T>
    T& at(std::uint64_t pa, std::uint64_t offset = 0) {
        return *reinterpret_cast<T*>(reinterpret_cast<char*>(memory.at(pa).data()) + offset);
    }
    template <typename T>
    T& entry(std::uint64_t block, std::uint64_t index) {
        return at<T>(block, sizeof(khob_block_header) + index * sizeof(T));
    }
    /// What fits behind a block's header.
    template <typename T>
    static constexpr std::uint64_t per_block() {
        return (KHOB_BLOCK_SIZE - sizeof(khob_block_header)) / sizeof(T);
    }
    /// A list of blocks of so many entries; where it begins.
    template <typename T>
    std::uint64_t list(const std::vector<T>& entries) {
        const std::uint64_t per = per_block<T>();
        std::uint64_t first = 0;
        std::uint64_t last = 0;
        for (std::size_t i = 0; i < entries.size(); i++) {
            if (i % per == 0) {
                const std::uint64_t pa = fresh();
                if (last == 0) {
                    first = pa;
                } else {
                    at<khob_block_header>(last).next = pa;
                }
                last = pa;
            }
            entry<T>(last, i % per) = entries[i];
            at<khob_block_header>(last).count++;
        }
        return first;
    }
    void write(const std::vector<Session>& sessions) {
        memory.clear();
        memory[root_pa] = Page{};
        std::vector<khob_luo_session_ser> list_of;
        for (const Session& session : sessions) {
            std::vector<khob_luo_file_ser> files(session.tokens.size());
            for (std::size_t i = 0; i < files.size(); i++) {
                std::strcpy(files[i].compatible, "memfd-v2");
                files[i].token = session.tokens[i];
                files[i].data = 0x4000;
            }
            khob_luo_session_ser ser{};
            session.name.copy(static_cast<char*>(ser.name), sizeof(ser.name));
            ser.file_set_ser.files = list(files);
            ser.file_set_ser.count = files.size();
            list_of.push_back(ser);
        }
        auto& root = at<khob_luo_ser>(root_pa);
        std::strcpy(root.compatible, "luo-v5");
        root.liveupdate_num = 3;
        root.sessions_pa = list(list_of);
    }
    int read(std::uint64_t len = sizeof(khob_luo_ser), std::uint64_t pa = root_pa) {
        static const luo_reader_ops ops = {
            .read =
                [](void* ctx, u64 where, void* to, u64 bytes) {
                    auto& test = *static_cast<Read*>(ctx);
                    const auto found = test.memory.find(where);
                    EXPECT_LE(bytes, page);
                    if (found == test.memory.end()) {
                        return -EFAULT;
                    }
                    EXPECT_TRUE(test.copied.insert(where).second) << "is read once";
                    std::memcpy(to, found->second.data(), bytes);
                    return 0;
                },
            .claim =
                [](void* ctx, u64 where) {
                    auto& test = *static_cast<Read*>(ctx);
                    EXPECT_EQ(where % page, 0);
                    EXPECT_LE(where, end_pa - page);
                    return test.claimed.insert(where).second ? test.claim_error : -EEXIST;
                },
            .session =
                [](void* ctx, const khob_luo_session_ser* ser) {
                    auto& test = *static_cast<Read*>(ctx);
                    test.told.push_back({.name = ser->name, .tokens = {}});
                    return test.session_error;
                },
            .file =
                [](void* ctx, const khob_luo_file_ser* ser) {
                    auto& test = *static_cast<Read*>(ctx);
                    test.told.back().tokens.push_back(ser->token);
                    return test.file_error;
                },
        };
        told.clear();
        claimed.clear();
        copied.clear();
        reader = luo_reader{};
        reader.ops = &ops;
        reader.ctx = this;
        reader.end_pa = end_pa;
        return luo_read(&reader, pa, len);
    }
    /// Expects a refusal with these words.
    void refused(int err, int expected, const char* words) const {
        EXPECT_EQ(err, expected);
        ASSERT_NE(reader.why, nullptr) << words;
        EXPECT_NE(std::string(reader.why).find(words), std::string::npos) << reader.why;
    }
    khob_luo_ser& root() { return at<khob_luo_ser>(root_pa); }

    std::map<std::uint64_t, Page> memory;
    std::set<std::uint64_t> claimed;
    std::set<std::uint64_t> copied;
    std::vector<Session> told;
    luo_reader reader{};
    int claim_error = 0;
    int session_error = 0;
    int file_error = 0;
};

std::vector<Session> many(std::size_t sessions, std::size_t files) {
    std::vector<Session> all;
    for (std::size_t i = 0; i < sessions; i++) {
        Session session{.name = "session-" + std::to_string(i), .tokens = {}};
        for (std::size_t k = 0; k < files; k++) {
            session.tokens.push_back(k * 3 + i);
        }
        all.push_back(session);
    }
    return all;
}

TEST_F(Read, Sound) {
    const std::size_t per = KHOB_LUO_SESSIONS_PER_BLOCK;
    for (const std::size_t sessions : {std::size_t{0}, std::size_t{1}, per, per + 1, 3 * per}) {
        for (const std::size_t files :
             {0, 1, KHOB_LUO_FILES_PER_BLOCK, KHOB_LUO_FILES_PER_BLOCK + 1}) {
            const auto all = many(sessions, files);
            write(all);
            EXPECT_EQ(read(), 0) << (reader.why == nullptr ? "" : reader.why);
            EXPECT_EQ(told, all);
            EXPECT_EQ(reader.sessions, sessions);
            EXPECT_EQ(reader.files, sessions * files);
            EXPECT_EQ(claimed.size(), memory.size()) << "all pages of it are known";
        }
    }
}

TEST_F(Read, PerBlock) {
    EXPECT_EQ(KHOB_LUO_SESSIONS_PER_BLOCK, per_block<khob_luo_session_ser>());
    EXPECT_EQ(KHOB_LUO_FILES_PER_BLOCK, per_block<khob_luo_file_ser>());
}

TEST_F(Read, Flbs) {
    write(many(1, 1));
    const std::uint64_t flbs = fresh();
    root().flbs_pa = flbs;
    auto& header = at<khob_luo_flb_header_ser>(flbs);
    header.pgcnt = 1;
    EXPECT_EQ(read(), 0);
    EXPECT_TRUE(claimed.contains(flbs));
    header.count = 1;
    refused(read(), -EOPNOTSUPP, "FLBs");
    header = {};
    refused(read(), -EINVAL, "no page");
    root().flbs_pa = flbs + 8;
    refused(read(), -EINVAL, "no page of memory");
    root().flbs_pa = root_pa;
    refused(read(), -EINVAL, "two places");
    root().flbs_pa = end_pa - page;
    refused(read(), -EFAULT, "not handed over");
}

TEST_F(Read, Root) {
    write(many(1, 1));
    refused(read(sizeof(khob_luo_ser) - 1), -EINVAL, "too short");
    refused(read(sizeof(khob_luo_ser), root_pa + 8), -EINVAL, "too short");
    refused(read(sizeof(khob_luo_ser), end_pa), -EINVAL, "no page of memory");
    refused(read(sizeof(khob_luo_ser), 0x2000), -EFAULT, "not handed over");
    for (const char* other : {"luo-v4", "luo-v50", "", "luo-v5x"}) {
        std::memset(root().compatible, 0, sizeof(root().compatible));
        std::memcpy(root().compatible, other, std::strlen(other));
        refused(read(), -EOPNOTSUPP, "luo-v5");
    }
}

TEST_F(Read, Addresses) {
    for (const std::uint64_t pa : {std::uint64_t{1}, root_pa + 8, end_pa, end_pa - 8, all_ones,
                                   all_ones - page + 1, all_ones / 2 + 1}) {
        write(many(2, 2));
        root().sessions_pa = pa;
        refused(read(), -EINVAL, "no page of memory");
        write(many(2, 2));
        const std::uint64_t sessions = root().sessions_pa;
        at<khob_block_header>(sessions).next = pa;
        refused(read(), -EINVAL, "no page of memory");
        write(many(2, 2));
        entry<khob_luo_session_ser>(root().sessions_pa, 1).file_set_ser.files = pa;
        refused(read(), -EINVAL, "no page of memory");
    }
}

TEST_F(Read, Cycles) {
    write(many(60, 1));
    const std::uint64_t first = root().sessions_pa;
    const std::uint64_t second = at<khob_block_header>(first).next;
    for (const std::uint64_t back : {first, second, root_pa}) {
        at<khob_block_header>(second).next = back;
        refused(read(), -EINVAL, "two places");
    }
    // A list of files that is two sessions', and one that is a list of sessions.
    write(many(2, 1));
    auto& one = entry<khob_luo_session_ser>(root().sessions_pa, 0).file_set_ser;
    auto& two = entry<khob_luo_session_ser>(root().sessions_pa, 1).file_set_ser;
    two = one;
    refused(read(), -EINVAL, "two places");
    one.files = root().sessions_pa;
    refused(read(), -EINVAL, "two places");
}

TEST_F(Read, Endless) {
    write(many(1, 1));
    std::uint64_t last = root().sessions_pa;
    for (std::uint64_t i = 1; i <= KHOB_BLOCKS_MAX; i++) {
        const std::uint64_t pa = fresh();
        entry<khob_luo_session_ser>(pa, 0) = {.name = "x", .file_set_ser = {}};
        at<khob_block_header>(pa).count = 1;
        at<khob_block_header>(last).next = pa;
        last = pa;
    }
    refused(read(), -EINVAL, "no end");
}

TEST_F(Read, Counts) {
    for (const std::uint64_t count : {std::uint64_t{0}, std::uint64_t{52}, all_ones}) {
        write(many(3, 3));
        at<khob_block_header>(root().sessions_pa).count = count;
        refused(read(), -EINVAL, "count");
    }
    for (const std::uint64_t count : {std::uint64_t{0}, std::uint64_t{64}, all_ones}) {
        write(many(3, 3));
        const auto files = entry<khob_luo_session_ser>(root().sessions_pa, 1).file_set_ser.files;
        at<khob_block_header>(files).count = count;
        refused(read(), -EINVAL, "count");
    }
    for (const std::uint64_t count : {std::uint64_t{1}, std::uint64_t{4}, all_ones}) {
        write(many(3, 3));
        entry<khob_luo_session_ser>(root().sessions_pa, 1).file_set_ser.count = count;
        refused(read(), -EINVAL, "not as many");
    }
    write(many(1, 1));
    auto& set = entry<khob_luo_session_ser>(root().sessions_pa, 0).file_set_ser;
    set.count = 0;
    refused(read(), -EINVAL, "disagree");
    set = {.files = 0, .count = 1};
    refused(read(), -EINVAL, "disagree");
}

TEST_F(Read, Texts) {
    write(many(1, 1));
    auto& session = entry<khob_luo_session_ser>(root().sessions_pa, 0);
    std::memset(session.name, 'x', sizeof(session.name));
    refused(read(), -EINVAL, "a session's name");
    std::memset(session.name, 0, sizeof(session.name));
    refused(read(), -EINVAL, "a session's name");
    session.name[0] = 'x';
    EXPECT_EQ(read(), 0);
    auto& file = entry<khob_luo_file_ser>(session.file_set_ser.files, 0);
    std::memset(file.compatible, 'x', sizeof(file.compatible));
    refused(read(), -EINVAL, "a file's kind");
    std::memset(file.compatible, 0, sizeof(file.compatible));
    refused(read(), -EINVAL, "a file's kind");
}

TEST_F(Read, CallersErrorsEndIt) {
    write(many(3, 3));
    session_error = -ENOMEM;
    EXPECT_EQ(read(), -ENOMEM);
    EXPECT_EQ(reader.why, nullptr);
    EXPECT_EQ(told.size(), 1);
    session_error = 0;
    file_error = -EOPNOTSUPP;
    EXPECT_EQ(read(), -EOPNOTSUPP);
    EXPECT_EQ(reader.files, 1);
    file_error = 0;
    claim_error = -ENOMEM;
    EXPECT_EQ(read(), -ENOMEM);
    EXPECT_EQ(told.size(), 0);
}

/// Each bit of all that is read: it is refused, or it is told of as many as are there.
TEST_F(Read, EveryBit) {
    const auto all = many(3, 2);
    write(all);
    const auto sound = memory;
    for (const auto& [pa, bytes] : sound) {
        for (std::size_t word = 0; word < 40; word++) {
            for (unsigned int bit = 0; bit < 64; bit++) {
                memory = sound;
                memory.at(pa).at(word) ^= std::uint64_t{1} << bit;
                if (read() == 0) {
                    EXPECT_EQ(told.size(), reader.sessions);
                } else {
                    ASSERT_NE(reader.why, nullptr);
                }
            }
        }
    }
}

TEST_F(Read, Noise) {
    std::mt19937_64 random(7);  // NOLINT(cert-msc32-c,cert-msc51-cpp)
    for (int round = 0; round < 2000; round++) {
        write(many(60, 2));
        for (int i = 0; i < 3; i++) {
            auto where = memory.begin();
            std::advance(where, random() % memory.size());
            const std::uint64_t value =
                random() % 3 == 0 ? random() : root_pa + page * (random() % 70);
            where->second.at(random() % 64) = value;
        }
        if (read() != 0) {
            ASSERT_NE(reader.why, nullptr);
        }
        EXPECT_LE(claimed.size(), memory.size() + 1);
    }
}

}  // namespace
