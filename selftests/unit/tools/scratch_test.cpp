// SPDX-License-Identifier: GPL-2.0-only
// The layout of scratch: everything aligned, inside, apart; or refused with figures.
#include "plan/scratch.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>

namespace khob {
namespace {

constexpr std::uint64_t mib = 1ULL << 20;

ScratchNeeds needs() {
    return ScratchNeeds{.kernel_bytes = 48 * mib,
                        .kernel_alignment = 2 * mib,
                        .kernel_min = 16 * mib,
                        .initrd_bytes = 20 * mib,
                        .small_bytes = 16384,
                        .above_4g = true};
}

TEST(Scratch, NeedsAreRoundedToPages) {
    BzImage kernel;
    kernel.init_size = 5000;
    kernel.kernel_alignment = 2 * mib;
    const auto got = scratch_needs(kernel, 4097, 1);
    EXPECT_EQ(got.kernel_bytes, 8192);
    EXPECT_EQ(got.initrd_bytes, 8192);
    EXPECT_EQ(got.small_bytes, 4096);
    EXPECT_EQ(one_area(got), (AreaRequest{20480, 2 * mib}));
    const std::vector<AreaRequest> two{{12288, 2 * mib}, {8192, page_size}};
    EXPECT_EQ(two_areas(got), two);
    EXPECT_EQ(two_areas(scratch_needs(kernel, 0, 1)).size(), 1);
}

TEST(Scratch, AnAreaAsRequestedAlwaysFits) {
    // The same cases in every run.
    std::mt19937_64 random(3);  // NOLINT(cert-msc32-c,cert-msc51-cpp)
    for (int round = 0; round < 2000; ++round) {
        ScratchNeeds n = needs();
        n.kernel_bytes = (1 + random() % 1000) * page_size;
        n.small_bytes = (1 + random() % 10) * page_size;
        n.initrd_bytes = (random() % 1000) * page_size;
        n.kernel_alignment = page_size << (random() % 12);
        const auto whole = one_area(n);
        const std::uint64_t start = *align_up(n.kernel_min + random() % (8 * mib), whole.align);
        std::vector<Range> areas{make_range(start, start + whole.size)};
        if (random() % 2 == 0) {
            areas.clear();
            std::uint64_t at = start;
            for (const AreaRequest& r : two_areas(n)) {
                at = *align_up(at, r.align);
                areas.push_back(make_range(at, at + r.size));
                at += r.size + page_size;
            }
        }
        const auto got = place(n, areas);
        ASSERT_TRUE(got) << got.error().what;
        EXPECT_TRUE(is_aligned(got->kernel.start.value(), n.kernel_alignment));
        EXPECT_EQ(got->kernel.size(), n.kernel_bytes);
        EXPECT_EQ(got->small.size(), n.small_bytes);
        EXPECT_EQ(got->initrd.size(), n.initrd_bytes);
        std::vector<Range> parts{got->kernel, got->small};
        if (n.initrd_bytes != 0) {
            parts.push_back(got->initrd);
        }
        for (std::size_t i = 0; i < parts.size(); ++i) {
            EXPECT_TRUE(std::any_of(areas.begin(), areas.end(),
                                    [&](const Range& a) { return a.contains(parts[i]); }));
            for (std::size_t j = 0; j < i; ++j) {
                EXPECT_FALSE(parts[i].overlaps(parts[j]));
            }
        }
    }
}

TEST(Scratch, SaysWhatDoesNotFitWithBothFigures) {
    const std::vector<Range> areas{make_range(32 * mib, 72 * mib)};
    const auto kernel = place(needs(), areas);
    ASSERT_FALSE(kernel);
    EXPECT_EQ(kernel.error().code, ExitCode::refused);
    EXPECT_NE(kernel.error().what.find("the kernel does not fit scratch"), std::string::npos);
    EXPECT_NE(kernel.error().what.find("50331648"), std::string::npos);
    EXPECT_NE(kernel.error().what.find("41943040"), std::string::npos);

    const std::vector<Range> no_initrd{make_range(32 * mib, 90 * mib)};
    const auto initrd = place(needs(), no_initrd);
    ASSERT_FALSE(initrd);
    EXPECT_NE(initrd.error().what.find("the initrd does not fit"), std::string::npos);
    const std::vector<Range> tight{make_range(32 * mib, 80 * mib)};
    const auto small = place(needs(), tight);
    ASSERT_FALSE(small);
    EXPECT_NE(small.error().what.find("the boot data does not fit"), std::string::npos);
    EXPECT_FALSE(place(needs(), {}));
}

TEST(Scratch, NeverBelowTheKernelsLowestAddress) {
    const std::vector<Range> low{make_range(mib, 80 * mib), make_range(256 * mib, 400 * mib)};
    const auto got = place(needs(), low);
    ASSERT_TRUE(got);
    EXPECT_EQ(got->kernel.start.value(), 16 * mib);
}

TEST(Scratch, StaysBelow4GForKernelsThatHaveTo) {
    ScratchNeeds n = needs();
    n.above_4g = false;
    const std::vector<Range> high{make_range(1ULL << 33, (1ULL << 33) + 100 * mib)};
    const auto got = place(n, high);
    ASSERT_FALSE(got);
    EXPECT_NE(got.error().what.find("below 4 GiB"), std::string::npos);
    n.above_4g = true;
    EXPECT_TRUE(place(n, high));
}

}  // namespace
}  // namespace khob
