// SPDX-License-Identifier: GPL-2.0-only
// What becomes of the device's structs: requests that have been checked, or why not.
#include "core/request.h"
#include "khob/luo.h"

#include <gtest/gtest.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <string>

namespace {

class Request : public testing::Test {
  protected:
    /// Expects a refusal with these words.
    void refused(int err, const char* words) {
        EXPECT_EQ(err, -EINVAL);
        ASSERT_NE(why, nullptr) << words;
        EXPECT_NE(std::string(why).find(words), std::string::npos) << why;
        why = nullptr;
    }
    const char* why = nullptr;
};

TEST_F(Request, Target) {
    kho_bridge_target from{};
    khob_target to{};
    EXPECT_EQ(khob_request_target(&from, &to, &why), 0);
    EXPECT_EQ(to.what, KHOB_WHAT_ALL);
    from.what = KHO_BRIDGE_PAGE;
    from.pa = 0x4000;
    from.order = 2;
    EXPECT_EQ(khob_request_target(&from, &to, &why), 0);
    EXPECT_EQ(to.what, KHOB_WHAT_PAGE);
    EXPECT_EQ(to.pa, 0x4000);
    EXPECT_EQ(to.order, 2);
    from.pa = 0x5000;
    refused(khob_request_target(&from, &to, &why), "not aligned");
    from.order = KHOB_ORDER_MAX + 1;
    refused(khob_request_target(&from, &to, &why), "out of range");
    from.what = KHO_BRIDGE_SUBTREE;
    refused(khob_request_target(&from, &to, &why), "a subtree's name");
    std::strcpy(from.name, "config");
    EXPECT_EQ(khob_request_target(&from, &to, &why), 0);
    EXPECT_STREQ(to.name, "config");
    std::memset(from.name, 'x', sizeof(from.name));
    refused(khob_request_target(&from, &to, &why), "a subtree's name");
    from.what = KHO_BRIDGE_SUBTREE + 1;
    refused(khob_request_target(&from, &to, &why), "is wanted");
    from.reserved = 1;
    refused(khob_request_target(&from, &to, &why), "no meaning");
}

TEST_F(Request, Preserve) {
    kho_bridge_preserve from{};
    khob_preserve_req to{};
    refused(khob_request_preserve(&from, &to, &why), "above 0");
    from.pages = 12;
    from.order = 2;
    from.seed = 5;
    from.scatter = 100;
    EXPECT_EQ(khob_request_preserve(&from, &to, &why), 0);
    EXPECT_EQ(to.pages, 12);
    EXPECT_EQ(to.order, 2);
    EXPECT_EQ(to.seed, 5);
    EXPECT_EQ(to.scatter, 100);
    from.order = 3;
    refused(khob_request_preserve(&from, &to, &why), "no multiple");
    from.order = KHOB_ORDER_MAX + 1;
    refused(khob_request_preserve(&from, &to, &why), "page order");
    from.order = KHO_BRIDGE_ORDER_MIXED;
    EXPECT_EQ(khob_request_preserve(&from, &to, &why), 0);
    from.scatter = 101;
    refused(khob_request_preserve(&from, &to, &why), "percentage");
    from.scatter = 0;
    from.reserved = 1;
    refused(khob_request_preserve(&from, &to, &why), "no meaning");
}

TEST_F(Request, Scratch) {
    kho_bridge_scratch from{};
    khob_scratch_req to{};
    from.bytes = 8192;
    from.align = 4096;
    from.node = KHO_BRIDGE_NODE_ANY;
    EXPECT_EQ(khob_request_scratch(&from, &to, &why), 0);
    EXPECT_EQ(to.what, KHOB_SCRATCH_TAKE);
    EXPECT_EQ(to.abi, KHOB_ABI_NR);
    EXPECT_FALSE(to.low);
    from.flags = KHO_BRIDGE_SCRATCH_LOW;
    std::strcpy(from.abi, "kho-v3");
    EXPECT_EQ(khob_request_scratch(&from, &to, &why), 0);
    EXPECT_EQ(to.abi, KHOB_ABI_KHO_V3);
    EXPECT_TRUE(to.low);
    std::strcpy(from.abi, "kho-v9");
    refused(khob_request_scratch(&from, &to, &why), "a version");
    std::memset(from.abi, 'k', sizeof(from.abi));
    refused(khob_request_scratch(&from, &to, &why), "a version");
    from.abi[0] = '\0';
    from.flags = 2;
    refused(khob_request_scratch(&from, &to, &why), "flag");
    from.flags = 0;
    from.align = 4095;
    refused(khob_request_scratch(&from, &to, &why), "power of two");
    from.align = 2048;
    refused(khob_request_scratch(&from, &to, &why), "power of two");
    from.align = 4096;
    from.bytes = 0;
    refused(khob_request_scratch(&from, &to, &why), "size");
    from.bytes = ~0ULL;
    refused(khob_request_scratch(&from, &to, &why), "size");
}

TEST_F(Request, CompactAndPut) {
    kho_bridge_compact compact{};
    khob_compact_req how{};
    refused(khob_request_compact(&compact, &how, &why), "above 0");
    compact.most = 4096;
    EXPECT_EQ(khob_request_compact(&compact, &how, &why), 0);
    EXPECT_FALSE(how.all);
    compact.flags = KHO_BRIDGE_COMPACT_ALL;
    EXPECT_EQ(khob_request_compact(&compact, &how, &why), 0);
    EXPECT_TRUE(how.all);
    EXPECT_EQ(how.most, ~0ULL);
    compact.flags = 2;
    refused(khob_request_compact(&compact, &how, &why), "flag");

    kho_bridge_put put{};
    khob_fdt_subtree sub{};
    std::strcpy(put.name, "config");
    refused(khob_request_put(&put, &sub, &why), "at least one byte");
    put.len = 7;
    EXPECT_EQ(khob_request_put(&put, &sub, &why), 0);
    EXPECT_EQ(sub.size, 7);
    EXPECT_STREQ(sub.name, "config");
    std::strcpy(put.name, "a/b");
    refused(khob_request_put(&put, &sub, &why), "a subtree's name");
    std::strcpy(put.name, KHOB_LUO_NAME);
    refused(khob_request_put(&put, &sub, &why), "Live Update Orchestrator");
    std::strcpy(put.name, KHOB_LUO_NAME "2");
    EXPECT_EQ(khob_request_put(&put, &sub, &why), 0);
}

TEST_F(Request, OpenAndAbi) {
    kho_bridge_open open{};
    std::array<char, KHO_BRIDGE_NAME_MAX + 1> name{};
    name.front() = 'x';
    EXPECT_EQ(khob_request_open(&open, name.data(), &why), 0);
    EXPECT_STREQ(name.data(), "");
    open.what = KHO_BRIDGE_IN_SUBTREE;
    refused(khob_request_open(&open, name.data(), &why), "a subtree's name");
    std::strcpy(open.name, "config");
    EXPECT_EQ(khob_request_open(&open, name.data(), &why), 0);
    EXPECT_STREQ(name.data(), "config");
    open.what = KHO_BRIDGE_OUT_KEYS;
    refused(khob_request_open(&open, name.data(), &why), "for a subtree only");
    open.name[0] = '\0';
    open.keys = 1;
    refused(khob_request_open(&open, name.data(), &why), "for a bench only");
    open.what = KHO_BRIDGE_BENCH;
    EXPECT_EQ(khob_request_open(&open, name.data(), &why), 0);
    open.what = KHO_BRIDGE_OUT_EXTENTS + 1;
    refused(khob_request_open(&open, name.data(), &why), "not known");

    kho_bridge_abi abi{};
    khob_abi version = KHOB_ABI_NR;
    refused(khob_request_abi(&abi, &version, &why), "a version");
    std::strcpy(abi.abi, "kho-v2");
    EXPECT_EQ(khob_request_abi(&abi, &version, &why), 0);
    EXPECT_EQ(version, KHOB_ABI_KHO_V2);
    abi.reserved = 1;
    refused(khob_request_abi(&abi, &version, &why), "no meaning");
}

}  // namespace
