// SPDX-License-Identifier: GPL-2.0-only
// A late room as another kernel has described it: what is believed, and what is not.
#include <gtest/gtest.h>

#include <cerrno>
#include <cstring>
#include <string>
#include <vector>

#include "core/luo_core.h"

namespace {

constexpr std::uint64_t piece = std::uint64_t{KHOB_LATE_ROOM_PIECE_PAGES} * KHOB_PAGE_SIZE;
constexpr std::uint64_t end_pa = 1000 * piece;

class Room : public testing::Test {
  protected:
    Room() {
        std::strcpy(ser.compatible, KHOB_LATE_ROOM_COMPATIBLE_LATE_ROOM_V1);
        ser.nr = KHOB_LATE_ROOM_PIECES_MAX;
        for (std::uint64_t i = 0; i < ser.nr; i++) {
            ser.pieces[i].pa = (999 - i) * piece;
        }
        ser.digest = luo_room_digest(&ser);
    }
    void refused(const char* words) {
        ser.digest = luo_room_digest(&ser);
        EXPECT_EQ(luo_room_check(&ser, end_pa, &why), -EINVAL) << words;
        ASSERT_NE(why, nullptr) << words;
        EXPECT_NE(std::string(why).find(words), std::string::npos) << why;
        why = nullptr;
    }
    khob_late_room_ser ser{};
    const char* why = nullptr;
};

TEST_F(Room, Sound) {
    EXPECT_EQ(luo_room_check(&ser, end_pa, &why), 0);
    ser.nr = 0;
    ser.pieces[0].pa = 1;
    ser.digest = luo_room_digest(&ser);
    EXPECT_EQ(luo_room_check(&ser, end_pa, &why), 0) << "what is behind does not count";
    EXPECT_EQ(why, nullptr);
}

TEST_F(Room, Version) {
    ser.compatible[sizeof(KHOB_LATE_ROOM_COMPATIBLE_LATE_ROOM_V1) - 1] = 'x';
    refused("version");
    std::memset(ser.compatible, 'k', sizeof(ser.compatible));
    refused("version");
    std::memset(ser.compatible, 0, sizeof(ser.compatible));
    refused("version");
}

// A piece that lies elsewhere, or that is less used than it was, is as good as the first; what is
// freed by it is others'.
TEST_F(Room, AnyFlippedBit) {
    auto* bytes = reinterpret_cast<unsigned char*>(&ser);
    for (std::size_t bit = 0; bit < 8 * sizeof(ser); bit++) {
        const auto mask = static_cast<unsigned char>(1U << bit % 8);
        bytes[bit / 8] ^= mask;
        EXPECT_EQ(luo_room_check(&ser, end_pa, &why), -EINVAL) << "bit " << bit;
        bytes[bit / 8] ^= mask;
    }
    EXPECT_EQ(luo_room_check(&ser, end_pa, &why), 0);
}

TEST_F(Room, Pieces) {
    const auto sound = ser;
    for (const std::uint64_t nr :
         {std::uint64_t{KHOB_LATE_ROOM_PIECES_MAX} + 1, ~std::uint64_t{0}}) {
        ser.nr = nr;
        refused("more pieces");
    }
    for (const std::uint64_t pa : std::vector<std::uint64_t>{
             0, piece + KHOB_PAGE_SIZE, piece / 2, end_pa, 0 - piece, ~std::uint64_t{0}}) {
        ser = sound;
        ser.pieces[KHOB_LATE_ROOM_PIECES_MAX - 1].pa = pa;
        refused("in no memory");
    }
    ser = sound;
    ser.pieces[7].pa = ser.pieces[3].pa;
    refused("are one");
    ser = sound;
    ser.digest = luo_room_digest(&ser);
    EXPECT_EQ(luo_room_check(&ser, piece - 1, &why), -EINVAL) << "less memory than a piece";
}

}  // namespace
