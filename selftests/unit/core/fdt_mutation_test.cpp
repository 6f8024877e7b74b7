// SPDX-License-Identifier: GPL-2.0-only
// Damaged FDTs: whatever we accept, libfdt's full check accepts too.
#include <gtest/gtest.h>

#include <array>
#include <functional>
#include <random>

#include "fdt_fixture.hpp"

namespace {

using namespace khob::test;

/// Damages bytes in the ways that parsers are wrong about.
class Mutator {
  public:
    explicit Mutator(std::uint64_t seed) : random_(seed) {}

    Bytes operator()(Bytes bytes) {
        for (std::uint64_t n = 1 + random_() % 3; n > 0 && !bytes.empty(); n--) {
            mutate(bytes);
        }
        return bytes;
    }

  private:
    void mutate(Bytes& bytes) {
        const std::size_t at = random_() % bytes.size();
        switch (random_() % 7) {
            case 0:
                bytes[at] ^= static_cast<std::uint8_t>(1U << random_() % 8);
                break;
            case 1:
                bytes[at] = static_cast<std::uint8_t>(random_());
                break;
            case 2:
                bytes.resize(at);
                break;
            case 3:
                word(bytes, at % 40);  // the header
                break;
            case 4: {  // a word moves
                const std::size_t from = random_() % bytes.size();
                for (std::size_t i = 0; i < 4; i++) {
                    bytes[(at & ~std::size_t{3}) % bytes.size()] = bytes[from];
                }
                break;
            }
            case 5:
                bytes.resize(bytes.size() + random_() % 16);
                break;
            default:
                word(bytes, at);
                break;
        }
    }
    void word(Bytes& bytes, std::size_t at) {
        static constexpr std::array<std::uint32_t, 16> liked = {
            0, 1, 2, 3, 4, 5, 8, 9, 16, 17, 40, 56, 0x7fffffff, 0x80000000, 0xfffffffc, 0xffffffff};
        at &= ~std::size_t{3};
        std::uint32_t value = liked.at(random_() % liked.size());
        if (random_() % 4 == 0) {
            value = static_cast<std::uint32_t>(bytes.size() - random_() % 16);
        }
        for (std::size_t i = 0; i < 4 && at + i < bytes.size(); i++) {
            bytes[at + i] = static_cast<std::uint8_t>(value >> (24 - 8 * i));
        }
    }

    std::mt19937_64 random_;
};

/// Whether each of many damaged versions that `accepts` accepts is good to libfdt as well.
void expect_stricter(const std::vector<Bytes>& good, int rounds,
                     const std::function<bool(const Bytes&)>& accepts) {
    Mutator mutate(99);
    int accepted = 0;
    int refused = 0;
    for (int i = 0; i < rounds; i++) {
        const Bytes bytes = mutate(good[static_cast<std::size_t>(i) % good.size()]);
        if (accepts(bytes)) {
            accepted++;
            ASSERT_EQ(libfdt_check(bytes), 0) << i;
        } else {
            refused++;
        }
    }
    // Both happen, or the mutations are no test.
    EXPECT_GT(accepted, rounds / 100);
    EXPECT_GT(refused, rounds / 100);
}

TEST(FdtMutation, TheReaderIsStricterThanLibfdt) {
    std::vector<Bytes> good;
    for (const khob_abi abi : {KHOB_ABI_KHO_V2, KHOB_ABI_KHO_V3, KHOB_ABI_KHO_V4}) {
        for (const std::size_t count : {0, 1, 3, 12}) {
            good.push_back(write_fdt(abi, some_subtrees(count)));
        }
    }
    Builder b;
    b.reserve(0x1000, 0x2000).root("kho-v4").sub("a", 0x1000, 1).begin("b");
    b.u64(KHOB_PROP_DATA, 0x1000).u64(KHOB_PROP_BLOB_SIZE, 1).begin("deeper").end().end().end();
    good.push_back(b.finish());
    expect_stricter(good, 300'000, [](const Bytes& bytes) { return read_fdt(bytes).err == 0; });
}

TEST(FdtMutation, SoIsUnwrap) {
    std::vector<Bytes> good = {write_fdt(KHOB_ABI_KHO_V2, some_subtrees(2))};
    for (const std::size_t len : {0, 1, 64}) {
        Bytes wrapped(khob_fdt_wrap_size(len));
        ASSERT_GT(khob_fdt_wrap(wrapped.data(), wrapped.size(), nullptr, len, nullptr), 0);
        good.push_back(wrapped);
    }
    expect_stricter(good, 100'000, [](const Bytes& bytes) {
        const void* data = nullptr;
        std::size_t len = 0;
        const char* why = nullptr;
        if (khob_fdt_unwrap(bytes.data(), bytes.size(), &data, &len, &why) != 0) {
            EXPECT_NE(why, nullptr);
            return false;
        }
        const auto* inside = static_cast<const std::uint8_t*>(data);
        EXPECT_GE(inside, bytes.data());
        EXPECT_LE(inside + len, bytes.data() + bytes.size());
        return true;
    });
}

}  // namespace
