// SPDX-License-Identifier: GPL-2.0-only
// Kept files as another kernel has described them: what is believed, and what is not.
#include <gtest/gtest.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "core/luo_core.h"

namespace {

constexpr std::uint64_t page = KHOB_PAGE_SIZE;
constexpr std::uint64_t end_pa = std::uint64_t{1} << 32U;
constexpr std::uint64_t root_pa = 0x100000;

using Page = std::array<unsigned char, KHOB_PAGE_SIZE>;

class Keep : public testing::Test {
  protected:
    Keep() {
        auto& root = at<khob_keep_ser>(root_pa);
        std::strcpy(root.compatible, KHOB_KEEP_COMPATIBLE_KEEP_V1);
        root.kept = list(root_pa + page, {1, 2, 3});
        root.carried = list(root_pa + 2 * page, {4});
        seal();
    }
    template <typename T>
    T& at(std::uint64_t pa) {
        return *reinterpret_cast<T*>(memory[pa].data());
    }
    khob_luo_file_ser& file(std::uint64_t block, std::size_t i) {
        return reinterpret_cast<khob_luo_file_ser*>(memory[block].data() +
                                                    sizeof(khob_block_header))[i];
    }
    khob_keep_set list(std::uint64_t block, const std::vector<std::uint64_t>& tokens) {
        at<khob_block_header>(block).count = tokens.size();
        for (std::size_t i = 0; i < tokens.size(); i++) {
            std::strcpy(file(block, i).compatible, KHOB_MEMFD_COMPATIBLE_MEMFD_V2);
            file(block, i).token = tokens[i];
            file(block, i).data = (100 + tokens[i]) * page;
        }
        return {block, tokens.size()};
    }
    /// As the kernel that leaves it makes the digests.
    void seal() {
        auto& root = at<khob_keep_ser>(root_pa);
        std::uint64_t digest = 0;
        for (const auto& [block, n] : {std::pair{root_pa + page, 3}, {root_pa + 2 * page, 1}}) {
            for (int i = 0; i < n; i++) {
                digest = luo_keep_digest_file(digest, &file(block, static_cast<std::size_t>(i)));
            }
        }
        root.files_digest = digest;
        root.digest = luo_keep_digest(&root);
    }
    int read(std::uint64_t len = sizeof(khob_keep_ser)) {
        static const luo_reader_ops ops = {
            .read =
                [](void* ctx, u64 pa, void* to, u64 n) {
                    auto& memory = static_cast<Keep*>(ctx)->memory;
                    if (!memory.contains(pa)) {
                        return -EFAULT;
                    }
                    std::memcpy(to, memory[pa].data(), n);
                    return 0;
                },
            .claim =
                [](void* ctx, u64 pa) {
                    return static_cast<Keep*>(ctx)->claimed.insert(pa).second ? 0 : -EEXIST;
                },
            .session = nullptr,
            .file =
                [](void* ctx, const khob_luo_file_ser* ser) {
                    static_cast<Keep*>(ctx)->told.push_back(ser->token);
                    return 0;
                },
        };
        claimed.clear();
        told.clear();
        reader = {};
        reader.ops = &ops;
        reader.ctx = this;
        reader.end_pa = end_pa;
        return luo_keep_read(&reader, root_pa, len);
    }
    void refused(const std::string& words, int err = -EINVAL) {
        EXPECT_EQ(read(), err) << words;
        ASSERT_NE(reader.why, nullptr) << words;
        EXPECT_NE(std::string(reader.why).find(words), std::string::npos) << reader.why;
    }

    std::map<std::uint64_t, Page> memory;
    std::set<std::uint64_t> claimed;
    std::vector<std::uint64_t> told;
    luo_reader reader{};
};

TEST_F(Keep, Sound) {
    EXPECT_EQ(read(), 0);
    EXPECT_EQ(told, (std::vector<std::uint64_t>{1, 2, 3, 4}));
    EXPECT_EQ(claimed.size(), 3);
    EXPECT_EQ(reader.why, nullptr);
}

TEST_F(Keep, Nothing) {
    auto& root = at<khob_keep_ser>(root_pa);
    root.kept = {};
    root.carried = {};
    root.files_digest = 0;
    root.digest = luo_keep_digest(&root);
    EXPECT_EQ(read(), 0);
    EXPECT_TRUE(told.empty());
}

TEST_F(Keep, Root) {
    EXPECT_EQ(read(sizeof(khob_keep_ser) - 1), -EINVAL);
    at<khob_keep_ser>(root_pa).compatible[sizeof(KHOB_KEEP_COMPATIBLE_KEEP_V1) - 1] = '2';
    refused("it is not khob-keep-v1", -EOPNOTSUPP);
    memory.erase(root_pa);
    refused("was not handed over", -EFAULT);
}

TEST_F(Keep, Lists) {
    auto& root = at<khob_keep_ser>(root_pa);
    root.carried.files = root.kept.files;
    root.digest = luo_keep_digest(&root);
    refused("in two places");
    root.carried.files = root_pa + 2 * page;
    root.kept.count = 4;
    root.digest = luo_keep_digest(&root);
    refused("as many files");
}

// A file under another's token is as bad as a file that is another one's.
TEST_F(Keep, AnyFlippedBit) {
    for (const std::uint64_t block : {root_pa, root_pa + page, root_pa + 2 * page}) {
        const std::size_t used =
            block == root_pa ? sizeof(khob_keep_ser)
                             : sizeof(khob_block_header) +
                                   (block == root_pa + page ? 3 : 1) * sizeof(khob_luo_file_ser);
        for (std::size_t bit = 0; bit < 8 * used; bit++) {
            const auto mask = static_cast<unsigned char>(1U << bit % 8);
            memory[block][bit / 8] ^= mask;
            EXPECT_NE(read(), 0) << "bit " << bit << " of block " << block;
            memory[block][bit / 8] ^= mask;
        }
    }
    EXPECT_EQ(read(), 0);
}

}  // namespace
