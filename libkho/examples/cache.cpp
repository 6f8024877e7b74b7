// SPDX-License-Identifier: GPL-2.0-only
// Example: a cache that is warm after a kexec. A hash table lies in a memfd, and whoever starts in
// the next kernel finds it again by its name.
//
//   kho-cache fill COUNT     puts as many entries in, and stays, so that they are handed over
//   kho-cache check COUNT    looks whether they are there, and stays, for the kernel after next
//
// Both begin alike: the table comes from the kernel before, or there is a new one.
#include <unistd.h>

#include <array>
#include <charconv>
#include <cstring>
#include <iostream>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "kho.hpp"

namespace {

constexpr std::size_t slot_count = 8192;
// A table of another layout is not this program's: it changes with every change of the structs.
constexpr std::array<char, 8> layout = {'c', 'a', 'c', 'h', 'e', '-', '1', '\0'};

struct Header {
    std::array<char, 8> layout;
    std::uint64_t used;
};

/// Offsets and lengths only: an address would be another one in the next process.
struct Slot {
    std::uint16_t key_size;
    std::uint16_t value_size;
    std::array<char, 28> key;
    std::array<char, 96> value;
};

constexpr std::size_t table_size = sizeof(Header) + slot_count * sizeof(Slot);

/// The same in every process, which std::hash is not bound to be.
constexpr std::uint64_t hash(std::string_view key) {
    std::uint64_t sum = 0xcbf29ce484222325;
    for (const char c : key) {
        sum = (sum ^ static_cast<unsigned char>(c)) * 0x100000001b3;
    }
    return sum;
}

class Table {
  public:
    /// The table in a mapping; nothing if what is there is none. A new file is all zeroes.
    static std::optional<Table> in(kho::Mapping mapping, bool found) {
        if (mapping.bytes().size() != table_size) {
            return std::nullopt;
        }
        Table table(std::move(mapping));
        if (!found) {
            table.header().layout = layout;
        }
        // Another program has written it, in another kernel: nothing of it is taken on trust.
        if (table.header().layout != layout || table.header().used >= slot_count) {
            return std::nullopt;
        }
        for (const Slot& slot : table.slots()) {
            if (slot.key_size > slot.key.size() || slot.value_size > slot.value.size()) {
                return std::nullopt;
            }
        }
        return table;
    }

    bool put(std::string_view key, std::string_view value) {
        Slot* slot = find(key);
        if (slot == nullptr || value.size() > slot->value.size()) {
            return false;
        }
        const bool is_new = slot->key_size == 0;
        // One stays empty, so that every search ends.
        if (is_new && header().used + 1 >= slot_count) {
            return false;
        }
        value.copy(slot->value.data(), value.size());
        slot->value_size = static_cast<std::uint16_t>(value.size());
        key.copy(slot->key.data(), key.size());
        slot->key_size = static_cast<std::uint16_t>(key.size());
        header().used += is_new ? 1 : 0;
        return true;
    }

    std::optional<std::string_view> get(std::string_view key) {
        const Slot* slot = find(key);
        if (slot == nullptr || slot->key_size == 0) {
            return std::nullopt;
        }
        return std::string_view(slot->value.data(), slot->value_size);
    }

    [[nodiscard]] std::uint64_t used() const { return header().used; }

  private:
    explicit Table(kho::Mapping mapping) : mapping_(std::move(mapping)) {}

    [[nodiscard]] Header& header() const {
        return *reinterpret_cast<Header*>(mapping_.bytes().data());
    }
    [[nodiscard]] std::span<Slot> slots() const {
        auto* first = reinterpret_cast<Slot*>(mapping_.bytes().data() + sizeof(Header));
        return {first, slot_count};
    }
    /// The slot that has a key, or the one that it goes into; nullptr if there is none.
    Slot* find(std::string_view key) {
        if (key.empty() || key.size() > Slot{}.key.size()) {
            return nullptr;
        }
        for (std::size_t i = 0; i < slot_count; i++) {
            Slot& slot = slots()[(hash(key) + i) % slot_count];
            if (slot.key_size == 0 || key == std::string_view(slot.key.data(), slot.key_size)) {
                return &slot;
            }
        }
        return nullptr;
    }

    kho::Mapping mapping_;
};

std::string key_of(std::uint64_t number) {
    return "key " + std::to_string(number);
}

std::string value_of(std::uint64_t number) {
    return "the value of " + std::to_string(number) + ", " + std::to_string(hash(key_of(number)));
}

/// Return: how many entries could not be put.
std::uint64_t fill(Table& table, std::uint64_t count) {
    std::uint64_t bad = 0;
    for (std::uint64_t i = 0; i < count; i++) {
        bad += table.put(key_of(i), value_of(i)) ? 0 : 1;
    }
    return bad;
}

/// Return: how many entries are not what was put, or are there besides.
std::uint64_t check(Table& table, std::uint64_t count) {
    std::uint64_t bad = table.used() > count ? table.used() - count : 0;
    for (std::uint64_t i = 0; i < count; i++) {
        bad += table.get(key_of(i)) == value_of(i) ? 0 : 1;
    }
    return bad;
}

/// Return: the exit code.
int run(std::string_view command, std::uint64_t count) {
    const kho::Kept kept = kho::keep("kho-cache", "table", table_size);
    if (kept.error.code != KHO_OK) {
        std::cerr << "kho-cache: " << kept.error.what() << '\n';
    }
    if (!kept.file) {
        return 1;
    }
    auto mapping = kept.file->map();
    if (!mapping) {
        std::cerr << "kho-cache: " << mapping.error().what() << '\n';
        return 1;
    }
    auto table = Table::in(*std::move(mapping), kept.found);
    if (!table) {
        std::cerr << "kho-cache: what the kernel before has left is no table of this layout\n";
        return 1;
    }
    const std::uint64_t bad = command == "fill" ? fill(*table, count) : check(*table, count);
    std::cout << "kho-cache: " << (kept.found ? "found" : "made") << ", " << table->used()
              << " entries, " << bad << " bad" << std::endl;
    if (bad != 0 || !kept.session) {
        return 1;
    }
    // The session is handed over as long as it is open. A real cache goes on serving here.
    if (daemon(0, 0) != 0) {
        std::cerr << "kho-cache: cannot stay: " << std::strerror(errno) << '\n';
        return 1;
    }
    while (true) {
        pause();
    }
}

}  // namespace

int main(int argc, char** argv) {
    const std::span<char*> arguments(argv, static_cast<std::size_t>(argc));
    const std::string_view command = arguments.size() == 3 ? arguments[1] : "";
    const std::string_view number = arguments.size() == 3 ? arguments[2] : "";
    std::uint64_t count = 0;
    const auto read = std::from_chars(number.data(), number.data() + number.size(), count);
    if ((command != "fill" && command != "check") || read.ec != std::errc() ||
        read.ptr != number.data() + number.size()) {
        std::cerr << "kho-cache fill|check COUNT\n";
        return 2;
    }
    return run(command, count);
}
