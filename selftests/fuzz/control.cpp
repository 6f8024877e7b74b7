// SPDX-License-Identifier: GPL-2.0-only
// Fuzzes the control lines: every parser reads every input.
#include "core/control.h"

#include <cerrno>
#include <cstring>

#include "core/radix.h"
#include "fuzz.hpp"

namespace {

using khob::fuzz::require;

/// Whether a parser accepted; a refusal must say why, in a sentence.
bool accepted(int err, const char* why) {
    require(err == 0 || err == -EINVAL, "errors are those that are documented");
    require(err == 0 || (why != nullptr && *why != '\0'), "a refusal says why");
    return err == 0;
}

}  // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const auto* line = reinterpret_cast<const char*>(data);

    std::uint64_t number = 0;
    const char* why = nullptr;
    const bool is_number = accepted(khob_parse_u64(line, size, &number, &why), why);

    khob_target target{};
    why = nullptr;
    if (accepted(khob_parse_target(line, size, &target, &why), why)) {
        std::uint64_t key = 0;
        require(!is_number, "a target is no number");
        require(
            target.what != KHOB_WHAT_PAGE || khob_key_encode(target.pa, target.order, &key) == 0,
            "a page that is a target has a key");
        require(target.what != KHOB_WHAT_SUBTREE || khob_subtree_name_ok(target.name),
                "a subtree that is a target has a name");
    }

    khob_preserve_req preserve{};
    why = nullptr;
    if (accepted(khob_parse_preserve(line, size, &preserve, &why), why)) {
        require(preserve.pages > 0 && preserve.scatter <= 100, "amounts are in range");
        require(preserve.order == KHOB_ORDER_MIXED ||
                    (preserve.order <= KHOB_ORDER_MAX &&
                     preserve.pages % (std::uint64_t{1} << preserve.order) == 0),
                "the pages are whole folios");
    }

    khob_fdt_subtree put{};
    why = nullptr;
    if (accepted(khob_parse_put(line, size, &put, &why), why)) {
        require(khob_subtree_name_ok(put.name) && put.size > 0, "a put has a name and bytes");
    }

    khob_compact_req compact{};
    why = nullptr;
    if (accepted(khob_parse_compact(line, size, &compact, &why), why)) {
        require(compact.most > 0 && compact.all != is_number, "an amount, or all");
    }

    khob_scratch_req scratch{};
    why = nullptr;
    if (accepted(khob_parse_scratch(line, size, &scratch, &why), why) &&
        scratch.what == KHOB_SCRATCH_TAKE) {
        require(scratch.size > 0 && scratch.size + scratch.align > scratch.size,
                "a scratch area's size can be rounded");
        require(scratch.align >= KHOB_PAGE_SIZE && (scratch.align & (scratch.align - 1)) == 0,
                "a scratch area's alignment is one");
    }
    return 0;
}
