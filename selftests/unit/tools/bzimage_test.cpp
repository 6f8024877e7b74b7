// SPDX-License-Identifier: GPL-2.0-only
// The bzImage reader on headers built byte by byte, and on broken ones.
#include "image/bzimage.hpp"

#include <gtest/gtest.h>

#include <random>

#include "fixture.hpp"

namespace khob {
namespace {

using test::KernelSpec;
using test::make_kernel;
using test::poke;

void expect_refused(const ByteVector& image, std::string_view text) {
    const auto got = parse_bzimage(image);
    ASSERT_FALSE(got) << text;
    EXPECT_EQ(got.error().code, ExitCode::refused);
    EXPECT_NE(got.error().what.find(text), std::string::npos) << got.error().what;
    EXPECT_FALSE(got.error().hint.empty());
}

TEST(BzImage, ReadsEveryField) {
    const auto got = parse_bzimage(make_kernel());
    ASSERT_TRUE(got) << got.error().what;
    EXPECT_EQ(got->protocol, 0x020f);
    EXPECT_EQ(got->header_end, 0x26c);
    EXPECT_EQ(got->payload_offset, 4 * 512);
    EXPECT_EQ(got->payload_bytes, 8192);
    EXPECT_EQ(got->init_size, 1U << 20);
    EXPECT_EQ(got->kernel_alignment, 1U << 21);
    EXPECT_EQ(got->pref_address, 0x1000000);
    EXPECT_EQ(got->cmdline_size, 2047);
    EXPECT_TRUE(got->above_4g);
    EXPECT_EQ(got->version, "6.0-test (me) #1");
    EXPECT_TRUE(got->knows_setup_indirect());
}

TEST(BzImage, ZeroSetupSectorsStandForFour) {
    KernelSpec spec;
    spec.setup_sects = 4;
    auto image = make_kernel(spec);
    poke(image, 0x1f1, std::uint8_t{0});
    const auto got = parse_bzimage(image);
    ASSERT_TRUE(got);
    EXPECT_EQ(got->payload_offset, 5 * 512);
}

TEST(BzImage, RefusesWhatIsNone) {
    expect_refused({}, "too short");
    expect_refused(ByteVector(0x25b), "too short");
    expect_refused(ByteVector(4096), "no bzImage");
    auto image = make_kernel();
    poke(image, 0x202, std::uint32_t{0});
    expect_refused(image, "no bzImage");
    image = make_kernel();
    poke(image, 0x1fe, std::uint16_t{0});
    expect_refused(image, "no bzImage");
}

TEST(BzImage, RefusesOldAndUnsuitableKernels) {
    KernelSpec spec;
    spec.protocol = 0x020b;
    expect_refused(make_kernel(spec), "2.11 is older than 2.12");
    spec = {};
    spec.xloadflags = 0x2;
    expect_refused(make_kernel(spec), "no 64-bit entry");
    spec = {};
    spec.relocatable = 0;
    expect_refused(make_kernel(spec), "not relocatable");
}

TEST(BzImage, RefusesFieldsThatContradictEachOther) {
    auto image = make_kernel();
    image.resize(image.size() - 1);
    expect_refused(image, "truncated");

    image = make_kernel();
    poke(image, 0x1f4, std::uint32_t{0});
    expect_refused(image, "no protected-mode part");
    poke(image, 0x1f4, std::uint32_t{0xffffffff});
    expect_refused(image, "truncated");

    KernelSpec spec;
    spec.init_size = 8191;
    expect_refused(make_kernel(spec), "init_size 8191");

    for (const std::uint32_t align : {0U, 1U, 2048U, 3U << 20, 1U << 31}) {
        spec = {};
        spec.alignment = align;
        expect_refused(make_kernel(spec), "kernel_alignment");
    }
    spec = {};
    spec.pref_address = ~0ULL;
    expect_refused(make_kernel(spec), "pref_address");

    for (const std::uint8_t jump : {0, 0x40, 0x8f, 0xff}) {
        image = make_kernel();
        poke(image, 0x201, jump);
        expect_refused(image, "setup header ends at");
    }
}

TEST(BzImage, VersionIsTakenOnlyIfItIsText) {
    auto image = make_kernel();
    poke(image, 0x20e, std::uint16_t{0});
    EXPECT_EQ(parse_bzimage(image)->version, "");
    poke(image, 0x20e, std::uint16_t{0xffff});
    EXPECT_EQ(parse_bzimage(image)->version, "");
    image = make_kernel();
    poke(image, 0x403, std::uint8_t{0x1b});
    EXPECT_EQ(parse_bzimage(image)->version, "");
    KernelSpec spec;
    spec.version = std::string(300, 'x');
    EXPECT_EQ(parse_bzimage(make_kernel(spec))->version, "");
}

TEST(BzImage, KernelInfoIsOptional) {
    auto image = make_kernel();
    poke(image, 0x268, std::uint32_t{0xfffffff0});
    ASSERT_TRUE(parse_bzimage(image));
    EXPECT_FALSE(parse_bzimage(image)->knows_setup_indirect());
    image = make_kernel();
    poke(image, 0x268, std::uint32_t{8192 - 14});
    EXPECT_FALSE(parse_bzimage(image)->knows_setup_indirect());
    KernelSpec spec;
    spec.setup_type_max = 9;
    EXPECT_FALSE(parse_bzimage(make_kernel(spec))->knows_setup_indirect());
    spec = {};
    spec.protocol = 0x020e;
    EXPECT_FALSE(parse_bzimage(make_kernel(spec))->knows_setup_indirect());
}

TEST(BzImage, NoTruncationIsAccepted) {
    const auto image = make_kernel();
    for (std::size_t n = 0; n < image.size(); n += n < 0x300 ? 1 : 97) {
        EXPECT_FALSE(parse_bzimage(ByteView(image).first(n))) << n;
    }
}

TEST(BzImage, MutationsAreRefusedOrConsistent) {
    // The same cases in every run.
    std::mt19937_64 random(7);  // NOLINT(cert-msc32-c,cert-msc51-cpp)
    const auto good = make_kernel();
    for (int round = 0; round < 50000; ++round) {
        auto image = good;
        for (std::uint64_t k = 1 + random() % 4; k > 0; --k) {
            image[0x1f0 + random() % 0x80] = static_cast<std::byte>(random());
        }
        const auto got = parse_bzimage(image);
        if (!got) {
            EXPECT_EQ(got.error().code, ExitCode::refused);
            continue;
        }
        EXPECT_LE(got->payload_offset + got->payload_bytes, image.size());
        EXPECT_LE(got->payload_bytes, got->init_size);
        EXPECT_LE(got->header_end, got->payload_offset);
        EXPECT_TRUE(is_power_of_two(got->kernel_alignment));
        EXPECT_GE(got->kernel_alignment, page_size);
    }
}

}  // namespace
}  // namespace khob
