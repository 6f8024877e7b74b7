// SPDX-License-Identifier: GPL-2.0-only
// The setup_data chain: what the loader packs, and chains that must be refused.
#include "core/setup_data.h"

#include <gtest/gtest.h>

#include <cerrno>
#include <cstdint>
#include <cstring>
#include <string>
#include <utility>
#include <vector>

namespace {

constexpr std::uint64_t base = 0x40000000;
using Ranges = std::vector<std::pair<std::uint64_t, std::uint64_t>>;

khob_kho_data good_kho() {
    return {.fdt_addr = 0x5000,
            .fdt_size = 300,
            .scratch_addr = 0x40002000,
            .scratch_size = 2 * sizeof(khob_scratch)};
}

/// A piece of physical memory with a chain in it, nodes packed back to back.
class Chain {
  public:
    explicit Chain(std::uint64_t at = base) : base_(at) {}

    template <typename T>
    Chain& add(std::uint32_t type, const T& data, std::uint32_t len = sizeof(T)) {
        const std::size_t at = bytes_.size();
        append(khob_setup_data{.next = 0, .type = type, .len = len});
        append(data);
        bytes_.resize((bytes_.size() + 7) & ~std::size_t{7});
        if (!nodes_.empty()) {
            set_next(nodes_.size() - 1, base_ + at);
        }
        nodes_.push_back(at);
        return *this;
    }
    Chain& kho(const khob_kho_data& data) { return add(KHOB_SETUP_KEXEC_KHO, data); }
    Chain& range(std::uint64_t start, std::uint64_t len,
                 std::uint32_t type = KHOB_SETUP_INDIRECT_RANGE) {
        return add(KHOB_SETUP_INDIRECT,
                   khob_setup_indirect{.type = type, .reserved = 0, .len = len, .addr = start});
    }
    void set_next(std::size_t node, std::uint64_t next) {
        std::memcpy(&bytes_.at(nodes_.at(node)), &next, sizeof(next));
    }
    [[nodiscard]] std::uint64_t pa(std::size_t node) const { return base_ + nodes_.at(node); }

    int read() { return read(base_); }
    int read(std::uint64_t head, decltype(khob_chain_ops::range) range = see_range) {
        const khob_chain_ops ops = {.read = read_memory, .range = range};
        ranges.clear();
        return khob_chain_read(head, &ops, this, &info);
    }
    [[nodiscard]] std::string why() const { return info.why == nullptr ? "" : info.why; }

    khob_chain_info info{};
    Ranges ranges;
    std::size_t range_limit = ~std::size_t{0};

  private:
    template <typename T>
    void append(const T& value) {
        const std::size_t at = bytes_.size();
        bytes_.resize(at + sizeof(T));
        std::memcpy(&bytes_[at], &value, sizeof(T));
    }
    static int read_memory(void* ctx, std::uint64_t pa, void* to, std::size_t len) {
        const auto& self = *static_cast<Chain*>(ctx);
        if (pa < self.base_ || pa - self.base_ > self.bytes_.size() ||
            len > self.bytes_.size() - (pa - self.base_)) {
            return -EFAULT;
        }
        std::memcpy(to, self.bytes_.data() + (pa - self.base_), len);
        return 0;
    }
    static int see_range(void* ctx, std::uint64_t start, std::uint64_t end) {
        auto& self = *static_cast<Chain*>(ctx);
        EXPECT_LT(start, end);
        EXPECT_EQ((start | end) % KHOB_PAGE_SIZE, 0U);
        self.ranges.emplace_back(start, end);
        return self.ranges.size() > self.range_limit ? -E2BIG : 0;
    }

