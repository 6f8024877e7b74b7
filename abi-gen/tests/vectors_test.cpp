// SPDX-License-Identifier: GPL-2.0-only
// The C++ header's formulas against vectors that abi-gen computed from the
// schema, for every version at every page size.
#include <gtest/gtest.h>

#include <array>
#include <cstdint>
#include <random>
#include <vector>

#include "khob/abi.hpp"

namespace {

using khob::abi::PhysAddr;
using khob::abi::Version;

template <unsigned page_shift, Version version>
struct Vectors {
    using Layout = khob::abi::Layout<page_shift, version>;
    struct Vector {
        std::uint64_t pa;
        unsigned order;
        std::uint64_t key;
        std::array<std::uint64_t, Layout::tree_depth> index;  // the leaf first
    };
    static const std::vector<Vector> all;
};

template <>
const std::vector<Vectors<12, Version::kho_v2>::Vector> Vectors<12, Version::kho_v2>::all{
#include "kho-v2-4k.vectors.inc"
};
template <>
const std::vector<Vectors<16, Version::kho_v2>::Vector> Vectors<16, Version::kho_v2>::all{
#include "kho-v2-64k.vectors.inc"
};
template <>
const std::vector<Vectors<12, Version::kho_v3>::Vector> Vectors<12, Version::kho_v3>::all{
#include "kho-v3-4k.vectors.inc"
};
template <>
const std::vector<Vectors<14, Version::kho_v3>::Vector> Vectors<14, Version::kho_v3>::all{
#include "kho-v3-16k.vectors.inc"
};
template <>
const std::vector<Vectors<16, Version::kho_v3>::Vector> Vectors<16, Version::kho_v3>::all{
#include "kho-v3-64k.vectors.inc"
};
template <>
const std::vector<Vectors<12, Version::kho_v4>::Vector> Vectors<12, Version::kho_v4>::all{
#include "kho-v4-4k.vectors.inc"
};
template <>
const std::vector<Vectors<14, Version::kho_v4>::Vector> Vectors<14, Version::kho_v4>::all{
#include "kho-v4-16k.vectors.inc"
};
template <>
const std::vector<Vectors<16, Version::kho_v4>::Vector> Vectors<16, Version::kho_v4>::all{
#include "kho-v4-64k.vectors.inc"
};

template <typename Of>
class Header : public testing::Test {};

using Every = testing::Types<Vectors<12, Version::kho_v2>, Vectors<16, Version::kho_v2>,
                             Vectors<12, Version::kho_v3>, Vectors<14, Version::kho_v3>,
                             Vectors<16, Version::kho_v3>, Vectors<12, Version::kho_v4>,
                             Vectors<14, Version::kho_v4>, Vectors<16, Version::kho_v4>>;
TYPED_TEST_SUITE(Header, Every);

TYPED_TEST(Header, AgreesWithTheVectors) {
    using Layout = typename TypeParam::Layout;
    for (const auto& v : TypeParam::all) {
        const PhysAddr pa(v.pa);
        const typename Layout::Order order(v.order);
        const typename Layout::Key key(v.key);
        EXPECT_EQ(Layout::encode(pa, order).value(), v.key) << std::hex << v.pa << " " << v.order;
        EXPECT_EQ(Layout::decode(key).pa.value(), v.pa) << std::hex << v.key;
        EXPECT_EQ(Layout::decode(key).order.value(), v.order) << std::hex << v.key;
        EXPECT_TRUE(Layout::is_folio(pa, order) && Layout::is_key(key));
        for (unsigned level = 0; level < v.index.size(); ++level) {
            EXPECT_EQ(Layout::index(key, level), v.index.at(level)) << std::hex << v.key;
        }
    }
    EXPECT_GE(TypeParam::all.size(), 100U);
}

TYPED_TEST(Header, KnowsWhatIsNoFolio) {
    using Layout = typename TypeParam::Layout;
    using Order = typename Layout::Order;
    for (unsigned order = 0; order <= Layout::order_max; ++order) {
        const std::uint64_t size = Order(order).bytes();
        EXPECT_EQ(size == 0, order == Layout::order_max);
        EXPECT_TRUE(Layout::is_folio(PhysAddr(size), Order(order)));
        EXPECT_FALSE(Layout::is_folio(PhysAddr(size + 1), Order(order)));
        EXPECT_FALSE(Layout::is_folio(PhysAddr((size - 1) / 2 + 1), Order(order)));
    }
    for (const unsigned order :
         {unsigned{Layout::order_max} + 1, 63U, 64U, 65U, 0x80000000U, ~0U}) {
        EXPECT_FALSE(Layout::is_folio(PhysAddr(0), Order(order))) << order;
        EXPECT_FALSE(Layout::is_folio(PhysAddr(1ULL << 63U), Order(order))) << order;
        EXPECT_EQ(Order(order).bytes(), 0U);
    }
}

TYPED_TEST(Header, KnowsWhatIsNoKey) {
    using Layout = typename TypeParam::Layout;
    using Key = typename Layout::Key;
    EXPECT_FALSE(Layout::is_key(Key(0)));
    std::mt19937_64 random(1);  // NOLINT(cert-msc32-c,cert-msc51-cpp): the same each time
    for (unsigned bit = 0; bit < 64; ++bit) {
        const bool is_key = bit < Layout::key_width;
        EXPECT_EQ(Layout::is_key(Key(1ULL << bit)), is_key);
        for (int i = 0; i < 1000; ++i) {
            const std::uint64_t key = 1ULL << bit | (random() & ((1ULL << bit) - 1));
            ASSERT_EQ(Layout::is_key(Key(key)), is_key) << std::hex << key;
        }
    }
}

}  // namespace
