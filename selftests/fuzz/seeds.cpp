// SPDX-License-Identifier: GPL-2.0-only
// Writes the seeds of the fuzz corpora: what the real writers write, and the
// control lines of docs/debugfs.md. Usage: fuzz_seeds DIRECTORY
#include <array>
#include <iostream>
#include <string>

#include "core/fdt.h"
#include "core/radix.h"
#include "core/setup_data.h"
#include "handover_plan.hpp"
#include "image.hpp"
#include "ram.hpp"
#include "seeds.hpp"

namespace {

using khob::fuzz::append;
using khob::fuzz::Bytes;
using khob::fuzz::Corpus;
using khob::fuzz::Image;
using khob::fuzz::Store;

bool fdt_read_seeds(const std::filesystem::path& directory) {
    Corpus corpus(directory, "fdt_read");
    for (int version = 0; version < KHOB_ABI_NR; version++) {
        const auto abi = static_cast<khob_abi>(version);
        for (const std::size_t count : {0, 1, 4}) {
            std::vector<khob_fdt_subtree> subs(count);
            for (std::size_t i = 0; i < count; i++) {
                const std::string name = "subtree-" + std::string(i, 'x') + std::to_string(i);
                name.copy(static_cast<char*>(subs[i].name), KHOB_SUBTREE_NAME_MAX);
                subs[i].addr = 0x200000 + i * Image::page_size;
                subs[i].size = 73 + i;
            }
            Bytes bytes(khob_fdt_size(abi, subs.data(), count));
            if (khob_fdt_write(bytes.data(), bytes.size(), abi, Image::base, subs.data(), count) <
                0) {
                return false;
            }
            corpus.add(std::string(khob_abi_compatible(abi)) + "-" + std::to_string(count), bytes);
        }
    }
    return corpus.good();
}

bool fdt_unwrap_seeds(const std::filesystem::path& directory) {
    Corpus corpus(directory, "fdt_unwrap");
    for (const std::size_t len : {0, 1, 8, 73}) {
        const Bytes data(len, 0x5a);
        Bytes wrapped(khob_fdt_wrap_size(len));
        if (khob_fdt_wrap(wrapped.data(), wrapped.size(), data.data(), len, nullptr) < 0) {
            return false;
        }
        corpus.add("wrapped-" + std::to_string(len), wrapped);
    }
    Bytes fdt(khob_fdt_size(KHOB_ABI_KHO_V2, nullptr, 0));
    if (khob_fdt_write(fdt.data(), fdt.size(), KHOB_ABI_KHO_V2, Image::base, nullptr, 0) < 0) {
        return false;
    }
    corpus.add("fdt", fdt);
    return corpus.good();
}

bool chain_read_seeds(const std::filesystem::path& directory) {
    constexpr std::uint64_t base = 0x1000;  // as chain_read.cpp has it
    Corpus corpus(directory, "chain_read");
    for (const std::uint64_t ranges : {0, 1, 5}) {
        Bytes bytes;
        append(bytes, khob_setup_data{.next = ranges == 0 ? 0 : base + 48,
                                      .type = KHOB_SETUP_KEXEC_KHO,
                                      .len = sizeof(khob_kho_data)});
        append(bytes, khob_kho_data{.fdt_addr = 0x400000,
                                    .fdt_size = 1000,
                                    .scratch_addr = 0x500000,
                                    .scratch_size = sizeof(khob_scratch)});
        for (std::uint64_t i = 0; i < ranges; i++) {
            const std::uint64_t next = base + bytes.size() + 40;
            append(bytes, khob_setup_data{.next = i + 1 < ranges ? next : 0,
                                          .type = KHOB_SETUP_INDIRECT,
                                          .len = sizeof(khob_setup_indirect)});
            append(bytes, khob_setup_indirect{.type = KHOB_SETUP_INDIRECT_RANGE,
                                              .reserved = 0,
                                              .len = Image::page_size << i,
                                              .addr = (i + 1) << 24U});
        }
        corpus.add(std::to_string(ranges) + "-ranges", bytes);
    }
    return corpus.good();
}

/// Every word of the first `count` nodes that is not 0.
Bytes stores_of(std::uint64_t count) {
    Bytes bytes;
    for (std::uint64_t n = 0; n < count; n++) {
        const khob_node& node = *khob_node_at(Image::base + n * Image::page_size);
        for (std::size_t word = 0; word < KHOB_TABLE_ENTRIES; word++) {
            const std::uint64_t value = std::span(node.table)[word];
            if (value != 0) {
                append(bytes, Store{.node = static_cast<std::uint8_t>(n),
                                    .unused = 0,
                                    .word = static_cast<std::uint16_t>(word),
                                    .value_low = static_cast<std::uint32_t>(value),
                                    .value_high = static_cast<std::uint32_t>(value >> 32U)});
            }
        }
    }
    return bytes;
}

bool check_tree_seeds(const std::filesystem::path& directory) {
    struct Page {
        std::uint64_t pa;
        unsigned int order;
    };
    static const std::array<std::vector<Page>, 4> trees = {{
        {},
        {{0x200000, 0}},
        {{0x200000, 0}, {0x201000, 0}, {0x400000, 9}},
        {{0x200000, 0}, {0x100000000, 0}, {0x40000000, 10}, {0x40400000, 10}},
    }};
    Corpus corpus(directory, "check_tree");
    for (const auto& pages : trees) {
        khob::fuzz::Ram ram;
        khob_radix radix{};
        if (khob_radix_init(&radix, khob::fuzz::Ram::ops(), &ram, 0) != 0) {
            return false;
        }
        for (const Page& page : pages) {
            std::uint64_t key = 0;
            if (khob_key_encode(page.pa, page.order, &key) != 0 ||
                khob_radix_add(&radix, key) != 0) {
                return false;
            }
        }
        corpus.add(std::to_string(pages.size()) + "-pages", stores_of(ram.live()));
        khob_radix_destroy(&radix);
    }
    return corpus.good();
}

bool control_seeds(const std::filesystem::path& directory) {
    static constexpr auto lines = std::to_array<std::string_view>({
        "all\n",
        "0x200000 9\n",
        "subtree kexec-metadata\n",
        "pages=2048 order=3 seed=0x2a\n",
        "pages=65536 order=mixed seed=7 scatter=50\n",
        "blob 10485760\n",
        "take 0x2000000 0x200000\n",
        "give\n",
        "18446744073709551615\n",
        "kernel\n",
    });
    Corpus corpus(directory, "control");
    for (std::size_t i = 0; i < lines.size(); i++) {
        corpus.add(std::to_string(i),
                   {reinterpret_cast<const std::uint8_t*>(lines.at(i).data()), lines.at(i).size()});
    }
    return corpus.good();
}

/// Sound handovers of each way and version; what damages them is found soon.
bool handover_seeds(const std::filesystem::path& directory) {
    Corpus corpus(directory, "handover");
    for (std::uint8_t way = 0; way < static_cast<std::uint8_t>(khob::fuzz::Way::count); way++) {
        for (std::uint8_t version = 0; version < KHOB_ABI_NR; version++) {
            const khob::fuzz::Plan plan{.way = way,
                                        .abi = version,
                                        .data = 10,
                                        .far = 3,
                                        .order = 2,
                                        .spacing = 0x6d,
                                        .blobs = 3,
                                        .blob_len = 40,
                                        .records = 5,
                                        .foreign = static_cast<std::uint8_t>(5 * way + version),
                                        .chunks = version,
                                        .gap = 2,
                                        .fault = 0,
                                        .fault_at = 0,
                                        .mend = 0,
                                        .others = version};
            Bytes bytes;
            append(bytes, plan);
            corpus.add(
                std::to_string(way) + "-" + khob_abi_compatible(static_cast<khob_abi>(version)),
                bytes);
        }
    }
    return corpus.good();
}

}  // namespace

int main(int argc, char** argv) {
    if (argc != 2) {
        std::cerr << "usage: fuzz_seeds DIRECTORY\n";
        return 2;
    }
    const std::filesystem::path directory = argv[1];
    const bool good = fdt_read_seeds(directory) && fdt_unwrap_seeds(directory) &&
                      chain_read_seeds(directory) && check_tree_seeds(directory) &&
                      control_seeds(directory) && handover_seeds(directory) &&
                      khob::fuzz::libkho_seeds(directory) && khob::fuzz::luo_seeds(directory) &&
                      khob::fuzz::tools_seeds(directory);
    if (!good) {
        std::cerr << "the seeds could not be written\n";
    }
    return good ? 0 : 1;
}
