// SPDX-License-Identifier: GPL-2.0-only
// Fuzzes what libkho reads of another kernel: the index of a session, which the input is the
// beginning of.
#include <algorithm>
#include <array>
#include <cstring>
#include <memory>
#include <set>
#include <string>
#include <string_view>

#include "fuzz.hpp"
#include "internal.h"

namespace {

using khob::fuzz::require;

/// What is promised of every entry of an index that is believed.
void check_entries(const kho_index_table& table) {
    std::set<std::string_view> names;
    std::set<std::uint64_t> tokens;
    for (std::uint64_t i = 0; i < table.header.count; i++) {
        const kho_index_entry& entry = table.entries[i];
        const char* name = entry.name;
        require(std::memchr(name, 0, sizeof(entry.name)) != nullptr, "a name ends");
        require(kho_index_name_good(name), "a name that came can be put again");
        require(std::none_of(name, name + std::strlen(name),
                             [](unsigned char c) { return c < 0x20 || c == 0x7f; }),
                "a name can be printed");
        require(entry.token != KHO_INDEX_TOKEN && tokens.insert(entry.token).second,
                "a token is no other entry's, and not the index's");
        require(names.insert(name).second, "a name is no other entry's");
        require(kho_index_find(&table, name) == &entry, "an entry is found by its name");
    }
}

/// An index that came could have been made here.
void check_same(const kho_index_table& table) {
    const auto made = std::make_unique<kho_index_table>();
    kho_index_init(made.get());
    for (std::uint64_t i = 0; i < table.header.count; i++) {
        require(kho_index_add(made.get(), table.entries[i].name, table.entries[i].token) == i,
                "entries come one behind the other");
    }
    const std::size_t used = sizeof(table.header) + table.header.count * sizeof(table.entries[0]);
    require(std::memcmp(made.get(), &table, used) == 0, "there is one way to write it");
}

}  // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    // On the heap, so that what is read behind it is seen.
    const auto table = std::make_unique<kho_index_table>();
    std::memset(table.get(), 0, sizeof(*table));
    std::memcpy(table.get(), data, std::min(size, sizeof(*table)));
    const char* why = nullptr;
    const kho_error error = kho_index_check(table.get(), &why);
    require((error == KHO_OK) == (why == nullptr), "a refusal says why");
    require(
        error == KHO_OK || error == KHO_FOREIGN || error == KHO_UNSUPPORTED || error == KHO_DAMAGED,
        "errors are those that are documented");
    if (error == KHO_OK) {
        require(table->header.count <= KHO_INDEX_ENTRIES_MAX, "all of them are in the index");
        check_entries(*table);
        check_same(*table);
    }
    return 0;
}
