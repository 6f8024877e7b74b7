// SPDX-License-Identifier: GPL-2.0-only
// Blobs under kho-v2: wrapped unless they are FDTs, and always the same again.
#include <gtest/gtest.h>

#include <cerrno>
#include <cstring>
#include <numeric>
#include <optional>

#include "fdt_fixture.hpp"

namespace {

using namespace khob::test;

Bytes wrap(const Bytes& data) {
    Bytes wrapped(khob_fdt_wrap_size(data.size()));
    EXPECT_EQ(khob_fdt_wrap(wrapped.data(), wrapped.size(), data.data(), data.size(), nullptr),
              static_cast<long>(wrapped.size()));
    return wrapped;
}

std::optional<Bytes> unwrap(const Bytes& blob) {
    const void* data = nullptr;
    std::size_t len = 0;
    const char* why = nullptr;
    if (khob_fdt_unwrap(blob.data(), blob.size(), &data, &len, &why) != 0) {
        EXPECT_NE(why, nullptr);
        return std::nullopt;
    }
    const auto* bytes = static_cast<const std::uint8_t*>(data);
    return Bytes(bytes, bytes + len);
}

/// What the outgoing side does with a blob under kho-v2, then the incoming side.
void expect_travels(const Bytes& data) {
    const bool whole = khob_fdt_is_whole(data.data(), data.size());
    const Bytes blob = whole ? data : wrap(data);
    ASSERT_EQ(libfdt_check(blob), 0);
    // The incoming side knows where the blob starts, not where it ends.
    Bytes memory = blob;
    memory.resize(blob.size() + 1000, 0xa5);
    EXPECT_EQ(unwrap(memory), data);
}

TEST(Wrap, BytesTravel) {
    for (std::size_t len = 0; len < 70; len++) {
        Bytes data(len);
        std::iota(data.begin(), data.end(), std::uint8_t{1});
        EXPECT_FALSE(khob_fdt_is_whole(data.data(), data.size()));
        expect_travels(data);
    }
    expect_travels(Bytes(10U << 20U, 0x5a));
}

TEST(Wrap, IsReadByLibfdt) {
    const Bytes data = {1, 2, 3, 4, 5};
    const Bytes wrapped = wrap(data);
    EXPECT_EQ(fdt_node_check_compatible(wrapped.data(), 0, KHOB_BLOB_COMPATIBLE), 0);
    int len = 0;
    const void* value = fdt_getprop(wrapped.data(), 0, KHOB_BLOB_PROP, &len);
    ASSERT_NE(value, nullptr);
    ASSERT_EQ(len, 5);
    EXPECT_EQ(std::memcmp(value, data.data(), data.size()), 0);
}

TEST(Wrap, AnFdtTravelsAsItIs) {
    const Bytes fdt = Builder().begin("").text("compatible", "something").end().finish();
    EXPECT_TRUE(khob_fdt_is_whole(fdt.data(), fdt.size()));
    expect_travels(fdt);
}

TEST(Wrap, WhatOnlyLooksLikeAnFdtIsWrapped) {
    const Bytes fdt = Builder().begin("").text("compatible", "something").end().finish();
    Bytes longer = fdt;
    longer.push_back(0);
    EXPECT_FALSE(khob_fdt_is_whole(longer.data(), longer.size()));
    expect_travels(longer);
    Bytes broken = fdt;
    broken.at(fdt_off_dt_struct(fdt.data()) + 3) = KHOB_FDT_END;
    EXPECT_FALSE(khob_fdt_is_whole(broken.data(), broken.size()));
    expect_travels(broken);
    for (std::size_t len = 0; len < fdt.size(); len++) {
        const Bytes part(fdt.begin(), fdt.begin() + static_cast<std::ptrdiff_t>(len));
        EXPECT_FALSE(khob_fdt_is_whole(part.data(), part.size()));
        expect_travels(part);
    }
}

TEST(Wrap, AWrapperIsWrappedAgain) {
    Bytes data = {1, 2, 3};
    for (int depth = 0; depth < 5; depth++) {
        expect_travels(data);
        data = wrap(data);
        EXPECT_FALSE(khob_fdt_is_whole(data.data(), data.size()));
    }
}

TEST(Wrap, MakesRoomForBytesThatComeLater) {
    void* payload = nullptr;
    Bytes wrapped(khob_fdt_wrap_size(7), 0xff);
    ASSERT_GT(khob_fdt_wrap(wrapped.data(), wrapped.size(), nullptr, 7, &payload), 0);
    EXPECT_EQ((static_cast<std::uint8_t*>(payload) - wrapped.data()) % 8, 0);
    EXPECT_EQ(unwrap(wrapped), Bytes(7));
    std::memset(payload, 0x11, 7);
    EXPECT_EQ(unwrap(wrapped), Bytes(7, 0x11));
    EXPECT_EQ(libfdt_check(wrapped), 0);
}

TEST(Wrap, NeedsRoom) {
    const Bytes data(9, 1);
    for (std::size_t room = 0; room < khob_fdt_wrap_size(data.size()); room++) {
        Bytes bytes(room);
        EXPECT_EQ(khob_fdt_wrap(bytes.data(), room, data.data(), data.size(), nullptr), -ENOSPC);
    }
}

TEST(Wrap, KnowsWhatIsTooLarge) {
    constexpr std::size_t most = 0x7fffffff;
    const std::size_t around = khob_fdt_wrap_size(0);
    EXPECT_GT(khob_fdt_wrap_size(most - around - 3), 0U);
    EXPECT_LE(khob_fdt_wrap_size(most - around - 3), most);
    for (const std::size_t len :
         {most - around - 2, most, most + 1, ~std::size_t{0} - 3, ~std::size_t{0}}) {
        EXPECT_EQ(khob_fdt_wrap_size(len), 0U) << len;
        EXPECT_EQ(khob_fdt_wrap(nullptr, ~std::size_t{0}, nullptr, len, nullptr), -ENOSPC);
    }
}

TEST(Unwrap, RefusesWhatIsNoFdt) {
    EXPECT_EQ(unwrap({}), std::nullopt);
    EXPECT_EQ(unwrap(Bytes(100)), std::nullopt);
    const Bytes wrapped = wrap({1, 2, 3});
    for (std::size_t len = 0; len < wrapped.size(); len++) {
        EXPECT_EQ(
            unwrap(Bytes(wrapped.begin(), wrapped.begin() + static_cast<std::ptrdiff_t>(len))),
            std::nullopt);
    }
}

TEST(Unwrap, RefusesAWrapperOfNothing) {
    EXPECT_EQ(unwrap(Builder().begin("").text("compatible", KHOB_BLOB_COMPATIBLE).end().finish()),
              std::nullopt);
}

}  // namespace
