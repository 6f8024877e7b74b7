// SPDX-License-Identifier: GPL-2.0-only
// kho_keep(): a program with one file, from kernel to kernel, and each way to fail.
#include <sys/resource.h>

#include <csignal>

#include "fixture.hpp"
#include "uapi/linux/liveupdate.h"

namespace {

class Keep : public Machine {
  protected:
    void TearDown() override {
        stop();
        Machine::TearDown();
    }
    kho_error keep(const char* name = "file") {
        stop();
        return kho_keep("test", name, 4096, &kept);
    }
    /// The program ends.
    void stop() {
        if (kept.fd >= 0) {
            close(kept.fd);
        }
        kho_session_close(kept.session);
        kept = {.session = nullptr, .fd = -1, .found = false};
    }
    void jump() {
        fake_kexec();
        stop();
    }
    void write(const char* what) const {
        ASSERT_EQ(pwrite(kept.fd, what, std::strlen(what) + 1, 0),
                  static_cast<ssize_t>(std::strlen(what) + 1));
    }

    kho_kept kept{.session = nullptr, .fd = -1, .found = false};
};

TEST_F(Keep, FromKernelToKernel) {
    ASSERT_EQ(keep(), KHO_OK);
    EXPECT_FALSE(kept.found);
    ASSERT_NE(kept.session, nullptr);
    struct stat status {};
    ASSERT_EQ(fstat(kept.fd, &status), 0);
    EXPECT_EQ(status.st_size, 4096);
    write("1");
    for (const char* next : {"2", "3", "4"}) {
        const std::string before(1, static_cast<char>(*next - 1));
        jump();
        ASSERT_EQ(keep(), KHO_OK);
        EXPECT_TRUE(kept.found);
        EXPECT_FALSE(kho_session_came(kept.session));
        EXPECT_EQ(fake_left(), 0U);
        EXPECT_EQ(text(kept.fd), before);
        write(next);
    }
}

TEST_F(Keep, WithoutADevice) {
    fake_device(false);
    EXPECT_EQ(keep(), KHO_NO_DEVICE);
    EXPECT_EQ(errno, ENOENT);
    EXPECT_GE(kept.fd, 0);
    EXPECT_EQ(kept.session, nullptr);
    EXPECT_FALSE(kept.found);
}

TEST_F(Keep, WhenAKernelIsLoaded) {
    fake_loaded(true);
    EXPECT_EQ(keep(), KHO_LOADED);
    EXPECT_GE(kept.fd, 0);
    EXPECT_EQ(kept.session, nullptr);
    fake_loaded(false);
    ASSERT_EQ(keep(), KHO_OK);
    write("x");
    jump();
    fake_loaded(true);
    EXPECT_EQ(keep(), KHO_LOADED);
    EXPECT_TRUE(kept.found);
    EXPECT_EQ(text(kept.fd), "x");
}

TEST_F(Keep, ThatCannotBePut) {
    ASSERT_EQ(keep(), KHO_OK);
    write("x");
    jump();
    // The index's is the first.
    fake_fail(LIVEUPDATE_SESSION_PRESERVE_FD, ENOMEM);
    EXPECT_EQ(keep(), KHO_NO_MEMORY);
    EXPECT_EQ(text(kept.fd), "x");
    EXPECT_EQ(kept.session, nullptr);
    // As is said: it can be tried again.
    ASSERT_EQ(kho_session_create("test", &kept.session), KHO_OK);
    EXPECT_EQ(kho_session_put(kept.session, "file", kept.fd), KHO_OK);
}

TEST_F(Keep, ThatIsBusy) {
    fake_busy(1000000);
    EXPECT_EQ(keep(), KHO_BUSY);
    EXPECT_EQ(kept.fd, -1);
    EXPECT_EQ(kept.session, nullptr);
}

TEST_F(Keep, OfAnotherProgram) {
    ASSERT_EQ(keep("other"), KHO_OK);
    write("theirs");
    jump();
    EXPECT_EQ(keep("file"), KHO_NOT_FOUND);
    EXPECT_EQ(kept.fd, -1);
    ASSERT_NE(kept.session, nullptr);
    EXPECT_TRUE(kho_session_came(kept.session));
    int fd = -1;
    EXPECT_EQ(kho_session_get(kept.session, "other", &fd), KHO_OK) << "it is not lost";
    EXPECT_EQ(text(fd), "theirs");
    close(fd);
}

TEST_F(Keep, WhoseFinishFails) {
    ASSERT_EQ(keep(), KHO_OK);
    write("x");
    jump();
    fake_fail(LIVEUPDATE_SESSION_FINISH, EBUSY);
    EXPECT_EQ(keep(), KHO_LOADED);
    EXPECT_TRUE(kept.found);
    EXPECT_EQ(text(kept.fd), "x");
    EXPECT_EQ(kept.session, nullptr);
}

TEST_F(Keep, Names) {
    EXPECT_EQ(keep(""), KHO_INVALID);
    EXPECT_EQ(keep(nullptr), KHO_INVALID);
    EXPECT_EQ(kho_keep("", "file", 1, &kept), KHO_INVALID);
    EXPECT_EQ(kept.fd, -1);
}

TEST_F(Keep, Memfds) {
    int fd = 4711;
    EXPECT_EQ(kho_memfd("x", UINT64_MAX, &fd), KHO_INVALID);
    EXPECT_EQ(fd, -1);
    EXPECT_EQ(kho_memfd(std::string(1000, 'x').c_str(), 1, &fd), KHO_INVALID);
    EXPECT_EQ(kho_memfd(nullptr, 1, &fd), KHO_INVALID);
    EXPECT_EQ(errno, EFAULT);
    EXPECT_EQ(kho_memfd("", 0, &fd), KHO_OK);
    close(fd);
}

TEST_F(Keep, FilesThatMayNotBeSoLarge) {
    rlimit before{};
    ASSERT_EQ(getrlimit(RLIMIT_FSIZE, &before), 0);
    const rlimit small = {.rlim_cur = 4096, .rlim_max = before.rlim_max};
    auto* handler = signal(SIGXFSZ, SIG_IGN);
    ASSERT_EQ(setrlimit(RLIMIT_FSIZE, &small), 0);
    int fd = 4711;
    EXPECT_EQ(kho_memfd("x", 8192, &fd), KHO_UNSUPPORTED);
    EXPECT_EQ(errno, EFBIG);
    EXPECT_EQ(fd, -1);
    EXPECT_EQ(setrlimit(RLIMIT_FSIZE, &before), 0);
    EXPECT_EQ(signal(SIGXFSZ, handler), SIG_IGN);
}

}  // namespace
