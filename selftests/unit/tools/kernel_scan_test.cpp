// SPDX-License-Identifier: GPL-2.0-only
// What tells of KHO and of KASAN, wherever the borders of the pieces fall.
#include "image/kernel_scan.hpp"

#include <gtest/gtest.h>

#include "base/bytes.hpp"

namespace khob {
namespace {

std::string nul(std::string_view text) {
    return '\0' + std::string(text) + '\0';
}

const std::string property = nul("preserved-memory-map");
const std::string banner = "kasan: KernelAddressSanitizer initialized (generic)\n";

KernelScan scan(std::string_view text, std::size_t piece = std::string_view::npos) {
    KernelScan out;
    for (std::size_t at = 0; at < text.size(); at += std::min(piece, text.size() - at)) {
        out.feed(as_bytes(text.substr(at, piece)));
    }
    return out;
}

TEST(KernelScan, NeedsThePropertyAndTheCompatibleString) {
    EXPECT_EQ(scan(property + nul("kho-v4")).kho(), "kho-v4");
    EXPECT_EQ(scan(property + nul("kho-v17")).kho(), "kho-v17");
    // As of Linux 6.16, whose subnodes have another property.
    EXPECT_EQ(scan(nul("kho-v1") + property + nul("fdt")).kho(), "kho-v1");
    EXPECT_EQ(scan("kho-v4" + property).kho(), "kho-v4") << "nothing stands before it";
    EXPECT_EQ(scan(nul("kho-v4")).kho(), "");
    EXPECT_EQ(scan(property).kho(), "");
    EXPECT_EQ(scan(property + nul("kho-vX") + nul("my-kho-v4")).kho(), "");
    EXPECT_EQ(scan(property + nul("kho-v12345")).kho(), "");
    EXPECT_EQ(scan(property + std::string("\0kho-v4", 7)).kho(), "") << "no NUL at the end";
    EXPECT_EQ(scan(property + "kho-v").kho(), "");
    EXPECT_EQ(scan("").kho(), "");
}

TEST(KernelScan, FindsTheLiveUpdateOrchestrator) {
    EXPECT_EQ(scan(property + nul("kho-v4") + nul("luo-v5")).luo(), "luo-v5");
    EXPECT_EQ(scan(nul("luo-v12")).luo(), "luo-v12");
    EXPECT_EQ(scan(nul("luo-v") + nul("fluo-v5") + nul("luo-v5x")).luo(), "");
    EXPECT_EQ(scan(property + nul("kho-v4")).luo(), "");
}

TEST(KernelScan, FindsKasan) {
    EXPECT_TRUE(scan(banner).kasan());
    EXPECT_FALSE(scan("KernelAddressSanitizer initialize").kasan());
    EXPECT_FALSE(scan(property + nul("kho-v4")).kasan());
}

/// Every border that there can be, with what is looked for at the very end.
TEST(KernelScan, FindsWhatLiesAcrossABorder) {
    const std::string filler(300, 'x');
    const std::string text =
        filler + banner + filler + property + filler + nul("luo-v5678") + filler + nul("kho-v1234");
    for (std::size_t at = 0; at <= text.size(); ++at) {
        KernelScan got;
        got.feed(as_bytes(std::string_view(text).substr(0, at)));
        got.feed(as_bytes(std::string_view(text).substr(at)));
        EXPECT_EQ(got.kho(), "kho-v1234") << at;
        EXPECT_EQ(got.luo(), "luo-v5678") << at;
        EXPECT_TRUE(got.kasan()) << at;
    }
    for (std::size_t piece = 1; piece <= text.size(); ++piece) {
        EXPECT_EQ(scan(text, piece).kho(), "kho-v1234") << piece;
        EXPECT_TRUE(scan(text, piece).kasan()) << piece;
    }
}

TEST(KernelScan, TakesNoBorderForTheEndOfAString) {
    // Preceded by a letter that was fed before, and with digits that are still to come.
    const std::string text = std::string(100, 'x') + "kho-v4" + '\0' + property + "y";
    const std::string longer = property + std::string("\0kho-v4", 7) + "5" + nul("");
    for (std::size_t piece = 1; piece <= text.size(); ++piece) {
        EXPECT_EQ(scan(text, piece).kho(), "") << piece;
        EXPECT_EQ(scan(longer, piece).kho(), "kho-v45") << piece;
    }
}

TEST(KernelScan, TheFirstOneCounts) {
    const std::string text = property + nul("kho-v3") + std::string(200, 'x') + nul("kho-v9");
    for (const std::size_t piece : {std::size_t{1}, std::size_t{7}, std::size_t{64}, text.size()}) {
        EXPECT_EQ(scan(text, piece).kho(), "kho-v3") << piece;
    }
}

}  // namespace
}  // namespace khob
