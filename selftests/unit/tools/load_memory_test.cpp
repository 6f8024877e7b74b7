// SPDX-License-Identifier: GPL-2.0-only
// What a load takes of memory, by method, and when that is too much.
#include "plan/load_memory.hpp"

#include <gtest/gtest.h>

namespace khob {
namespace {

constexpr std::uint64_t mib = 1ULL << 20;

class LoadMemoryTest : public ::testing::Test {
  protected:
    LoadMemoryTest() {
        kernel.payload_bytes = 16 * mib;
        kernel.init_size = 64 * mib;
        kernel.kernel_alignment = 2 * mib;
        plan.needs = scratch_needs(kernel, initrd, mib);
    }
    LoadMemory memory(Method method, bool own_scratch = false) const {
        return load_memory(plan, kernel, initrd, method, own_scratch);
    }

    std::uint64_t initrd = 495 * mib;
    BzImage kernel;
    ScratchPlan plan;
};

TEST_F(LoadMemoryTest, CountsScratchAndOneCopy) {
    const LoadMemory got = memory(Method::indirect);
    EXPECT_EQ(got.scratch, (64 + 1 + 495) * mib);
    EXPECT_EQ(got.contiguous, 495 * mib) << "in two areas, if there is no room for one";
    EXPECT_EQ(got.copies, (512 + 1) * mib) << "with 8 bytes a page to note them";
    EXPECT_EQ(got.passing, own_memory_bytes);
    EXPECT_EQ(got.to_string(),
              "560.0 MiB of scratch and 513.0 MiB of copies are taken, 495.0 MiB of it contiguous");
}

TEST_F(LoadMemoryTest, CountsWhatTheKernelReadsItself) {
    const LoadMemory got = memory(Method::file, true);
    EXPECT_EQ(got.scratch, 0);
    EXPECT_EQ(got.copies, 513 * mib);
    EXPECT_EQ(got.passing, own_memory_bytes + 512 * mib);
    EXPECT_EQ(got.to_string(), "513.0 MiB of copies are taken");
    EXPECT_EQ(memory(Method::kho, true).passing, own_memory_bytes);
}

TEST_F(LoadMemoryTest, RefusesWhatIsNotThere) {
    const LoadMemory wanted = memory(Method::indirect);
    FreeMemory free;
    EXPECT_TRUE(require_memory(wanted, free)) << "nothing could be seen";
    free.available = wanted.total();
    EXPECT_TRUE(require_memory(wanted, free));
    free.available = wanted.total() - 1;
    const auto got = require_memory(wanted, free);
    ASSERT_FALSE(got);
    EXPECT_EQ(got.error().code, ExitCode::refused);
    EXPECT_NE(got.error().what.find("but only 1.1 GiB are available"), std::string::npos)
        << got.error().what;
    free.swap = 1;
    EXPECT_TRUE(require_memory(wanted, free));
}

}  // namespace
}  // namespace khob
