// SPDX-License-Identifier: GPL-2.0-only
// Kept files: the record that goes to the next kernel, the list of paths, and a walk over a tree
// and back.
#include <fcntl.h>
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <filesystem>
#include <set>

#include "base/interrupt.hpp"
#include "fixture.hpp"
#include "keep/choose.hpp"
#include "keep/list.hpp"
#include "keep/record.hpp"
#include "keep/restore.hpp"
#include "keep/walk.hpp"

namespace khob::keep {
namespace {

namespace fs = std::filesystem;

TEST(KeepPaths, WhatIsOneBelow) {
    for (const char* path : {"a", "a/b", ".a/..b", "..."}) {
        EXPECT_TRUE(is_inner_path(path)) << path;
    }
    for (const char* path : {"", "/", "/a", "a/", "a//b", ".", "..", "a/../b", "../a", "a/."}) {
        EXPECT_FALSE(is_inner_path(path)) << path;
    }
    EXPECT_FALSE(is_inner_path(std::string("a\0b", 3)));
    EXPECT_FALSE(is_inner_path(std::string(most_name + 1, 'a')));
    EXPECT_TRUE(is_absolute_path("/"));
    EXPECT_TRUE(is_absolute_path("/a/b"));
    EXPECT_FALSE(is_absolute_path("a"));
    EXPECT_FALSE(is_absolute_path("/a/../b"));
}

TEST(KeepPaths, AnyBytes) {
    std::string bytes;
    for (int c = 0; c < 256; c++) {
        bytes += static_cast<char>(c);
    }
    const std::string text = escaped(bytes);
    EXPECT_EQ(unescaped(text), bytes);
    EXPECT_TRUE(std::all_of(text.begin(), text.end(), [](char c) { return c > ' ' && c <= '~'; }));
    for (const char* wrong : {"%", "%1", "%zz", "a%0"}) {
        EXPECT_FALSE(unescaped(wrong)) << wrong;
    }
}

Record sample() {
    Entry file;
    file.path = "d/a \"name\"";
    file.mode = 04640;
    file.uid = 12;
    file.gid = 34;
    file.atime = {-5, 999'999'999};
    file.mtime = {1'700'000'000, 1};
    file.xattrs = {{"user.x", std::string("\0\xff", 2)}};
    file.token = 0xfedcba9876543210;
    file.size = 100'000;
    file.data = std::vector<Span>{{4096, 8192}, {90'000, 10'000}};
    Entry dir;
    dir.path = "d";
    dir.type = EntryType::directory;
    dir.mode = 02755;
    Entry soft;
    soft.path = "d/soft";
    soft.type = EntryType::symlink;
    soft.target = "../../etc/passwd";
    Entry hard;
    hard.path = "d/hard";
    hard.type = EntryType::link;
    hard.target = file.path;
    return {{{"/dev/shm", {dir, file, soft, hard}}}};
}

TEST(KeepRecord, ThereAndBack) {
    const std::string json = to_json(sample());
    const auto back = parse_record(json);
    ASSERT_TRUE(back) << back.error().what;
    EXPECT_EQ(to_json(*back), json);
    const Entry& file = back->trees.at(0).entries.at(1);
    EXPECT_EQ(file.token, 0xfedcba9876543210);
    EXPECT_EQ(file.data->at(1).start, 90'000);
    EXPECT_EQ(file.atime.seconds, -5);
    EXPECT_EQ(file.xattrs.at(0).second.size(), 2);
}

TEST(KeepRecord, Nonsense) {
    const std::string sound = to_json(sample());
    const auto with = [&sound](const std::string& what, const std::string& instead) {
        std::string out = sound;
        const auto at = out.find(what);
        EXPECT_NE(at, std::string::npos) << what;
        return out.replace(at, what.size(), instead);
    };
    for (const std::string& text : {
             std::string(),
             std::string("[]"),
             std::string("{}"),
             std::string("{\"version\":2}"),
             sound.substr(0, sound.size() / 2),
             with(R"("path":"d")", R"("path":"..")"),
             with(R"("path":"d")", R"("path":"/d")"),
             with(R"("path":"d")", R"("path":7)"),
             with(R"("target":"d/a)", R"("target":"../a)"),
             with("/dev/shm", "dev/shm"),
             with("\"mode\":1517", "\"mode\":65536"),
             with("\"symlink\"", "\"socket\""),
             with("999999999", "1000000000"),
             with("\"size\":100000", "\"size\":-1"),
             with("[90000,10000]", "[90000,10001]"),
             with("[90000,10000]", "[4096,1]"),
             with("[90000,10000]", "[90000]"),
             with("\"user.x\"", "\"\""),
             with("%00%ff", "%0"),
             with("\"uid\":12", "\"uid\":4294967296"),
         }) {
        const auto got = parse_record(text);
        ASSERT_FALSE(got) << text;
        EXPECT_EQ(got.error().code, ExitCode::data_damaged);
    }
    Record twice = sample();
    twice.trees.push_back(twice.trees[0]);
    EXPECT_FALSE(parse_record(to_json(twice))) << "two files of one token";
}

TEST(KeepList, ThereAndBack) {
    const std::vector<Noted> list{{"/dev/shm/a b", "", std::nullopt, true},
                                  {"/x", "boot", 1 << 20, false}};
    const auto back = parse_list(list_to_json(list));
    ASSERT_TRUE(back) << back.error().what;
    EXPECT_EQ(list_to_json(*back), list_to_json(list));
    for (const char* text :
         {"", "{}", R"({"version":2,"paths":[]})", R"({"version":1,"paths":[{"path":"a"}]})",
          R"({"version":1,"paths":[{"path":"/a/../b"}]})", R"({"version":1,"paths":[{}]})"}) {
        EXPECT_FALSE(parse_list(text)) << text;
    }
}

TEST(KeepList, OnceIsOverWithItsBoot) {
    const test::TempDir dir;
    const test::FakeSystem system(dir.path());
    dir.write("proc/sys/kernel/random/boot_id", "this\n");
    EXPECT_TRUE(read_noted(system)->empty());
    ASSERT_TRUE(write_noted(
        system, {{"/a", "this", {}, false}, {"/b", "before", {}, false}, {"/c", "", {}, false}}));
    const auto noted = read_noted(system);
    ASSERT_TRUE(noted);
    ASSERT_EQ(noted->size(), 2);
    EXPECT_EQ((*noted)[1].path, "/c");
    dir.write("etc/kho-bridge/keep.d/a.conf",
              fmt::format("# all of it\n\n -{}/etc/kho-bridge/*.d\n/c\n", dir.path().string()));
    const auto wanted = read_wanted(system);
    ASSERT_TRUE(wanted);
    ASSERT_EQ(wanted->size(), 3);
    EXPECT_EQ((*wanted)[2].noted.path, (dir.path() / "etc/kho-bridge/keep.d").string());
    EXPECT_NE((*wanted)[2].from.find("a.conf"), std::string::npos);
    EXPECT_TRUE((*wanted)[2].noted.optional);
    EXPECT_FALSE((*wanted)[1].noted.optional);
}

TEST(KeepList, NotedOnce) {
    std::vector<Noted> list{{"/a", "", std::nullopt, false}, {"/b", "", std::nullopt, false}};
    note(list, {"/a", "", 7, true});
    ASSERT_EQ(list.size(), 2);
    EXPECT_EQ(list[1].path, "/a");
    EXPECT_EQ(list[1].most_bytes, 7);
}

/// Files of some sizes, and what may be kept of them.
class KeepChoose : public testing::Test {
  protected:
    static constexpr std::uint64_t mib = std::uint64_t{1} << 20;

    /// All of it a hole: kept, it would have it.
    Wanted file(const std::string& name, std::uint64_t bytes, bool optional) {
        dir.write(name, "");
        fs::resize_file(dir.path() / name, bytes);
        return {{(dir.path() / name).string(), "", std::nullopt, optional}, "test"};
    }
    static std::vector<std::string> names(const std::vector<Wanted>& wanted) {
        std::vector<std::string> out;
        out.reserve(wanted.size());
        for (const Wanted& w : wanted) {
            out.push_back(fs::path(w.noted.path).filename());
        }
        return out;
    }

    test::TempDir dir;
};

TEST_F(KeepChoose, WhatMustComesFirst) {
    const std::vector<Wanted> wanted{file("may", mib, true), file("large", 8 * mib, true),
                                     file("must", 2 * mib, false), file("later", mib, true)};
    const auto got = choose(wanted, {4 * mib}, true);
    ASSERT_TRUE(got) << got.error().what;
    EXPECT_EQ(names(got->going), (std::vector<std::string>{"must", "may"}));
    EXPECT_EQ(got->files, 2);
    EXPECT_GE(got->bytes, 3 * mib);
    EXPECT_LE(got->bytes, 4 * mib);
    ASSERT_EQ(got->left.size(), 2);
    EXPECT_NE(got->left[0].path.find("large"), std::string::npos);
    EXPECT_NE(got->left[0].why.find("no room: it needs 8.1 MiB"), std::string::npos)
        << got->left[0].why;
    EXPECT_NE(got->left[1].path.find("later"), std::string::npos);
}

TEST_F(KeepChoose, WhatMustAndCannot) {
    const auto got = choose({file("must", 2 * mib, false)}, {mib}, true);
    ASSERT_FALSE(got);
    EXPECT_EQ(got.error().code, ExitCode::refused);
    EXPECT_NE(got.error().what.find("need 2.0 MiB, and the next kernel can spare 1.0 MiB"),
              std::string::npos)
        << got.error().what;
}

/// Nothing is filled before it is known that all of it fits.
TEST_F(KeepChoose, HolesHaveRoom) {
    const Wanted one = file("one", 2 * mib, false);
    const Wanted other = file("other", 2 * mib, false);
    const auto got = choose({one, other}, {10 * mib, 3 * mib}, true);
    ASSERT_FALSE(got);
    EXPECT_NE(got.error().what.find("other cannot be kept: its holes have 2.0 MiB, which a load "
                                    "fills, and there is room for 1.0 MiB"),
              std::string::npos)
        << got.error().what;
    const auto some = choose({one, file("other", 2 * mib, true)}, {10 * mib, 3 * mib}, true);
    ASSERT_TRUE(some) << some.error().what;
    EXPECT_EQ(names(some->going), (std::vector<std::string>{"one"}));
}

/// Ctrl-C is no reason to leave something behind.
TEST_F(KeepChoose, Interrupted) {
    const InterruptGuard interrupts;
    const Wanted may = file("may", mib, true);
    (void)std::raise(SIGINT);
    const auto got = choose({may}, {4 * mib}, true);
    ASSERT_FALSE(got);
    EXPECT_EQ(got.error().code, ExitCode::interrupted);
}

/// A file that two paths lead to is there once.
TEST_F(KeepChoose, CountedOnce) {
    const Wanted one = file("one", 2 * mib, false);
    Wanted all = one;
    all.noted.path = dir.path().string();
    const auto got = choose({one, all}, {3 * mib}, true);
    ASSERT_TRUE(got) << got.error().what;
    EXPECT_EQ(got->files, 1);
    EXPECT_EQ(got->going.size(), 2);
}

class KeepWalk : public testing::Test {
  protected:
    KeepWalk() {
        dir.write("from/d/file", "hello\n");
        dir.write("from/empty", "");
        fs::create_hard_link(from / "d/file", from / "d/other");
        fs::create_symlink("../empty", from / "d/soft");
        ::mkfifo((from / "pipe").c_str(), 0600);
        ::chmod((from / "d/file").c_str(), 0640);
        ::chmod((from / "d").c_str(), 0710);
        const std::array<timespec, 2> times{timespec{1000, 1}, timespec{2000, 2}};
        ::utimensat(AT_FDCWD, (from / "d/file").c_str(), times.data(), 0);
        ::utimensat(AT_FDCWD, (from / "d").c_str(), times.data(), 0);
    }
    Walker walk(const std::vector<std::string>& names) {
        Walker walker(
            [this](const Fd& file, const std::string& path, Entry& entry) {
                EXPECT_TRUE(file.valid());
                entry.token = tokens.size();
                tokens.push_back(path);
                return Result<void>{};
            },
            true);
        for (const std::string& name : names) {
            EXPECT_TRUE(walker.add((dir.path() / name).string()));
        }
        return walker;
    }
    /// The tree, as if its mount had been the directory that it was in.
    Tree tree(const Walker& walker) const {
        Tree out;
        const std::string top = walker.record().trees.at(0).mount;
        out.mount = "/";
        std::string base = fs::relative(fs::canonical(dir.path()), top).string();
        for (Entry entry : walker.record().trees[0].entries) {
            if (!entry.path.starts_with(base + "/from/")) {
                continue;
            }
            entry.path.erase(0, base.size() + 6);
            if (entry.type == EntryType::link) {
                entry.target.erase(0, base.size() + 6);
            }
            out.entries.push_back(entry);
        }
        return out;
    }
    Result<RestoreReport> restore(const Tree& what, const std::string& into) {
        RestoreReport report;
        std::set<std::uint64_t> waits;
        for (std::uint64_t i = 0; i < 100; i++) {
            waits.insert(i);
        }
        const auto ok = restore_tree(
            what, (dir.path() / into).string(), waits,
            [](const Fd& empty, const Entry& entry, const std::string&) {
                const std::string text(entry.size, 'x');
                EXPECT_EQ(::pwrite(empty.get(), text.data(), text.size(), 0),
                          static_cast<ssize_t>(text.size()));
                return Result<void>{};
            },
            report);
        return ok ? Result<RestoreReport>(report) : tl::unexpected(ok.error());
    }

    test::TempDir dir;
    fs::path from = dir.path() / "from";
    std::vector<std::string> tokens;
};

/// Anybody can make such trees where others' files are kept.
TEST_F(KeepWalk, TooDeepForARecord) {
    const auto nest = [this](const std::string& name, std::size_t levels) {
        Fd at(::open(from.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
        for (std::size_t i = 0; i < levels; i++) {
            ASSERT_EQ(::mkdirat(at.get(), name.c_str(), 0700), 0);
            at = Fd(::openat(at.get(), name.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
            ASSERT_TRUE(at.valid());
        }
    };
    nest("n", 2 * most_depth);
    nest(std::string(200, 'l'), 30);
    const Walker walker = walk({"from"});
    EXPECT_EQ(walker.files(), 2);
    const auto deep = [](const Left& left) { return left.why == "too deep"; };
    EXPECT_EQ(std::count_if(walker.left().begin(), walker.left().end(), deep), 2);
    EXPECT_TRUE(parse_record(to_json(walker.record())));
}

TEST_F(KeepWalk, EverythingOnce) {
    const Walker walker = walk({"from", "from/d", "from/d/soft", "gone"});
    EXPECT_EQ(walker.files(), 2);
    EXPECT_EQ(tokens.size(), 2);
    ASSERT_EQ(walker.left().size(), 2);
    EXPECT_EQ(walker.left()[0].why, "a named pipe");
    EXPECT_EQ(walker.left()[1].why, "not there");
    EXPECT_TRUE(parse_record(to_json(walker.record())));
}

TEST_F(KeepWalk, ThereAndBack) {
    fs::create_directory(dir.path() / "to");
    const auto report = restore(tree(walk({"from"})), "to");
    ASSERT_TRUE(report) << report.error().what;
    EXPECT_EQ(report->files, 2);
    EXPECT_EQ(report->others, 3);
    EXPECT_TRUE(report->left.empty());
    const fs::path to = dir.path() / "to";
    struct stat was {};
    struct stat is {};
    for (const char* name : {"d", "d/file", "d/soft"}) {
        ASSERT_EQ(::lstat((from / name).c_str(), &was), 0);
        ASSERT_EQ(::lstat((to / name).c_str(), &is), 0) << name;
        EXPECT_EQ(is.st_mode, was.st_mode) << name;
        EXPECT_EQ(is.st_mtim.tv_sec, was.st_mtim.tv_sec) << name;
        EXPECT_EQ(is.st_mtim.tv_nsec, was.st_mtim.tv_nsec) << name;
        EXPECT_EQ(is.st_nlink, was.st_nlink) << name;
    }
    EXPECT_EQ(fs::read_symlink(to / "d/soft"), "../empty");
    EXPECT_EQ(dir.read("to/d/other"), "xxxxxx");
    // What an earlier restore has made is no stranger, but the files.
    const auto again = restore(tree(walk({"from"})), "to");
    ASSERT_TRUE(again);
    EXPECT_EQ(again->files + again->others, 0);
    EXPECT_EQ(again->left.size(), 2) << "both files";
}

TEST_F(KeepWalk, NothingIsOverwritten) {
    dir.write("to/d/file", "mine");
    const auto report = restore(tree(walk({"from"})), "to");
    ASSERT_TRUE(report);
    EXPECT_EQ(dir.read("to/d/file"), "mine");
    ASSERT_EQ(report->left.size(), 2) << "its other name is not back either";
    EXPECT_EQ(report->files, 1);
}

TEST_F(KeepWalk, NoSymlinkLeadsOut) {
    fs::create_directory(dir.path() / "to");
    fs::create_directory(dir.path() / "outside");
    fs::create_directory_symlink(dir.path() / "outside", dir.path() / "to/d");
    const auto report = restore(tree(walk({"from"})), "to");
    ASSERT_TRUE(report);
    EXPECT_TRUE(fs::is_empty(dir.path() / "outside"));
    EXPECT_EQ(report->files, 1);
    EXPECT_EQ(report->left.size(), 4);
}

TEST_F(KeepWalk, HolesComeBackUnlessWritten) {
    constexpr std::uint64_t size = 65536;
    const Fd file(::open((from / "holes").c_str(), O_RDWR | O_CREAT, 0600));
    ASSERT_EQ(::ftruncate(file.get(), size), 0);
    ASSERT_EQ(::pwrite(file.get(), "x", 1, size / 2), 1);
    const auto data = data_of(file, size);
    ASSERT_TRUE(data);
    ASSERT_EQ(data->size(), 1);
    EXPECT_EQ(data->at(0).start, size / 2);
    EXPECT_FALSE(data_of(file, 0));
}

}  // namespace
}  // namespace khob::keep
