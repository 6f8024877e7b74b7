// SPDX-License-Identifier: GPL-2.0-only
// Every error has a sentence of its own, with cause and remedy.
#include <gtest/gtest.h>

#include <set>
#include <string>

#include "kho.h"

namespace {

TEST(Error, Sentences) {
    std::set<std::string> seen;
    for (int value = KHO_OK; value <= KHO_SYSTEM; value++) {
        const std::string sentence = kho_strerror(static_cast<kho_error>(value));
        EXPECT_NE(sentence.find("; "), std::string::npos) << sentence;
        EXPECT_NE(sentence.back(), '.') << sentence;
        EXPECT_TRUE(seen.insert(sentence).second) << sentence;
    }
    for (const int value : {-1, KHO_SYSTEM + 1, 1 << 30}) {
        EXPECT_STREQ(kho_strerror(static_cast<kho_error>(value)),
                     "an error that this version of libkho does not know; use a newer one");
    }
}

}  // namespace
