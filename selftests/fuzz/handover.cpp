// SPDX-License-Identifier: GPL-2.0-only
// Fuzzes khob_handover_read() with whole handovers: one that is sound is accepted as it was
// made; one that is damaged is refused, or is the same; and whatever is accepted, be its
// digests mended or not, keeps nothing twice and nothing that was not handed over.
#include "core/handover.h"

#include <cerrno>
#include <map>
#include <random>
#include <string>

#include "handover_check.hpp"
#include "handover_edit.hpp"
#include "handover_image.hpp"
#include "handover_plan.hpp"

namespace {

using khob::fuzz::Edit;
using khob::fuzz::Editor;
using khob::fuzz::Folio;
using khob::fuzz::Handover;
using khob::fuzz::Input;
using khob::fuzz::Memory;
using khob::fuzz::Part;
using khob::fuzz::Reader;
using khob::fuzz::require;
using khob::fuzz::Summary;
using khob::fuzz::Way;

/// What a sound handover comes out as.
void expect_whole(const Summary& is, const Handover& made) {
    require(is.error == 0, "a sound handover is accepted");
    std::map<std::string, khob::fuzz::SubtreeSummary> named;
    for (const auto& subtree : is.subtrees) {
        named.emplace(subtree.name, subtree);
    }
    for (const auto& blob : made.blobs()) {
        const auto at = named.find(blob.name);
        require(at != named.end() && at->second.pa == blob.pa && at->second.len == blob.len,
                "every blob is where it was put");
        require(at->second.has_digest == blob.ours, "a digest of each blob is told that has one");
    }
    std::vector<Folio> wanted = made.data();
    if (made.way() == Way::bridge) {
        wanted.insert(wanted.end(), made.others().begin(), made.others().end());
        std::sort(wanted.begin(), wanted.end());
    }
    const bool all =
        made.ours() ? is.data == wanted
                    : std::includes(is.data.begin(), is.data.end(), wanted.begin(), wanted.end());
    require(all, "every folio is there, and no other");
    require(made.way() == Way::held || is.spans.size() == made.intervals().size(),
            "every interval is there");
    require(is.nr_records * sizeof(khob_record) == made.records_len(), "all records are there");
    require(!made.ours() ||
                (is.kexec_count == Handover::kexec_count && is.release == Handover::release),
            "the kernel before is named");
}

/// Whether what was edited is all something that a digest is over, or that changes nothing.
bool guarded(const Editor& editor, const Handover& made) {
    // In kho-v2 a blob itself tells how long it is.
    const bool told = !editor.touched(Part::client) || khob_abi_has_blob_size(made.abi());
    return told && !editor.touched(Part::kexec) && editor.dropped().empty();
}

}  // namespace

extern "C" std::size_t LLVMFuzzerMutate(std::uint8_t* data, std::size_t size, std::size_t max_size);
extern "C" std::size_t LLVMFuzzerCustomMutator(std::uint8_t* data, std::size_t size,
                                               std::size_t max_size, unsigned seed);

std::size_t LLVMFuzzerCustomMutator(std::uint8_t* data, std::size_t size, std::size_t max_size,
                                    unsigned seed) {
    std::minstd_rand random(seed);
    if (random() % 8 == 0) {
        return LLVMFuzzerMutate(data, size, max_size);
    }
    Input input = khob::fuzz::parse_input(data, size);
    switch (random() % 8) {
        case 0:
        case 1:
        case 2:
            if (input.edits.size() < khob::fuzz::max_edits) {
                input.edits.push_back({.how = static_cast<std::uint8_t>(random()),
                                       .where = static_cast<std::uint8_t>(random()),
                                       .at = static_cast<std::uint16_t>(random()),
                                       .value = static_cast<std::uint32_t>(random())});
            }
            break;
        case 3:
            if (!input.edits.empty()) {
                input.edits.erase(input.edits.begin() +
                                  static_cast<std::ptrdiff_t>(random() % input.edits.size()));
            }
            break;
        case 4:
        case 5:
            if (!input.edits.empty()) {
                Edit& edit = input.edits[random() % input.edits.size()];
                LLVMFuzzerMutate(reinterpret_cast<std::uint8_t*>(&edit), sizeof(edit),
                                 sizeof(edit));
            }
            break;
        default:
            LLVMFuzzerMutate(reinterpret_cast<std::uint8_t*>(&input.plan), sizeof(input.plan),
                             sizeof(input.plan));
            break;
    }
    // Half of the time nothing tells of the damage but its contents.
    const unsigned mend = random() % 8;
    input.plan.mend = mend < 4   ? static_cast<std::uint8_t>(khob::fuzz::mend_all)
                      : mend < 6 ? std::uint8_t{0}
                                 : static_cast<std::uint8_t>(random());
    if (random() % 4 != 0) {
        input.plan.fault = 0;
    }
    return khob::fuzz::write_input(input, data, max_size);
}

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    static Memory memory;
    const Input input = khob::fuzz::parse_input(data, size);
    const std::uint8_t mended = input.plan.mend & khob::fuzz::mend_all;
    bool same = input.edits.empty();
    Summary is;
    if (!input.edits.empty() || input.plan.fault % 4U != 0) {
        memory.reset();
        const Handover made(memory, input.plan);
        Editor editor(memory, made);
        editor.mend(khob::fuzz::mend_all);
        for (const Edit& edit : input.edits) {
            editor.apply(edit);
        }
        if (!input.edits.empty()) {
            editor.mend(mended);
        }
        is = Reader(memory, made, editor, input.plan).read();
        same = same || (mended == 0 && made.ours() && guarded(editor, made));
        if (is.error != 0 || !same) {
            return 0;
        }
    }
    // As it was made; what was read before has to be that.
    memory.reset();
    const Handover made(memory, input.plan);
    Editor editor(memory, made);
    editor.mend(khob::fuzz::mend_all);
    const Summary sound = Reader(memory, made, editor, {}).read();
    expect_whole(sound, made);
    // Which kernel it was is only shown: where it can't be read, it is left out.
    if (input.plan.fault % 4U == 3 && is.release.empty()) {
        is.kexec_count = sound.kexec_count;
        is.release = sound.release;
    }
    require(input.edits.empty() || is == sound, "what is damaged is refused, or is the same");
    return 0;
}
