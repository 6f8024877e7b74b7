// SPDX-License-Identifier: GPL-2.0-only
// kho.hpp: owners that close once, errors that are values.
#include <algorithm>
#include <type_traits>

#include "fixture.hpp"
#include "kho.hpp"

namespace {

using Face = Machine;

static_assert(!std::is_copy_constructible_v<kho::Session> && !std::is_copy_assignable_v<kho::File>);
static_assert(std::is_nothrow_move_constructible_v<kho::Mapping>);

void write(const kho::File& file, std::string_view what) {
    auto mapping = file.map();
    ASSERT_TRUE(mapping);
    std::transform(what.begin(), what.end(), mapping->bytes().begin(),
                   [](char c) { return static_cast<std::byte>(c); });
}

TEST_F(Face, GoAndCome) {
    {
        auto session = kho::Session::create("test");
        ASSERT_TRUE(session);
        auto file = kho::File::make("file", 8192);
        ASSERT_TRUE(file);
        write(*file, "hello");
        EXPECT_TRUE(session->put("file", *file));
        auto twice = session->put("file", *file);
        ASSERT_FALSE(twice);
        EXPECT_EQ(twice.error(), KHO_EXISTS);
        EXPECT_EQ(twice.error().err, EEXIST);
        EXPECT_STREQ(twice.error().what(), kho_strerror(KHO_EXISTS));
        // Moved along, it is still the one.
        const kho::Session moved = *std::move(session);
        EXPECT_FALSE(moved.came());
        fake_kexec();
    }
    auto session = kho::Session::retrieve("test");
    ASSERT_TRUE(session);
    EXPECT_EQ(session->check(), KHO_OK);
    EXPECT_EQ(session->why(), "");
    EXPECT_EQ(session->name(), "test");
    EXPECT_EQ(session->names(), std::vector<std::string>{"file"});
    auto file = session->get("file");
    ASSERT_TRUE(file);
    EXPECT_EQ(text(file->fd()), "hello");
    EXPECT_EQ(file->map()->bytes().size(), 8192U);
    auto none = session->get("none");
    ASSERT_FALSE(none);
    EXPECT_EQ(none.error(), KHO_NOT_FOUND);
    EXPECT_TRUE(session->finish());
}

TEST_F(Face, NoSession) {
    const auto session = kho::Session::retrieve("test");
    ASSERT_FALSE(session);
    EXPECT_EQ(session.error(), KHO_NOT_FOUND);
    EXPECT_EQ(session.error().err, ENOENT);
}

TEST_F(Face, NamesWithNul) {
    using namespace std::string_literals;
    EXPECT_EQ(kho::Session::create("a\0b"s).error(), KHO_INVALID);
    auto session = kho::Session::create("a");
    auto file = kho::File::make("file", 1);
    EXPECT_EQ(session->put("a\0b"s, *file).error(), KHO_INVALID);
    EXPECT_EQ(session->get("a\0b"s).error(), KHO_INVALID);
    EXPECT_EQ(kho::keep("a\0b"s, "file", 1).error, KHO_INVALID);
    EXPECT_EQ(kho::keep("a", "a\0b"s, 1).error, KHO_INVALID);
}

TEST_F(Face, FilesThatCannotBeMapped) {
    auto empty = kho::File::make("file", 0);
    ASSERT_TRUE(empty);
    EXPECT_EQ(empty->map().error(), KHO_INVALID);
    EXPECT_EQ(kho::File(-1).map().error(), KHO_SYSTEM);
}

TEST_F(Face, Keep) {
    {
        kho::Kept kept = kho::keep("test", "file", 4096);
        EXPECT_EQ(kept.error, KHO_OK);
        ASSERT_TRUE(kept.file && kept.session);
        EXPECT_FALSE(kept.found);
        write(*kept.file, "kept");
        fake_kexec();
    }
    const kho::Kept kept = kho::keep("test", "file", 4096);
    EXPECT_TRUE(kept.found);
    EXPECT_EQ(text(kept.file->fd()), "kept");
    fake_device(false);
    const kho::Kept without = kho::keep("test", "file", 4096);
    EXPECT_EQ(without.error, KHO_NO_DEVICE);
    EXPECT_TRUE(without.file && !without.session);
}

}  // namespace
