// SPDX-License-Identifier: GPL-2.0-only
// The seeds of libkho's index: indices as libkho writes them, as far as they are used.
#include <memory>
#include <string>

#include "internal.h"
#include "seeds.hpp"

namespace khob::fuzz {

bool libkho_seeds(const std::filesystem::path& directory) {
    Corpus corpus(directory, "libkho");
    for (const std::size_t count : {0, 1, 2, 30}) {
        const auto table = std::make_unique<kho_index_table>();
        kho_index_init(table.get());
        for (std::size_t i = 0; i < count; i++) {
            const std::string name = "file " + std::string(i, 'x') + std::to_string(i);
            kho_index_add(table.get(), name.c_str(), i + 1);
        }
        const auto* bytes = reinterpret_cast<const std::uint8_t*>(table.get());
        corpus.add(std::to_string(count),
                   {bytes, sizeof(table->header) + count * sizeof(table->entries[0])});
    }
    return corpus.good();
}

}  // namespace khob::fuzz
