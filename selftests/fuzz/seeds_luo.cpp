// SPDX-License-Identifier: GPL-2.0-only
// The seeds of what kho_luo reads: sound lists of sessions and files, as word stores.
#include <span>
#include <string>
#include <string_view>

#include "core/luo_core.h"
#include "image.hpp"
#include "seeds.hpp"

namespace khob::fuzz {

namespace {

constexpr std::uint64_t page(std::size_t n) {
    return Image::base + n * Image::page_size;
}

template <typename T>
T& at(Image& image, std::size_t node, std::size_t index = 0) {
    constexpr bool is_entry =
        !std::is_same_v<T, khob_luo_ser> && !std::is_same_v<T, khob_memfd_ser>;
    auto* bytes = reinterpret_cast<char*>(image.find(page(node))->data());
    if constexpr (is_entry) {
        bytes += sizeof(khob_block_header);
    }
    return *reinterpret_cast<T*>(bytes + index * sizeof(T));
}

khob_block_header& header(Image& image, std::size_t node) {
    return *reinterpret_cast<khob_block_header*>(image.find(page(node))->data());
}

/// A text into a field of zeroes.
void put(std::span<char> field, std::string_view text) {
    text.copy(field.data(), field.size() - 1);
}

/// The root is node 0, sessions are in node 1, each one's files in node 2 and on, memfds behind.
Image image_of(std::size_t sessions, std::size_t files) {
    Image image;
    auto& root = at<khob_luo_ser>(image, 0);
    put(root.compatible, KHOB_LUO_COMPATIBLE_LUO_V5);
    root.liveupdate_num = 1;
    root.sessions_pa = sessions == 0 ? 0 : page(1);
    header(image, 1).count = sessions;
    for (std::size_t i = 0; i < sessions; i++) {
        auto& session = at<khob_luo_session_ser>(image, 1, i);
        session.name[0] = static_cast<char>('a' + i);
        session.file_set_ser = {.files = files == 0 ? 0 : page(2 + i), .count = files};
        header(image, 2 + i).count = files;
        for (std::size_t k = 0; k < files; k++) {
            auto& file = at<khob_luo_file_ser>(image, 2 + i, k);
            put(file.compatible, KHOB_MEMFD_COMPATIBLE_MEMFD_V2);
            file.data = page(8);
            file.token = k;
        }
    }
    auto& memfd = at<khob_memfd_ser>(image, 8);
    memfd.size = 3 * Image::page_size;
    memfd.nr_folios = 3;
    memfd.folios.first = page(9);
    memfd.folios.total_pages = 1;
    auto* folios = reinterpret_cast<khob_memfd_folio_ser*>(image.find(page(9))->data());
    for (std::uint64_t i = 0; i < memfd.nr_folios; i++) {
        folios[i] = {.pfn = 16 + i, .flags = 3, .index = i};
    }
    return image;
}

Bytes stores_of(Image image) {
    Bytes bytes;
    for (std::size_t n = 0; n < Image::count; n++) {
        const Image::Node& node = *image.find(page(n));
        for (std::size_t word = 0; word < node.size(); word++) {
            if (node.at(word) != 0) {
                append(bytes,
                       Store{.node = static_cast<std::uint8_t>(n),
                             .unused = 0,
                             .word = static_cast<std::uint16_t>(word),
                             .value_low = static_cast<std::uint32_t>(node.at(word)),
                             .value_high = static_cast<std::uint32_t>(node.at(word) >> 32U)});
            }
        }
    }
    return bytes;
}

}  // namespace

bool luo_seeds(const std::filesystem::path& directory) {
    Corpus corpus(directory, "luo");
    for (const std::size_t sessions : {0, 1, 3}) {
        for (const std::size_t files : {0, 1, 4}) {
            corpus.add(std::to_string(sessions) + "-" + std::to_string(files),
                       stores_of(image_of(sessions, files)));
        }
    }
    return corpus.good();
}

}  // namespace khob::fuzz