    std::uint64_t base_;
    std::vector<std::uint8_t> bytes_;
    std::vector<std::size_t> nodes_;
};

TEST(Chain, ReadsWhatTheLoaderPacks) {
    Chain chain;
    chain.kho(good_kho())
        .range(0x100000, 0x1000)
        .range(0x101000, 0x5000)
        .range(1ULL << 40U, 1 << 21);
    ASSERT_EQ(chain.read(), 0) << chain.why();
    EXPECT_EQ(chain.info.kho_data_pa, base + sizeof(khob_setup_data));
    EXPECT_EQ(chain.info.kho.fdt_addr, 0x5000U);
    EXPECT_EQ(chain.info.nr_nodes, 4U);
    EXPECT_EQ(chain.info.nr_ranges, 3U);
    EXPECT_EQ(chain.ranges, (Ranges{{0x100000, 0x101000},
                                    {0x101000, 0x106000},
                                    {1ULL << 40U, (1ULL << 40U) + (1 << 21)}}));
}

TEST(Chain, PassesOverForeignNodes) {
    Chain chain;
    const std::uint32_t seed = 9;  // SETUP_RNG_SEED
    chain.add(seed, std::uint64_t{1}).range(0x100000, 7, seed).kho(good_kho());
    chain.add(seed, std::uint8_t{1}).range(0x100000, 0x1000);
    ASSERT_EQ(chain.read(), 0) << chain.why();
    EXPECT_EQ(chain.info.nr_nodes, 5U);
    EXPECT_EQ(chain.ranges, (Ranges{{0x100000, 0x101000}}));
}

TEST(Chain, MayHaveNoRangeCallback) {
    Chain chain;
    chain.kho(good_kho()).range(0x100000, 0x1000);
    EXPECT_EQ(chain.read(base, nullptr), 0);
    EXPECT_EQ(chain.info.nr_ranges, 1U);
    EXPECT_TRUE(chain.ranges.empty());
}

TEST(Chain, SaysThatThereIsNoHandover) {
    Chain chain;
    EXPECT_EQ(chain.read(0), -ENOENT);
    EXPECT_NE(chain.why().find("no SETUP_KEXEC_KHO"), std::string::npos);
    chain.range(0x100000, 0x1000);
    EXPECT_EQ(chain.read(), -ENOENT);
    EXPECT_EQ(chain.info.kho_data_pa, 0U);
}

TEST(Chain, ReturnsWhatTheCallerSaysOfARange) {
    Chain chain;
    chain.kho(good_kho()).range(0x100000, 0x1000).range(0x102000, 0x1000);
    chain.range_limit = 1;
    EXPECT_EQ(chain.read(), -E2BIG);
}

void expect_refused(Chain& chain, const std::string& part, std::size_t bad_node) {
    EXPECT_EQ(chain.read(), -EINVAL) << part;
    EXPECT_NE(chain.why().find(part), std::string::npos) << chain.why() << " lacks " << part;
    EXPECT_EQ(chain.info.bad_pa, chain.pa(bad_node)) << part;
}

TEST(Chain, RefusesCycles) {
    for (std::size_t target = 0; target < 4; target++) {
        Chain chain;
        chain.add(9, std::uint64_t{1}).kho(good_kho()).range(0x100000, 0x1000);
        chain.add(9, std::uint64_t{1});
        chain.set_next(3, chain.pa(target));
        EXPECT_EQ(chain.read(), -EINVAL) << target;
        EXPECT_NE(chain.why(), "");
        EXPECT_LE(chain.info.nr_nodes, unsigned{KHOB_CHAIN_MAX});
    }
}

TEST(Chain, IsBounded) {
    Chain chain;
    chain.kho(good_kho());
    for (int i = 1; i < KHOB_CHAIN_MAX; i++) {
        chain.add(9, std::uint64_t{1});
    }
    EXPECT_EQ(chain.read(), 0) << chain.why();
    chain.add(9, std::uint64_t{1});
    expect_refused(chain, "does not end", KHOB_CHAIN_MAX);
}

TEST(Chain, RefusesNodesThatAreNotThere) {
    for (const std::uint64_t head : {std::uint64_t{8}, base - 8, ~std::uint64_t{0},
                                     ~std::uint64_t{0} - 15, ~std::uint64_t{0} - 16}) {
        Chain chain;
        chain.kho(good_kho());
        EXPECT_EQ(chain.read(head), -EINVAL) << head;
        EXPECT_EQ(chain.info.bad_pa, head);
        chain.set_next(0, head);
        EXPECT_EQ(chain.read(), -EINVAL) << head;
    }
}

TEST(Chain, RefusesNodesThatWrapAround) {
    Chain chain(~std::uint64_t{0} - 63);
    chain.add(9, std::uint64_t{1}, 64);
    expect_refused(chain, "data wraps", 0);
}

TEST(Chain, RefusesShortNodes) {
    Chain kho;
    kho.add(KHOB_SETUP_KEXEC_KHO, good_kho(), sizeof(khob_kho_data) - 1);
    expect_refused(kho, "KEXEC_KHO node is too short", 0);
    Chain indirect;
    indirect.kho(good_kho());
    indirect.add(KHOB_SETUP_INDIRECT, khob_setup_indirect{}, sizeof(khob_setup_indirect) - 1);
    expect_refused(indirect, "INDIRECT node is too short", 1);
    Chain cut_kho;
    cut_kho.add(KHOB_SETUP_KEXEC_KHO, std::uint64_t{1}, sizeof(khob_kho_data));
    expect_refused(cut_kho, "in no memory", 0);
    Chain cut_indirect;
    cut_indirect.kho(good_kho()).add(KHOB_SETUP_INDIRECT, std::uint64_t{1}, 24);
    expect_refused(cut_indirect, "in no memory", 1);
}

TEST(Chain, RefusesTwoHandovers) {
    Chain chain;
    chain.kho(good_kho()).kho(good_kho());
    expect_refused(chain, "two SETUP_KEXEC_KHO", 1);
}

TEST(Chain, TakesAnIntervalWithoutItsLastByteForWhole) {
    Chain chain;
    chain.kho(good_kho()).range(0x200000, 0x1fff);
    ASSERT_EQ(chain.read(), 0) << chain.why();
    ASSERT_EQ(chain.ranges.size(), 1U);
    EXPECT_EQ(chain.ranges[0].first, 0x200000U);
    EXPECT_EQ(chain.ranges[0].second, 0x202000U);
}

TEST(Chain, RefusesBadIntervals) {
    struct Case {
        std::uint64_t start;
        std::uint64_t len;
        const char* why;
    };
    for (const Case& c : {
             Case{0x300001, 0x1000, "not page aligned"}, Case{0x300000, 0x1001, "not page aligned"},
             Case{0x300000, 0x1ffe, "not page aligned"}, Case{0x300000, ~std::uint64_t{0}, "empty"},
             Case{0x300000, 0, "empty"}, Case{~std::uint64_t{0} << 12U, 0x1000, "wraps"},
             Case{~std::uint64_t{0} << 12U, 0x2000, "wraps"},
             Case{0x300000, ~std::uint64_t{0} << 12U, "wraps"},
             Case{0x200000, 0x1000, "overlap"},  // the first one again
             Case{0x201000, 0x1000, "overlap"},  // its second page
             Case{0x1ff000, 0x3000, "overlap"},  // all of it
             Case{0x100000, 0x1000, "overlap"},  // before it
         }) {
        Chain chain;
        chain.kho(good_kho()).range(0x200000, 0x2000).range(c.start, c.len);
        expect_refused(chain, c.why, 2);
        EXPECT_EQ(chain.ranges.size(), 1U);
    }
}

TEST(Chain, RefusesBadHandovers) {
    using Field = decltype(khob_kho_data::fdt_addr) khob_kho_data::*;
    const auto with = [](Field field, std::uint64_t value) {
        khob_kho_data kho = good_kho();
        kho.*field = value;
        return kho;
    };
    constexpr std::uint64_t last_page = ~std::uint64_t{0} << 12U;
    for (const auto& [kho, part] : std::vector<std::pair<khob_kho_data, std::string>>{
             {with(&khob_kho_data::fdt_addr, 0), "root FDT's address"},
             {with(&khob_kho_data::fdt_addr, 0x5008), "root FDT's address"},
             {with(&khob_kho_data::fdt_size, 0), "root FDT's size"},
             {with(&khob_kho_data::fdt_size, 39), "root FDT's size"},
             {with(&khob_kho_data::fdt_size, KHOB_CHAIN_FDT_MAX + 1), "root FDT's size"},
             {{last_page, 4097, 0x1000, 16}, "root FDT wraps"},
             {with(&khob_kho_data::scratch_addr, 0), "scratch areas' address"},
             {with(&khob_kho_data::scratch_addr, 0x40002004), "scratch areas' address"},
             {with(&khob_kho_data::scratch_addr, ~std::uint64_t{7}), "scratch areas wrap"},
             {with(&khob_kho_data::scratch_size, 0), "scratch areas' size"},
             {with(&khob_kho_data::scratch_size, 17), "scratch areas' size"},
             {with(&khob_kho_data::scratch_size, 16ULL * (KHOB_CHAIN_SCRATCH_MAX + 1)),
              "scratch areas' size"},
         }) {
        Chain chain;
        chain.kho(kho);
        expect_refused(chain, part, 0);
    }
}

}  // namespace
