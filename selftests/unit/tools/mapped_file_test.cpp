// SPDX-License-Identifier: GPL-2.0-only
// Mapped files: what is in them, what cannot be mapped, and what others do to them meanwhile.
#include "base/mapped_file.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <csignal>
#include <thread>

#include "base/bytes.hpp"
#include "fixture.hpp"

namespace khob {
namespace {

using test::TempDir;

std::string text_of(const MappedFile& file) {
    return {reinterpret_cast<const char*>(file.bytes().data()), file.bytes().size()};
}

class MappedFileTest : public ::testing::Test {
  protected:
    std::filesystem::path file(std::string_view text) const {
        dir.write("file", text);
        return dir.path() / "file";
    }
    TempDir dir;
};

TEST_F(MappedFileTest, HasTheFilesBytes) {
    const auto got = MappedFile::open(file("some bytes"));
    ASSERT_TRUE(got) << got.error().what;
    EXPECT_EQ(text_of(*got), "some bytes");
    EXPECT_EQ(got->size(), 10);
    EXPECT_TRUE(got->check());
    const auto empty = MappedFile::open(file(""));
    ASSERT_TRUE(empty);
    EXPECT_EQ(empty->size(), 0);
    EXPECT_TRUE(empty->check());
    EXPECT_EQ(MappedFile().size(), 0);
    EXPECT_TRUE(MappedFile().check());
}

TEST_F(MappedFileTest, MovesWithItsBytes) {
    auto got = MappedFile::open(file("first"));
    dir.write("other", "second");
    auto other = MappedFile::open(dir.path() / "other");
    ASSERT_TRUE(got && other);
    MappedFile moved = std::move(*got);
    EXPECT_EQ(text_of(moved), "first");
    moved = std::move(*other);
    EXPECT_EQ(text_of(moved), "second");
    EXPECT_TRUE(moved.check());
}

TEST_F(MappedFileTest, RefusesWhatIsNotThere) {
    const auto got = MappedFile::open(dir.path() / "absent");
    ASSERT_FALSE(got);
    EXPECT_EQ(got.error().what.substr(0, 12), "cannot open ");
    EXPECT_FALSE(MappedFile::open(dir.path())) << "a directory has no bytes";
}

TEST_F(MappedFileTest, ReadsAPipe) {
    const auto path = dir.path() / "pipe";
    ASSERT_EQ(::mkfifo(path.c_str(), 0600), 0);
    const std::string text(200000, 'p');
    std::thread writer([&] { EXPECT_TRUE(write_file(path, as_bytes(text))); });
    const auto got = MappedFile::open(path);
    writer.join();
    ASSERT_TRUE(got) << got.error().what;
    EXPECT_EQ(text_of(*got), text);
    EXPECT_TRUE(got->check());
}

TEST_F(MappedFileTest, ReadsSomeOfProc) {
    const auto got = MappedFile::open("/proc/self/status");
    ASSERT_TRUE(got) << got.error().what;
    EXPECT_EQ(text_of(*got).substr(0, 5), "Name:");
}

TEST_F(MappedFileTest, RefusesWhatIsEndless) {
    const auto got = MappedFile::open("/dev/zero");
    ASSERT_FALSE(got);
    EXPECT_EQ(got.error().code, ExitCode::refused);
    EXPECT_NE(got.error().what.find("more than 64.0 MiB"), std::string::npos) << got.error().what;
    EXPECT_NE(got.error().hint.find("copy it into a file"), std::string::npos);
}

TEST_F(MappedFileTest, NoticesThatItWasWrittenTo) {
    const auto path = file("before");
    const auto got = MappedFile::open(path);
    ASSERT_TRUE(got);
    const std::array<timespec, 2> past{{{1, 0}, {1, 0}}};
    ASSERT_EQ(::utimensat(AT_FDCWD, path.c_str(), past.data(), 0), 0);
    const auto same = got->check();
    ASSERT_FALSE(same);
    EXPECT_EQ(same.error().code, ExitCode::refused);
    EXPECT_NE(same.error().what.find("was written to"), std::string::npos) << same.error().what;
    const auto other = MappedFile::open(path);
    ASSERT_TRUE(other);
    dir.write("file", "longer than before");
    EXPECT_FALSE(other->check());
}

TEST_F(MappedFileTest, OutlivesThatItBecomesShorter) {
    const auto path = file(std::string(5 * page_size, 'x'));
    dir.write("other", std::string(2 * page_size, 'y'));
    const auto got = MappedFile::open(path);
    const auto other = MappedFile::open(dir.path() / "other");
    ASSERT_TRUE(got && other);
    ASSERT_EQ(::truncate(path.c_str(), page_size), 0);
    const ByteView bytes = got->bytes();
    EXPECT_EQ(bytes[page_size - 1], std::byte{'x'});
    // Would end this program, and a load with everything frozen.
    EXPECT_EQ(std::count(bytes.begin(), bytes.end(), std::byte{0}), 4 * page_size);
    EXPECT_FALSE(got->check());
    EXPECT_EQ(other->bytes()[2 * page_size - 1], std::byte{'y'});
    EXPECT_TRUE(other->check());
}

TEST_F(MappedFileTest, SaysThatADiskHasFailed) {
    const auto path = file(std::string(2 * page_size, 'x'));
    const auto got = MappedFile::open(path);
    ASSERT_TRUE(got);
    struct stat st {};
    ASSERT_EQ(::stat(path.c_str(), &st), 0);
    // What has its length and its time again looks as it did, and still zeroes came.
    ASSERT_EQ(::truncate(path.c_str(), 0), 0);
    EXPECT_EQ(got->bytes()[page_size], std::byte{0});
    ASSERT_EQ(::truncate(path.c_str(), 2 * page_size), 0);
    const std::array<timespec, 2> times{st.st_atim, st.st_mtim};
    ASSERT_EQ(::utimensat(AT_FDCWD, path.c_str(), times.data(), 0), 0);
    const auto same = got->check();
    ASSERT_FALSE(same);
    EXPECT_NE(same.error().what.find("cannot be read to its end"), std::string::npos)
        << same.error().what;
}

TEST_F(MappedFileTest, LeavesOthersBusErrorsAlone) {
    const auto got = MappedFile::open(file("x"));
    ASSERT_TRUE(got);
    const auto theirs = [this] {
        dir.write("theirs", std::string(page_size, 'x'));
        const auto fd = open_file(dir.path() / "theirs", O_RDONLY);
        void* at = ::mmap(nullptr, page_size, PROT_READ, MAP_PRIVATE, fd->get(), 0);
        (void)::truncate((dir.path() / "theirs").c_str(), 0);
        const volatile char* byte = static_cast<const char*>(at);
        (void)byte[0];
    };
    EXPECT_DEATH(theirs(), "");
}

}  // namespace
}  // namespace khob
