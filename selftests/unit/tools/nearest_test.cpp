// SPDX-License-Identifier: GPL-2.0-only
// Distances between words, and which word was meant.
#include "base/nearest.hpp"

#include <gtest/gtest.h>

#include <array>
#include <vector>

namespace khob {
namespace {

TEST(Nearest, EditDistance) {
    EXPECT_EQ(edit_distance("", ""), 0);
    EXPECT_EQ(edit_distance("abc", ""), 3);
    EXPECT_EQ(edit_distance("", "abc"), 3);
    EXPECT_EQ(edit_distance("status", "status"), 0);
    EXPECT_EQ(edit_distance("statsu", "status"), 1) << "neighbours swapped";
    EXPECT_EQ(edit_distance("stats", "status"), 1) << "one left out";
    EXPECT_EQ(edit_distance("staatus", "status"), 1) << "one too many";
    EXPECT_EQ(edit_distance("stetus", "status"), 1) << "another one";
    EXPECT_EQ(edit_distance("kitten", "sitting"), 3);
    EXPECT_EQ(edit_distance("ca", "abc"), 3) << "what was swapped is not touched again";
    EXPECT_EQ(edit_distance("load", "unload"), 2);
}

TEST(Nearest, IsTheSameBothWays) {
    const std::array<std::string, 6> words{"", "a", "ba", "load", "unload", "preserve"};
    for (const std::string& a : words) {
        for (const std::string& b : words) {
            EXPECT_EQ(edit_distance(a, b), edit_distance(b, a)) << a << " " << b;
            EXPECT_EQ(edit_distance(a, b) == 0, a == b) << a << " " << b;
        }
    }
}

TEST(Nearest, SuggestsOnlyWhatIsNear) {
    const std::vector<std::string> known{"status", "load", "unload", "ls", "compact", "get"};
    EXPECT_EQ(nearest("statsu", known), "status");
    EXPECT_EQ(nearest("laod", known), "load");
    EXPECT_EQ(nearest("unlod", known), "unload");
    EXPECT_EQ(nearest("comp", known), "compact") << "it begins so";
    EXPECT_EQ(nearest("sttaus", known), "status");
    EXPECT_FALSE(nearest("l", known)) << "a letter may mean anything";
    EXPECT_FALSE(nearest("lx", known));
    EXPECT_FALSE(nearest("", known));
    EXPECT_FALSE(nearest("reboot", known));
    EXPECT_FALSE(nearest("status", {}));
}

TEST(Nearest, TheNearestWins) {
    const std::vector<std::string> known{"unpreserve", "preserve"};
    EXPECT_EQ(nearest("preserv", known), "preserve");
    EXPECT_EQ(nearest("unpreserv", known), "unpreserve");
}

}  // namespace
}  // namespace khob
