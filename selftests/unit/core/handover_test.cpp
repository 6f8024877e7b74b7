// SPDX-License-Identifier: GPL-2.0-only
// What khob_handover_read() asks of another kernel's memory: no byte twice for one decision, and
// no more than what was handed over, whatever stands there. The handovers are the fuzzer's.
#include "core/handover.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <string>
#include <vector>

#include "handover_check.hpp"
#include "handover_edit.hpp"
#include "handover_image.hpp"
#include "handover_plan.hpp"

namespace {

using khob::fuzz::Editor;
using khob::fuzz::Handover;
using khob::fuzz::Memory;
using khob::fuzz::Plan;
using khob::fuzz::Reader;
using khob::fuzz::Summary;
using khob::fuzz::Way;

constexpr std::uint8_t wrapping = KHOB_ABI_KHO_V2;

Plan plan_of(Way way, std::uint8_t abi) {
    Plan plan{};
    plan.way = static_cast<std::uint8_t>(way);
    plan.abi = abi;
    plan.data = 12;
    plan.order = 2;
    plan.spacing = 0x55;
    plan.blobs = 3;
    plan.blob_len = 40;
    plan.records = 4;
    plan.chunks = 1;
    plan.gap = 2;
    plan.others = way == Way::foreign ? 0 : 2;
    return plan;
}

/// A machine with one handover in it, all of whose digests are right.
struct Machine {
    explicit Machine(const Plan& plan) : made(memory, plan), editor(memory, made) {
        editor.mend(khob::fuzz::mend_all);
    }
    Memory memory;
    Handover made;
    Editor editor;
};

TEST(HandoverTest, WhatChangesOnceItWasReadIsNotBelievedTwice) {
    for (const Way way : {Way::bridge, Way::foreign, Way::held}) {
        for (std::uint8_t abi = 0; abi < KHOB_ABI_NR; abi++) {
            Machine machine(plan_of(way, abi));
            const Summary sound = Reader(machine.memory, machine.made, machine.editor, {}).read();
            ASSERT_EQ(sound.error, 0);
            Reader reader(machine.memory, machine.made, machine.editor, {});
            reader.change_once_read();
            const Summary is = reader.read();
            EXPECT_TRUE(is.error == -EBADMSG || is == sound) << static_cast<int>(way);
            // Where lengths need not be looked up and nobody is asked what it holds, all of it
            // can be read in one go.
            if (way != Way::held && khob_abi_has_blob_size(static_cast<khob_abi>(abi))) {
                EXPECT_EQ(is.error, 0) << reader.why();
            }
        }
    }
}

TEST(HandoverTest, ManySinglePagesAreTakenAsOneByOne) {
    // As many as a word has, and more; whatever lies in between, and in front of and behind words.
    for (const Way way : {Way::bridge, Way::foreign}) {
        for (const std::uint8_t spacing : {0x00, 0x55, 0xaa, 0xff, 0x1b}) {
            for (std::uint8_t far = 0; far <= 24; far += 4) {
                Plan plan = plan_of(way, 0);
                plan.data = 24;
                plan.far = far;
                plan.order = far / 4;
                plan.spacing = spacing;
                plan.gap = 255;
                plan.others = 0;
                Machine machine(plan);
                Summary is = Reader(machine.memory, machine.made, machine.editor, {}).read();
                ASSERT_EQ(is.error, 0);
                std::sort(is.data.begin(), is.data.end());
                // Of a foreign one's metadata, what is neither a node nor the root FDT is data.
                std::erase_if(is.data, [&](const auto& folio) {
                    return way == Way::foreign && folio.pa >= machine.made.chunks().front().start &&
                           folio.pa < machine.made.chunks().back().end;
                });
                EXPECT_EQ(is.data, machine.made.data()) << int{spacing} << " " << int{far};
            }
        }
    }
}

TEST(HandoverTest, OneBlobOfManyNamesIsNotCopiedForEach) {
    Plan plan = plan_of(Way::foreign, wrapping);
    plan.blobs = 1;
    plan.blob_len = 255;
    Machine machine(plan);
    std::vector<khob_fdt_subtree> subtrees(200);
    for (std::size_t i = 0; i < subtrees.size(); i++) {
        const std::string name = "name-" + std::to_string(i);
        name.copy(static_cast<char*>(subtrees[i].name), KHOB_SUBTREE_NAME_MAX);
        subtrees[i].addr = machine.made.blobs().front().at;
    }
    const std::uint64_t len = khob_fdt_size(KHOB_ABI_KHO_V2, subtrees.data(), subtrees.size());
    ASSERT_LT(machine.made.fdt() + len, machine.made.chunks().back().end);
    ASSERT_EQ(khob_fdt_write(machine.memory.write(machine.made.fdt(), len), len, KHOB_ABI_KHO_V2,
                             machine.made.root(), subtrees.data(), subtrees.size()),
              static_cast<long>(len));
    machine.memory.store(machine.made.kho() + offsetof(khob_kho_data, fdt_size), len);
    Reader reader(machine.memory, machine.made, machine.editor, {});
    EXPECT_EQ(reader.read().error, -EBADMSG);
    EXPECT_NE(reader.why().find("shares bytes with another"), std::string::npos) << reader.why();
    EXPECT_LT(reader.bytes_read(), std::uint64_t{256} << 10U);
}

TEST(HandoverTest, ANodeThatManyEntriesNameIsReadOnceWhereNoIntervalsAre) {
    Machine machine(plan_of(Way::held, KHOB_ABI_DEFAULT));
    // All entries of the last node above the leaves name one that is empty.
    std::uint64_t node = machine.made.root();
    for (unsigned int level = KHOB_TREE_DEPTH - 1; level > 1; level--) {
        std::array<std::uint64_t, KHOB_TABLE_ENTRIES> table{};
        ASSERT_TRUE(Memory::read(node, table.data(), sizeof(table)));
        node = *std::find_if(table.begin(), table.end(), [](auto entry) { return entry != 0; });
    }
    const std::uint64_t empty = machine.made.chunks().back().end - khob::fuzz::page_bytes;
    for (std::uint64_t i = 0; i < KHOB_TABLE_ENTRIES; i++) {
        machine.memory.store(node + i * sizeof(std::uint64_t), empty);
    }
    machine.memory.store(machine.made.meta() + offsetof(khob_meta, nr_nodes), ~std::uint64_t{0});
    machine.editor.mend(khob::fuzz::mend_meta);
    Reader reader(machine.memory, machine.made, machine.editor, {});
    EXPECT_EQ(reader.read().error, -EBADMSG);
    EXPECT_NE(reader.why().find("reached twice"), std::string::npos) << reader.why();
    EXPECT_LT(reader.bytes_read(), std::uint64_t{256} << 10U);
}

/// What it says is only shown, so that nothing else has to be refused for it.
TEST(HandoverTest, OfADamagedKexecMetadataNothingIsShown) {
    for (std::uint8_t abi = 0; abi < KHOB_ABI_NR; abi++) {
        Machine machine(plan_of(Way::bridge, abi));
        const Summary sound = Reader(machine.memory, machine.made, machine.editor, {}).read();
        EXPECT_FALSE(sound.release.empty());
        machine.memory.store(machine.made.kexec() + offsetof(khob_kexec_metadata, previous_release),
                             'X');
        const Summary is = Reader(machine.memory, machine.made, machine.editor, {}).read();
        EXPECT_EQ(is.error, 0);
        EXPECT_EQ(is.release, "");
    }
}

TEST(HandoverTest, TheTimeOfTheKexecHasADigestToo) {
    Machine machine(plan_of(Way::bridge, KHOB_ABI_DEFAULT));
    machine.memory.store(machine.made.meta() + offsetof(khob_meta, kexec_tsc), std::uint64_t{1});
    Reader reader(machine.memory, machine.made, machine.editor, {});
    EXPECT_EQ(reader.read().error, -EBADMSG);
    EXPECT_NE(reader.why().find("meta blob: it is not"), std::string::npos) << reader.why();
}

}  // namespace
