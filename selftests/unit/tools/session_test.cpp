// SPDX-License-Identifier: GPL-2.0-only
// What is made of kho_luo's list of sessions, of /proc, and of the errnos of a drop.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <cerrno>

#include "fixture.hpp"
#include "module/text.hpp"
#include "session/sessions.hpp"

namespace khob {
namespace {

namespace flags = sessions::session_flags;

/// A machine whose kho_luo answers a drop with an errno.
class DroppingSystem : public test::FakeSystem {
  public:
    using FakeSystem::FakeSystem;
    int ioctl(int /*fd*/, unsigned long request, void* arg) const override {
        EXPECT_EQ(request, static_cast<unsigned long>(sessions::Ioctl::drop));
        dropped = text_of(static_cast<const sessions::drop*>(arg)->name);
        return answer;
    }
    int answer = 0;
    mutable std::string dropped;
};

class SessionTest : public ::testing::Test {
  protected:
    static std::string row(std::string_view name, std::uint32_t flags, std::uint64_t files,
                           std::uint64_t left) {
        sessions::session s;
        s.name = text_in<sizeof(s.name)>(name);
        s.flags = flags;
        s.files = files;
        s.left = left;
        s.bytes = 4096 * files;
        s.folios = files;
        s.metadata = 8192;
        return {reinterpret_cast<const char*>(&s), sizeof(s)};
    }
    void told(std::string_view rows) const { dir.write("dev/kho_luo", rows); }
    /// A process that has a session open, twice.
    void holds(std::string_view pid, std::string_view comm, const std::string& session) const {
        const auto fds = dir.path() / "proc" / pid / "fd";
        std::filesystem::create_directories(fds);
        dir.write(fmt::format("proc/{}/comm", pid), fmt::format("{}\n", comm));
        for (const char* fd : {"3", "4"}) {
            std::filesystem::create_symlink("anon_inode:[luo_session] " + session, fds / fd);
        }
        std::filesystem::create_symlink("/dev/null", fds / "0");
    }
    void expect_refused(int answer, ExitCode code, std::string_view what) {
        system.answer = answer;
        const auto got = drop_session(system, "old");
        ASSERT_FALSE(got) << what;
        EXPECT_EQ(got.error().code, code);
        EXPECT_NE(got.error().what.find(what), std::string::npos) << got.error().what;
        EXPECT_FALSE(got.error().hint.empty());
    }

    test::TempDir dir;
    DroppingSystem system{dir.path()};
};

TEST_F(SessionTest, EachHasItsStateAndItsHolders) {
    told(row("new", flags::open, 3, 0) + row("old", flags::incoming, 2, 2) +
         row("back", flags::incoming | flags::open, 2, 1));
    holds("12", "keeper", "new");
    holds("7", "other", "new");
    holds("8", "reader", "back");
    const auto got = list_sessions(system);
    ASSERT_TRUE(got) << got.error().what;
    ASSERT_EQ(got->size(), 3U);
    EXPECT_EQ(got->at(0).name, "new");
    EXPECT_EQ(got->at(0).state(), "outgoing");
    ASSERT_EQ(got->at(0).holders.size(), 2U) << "each process once";
    EXPECT_EQ(got->at(0).holders[0].pid, 7U);
    EXPECT_EQ(got->at(0).holders[1].comm, "keeper");
    EXPECT_EQ(got->at(1).state(), "waiting");
    EXPECT_TRUE(got->at(1).holders.empty());
    EXPECT_EQ(got->at(2).state(), "retrieved");
    EXPECT_EQ(got->at(2).told->left, 1U);
    EXPECT_EQ(got->at(2).holders.at(0).pid, 8U);
}

TEST_F(SessionTest, AKernelsOwnTellsOnlyWhoHasThemOpen) {
    dir.write("dev/liveupdate", "");
    holds("1", "systemd", "systemd");
    const auto got = list_sessions(system);
    ASSERT_TRUE(got) << got.error().what;
    ASSERT_EQ(got->size(), 1U);
    EXPECT_EQ(got->at(0).name, "systemd");
    EXPECT_EQ(got->at(0).state(), "open");
    EXPECT_FALSE(got->at(0).told);
    EXPECT_EQ(got->at(0).holders.at(0).comm, "systemd");
    const auto drop = drop_session(system, "systemd");
    ASSERT_FALSE(drop);
    EXPECT_EQ(drop.error().code, ExitCode::refused);
    EXPECT_NE(drop.error().what.find("of its own"), std::string::npos);
}

TEST_F(SessionTest, WithoutALuoThereAreNone) {
    const auto got = list_sessions(system);
    ASSERT_FALSE(got);
    EXPECT_EQ(got.error().code, ExitCode::absent);
    EXPECT_NE(got.error().hint.find("modprobe kho_luo"), std::string::npos);
    system.root = false;
    EXPECT_EQ(list_sessions(system).error().code, ExitCode::refused);
    EXPECT_EQ(drop_session(system, "old").error().code, ExitCode::refused);
}

TEST_F(SessionTest, AListThatMakesNoSenseIsRefused) {
    told(row("new", flags::open, 1, 0) + "x");
    EXPECT_FALSE(list_sessions(system));
    told(row("", flags::open, 1, 0));
    EXPECT_FALSE(list_sessions(system));
    told(row("new", flags::incoming, 1, 2));
    EXPECT_FALSE(list_sessions(system)) << "more left than there are";
    told("");
    EXPECT_TRUE(list_sessions(system)->empty());
}

TEST_F(SessionTest, Drop) {
    told("");
    EXPECT_TRUE(drop_session(system, "old"));
    EXPECT_EQ(system.dropped, "old");
    expect_refused(-ENOENT, ExitCode::absent, "left no session 'old'");
    expect_refused(-EBUSY, ExitCode::refused, "is open, or goes to the kernel");
    expect_refused(-ENOMEM, ExitCode::failure, "could not be dropped: Cannot allocate memory");
    EXPECT_EQ(drop_session(system, "").error().code, ExitCode::usage);
    EXPECT_EQ(drop_session(system, std::string(64, 'x')).error().code, ExitCode::usage);
}

TEST_F(SessionTest, AllThatWaitAreDroppedWhateverTheyAreCalled) {
    const std::string odd = "\xff\n-";
    told(row("new", flags::open, 1, 0) + row(odd, flags::incoming, 2, 2) +
         row("back", flags::incoming | flags::open, 2, 1));
    const auto got = drop_waiting_sessions(system);
    ASSERT_TRUE(got) << got.error().what;
    EXPECT_EQ(*got, std::vector<std::string>{odd});
    EXPECT_EQ(system.dropped, odd);
    system.answer = -EBUSY;
    EXPECT_FALSE(drop_waiting_sessions(system));
}

}  // namespace
}  // namespace khob
