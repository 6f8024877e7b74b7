// SPDX-License-Identifier: GPL-2.0-only
// Sessions, from both sides of a made-up kexec.
#include <fcntl.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>

#include <array>
#include <functional>
#include <thread>
#include <vector>

#include "fixture.hpp"
#include "internal.h"
#include "uapi/linux/liveupdate.h"

namespace {

/// Sees every file that was written to.
std::function<void(int)> after_write;  // NOLINT: as global as what calls it

}  // namespace

/// In libc's place.
extern "C" ssize_t pwrite(int fd, const void* from, size_t size, off_t at) {  // NOLINT
    const auto written = static_cast<ssize_t>(syscall(SYS_pwrite64, fd, from, size, at));
    if (after_write) {
        after_write(fd);
    }
    return written;
}

namespace {

class Sessions : public Machine {
  protected:
    void TearDown() override {
        kho_session_close(session);
        Machine::TearDown();
    }
    void create(const char* name = "test") {
        ASSERT_EQ(kho_session_create(name, &session), KHO_OK);
    }
    void retrieve(const char* name = "test") {
        ASSERT_EQ(kho_session_retrieve(name, &session), KHO_OK);
    }
    /// Puts a text, and closes what it was in.
    kho_error put(const char* name, std::string_view what) {
        const int fd = file(what);
        const kho_error error = kho_session_put(session, name, fd);
        const int kept = errno;
        close(fd);
        errno = kept;
        return error;
    }
    std::string get(const char* name) {
        int fd = -1;
        EXPECT_EQ(kho_session_get(session, name, &fd), KHO_OK) << name;
        std::string found = fd < 0 ? "" : text(fd);
        EXPECT_NE(fcntl(fd, F_GETFD) & FD_CLOEXEC, 0);
        close(fd);
        return found;
    }
    kho_error get_error(const char* name) {
        int fd = 4711;
        const kho_error error = kho_session_get(session, name, &fd);
        EXPECT_EQ(fd, -1);
        return error;
    }
    void jump() {
        fake_kexec();
        kho_session_close(session);
        session = nullptr;
    }
    /// A session that another program has left.
    void came(const void* index, std::size_t size) {
        int fd = -1;
        ASSERT_EQ(kho_memfd("index", size, &fd), KHO_OK);
        ASSERT_EQ(pwrite(fd, index, size, 0), static_cast<ssize_t>(size));
        fake_put("test", KHO_INDEX_TOKEN, fd);
        close(fd);
        fake_kexec();
        retrieve();
    }

