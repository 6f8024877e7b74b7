// SPDX-License-Identifier: GPL-2.0-only
// Seeds for the targets that fuzz khoctl's library, or what it asks the module for: a small kernel
// image, packed bytes, texts as sysfs shows them, and the device's structs.
#include <asm/bootparam.h>

#include <array>
#include <string_view>

#include "base/types.hpp"
#include "khob/device.hpp"
#include "module/text.hpp"
#include "pack.hpp"
#include "seeds.hpp"

namespace khob::fuzz {

namespace {

std::span<const std::uint8_t> octets_of(std::string_view text) {
    return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()};
}

/// The bytes of each value, one behind the other.
template <typename... T>
Bytes bytes_of(const T&... values) {
    Bytes bytes;
    (append(bytes, values), ...);
    return bytes;
}

template <typename T>
void poke(Bytes& bytes, std::size_t at, const T& value) {
    std::memcpy(&bytes.at(at), &value, sizeof(value));
}

/// A sound header, one sector of setup, and a kernel that is hardly more than its entry.
Bytes small_kernel(std::string_view kho) {
    constexpr std::size_t payload = 1024;
    constexpr std::size_t payload_bytes = 1024;
    constexpr std::uint32_t info_offset = 544;
    setup_header header{};
    header.setup_sects = 1;
    header.syssize = payload_bytes / 16;
    header.boot_flag = 0xaa55;
    header.jump = 0x6aeb;  // to 0x26c
    header.header = 0x53726448;
    header.version = 0x020f;
    header.kernel_version = 0x80;
    header.relocatable_kernel = 1;
    header.xloadflags = XLF_KERNEL_64 | XLF_CAN_BE_LOADED_ABOVE_4G;
    header.cmdline_size = 2047;
    header.kernel_alignment = 1U << 21U;
    header.pref_address = 1U << 24U;
    header.init_size = 1U << 20U;
    header.payload_offset = info_offset + 16;
    header.payload_length = 64;
    header.kernel_info_offset = info_offset;
    Bytes bytes(payload + payload_bytes);
    poke(bytes, offsetof(boot_params, hdr), header);
    constexpr std::string_view version = "6.0-fuzz (me) #1";
    std::memcpy(&bytes.at(0x280), version.data(), version.size());
    poke(bytes, payload + info_offset,
         std::array<std::uint32_t, 4>{0x506f544c, 16, 16, 0x80000009});
    std::memcpy(&bytes.at(payload + info_offset + 16), kho.data(), kho.size());
    return bytes;
}

bool bzimage_seeds(const std::filesystem::path& directory) {
    Corpus corpus(directory, "bzimage");
    corpus.add("plain", small_kernel({}));
    corpus.add("kho", small_kernel({"\0kho-v4\0preserved-memory-map\0", 29}));
    return corpus.good();
}

bool unpack_seeds(const std::filesystem::path& directory) {
    Corpus corpus(directory, "unpack");
    std::string text = "to be packed";
    text.append(2000, 'x');
    const auto plain = as_bytes(text);
    for (unsigned how = 0; how < 5; how++) {
        Bytes bytes{static_cast<std::uint8_t>(8 + 9 * how)};
        const Packed packed = pack(plain, how);
        for (const std::byte byte : packed.bytes) {
            bytes.push_back(std::to_integer<std::uint8_t>(byte));
        }
        corpus.add(std::string(to_string(packed.compression)), bytes);
    }
    return corpus.good();
}

bool boot_params_seeds(const std::filesystem::path& directory) {
    Corpus corpus(directory, "boot_params");
    for (const std::string_view text : {"ACPI20=0x7fb7e014\nACPI=0x7fb7e000\n", ""}) {
        // struct Given of boot_params.cpp: addresses, counts, and how long the text is.
        Bytes bytes;
        append(bytes, std::array<std::uint64_t, 6>{0x7000000, 0x123456, 0x1000000, 0x9f000,
                                                   0x1ff000, text.empty() ? 0xe0000U : 0});
        append(bytes, std::array<std::uint8_t, 4>{140, 2, static_cast<std::uint8_t>(text.size())});
        append(bytes, std::uint32_t{0});
        const auto octets = octets_of(text);
        bytes.insert(bytes.end(), octets.begin(), octets.end());
        append(bytes, std::array<std::uint8_t, 3>{0x73, 0, 0x40});
        corpus.add(text.empty() ? "bios" : "efi", bytes);
    }
    return corpus.good();
}

bool text_seeds(const std::filesystem::path& directory) {
    struct Seed {
        const char* target;
        const char* name;
        std::string_view text;
    };
    static constexpr auto seeds = std::to_array<Seed>({
        {"memory_map", "small",
         "0x0 0x9fbff System RAM\n0x9fc00 0x9ffff Reserved\n0xf0000 0xfffff Reserved\n"
         "0x100000 0x3ffdffff System RAM\n0x3ffe0000 0x3fffffff ACPI Tables\n"},
        {"memory_map", "joined",
         "0x200800 0x2fffff System RAM\n0x100800 0x2007ff System RAM\n"
         "0x100000000 0x13fffffff System RAM\n0xfd00000000 0xffffffffff Soft Reserved\n"},
        {"boot", "grub",
         "menuentry_id_option=--id\n"
         "if [ \"${next_entry}\" ] ; then\n"
         "   set default=\"${next_entry}\"\n"
         "else\n"
         "   set default=\"1>old\"\n"
         "fi\n"
         "menuentry 'A' --class os $menuentry_id_option 'new' {\n"
         "\tif [ x$grub_platform = xxen ]; then insmod xzio; fi\n"
         "\tlinux /boot/vmlinuz-2 root=UUID=1 ro \"a b\"\n"
         "\tinitrd /boot/initrd.img-2\n"
         "}\n"
         "submenu \"B\" {\n"
         "\tmenuentry C --id=old {\n"
         "\t\tlinux\t(hd0,gpt2)/boot/vmlinuz-1 ro\n"
         "\t}\n"
         "}\n"},
        {"boot", "entry",
         "title A\n"
         "sort-key debian\n"
         "version 6.12\n"
         "linux /a/linux\n"
         "initrd /a/initrd\n"
         "options root=UUID=1 ro\n"},
        {"boot", "conf",
         "# a comment\n"
         "KERNEL=/vmlinuz\n"
         "INITRD='/a /b'\n"
         "CMDLINE=\"ro quiet\"\n"
         "ON_REFUSED=boot\n"},
        {"lists", "numbers", "1\n0x10\n18446744073709551615\n"},
        {"lists", "config", "# CONFIG_A is not set\nCONFIG_KEXEC=y\nCONFIG_B=m\nCONFIG_C=\"y\"\n"},
    });
    bool good = true;
    for (const Seed& seed : seeds) {
        Corpus corpus(directory, seed.target);
        corpus.add(seed.name, octets_of(seed.text));
        good = good && corpus.good();
    }
    return good;
}

bool struct_seeds(const std::filesystem::path& directory) {
    device::status status;
    status.flags = device::status_flags::frozen;
    status.out_keys = 18;
    status.out_orders[0] = 17;
    status.out_root_phys = 0x3a5c000;
    status.version = text_in<sizeof(status.version)>("0.2.0");
    Corpus statuses(directory, "status");
    statuses.add("open", bytes_of(status));
    status.in_state = static_cast<std::uint32_t>(device::InState::refused);
    status.in_reason = text_in<sizeof(status.in_reason)>("the root FDT is damaged");
    statuses.add("refused", bytes_of(status));

    Corpus lists(directory, "lists");
    const auto key = [](unsigned order) {
        return Layout::encode(PhysAddr(0x100000000), Order(order)).value();
    };
    lists.add("keys", bytes_of(key(0), key(9), key(10)));
    lists.add("ranges", bytes_of(device::range{0x1000, 0x3000}, device::range{0x200000, 0x400000}));
    device::subtree subtree;
    subtree.name = text_in<sizeof(subtree.name)>("config");
    subtree.len = 5;
    lists.add("subtrees", bytes_of(subtree));
    device::bench_row row;
    row.work = text_in<sizeof(row.work)>("add");
    row.keys = 1024;
    row.ns = 2048;
    lists.add("bench", bytes_of(row));
    return statuses.good() && lists.good();
}

bool request_seeds(const std::filesystem::path& directory) {
    Corpus corpus(directory, "request");
    device::scratch scratch;
    scratch.bytes = 64U << 20U;
    scratch.align = 2U << 20U;
    scratch.abi = text_in<sizeof(scratch.abi)>("kho-v4");
    corpus.add("scratch", bytes_of(scratch));
    device::target target;
    target.what = static_cast<std::uint32_t>(device::TargetKind::subtree);
    target.name = text_in<sizeof(target.name)>("config");
    corpus.add("target", bytes_of(target));
    device::open open;
    open.what = static_cast<std::uint32_t>(device::OpenWhat::out_subtree);
    open.name = text_in<sizeof(open.name)>("config");
    corpus.add("open", bytes_of(open));
    device::abi abi;
    abi.abi = text_in<sizeof(abi.abi)>("kho-v3");
    corpus.add("abi", bytes_of(abi));
    return corpus.good();
}

}  // namespace

bool tools_seeds(const std::filesystem::path& directory) {
    return bzimage_seeds(directory) && unpack_seeds(directory) && boot_params_seeds(directory) &&
           text_seeds(directory) && struct_seeds(directory) && request_seeds(directory);
}

}  // namespace khob::fuzz
