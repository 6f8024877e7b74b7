// SPDX-License-Identifier: GPL-2.0-only
// A memfd as another kernel has described it: what is believed, and what is not.
#include <gtest/gtest.h>

#include <cerrno>
#include <string>
#include <vector>

#include "core/luo_core.h"

namespace {

constexpr std::uint64_t page = KHOB_PAGE_SIZE;
constexpr std::uint64_t end_pfn = 1U << 20U;
constexpr std::uint64_t size_max = (std::uint64_t{1} << 63U) - 1;
constexpr std::uint64_t all_ones = ~std::uint64_t{0};

class Memfd : public testing::Test {
  protected:
    Memfd() {
        ser.size = 10 * page + 1;
        ser.nr_folios = 11;
        ser.folios.first = 0x4000;
        ser.folios.total_pages = 1;
        for (std::uint64_t i = 0; i < ser.nr_folios; i++) {
            folios.push_back({.pfn = 100 + i, .flags = 3, .index = i});
        }
    }
    void refused(int err, int expected, const char* words) {
        EXPECT_EQ(err, expected) << words;
        ASSERT_NE(why, nullptr) << words;
        EXPECT_NE(std::string(why).find(words), std::string::npos) << why;
        why = nullptr;
    }
    int check() { return luo_memfd_check(&ser, end_pfn, &why); }
    int check_folios() {
        return luo_memfd_folios_check(folios.data(), folios.size(), ser.size, end_pfn, &why);
    }
    khob_memfd_ser ser{};
    std::vector<khob_memfd_folio_ser> folios;
    const char* why = nullptr;
};

TEST_F(Memfd, Sound) {
    EXPECT_EQ(check(), 0);
    EXPECT_EQ(check_folios(), 0);
    ser.seals = KHOB_MEMFD_SEALS_ALL;
    ser.pos = size_max;
    EXPECT_EQ(check(), 0);
    ser = {};
    EXPECT_EQ(check(), 0) << "an empty one";
    ser.size = size_max;
    EXPECT_EQ(check(), 0) << "all of it a hole";
    EXPECT_EQ(luo_memfd_folios_check(nullptr, 0, 0, end_pfn, &why), 0);
}

TEST_F(Memfd, Pages) {
    EXPECT_EQ(luo_memfd_pages(0), 0);
    EXPECT_EQ(luo_memfd_pages(1), 1);
    EXPECT_EQ(luo_memfd_pages(page), 1);
    EXPECT_EQ(luo_memfd_pages(page + 1), 2);
    EXPECT_EQ(luo_memfd_pages(all_ones), std::uint64_t{1} << 52U);
}

TEST_F(Memfd, Properties) {
    const auto sound = ser;
    ser.seals = KHOB_MEMFD_SEALS_ALL + 1;
    refused(check(), -EOPNOTSUPP, "seals");
    ser = sound;
    ser.flags = 1;
    refused(check(), -EOPNOTSUPP, "flags");
    ser = sound;
    ser.size = size_max + 1;
    refused(check(), -EINVAL, "beyond any file's");
    ser = sound;
    ser.pos = all_ones;
    refused(check(), -EINVAL, "beyond any file's");
}

TEST_F(Memfd, Lengths) {
    const auto sound = ser;
    for (const std::uint64_t nr : {std::uint64_t{12}, end_pfn + 1, all_ones, all_ones >> 4U}) {
        ser.nr_folios = nr;
        refused(check(), -EINVAL, "more folios than pages");
    }
    ser = sound;
    ser.size = size_max;
    ser.nr_folios = end_pfn + 1;
    refused(check(), -EINVAL, "more folios than pages");
    ser.nr_folios = 257;
    refused(check(), -EINVAL, "another length");
    ser.folios.total_pages = 2;
    EXPECT_EQ(check(), 0);
    ser.folios.total_pages = 512;
    EXPECT_EQ(check(), 0) << "vmalloc() may round up";
    ser.folios.total_pages = static_cast<std::uint32_t>(end_pfn) + 1;
    refused(check(), -EINVAL, "another length");
    ser = sound;
    ser.folios.total_pages = 0;
    refused(check(), -EINVAL, "another length");
    ser = sound;
    ser.folios.first = 0;
    refused(check(), -EINVAL, "another length");
}

TEST_F(Memfd, Folios) {
    const auto sound = folios;
    for (const unsigned int flags : {4U, 0x800U, 0xfffU}) {
        folios = sound;
        folios[3].flags = flags;
        refused(check_folios(), -EINVAL, "flags");
    }
    folios = sound;
    folios[10].pfn = end_pfn;
    refused(check_folios(), -EINVAL, "end of memory");
    folios[10].pfn = (std::uint64_t{1} << 52U) - 1;
    refused(check_folios(), -EINVAL, "end of memory");
    for (const std::uint64_t index : {std::uint64_t{11}, all_ones, all_ones >> 12U}) {
        folios = sound;
        folios[10].index = index;
        refused(check_folios(), -EINVAL, "out of order");
    }
    folios = sound;
    folios[5].index = 4;
    refused(check_folios(), -EINVAL, "out of order");
    folios[5].index = 2;
    refused(check_folios(), -EINVAL, "out of order");
}

// What would be taken for a hole was a page of the file.
TEST_F(Memfd, NoFolioIsWithoutAPage) {
    for (const std::size_t i : {std::size_t{0}, std::size_t{5}, folios.size() - 1}) {
        const auto sound = folios;
        folios[i].pfn = 0;
        refused(check_folios(), -EINVAL, "has no page");
        folios[i] = {};
        refused(check_folios(), -EINVAL, "has no page");
        folios = sound;
    }
}

}  // namespace