    kho_session* session = nullptr;
};

TEST_F(Sessions, GoAndCome) {
    create();
    EXPECT_FALSE(kho_session_came(session));
    EXPECT_STREQ(kho_session_name(session), "test");
    EXPECT_EQ(put("one", "first"), KHO_OK);
    EXPECT_EQ(put("two", "second"), KHO_OK);
    EXPECT_EQ(kho_session_count(session), 2U);
    EXPECT_FALSE(fake_open());
    jump();
    retrieve();
    EXPECT_FALSE(fake_open());
    EXPECT_TRUE(kho_session_came(session));
    EXPECT_EQ(kho_session_check(session), KHO_OK);
    EXPECT_EQ(kho_session_why(session), nullptr);
    ASSERT_EQ(kho_session_count(session), 2U);
    EXPECT_STREQ(kho_session_file(session, 0), "one");
    EXPECT_STREQ(kho_session_file(session, 1), "two");
    EXPECT_EQ(kho_session_file(session, 2), nullptr);
    EXPECT_EQ(get("two"), "second");
    EXPECT_EQ(get("one"), "first");
    EXPECT_EQ(get("one"), "first");
    EXPECT_EQ(get_error("three"), KHO_NOT_FOUND);
    EXPECT_EQ(errno, ENOENT);
    const char* name = kho_session_file(session, 0);
    EXPECT_EQ(kho_session_finish(session), KHO_OK);
    EXPECT_EQ(kho_session_count(session), 0U);
    EXPECT_EQ(get_error("one"), KHO_NOT_FOUND);
    EXPECT_STREQ(name, "one");
}

TEST_F(Sessions, WhatIsWrittenLaterGoesAlong) {
    create();
    const int fd = file("early");
    EXPECT_EQ(kho_session_put(session, "file", fd), KHO_OK);
    EXPECT_EQ(pwrite(fd, "later", 5, 0), 5);
    close(fd);
    jump();
    retrieve();
    EXPECT_EQ(get("file"), "later");
}

/// What is in the index's file after each single write is what another program would believe.
TEST_F(Sessions, IndexIsSoundAllTheTime) {
    std::size_t looked = 0;
    std::uint64_t most = 0;
    create();
    const auto look = [&](int fd) {
        kho_index_table table{};
        struct stat status {};
        if (fstat(fd, &status) != 0 || status.st_size != KHO_INDEX_SIZE) {
            return;
        }
        ASSERT_EQ(pread(fd, &table, sizeof(table), 0), static_cast<ssize_t>(sizeof(table)));
        const char* why = nullptr;
        EXPECT_EQ(kho_index_check(&table, &why), KHO_OK) << why;
        EXPECT_GE(table.header.count, most);
        most = table.header.count;
        looked++;
    };
    after_write = look;
    for (int i = 0; i < 5; i++) {
        ASSERT_EQ(put(std::to_string(i).c_str(), "x"), KHO_OK);
    }
    after_write = nullptr;
    EXPECT_EQ(most, 5U);
    EXPECT_EQ(looked, 10U) << "an entry, and the count";
}

TEST_F(Sessions, AsManyAsFit) {
    create();
    for (int i = 0; i < KHO_FILES_MAX; i++) {
        ASSERT_EQ(put(("file " + std::to_string(i)).c_str(), std::to_string(i)), KHO_OK);
    }
    EXPECT_EQ(put("one more", "x"), KHO_NO_SPACE);
    EXPECT_EQ(errno, ENOSPC);
    jump();
    retrieve();
    ASSERT_EQ(kho_session_count(session), std::size_t{KHO_FILES_MAX});
    EXPECT_EQ(get("file 254"), "254");
}

TEST_F(Sessions, ManyThreads) {
    create();
    constexpr int each = 50;
    std::vector<std::thread> threads;
    threads.reserve(4);
    for (int t = 0; t < 4; t++) {
        threads.emplace_back([&, t] {
            for (int i = 0; i < each; i++) {
                const std::string name = std::to_string(t) + "/" + std::to_string(i);
                EXPECT_EQ(put(name.c_str(), name), KHO_OK);
                EXPECT_GT(kho_session_count(session), 0U);
                // All want this one, and one gets it.
                const kho_error shared = put("shared", "x");
                EXPECT_TRUE(shared == KHO_OK || shared == KHO_EXISTS) << shared;
            }
        });
    }
    for (auto& thread : threads) {
        thread.join();
    }
    jump();
    retrieve();
    EXPECT_EQ(kho_session_count(session), std::size_t{4 * each + 1});
    for (int t = 0; t < 4; t++) {
        for (int i = 0; i < each; i++) {
            const std::string name = std::to_string(t) + "/" + std::to_string(i);
            EXPECT_EQ(get(name.c_str()), name);
        }
    }
}

TEST_F(Sessions, Names) {
    kho_session* none = nullptr;
    const std::string longest(KHO_SESSION_NAME_MAX, 's');
    const std::string too_long = longest + "s";
    for (const char* bad : {static_cast<const char*>(nullptr), "", too_long.c_str()}) {
        EXPECT_EQ(kho_session_create(bad, &none), KHO_INVALID);
        EXPECT_EQ(errno, EINVAL);
        EXPECT_EQ(none, nullptr);
        EXPECT_EQ(kho_session_retrieve(bad, &none), KHO_INVALID);
    }
    create(longest.c_str());
    EXPECT_EQ(put("", "x"), KHO_INVALID);
    EXPECT_EQ(put(nullptr, "x"), KHO_INVALID);
    EXPECT_EQ(put("a\n", "x"), KHO_INVALID);
    EXPECT_EQ(put(std::string(KHO_FILE_NAME_MAX + 1, 'f').c_str(), "x"), KHO_INVALID);
    EXPECT_EQ(put(std::string(KHO_FILE_NAME_MAX, 'f').c_str(), "x"), KHO_OK);
    EXPECT_EQ(put(std::string(KHO_FILE_NAME_MAX, 'f').c_str(), "x"), KHO_EXISTS);
    EXPECT_EQ(errno, EEXIST);
    jump();
    retrieve(longest.c_str());
    EXPECT_EQ(get(std::string(KHO_FILE_NAME_MAX, 'f').c_str()), "x");
    EXPECT_EQ(get_error(nullptr), KHO_INVALID);
    EXPECT_EQ(get_error(""), KHO_INVALID);
}

TEST_F(Sessions, WrongSide) {
    create();
    EXPECT_EQ(put("file", "x"), KHO_OK);
    EXPECT_EQ(get_error("file"), KHO_WRONG_SIDE);
    EXPECT_EQ(kho_session_finish(session), KHO_WRONG_SIDE);
    jump();
    retrieve();
    EXPECT_EQ(put("other", "x"), KHO_WRONG_SIDE);
}

TEST_F(Sessions, SessionErrors) {
    kho_session* other = nullptr;
    create();
    EXPECT_EQ(kho_session_create("test", &other), KHO_EXISTS);
    EXPECT_EQ(kho_session_retrieve("test", &other), KHO_NOT_FOUND);
    jump();
    retrieve();
    EXPECT_EQ(kho_session_retrieve("test", &other), KHO_TAKEN);
    EXPECT_EQ(errno, EINVAL);
    fake_loaded(true);
    EXPECT_EQ(kho_session_create("other", &other), KHO_LOADED);
    EXPECT_EQ(errno, EBUSY);
    EXPECT_EQ(other, nullptr);
}

TEST_F(Sessions, Device) {
    kho_session* other = nullptr;
    fake_device(false);
    EXPECT_EQ(kho_session_create("test", &other), KHO_NO_DEVICE);
    EXPECT_EQ(errno, ENOENT);
    fake_device(true);
    fake_busy(3);
    create();
    fake_busy(1000000);
    EXPECT_EQ(kho_session_create("other", &other), KHO_BUSY);
    EXPECT_EQ(errno, EBUSY);
}

TEST_F(Sessions, FileErrors) {
    create();
    EXPECT_EQ(kho_session_put(session, "file", -1), KHO_INVALID);
    EXPECT_EQ(kho_session_put(session, "file", 4711), KHO_INVALID);
    EXPECT_EQ(errno, EBADF);
    const int null = open("/dev/null", O_RDONLY | O_CLOEXEC);
    EXPECT_EQ(kho_session_put(session, "file", null), KHO_NOT_MEMFD);
    close(null);
    const int fd = file("x");
    EXPECT_EQ(kho_session_put(session, "file", fd), KHO_OK);
    EXPECT_EQ(kho_session_put(session, "again", fd), KHO_PRESERVED);
    fake_loaded(true);
    EXPECT_EQ(kho_session_put(session, "again", fd), KHO_LOADED);
    fake_loaded(false);
    close(fd);
    // None of them has left a name.
    EXPECT_EQ(kho_session_count(session), 1U);
    EXPECT_EQ(put("again", "x"), KHO_OK);
}

TEST_F(Sessions, ErrnosAreKept) {
    struct One {
        int err;
        kho_error error;
    };
    const auto all = std::to_array<One>({{ENOMEM, KHO_NO_MEMORY},
                                         {ENOSPC, KHO_NO_SPACE},
                                         {EFBIG, KHO_UNSUPPORTED},
                                         {EMFILE, KHO_NO_DESCRIPTOR},
                                         {EPERM, KHO_PERMISSION},
                                         {EOPNOTSUPP, KHO_UNSUPPORTED},
                                         {EIO, KHO_DAMAGED},
                                         {EINTR, KHO_SYSTEM},
                                         {ENOTTY, KHO_SYSTEM}});
    create();
    for (const auto& one : all) {
        fake_fail(LIVEUPDATE_SESSION_PRESERVE_FD, one.err);
        EXPECT_EQ(put("file", "x"), one.error);
        EXPECT_EQ(errno, one.err);
        kho_session* other = nullptr;
        fake_fail(LIVEUPDATE_SESSION_PRESERVE_FD, one.err);
        EXPECT_EQ(kho_session_create("other", &other), one.error) << "the index fails";
        EXPECT_EQ(errno, one.err);
        fake_fail(LIVEUPDATE_IOCTL_CREATE_SESSION, one.err);
        EXPECT_EQ(kho_session_create("other", &other), one.error);
        EXPECT_EQ(errno, one.err);
        EXPECT_EQ(other, nullptr);
    }
}

TEST_F(Sessions, GetErrors) {
    create();
    EXPECT_EQ(put("file", "x"), KHO_OK);
    jump();
    retrieve();
    for (const auto& [err, error] : {std::pair{EBUSY, KHO_LOADED},
                                     {EINVAL, KHO_DAMAGED},
                                     {ENOMEM, KHO_NO_MEMORY},
                                     {ENOENT, KHO_DAMAGED}}) {
        fake_fail(LIVEUPDATE_SESSION_RETRIEVE_FD, err);
        EXPECT_EQ(get_error("file"), error);
        EXPECT_EQ(errno, err);
    }
    fake_fail(LIVEUPDATE_SESSION_FINISH, EBUSY);
    EXPECT_EQ(kho_session_finish(session), KHO_LOADED);
    EXPECT_EQ(get("file"), "x");
}

TEST_F(Sessions, ClosingGivesUp) {
    create();
    EXPECT_EQ(put("file", "x"), KHO_OK);
    kho_session_close(session);
    session = nullptr;
    fake_kexec();
    kho_session* other = nullptr;
    EXPECT_EQ(kho_session_retrieve("test", &other), KHO_NOT_FOUND);
    errno = 4711;
    kho_session_close(nullptr);
    EXPECT_EQ(errno, 4711);
}

TEST_F(Sessions, OfSomebodyElse) {
    const int fd = file("theirs");
    fake_put("test", 5, fd);
    close(fd);
    fake_kexec();
    retrieve();
    EXPECT_EQ(kho_session_check(session), KHO_FOREIGN);
    EXPECT_STREQ(kho_session_why(session), "it has no index");
    EXPECT_EQ(kho_session_count(session), 0U);
    EXPECT_EQ(get_error("file"), KHO_FOREIGN);
    EXPECT_EQ(errno, EBADMSG);
    EXPECT_EQ(fake_left(), 1U) << "nothing is lost as long as it is open";
    // Whoever knows more can use it.
    liveupdate_session_retrieve_fd arg = {.size = sizeof(arg), .fd = -1, .token = 5};
    ASSERT_EQ(ioctl(kho_session_fd(session), LIVEUPDATE_SESSION_RETRIEVE_FD, &arg), 0);
    EXPECT_EQ(text(arg.fd), "theirs");
    close(arg.fd);
}

TEST_F(Sessions, IndexOfAnotherSize) {
    const std::string json = R"({"unit": []})";
    came(json.data(), json.size());
    EXPECT_EQ(kho_session_check(session), KHO_FOREIGN);
    EXPECT_STREQ(kho_session_why(session), "its size is another one");
}

TEST_F(Sessions, IndexThatIsDamaged) {
    kho_index_table table{};
    kho_index_init(&table);
    table.header.count = KHO_INDEX_ENTRIES_MAX + 1;
    came(&table, sizeof(table));
    EXPECT_EQ(kho_session_check(session), KHO_DAMAGED);
    EXPECT_STREQ(kho_session_why(session), "it has more names than fit");
    EXPECT_EQ(kho_session_count(session), 0U);
    EXPECT_EQ(kho_session_file(session, 0), nullptr);
    EXPECT_EQ(get_error("file"), KHO_DAMAGED);
}

TEST_F(Sessions, IndexThatNamesWhatIsNotThere) {
    kho_index_table table{};
    kho_index_init(&table);
    kho_index_add(&table, "file", 4711);
    came(&table, sizeof(table));
    EXPECT_EQ(kho_session_check(session), KHO_OK);
    EXPECT_EQ(get_error("file"), KHO_DAMAGED);
    EXPECT_EQ(errno, ENOENT);
}

TEST_F(Sessions, IndexThatCannotBeRead) {
    create();
    EXPECT_EQ(put("file", "x"), KHO_OK);
    jump();
    fake_fail(LIVEUPDATE_SESSION_RETRIEVE_FD, ENOMEM);
    retrieve();
    EXPECT_STREQ(kho_session_why(session), "its index cannot be read");
    EXPECT_EQ(kho_session_count(session), 0U);
    fake_fail(LIVEUPDATE_SESSION_RETRIEVE_FD, ENOMEM);
    EXPECT_EQ(kho_session_check(session), KHO_NO_MEMORY);
    EXPECT_EQ(errno, ENOMEM);
    fake_fail(LIVEUPDATE_SESSION_RETRIEVE_FD, EBUSY);
    EXPECT_EQ(get_error("file"), KHO_LOADED);
    EXPECT_EQ(get("file"), "x");
    EXPECT_EQ(kho_session_check(session), KHO_OK);
    EXPECT_EQ(kho_session_why(session), nullptr);
}

}  // namespace
