// SPDX-License-Identifier: GPL-2.0-only
// Fuzzes what becomes of the device's structs: each is read from every input, and what is accepted
// is in range.
#include "core/request.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>

#include "core/radix.h"
#include "fuzz.hpp"

namespace {

using khob::fuzz::require;

/// Whether it was accepted; a refusal must say why, in a sentence.
bool accepted(int err, const char* why) {
    require(err == 0 || err == -EINVAL, "errors are those that are documented");
    require(err == 0 || (why != nullptr && *why != '\0'), "a refusal says why");
    return err == 0;
}

/// The struct that an input begins with; the rest of it is 0, as a caller's that is older.
template <typename T>
T struct_of(const std::uint8_t* data, std::size_t size) {
    T out{};
    std::memcpy(&out, data, std::min(size, sizeof(T)));
    return out;
}

void targets(const kho_bridge_target& from) {
    khob_target target{};
    const char* why = nullptr;
    if (!accepted(khob_request_target(&from, &target, &why), why)) {
        return;
    }
    std::uint64_t key = 0;
    require(target.what != KHOB_WHAT_PAGE || khob_key_encode(target.pa, target.order, &key) == 0,
            "a page that is a target has a key");
    require(target.what != KHOB_WHAT_SUBTREE || khob_subtree_name_ok(target.name),
            "a subtree that is a target has a name");
}

void amounts(const kho_bridge_preserve& preserve, const kho_bridge_compact& compact) {
    khob_preserve_req req{};
    const char* why = nullptr;
    if (accepted(khob_request_preserve(&preserve, &req, &why), why)) {
        require(req.pages > 0 && req.scatter <= 100, "amounts are in range");
        require(req.order == KHOB_ORDER_MIXED || (req.order <= KHOB_ORDER_MAX &&
                                                  req.pages % (std::uint64_t{1} << req.order) == 0),
                "the pages are whole folios");
    }
    khob_compact_req all{};
    why = nullptr;
    if (accepted(khob_request_compact(&compact, &all, &why), why)) {
        require(all.most > 0, "an amount, or all");
    }
}

void scratch(const kho_bridge_scratch& from) {
    khob_scratch_req req{};
    const char* why = nullptr;
    if (!accepted(khob_request_scratch(&from, &req, &why), why)) {
        return;
    }
    require(req.size > 0 && req.size + req.align > req.size,
            "a scratch area's size can be rounded");
    require(req.align >= KHOB_PAGE_SIZE && (req.align & (req.align - 1)) == 0,
            "a scratch area's alignment is one");
    require(req.abi <= KHOB_ABI_NR, "it is a version, or that which is set");
}

void names(const kho_bridge_put& put, const kho_bridge_open& open, const kho_bridge_abi& abi) {
    khob_fdt_subtree sub{};
    const char* why = nullptr;
    if (accepted(khob_request_put(&put, &sub, &why), why)) {
        require(khob_subtree_name_ok(sub.name) && sub.size > 0, "a put has a name and bytes");
    }
    std::array<char, KHO_BRIDGE_NAME_MAX + 1> name{};
    why = nullptr;
    if (accepted(khob_request_open(&open, name.data(), &why), why)) {
        const bool wanted =
            open.what == KHO_BRIDGE_OUT_SUBTREE || open.what == KHO_BRIDGE_IN_SUBTREE;
        require(open.what <= KHO_BRIDGE_OUT_EXTENTS, "what is opened is known");
        require(wanted ? khob_subtree_name_ok(name.data()) : name.front() == '\0',
                "a subtree has a name");
    }
    khob_abi version = KHOB_ABI_NR;
    why = nullptr;
    if (accepted(khob_request_abi(&abi, &version, &why), why)) {
        require(version < KHOB_ABI_NR, "a version is one");
    }
}

}  // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    targets(struct_of<kho_bridge_target>(data, size));
    amounts(struct_of<kho_bridge_preserve>(data, size), struct_of<kho_bridge_compact>(data, size));
    scratch(struct_of<kho_bridge_scratch>(data, size));
    names(struct_of<kho_bridge_put>(data, size), struct_of<kho_bridge_open>(data, size),
          struct_of<kho_bridge_abi>(data, size));
    return 0;
}
