// SPDX-License-Identifier: GPL-2.0-only
// What all tests over the made-up device share.
#ifndef KHO_FIXTURE_HPP
#define KHO_FIXTURE_HPP

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstddef>
#include <cstring>
#include <string>
#include <string_view>

#include "fake_liveupdate.hpp"
#include "kho.h"

/// A machine with the device, without descriptors that a test has forgotten.
class Machine : public testing::Test {
  protected:
    void SetUp() override {
        fake_reset();
        before_ = descriptors();
    }
    void TearDown() override {
        fake_reset();
        EXPECT_EQ(descriptors(), before_) << "a descriptor is left open";
    }

    /// A memfd that holds a text; the caller's.
    static int file(std::string_view text) {
        int fd = -1;
        EXPECT_EQ(kho_memfd("test", 4096, &fd), KHO_OK);
        EXPECT_EQ(pwrite(fd, text.data(), text.size(), 0), static_cast<ssize_t>(text.size()));
        return fd;
    }
    static std::string text(int fd) {
        std::array<char, 64> bytes{};
        EXPECT_GE(pread(fd, bytes.data(), bytes.size() - 1, 0), 0);
        return bytes.data();
    }

  private:
    static int descriptors() {
        int open = 0;
        for (int fd = 0; fd < 256; fd++) {
            struct stat status {};
            open += fstat(fd, &status) == 0 ? 1 : 0;
        }
        return open;
    }

    int before_ = 0;
};

#endif  // KHO_FIXTURE_HPP
