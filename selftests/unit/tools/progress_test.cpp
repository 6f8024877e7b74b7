// SPDX-License-Identifier: GPL-2.0-only
// The line that shows how far something is: its words, and that nothing of it stays.
#include "base/progress.hpp"

#include <gtest/gtest.h>

#include <memory>
#include <thread>

namespace khob {
namespace {

constexpr std::uint64_t mib = 1ULL << 20;

TEST(Progress, SaysHowMuchIsLeft) {
    EXPECT_EQ(progress_line("moving", 10 * mib, 40 * mib, 500),
              "moving... 10.0 MiB of 40.0 MiB, 25%");
    EXPECT_EQ(progress_line("moving", 10 * mib, 40 * mib, 2000),
              "moving... 10.0 MiB of 40.0 MiB, 25%, 7 s left");
    EXPECT_EQ(progress_line("moving", 1 * mib, 101 * mib, 1000),
              "moving... 1.0 MiB of 101.0 MiB, 1%, 1 min 41 s left");
    EXPECT_EQ(progress_line("moving", 1 * mib, 7201 * mib, 1000),
              "moving... 1.0 MiB of 7.0 GiB, 0%, 2 h 0 min left");
    EXPECT_EQ(progress_line("moving", 0, 40 * mib, 9000), "moving... 0 B of 40.0 MiB, 0%");
    EXPECT_EQ(progress_line("moving", 40 * mib, 40 * mib, 9000),
              "moving... 40.0 MiB of 40.0 MiB, 100%");
    EXPECT_EQ(progress_line("moving", 41 * mib, 40 * mib, 9000),
              "moving... 40.0 MiB of 40.0 MiB, 100%")
        << "whatever was promised";
}

class Shown : public ::testing::Test {
  protected:
    std::string text() const {
        std::string out;
        std::rewind(file.get());
        for (int c = std::fgetc(file.get()); c != EOF; c = std::fgetc(file.get())) {
            out.push_back(static_cast<char>(c));
        }
        return out;
    }
    std::unique_ptr<std::FILE, int (*)(std::FILE*)> file{std::tmpfile(), std::fclose};
};

TEST_F(Shown, OneLineThatIsErased) {
    {
        Progress progress(file.get(), true);
        progress.step("first");
        progress.step("second");
        progress.update(1, 4);  // too soon to be seen
        std::this_thread::sleep_for(std::chrono::milliseconds(150));
        progress.update(2, 4);
        progress.update(3, 4);  // again
    }
    EXPECT_EQ(text(), "\r\033[Kfirst...\r\033[Ksecond...\r\033[Ksecond... 2 B of 4 B, 50%\r\033[K");
}

TEST_F(Shown, NoLineIsLongerThanTheTerminal) {
    Progress progress(file.get(), true);
    progress.step(std::string(200, 'x'));
    EXPECT_EQ(text(), "\r\033[K" + std::string(79, 'x'));
    progress.end();
}

TEST_F(Shown, NothingGoesIntoAFile) {
    {
        Progress progress(file.get(), false);
        progress.step("first");
        std::this_thread::sleep_for(std::chrono::milliseconds(150));
        progress.update(1, 2);
        progress.end();
    }
    EXPECT_EQ(text(), "");
}

}  // namespace
}  // namespace khob
