// SPDX-License-Identifier: GPL-2.0-only
// Which method and version a load chooses, and every contradiction that it refuses.
#include "plan/method.hpp"

#include <gtest/gtest.h>

#include "fixture.hpp"

namespace khob {
namespace {

using abi::Version;

ByteVector kernel(const std::string& kho) {
    test::KernelSpec spec;
    spec.kho = kho;
    return test::make_kernel(spec);
}

/// A kernel that does not say where its payload is.
ByteVector opaque() {
    ByteVector image = kernel("");
    test::poke(image, 0x24c, std::uint32_t{0});
    return image;
}

Result<MethodChoice> choose(const ByteVector& image, std::string_view cmdline,
                            const MethodWishes& wishes = {}) {
    return choose_method(probe_kernel(image), wishes, cmdline, Version::kho_v4);
}

void expect_refused(const Result<MethodChoice>& got, std::string_view text, std::string_view hint) {
    ASSERT_FALSE(got) << text;
    EXPECT_EQ(got.error().code, ExitCode::refused);
    EXPECT_NE(got.error().what.find(text), std::string::npos) << got.error().what;
    EXPECT_NE(got.error().hint.find(hint), std::string::npos) << got.error().hint;
}

TEST(Method, Names) {
    EXPECT_EQ(method_from("kho"), Method::kho);
    EXPECT_EQ(method_from("indirect"), Method::indirect);
    EXPECT_FALSE(method_from("auto"));
}

TEST(Method, AKernelWithoutKhoIsToldOfIntervals) {
    const auto got = choose(kernel(""), "quiet");
    ASSERT_TRUE(got) << got.error().what;
    EXPECT_EQ(got->method, Method::indirect);
    EXPECT_FALSE(got->abi) << "what the module is set to";
    EXPECT_EQ(got->kernel_abi, "");
    EXPECT_EQ(got->cmdline, "quiet");
    EXPECT_FALSE(got->added_kho_on);
    EXPECT_EQ(choose(kernel(""), "", {.abi = Version::kho_v2})->abi, Version::kho_v2);
    expect_refused(choose(kernel(""), "", {.method = Method::kho}), "has no KHO", "--method");
}

TEST(Method, AKernelWithKhoTakesItInItsOwnVersion) {
    const auto got = choose(kernel("kho-v3"), "root=/dev/vda -- x");
    ASSERT_TRUE(got) << got.error().what;
    EXPECT_EQ(got->method, Method::kho);
    EXPECT_EQ(got->abi, Version::kho_v3);
    EXPECT_EQ(got->kernel_abi, "kho-v3");
    EXPECT_TRUE(got->added_kho_on);
    EXPECT_EQ(got->cmdline, "kho=on root=/dev/vda -- x");
    EXPECT_EQ(choose(kernel("kho-v4"), "")->cmdline, "kho=on");

    const auto on = choose(kernel("kho-v4"), "quiet kho=1", {.method = Method::kho});
    ASSERT_TRUE(on);
    EXPECT_FALSE(on->added_kho_on);
    EXPECT_EQ(on->cmdline, "quiet kho=1");
}

TEST(Method, ALiveUpdateOrchestratorIsSwitchedOn) {
    const auto with_luo = [](const std::string& kho) {
        test::KernelSpec spec;
        spec.kho = kho;
        spec.luo = "luo-v5";
        return test::make_kernel(spec);
    };
    const auto got = choose(with_luo("kho-v4"), "quiet -- x");
    ASSERT_TRUE(got) << got.error().what;
    EXPECT_EQ(got->kernel_luo, "luo-v5");
    EXPECT_TRUE(got->added_liveupdate_on);
    EXPECT_EQ(got->cmdline, "liveupdate=on kho=on quiet -- x");

    const auto said = choose(with_luo("kho-v4"), "kho=on liveupdate=off");
    ASSERT_TRUE(said);
    EXPECT_FALSE(said->added_liveupdate_on);
    EXPECT_EQ(said->cmdline, "kho=on liveupdate=off");
    EXPECT_EQ(liveupdate_switch(said->cmdline), false);

    const auto off = choose(with_luo("kho-v4"), "kho=off");
    ASSERT_TRUE(off);
    EXPECT_FALSE(off->added_liveupdate_on) << "without KHO there is no LUO";

    const auto none = choose(kernel("kho-v4"), "");
    ASSERT_TRUE(none);
    EXPECT_EQ(none->kernel_luo, "");
    EXPECT_FALSE(none->added_liveupdate_on);
    const auto blind = choose(opaque(), "", {.method = Method::kho, .abi = Version::kho_v4});
    ASSERT_TRUE(blind);
    EXPECT_FALSE(blind->kernel_luo) << "nobody has looked";
}

TEST(Method, SwitchedOffItIsToldOfIntervalsInAForeignVersion) {
    const auto off = choose(kernel("kho-v4"), "kho=off");
    ASSERT_TRUE(off) << off.error().what;
    EXPECT_EQ(off->method, Method::indirect);
    EXPECT_EQ(off->abi, Version::kho_v3);
    EXPECT_EQ(off->cmdline, "kho=off");
    EXPECT_FALSE(choose(kernel("kho-v3"), "kho=off")->abi) << "kho-v4, as it is set, is foreign";
    expect_refused(choose(kernel("kho-v4"), "kho=off", {.method = Method::kho}),
                   "switches the kernel's KHO off", "kho=on");
    const auto forced = choose(kernel("kho-v4"), "", {.method = Method::indirect});
    ASSERT_TRUE(forced);
    EXPECT_EQ(forced->method, Method::indirect);
    EXPECT_EQ(forced->abi, Version::kho_v3);
    expect_refused(
        choose(kernel("kho-v4"), "", {.method = Method::indirect, .abi = Version::kho_v4}),
        "cannot hand kho-v4 over", "--abi");
}

TEST(Method, AnotherVersionThanTheKernelsIsRefused) {
    expect_refused(choose(kernel("kho-v4"), "", {.abi = Version::kho_v3}), "takes only kho-v4",
                   "--abi");
    expect_refused(choose(kernel("kho-v9"), ""), "kho-v9", "--method indirect");
    expect_refused(choose(kernel("kho-v9"), "kho=off"), "kho-v9", "--method indirect");
    expect_refused(choose(kernel("kho-v9"), "", {.method = Method::kho, .abi = Version::kho_v4}),
                   "kho-v9", "--method indirect");
    const auto got = choose(kernel("kho-v9"), "", {.method = Method::indirect});
    ASSERT_TRUE(got);
    EXPECT_FALSE(got->abi);
    EXPECT_EQ(got->kernel_abi, "kho-v9");
}

Result<MethodChoice> choose_native(ByteView image, std::string_view cmdline,
                                   const MethodWishes& wishes = {}) {
    return choose_method(probe_kernel(image), wishes, cmdline, Version::kho_v4, Version::kho_v4);
}

TEST(Method, BetweenKernelsOfOneVersionTheRunningOneHandsOver) {
    const auto file = choose_native(kernel("kho-v4"), "");
    ASSERT_TRUE(file) << file.error().what;
    EXPECT_EQ(file->method, Method::file);
    EXPECT_TRUE(file->by_kernel);
    EXPECT_EQ(file->cmdline, "kho=on");
    const auto kho = choose_native(kernel("kho-v4"), "", {.method = Method::kho});
    ASSERT_TRUE(kho);
    EXPECT_EQ(kho->method, Method::kho);
    EXPECT_TRUE(kho->by_kernel);
    const auto indirect = choose_native(kernel(""), "");
    ASSERT_TRUE(indirect);
    EXPECT_EQ(indirect->method, Method::indirect);
    EXPECT_FALSE(indirect->by_kernel);
}

TEST(Method, BetweenVersionsTheModuleHandsOver) {
    const auto got = choose_native(kernel("kho-v3"), "");
    ASSERT_TRUE(got) << got.error().what;
    EXPECT_EQ(got->method, Method::kho);
    EXPECT_FALSE(got->by_kernel);
    EXPECT_EQ(got->abi, Version::kho_v3);
    expect_refused(choose_native(kernel("kho-v3"), "", {.method = Method::file}),
                   "this kernel's is kho-v4, the next one's kho-v3", "--method");
}

TEST(Method, FileIsRefusedWhereTheRunningKernelCannotHandOver) {
    expect_refused(choose(kernel("kho-v4"), "", {.method = Method::file}), "this one has none",
                   "--method");
    expect_refused(choose_native(kernel(""), "", {.method = Method::file}),
                   "method file would lose everything", "--method");
    expect_refused(choose_native(kernel("kho-v4"), "kho=off", {.method = Method::file}),
                   "switches the kernel's KHO off", "kho=on");
}

TEST(Method, OfAnOpaqueKernelTheUserHasToKnow) {
    expect_refused(choose(opaque(), ""), "cannot tell whether the kernel has KHO", "--abi");
    expect_refused(choose(opaque(), "", {.method = Method::kho}), "cannot tell", "--abi");
    const auto kho = choose(opaque(), "", {.method = Method::kho, .abi = Version::kho_v2});
    ASSERT_TRUE(kho);
    EXPECT_EQ(kho->abi, Version::kho_v2);
    EXPECT_EQ(choose(opaque(), "", {.method = Method::indirect})->method, Method::indirect);
}

TEST(Method, TheKernelsReadingOfKho) {
    EXPECT_FALSE(kho_switch(""));
    EXPECT_FALSE(kho_switch("kho kho= nokho=on kho=maybe kho=o"));
    for (const char* on : {"kho=on", "kho=1", "kho=y", "kho=Yes", "kho=true", "a kho=ON b"}) {
        EXPECT_EQ(kho_switch(on), true) << on;
    }
    for (const char* off : {"kho=off", "kho=0", "kho=n", "kho=No", "kho=false", "kho=OFF"}) {
        EXPECT_EQ(kho_switch(off), false) << off;
    }
    EXPECT_EQ(kho_switch("kho=on kho=off"), false);
    EXPECT_EQ(kho_switch("kho=off kho=on kho=what"), true);
    EXPECT_EQ(kho_switch("\"kho=off\""), false);
    EXPECT_EQ(kho_switch("kho=\"on\""), true);
    EXPECT_FALSE(kho_switch("x=\"a kho=on b\""));
    EXPECT_FALSE(kho_switch("quiet -- kho=off"));
    EXPECT_EQ(kho_switch("quiet\tkho=off\n"), false);
}

}  // namespace
}  // namespace khob
