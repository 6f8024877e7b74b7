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
    /// Hides the intervals; `limit`: writes that succeed.
    int hide(std::uint64_t head = base, std::size_t limit = ~std::size_t{0}) {
        const khob_hide_ops ops = {.read = read_memory, .write = write_memory};
        writes = limit;
        return khob_chain_hide(head, &ops, this, &hidden);
    }
    [[nodiscard]] khob_setup_indirect indirect(std::size_t node) const {
        khob_setup_indirect ind{};
        std::memcpy(&ind, &bytes_.at(nodes_.at(node) + sizeof(khob_setup_data)), sizeof(ind));
        return ind;
    }
    [[nodiscard]] const std::vector<std::uint8_t>& bytes() const { return bytes_; }
    [[nodiscard]] std::string why() const { return info.why == nullptr ? "" : info.why; }

    khob_chain_info info{};
    Ranges ranges;
    std::size_t range_limit = ~std::size_t{0};
    std::uint32_t hidden = 0;
    std::size_t writes = 0;

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
    static int write_memory(void* ctx, std::uint64_t pa, const void* from, std::size_t len) {
        auto& self = *static_cast<Chain*>(ctx);
        EXPECT_EQ(len % sizeof(std::uint64_t), 0U);
        if (self.writes == 0 || pa - self.base_ + len > self.bytes_.size()) {
            return -EFAULT;
        }
        self.writes--;
        std::memcpy(&self.bytes_.at(pa - self.base_), from, len);
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

TEST(Hide, NamesNothingAndLosesNothing) {
    constexpr std::uint64_t tib = 1ULL << 40U;
    Chain chain;
    chain.kho(good_kho())
        .range(0x100000, 0x1000)
        .range(0x200000, 0x1fff)  // the last byte of RAM is left out
        .range(tib, 16 * tib - 0x1000)
        .range(32 * tib, 16 * tib)  // no more than 32 bits for its pages
        .range(64 * tib, 0x1001 * tib);
    ASSERT_EQ(chain.read(), 0) << chain.why();
    const Ranges before = chain.ranges;
    const std::vector<std::uint8_t> shown = chain.bytes();
    ASSERT_EQ(chain.hide(), 0);
    EXPECT_EQ(chain.hidden, 5U);
    for (std::size_t node = 1; node <= 5; node++) {
        EXPECT_EQ(chain.indirect(node).len, 0U);
        EXPECT_EQ(chain.indirect(node).type, KHOB_SETUP_INDIRECT_RANGE);
        // Whoever had read the length before sees no other page than then.
        EXPECT_EQ(chain.indirect(node).addr >> 12U, before[node - 1].first >> 12U);
    }
    EXPECT_EQ(chain.read(), 0) << chain.why();
    EXPECT_EQ(chain.ranges, before);
    EXPECT_NE(chain.bytes(), shown);

    const std::vector<std::uint8_t> once = chain.bytes();
    ASSERT_EQ(chain.hide(base, 0), 0) << "nothing is written twice";
    EXPECT_EQ(chain.hidden, 5U);
    EXPECT_EQ(chain.bytes(), once);
}

TEST(Hide, EveryIntervalComesBack) {
    std::uint64_t state = 1;
    const auto random = [&state](std::uint64_t bits) {
        state = state * 6364136223846793005ULL + 1442695040888963407ULL;
        return state >> (64 - bits);
    };
    for (int i = 0; i < 20000; i++) {
        const std::uint64_t pages = random(1 + random(5)) + (random(1) << random(6) % 52);
        const khob_setup_indirect ind = {.type = KHOB_SETUP_INDIRECT_RANGE,
                                         .reserved = 0,
                                         .len = pages << 12U,
                                         .addr = random(52) & ~std::uint64_t{0xfff}};
        const khob_hidden_range hidden = khob_range_hide(&ind);
        EXPECT_EQ(hidden.len, 0U);
        khob_setup_indirect again{};
        static_assert(sizeof(again) == sizeof(hidden));
        std::memcpy(&again, &hidden, sizeof(again));
        std::uint64_t addr = 1;
        std::uint64_t len = 1;
        khob_range_of(&again, &addr, &len);
        EXPECT_EQ(addr, ind.addr);
        EXPECT_EQ(len, pages >> 44U == 0 ? ind.len : 0) << "what no machine has";
    }
}

TEST(Hide, LeavesOtherNodesAlone) {
    const std::uint32_t seed = 9;  // SETUP_RNG_SEED
    Chain chain;
    chain.add(seed, std::uint64_t{1}).range(0x100000, 7, seed).kho(good_kho());
    chain.range(0x200000, 0, KHOB_SETUP_INDIRECT_RANGE);
    const std::vector<std::uint8_t> before = chain.bytes();
    ASSERT_EQ(chain.hide(), 0);
    EXPECT_EQ(chain.hidden, 1U);
    EXPECT_EQ(chain.bytes(), before);
}

TEST(Hide, WhatIsNoIntervalStaysNone) {
    for (const auto& [start, len] : Ranges{{0x300001, 0x1000},
                                           {0x300000, 0x1001},
                                           {0x300fff, 0x1ffe},
                                           {0x300000, ~std::uint64_t{0}},
                                           {0x300000, ~std::uint64_t{0} << 12U}}) {
        Chain chain;
        chain.kho(good_kho()).range(0x200000, 0x2000).range(start, len);
        ASSERT_EQ(chain.hide(), 0);
        EXPECT_EQ(chain.hidden, 2U);
        EXPECT_EQ(chain.indirect(2).len, 0U);
        EXPECT_EQ(chain.read(), -EINVAL);
        EXPECT_EQ(chain.info.bad_pa, chain.pa(2));
        EXPECT_EQ(chain.ranges, (Ranges{{0x200000, 0x202000}}));
    }
}

TEST(Hide, FollowsADamagedChainAsFarAsItGoes) {
    Chain cycle;
    cycle.kho(good_kho()).range(0x100000, 0x1000);
    cycle.set_next(1, cycle.pa(0));
    EXPECT_EQ(cycle.hide(), 0);
    EXPECT_EQ(cycle.indirect(1).len, 0U);
    Chain cut;
    cut.range(0x100000, 0x1000).kho(good_kho()).range(0x200000, 0x1000);
    cut.set_next(1, 0x10);
    EXPECT_EQ(cut.hide(), 0);
    EXPECT_EQ(cut.hidden, 1U);
    EXPECT_EQ(cut.indirect(0).len, 0U);
    // The kernel shows the target whatever length the node has.
    Chain lying;
    lying.kho(good_kho());
    lying.add(KHOB_SETUP_INDIRECT,
              khob_setup_indirect{
                  .type = KHOB_SETUP_INDIRECT_RANGE, .reserved = 0, .len = 0x1000, .addr = 0x1000},
              4);
    EXPECT_EQ(lying.hide(), 0);
    EXPECT_EQ(lying.indirect(1).len, 0U);
    for (const std::uint64_t head : {std::uint64_t{0}, std::uint64_t{8}, ~std::uint64_t{0},
                                     ~std::uint64_t{0} - 39, base + 0x10000}) {
        EXPECT_EQ(cut.hide(head), 0) << head;
        EXPECT_EQ(cut.hidden, 0U);
    }
}

TEST(Hide, DoesNotWriteOverTheNextNode) {
    // Its data would be the next node's header: no loader of ours has written that.
    Chain chain;
    chain.range(0x100000, 0x1000).kho(good_kho());
    for (const std::uint64_t next : {chain.pa(0) + 16, chain.pa(0) + 32, chain.pa(0)}) {
        chain.set_next(0, next);
        const std::vector<std::uint8_t> before = chain.bytes();
        EXPECT_EQ(chain.hide(base, 0), 0) << next;
        EXPECT_EQ(chain.bytes(), before);
    }
}

TEST(Hide, SaysWhatItCouldNotWrite) {
    for (const std::size_t writes : {std::size_t{0}, std::size_t{1}, std::size_t{2}}) {
        Chain chain;
        chain.kho(good_kho()).range(0x100000, 0x1000);
        EXPECT_EQ(chain.hide(base, writes), -EFAULT);
        EXPECT_EQ(chain.indirect(1).len, writes == 0 ? 0x1000U : 0U) << "the length goes first";
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
