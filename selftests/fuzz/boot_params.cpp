// SPDX-License-Identifier: GPL-2.0-only
// Fuzzes what the loader makes of the running kernel's boot_params, and of the text that EFI's
// system table is shown as. An input is a struct Given, that text, and bytes to store in the page.
#include "plan/boot_params.hpp"

#include <algorithm>
#include <array>
#include <cstring>
#include <string_view>

#include "base/bytes.hpp"
#include "base/numbers.hpp"
#include "fuzz.hpp"

namespace {

using khob::ByteVector;
using khob::ByteView;
using khob::PhysAddr;
using khob::fuzz::require;

struct Given {
    std::uint64_t initrd;
    std::uint64_t initrd_bytes;
    std::uint64_t kernel;
    std::uint64_t cmdline;
    std::uint64_t chain;
    std::uint64_t rsdp;
    std::uint8_t entries;
    std::uint8_t regions;
    std::uint8_t text_bytes;
    std::uint8_t missing;  ///< bytes of the page that are not there
};
static_assert(sizeof(Given) == 52 + 4);

struct Store {
    std::uint8_t low;
    std::uint8_t high;
    std::uint8_t value;
};

// Offsets of Documentation/arch/x86/zero-page.rst and boot.rst.
constexpr std::uint64_t ext_ramdisk_image = 0x0c0;
constexpr std::uint64_t ext_ramdisk_size = 0x0c4;
constexpr std::uint64_t ext_cmd_line_ptr = 0x0c8;
constexpr std::uint64_t rsdp_addr = 0x070;
constexpr std::uint64_t efi_info = 0x1c0;
constexpr std::uint64_t e820_entries = 0x1e8;
constexpr std::uint64_t eddbuf_entries = 0x1e9;
constexpr std::uint64_t edd_mbr_sig_entries = 0x1ea;
constexpr std::uint64_t type_of_loader = 0x210;
constexpr std::uint64_t ramdisk_image = 0x218;
constexpr std::uint64_t ramdisk_size = 0x21c;
constexpr std::uint64_t cmd_line_ptr = 0x228;
constexpr std::uint64_t header_end = 0x26c;
constexpr std::uint64_t e820_table = 0x2d0;
constexpr std::uint64_t e820_entry_bytes = 20;

std::uint64_t wide(ByteView page, std::uint64_t low, std::uint64_t high) {
    return (std::uint64_t{khob::load_le<std::uint32_t>(page, high).value_or(0)} << 32U) |
           khob::load_le<std::uint32_t>(page, low).value_or(0);
}

/// Reads at most a struct's bytes; the rest is 0.
template <typename T>
T take(ByteView& bytes) {
    T value{};
    const std::size_t n = std::min(sizeof(value), bytes.size());
    std::memcpy(&value, bytes.data(), n);
    bytes = bytes.subspan(n);
    return value;
}

khob::MemoryMap make_map(unsigned entries) {
    std::vector<khob::MapEntry> list;
    for (std::uint64_t i = 0; i <= entries; i++) {
        list.push_back({khob::make_range(i << 20U, (i + 1) << 20U),
                        i % 2 == 0 ? khob::E820Type::ram : khob::E820Type::nvs});
    }
    return khob::MemoryMap::make(std::move(list)).value();
}

/// The RSDP that is found is one that somebody told.
void expect_told(ByteView running, std::string_view text) {
    const PhysAddr found = khob::find_rsdp(running, text);
    const auto told = running.size() < khob::boot_params_size
                          ? std::nullopt
                          : khob::load_le<std::uint64_t>(running, rsdp_addr);
    if (told.value_or(0) != 0) {
        require(found == PhysAddr(*told), "boot_params comes first");
        return;
    }
    const auto lines = khob::lines(text);
    require(found.value() == 0 || std::any_of(lines.begin(), lines.end(),
                                              [&found](std::string_view line) {
                                                  const auto at = line.find('=');
                                                  return line.starts_with("ACPI") &&
                                                         khob::parse_u64(khob::trimmed(
                                                             line.substr(at + 1))) == found.value();
                                              }),
            "an address is in the text");
}

void expect_e820(ByteView page, const khob::MemoryMap& map) {
    const std::size_t n = std::min(map.entries().size(), khob::e820_table_entries);
    require(page[e820_entries] == static_cast<std::byte>(n), "the entries are counted");
    for (std::size_t i = 0; i < n; i++) {
        const auto& entry = map.entries()[i];
        const std::uint64_t at = e820_table + i * e820_entry_bytes;
        require(khob::load_le<std::uint64_t>(page, at) == entry.range.start.value() &&
                    khob::load_le<std::uint64_t>(page, at + 8) == entry.range.size() &&
                    khob::load_le<std::uint32_t>(page, at + 16) ==
                        static_cast<std::uint32_t>(entry.type),
                "the entries are the map's");
    }
}

void expect_built(const khob::BootParamsInputs& in) {
    const auto page = khob::build_boot_params(in);
    require(page.size() == khob::boot_params_size, "boot_params is a page");
    require(khob::setup_data_of(page) == in.setup_data, "the chain's place is told");
    require(khob::load_le<std::uint64_t>(page, rsdp_addr) == in.acpi_rsdp.value(),
            "the RSDP is told");
    require(page[type_of_loader] == std::byte{0xff}, "the loader has no number");
    require(wide(page, cmd_line_ptr, ext_cmd_line_ptr) == in.cmdline.value(),
            "the command line is told");
    const bool initrd = !in.initrd.empty();
    require(
        wide(page, ramdisk_image, ext_ramdisk_image) == (initrd ? in.initrd.start.value() : 0) &&
            wide(page, ramdisk_size, ext_ramdisk_size) == (initrd ? in.initrd.size() : 0),
        "the initrd is told");
    require(page[eddbuf_entries] <= std::byte{6} && page[edd_mbr_sig_entries] <= std::byte{16},
            "what is counted has room");
    const auto signature = khob::load_le<std::uint32_t>(page, efi_info);
    require(signature == (in.efi != nullptr ? khob::efi_loader_signature_64 : 0),
            "the running kernel's EFI goes along only if the loader says so");
    if (in.efi != nullptr) {
        require(wide(page, efi_info + 4, efi_info + 24) == in.efi->systab.value() &&
                    wide(page, efi_info + 16, efi_info + 28) == in.efi_map.value() &&
                    khob::load_le<std::uint32_t>(page, efi_info + 20) == in.efi->map_bytes(),
                "EFI's tables are told");
    }
    expect_e820(page, *in.map);
}

}  // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    ByteView bytes(reinterpret_cast<const std::byte*>(data), size);
    const auto given = take<Given>(bytes);
    const std::size_t text_bytes = std::min<std::size_t>(given.text_bytes, bytes.size());
    const std::string_view text(reinterpret_cast<const char*>(bytes.data()), text_bytes);
    bytes = bytes.subspan(text_bytes);
    ByteVector running(khob::boot_params_size);
    while (bytes.size() >= sizeof(Store)) {
        const auto store = take<Store>(bytes);
        running[(store.low | store.high << 8U) % running.size()] = std::byte{store.value};
    }
    running.resize(running.size() - given.missing);
    require(khob::setup_data_of(running).has_value() == (given.missing == 0),
            "a page that is not whole says nothing");
    expect_told(running, text);

    const khob::BzImage kernel{.header_end = header_end};
    const ByteVector image(header_end, std::byte{0xa5});
    const auto map = make_map(given.entries);
    const khob::Efi efi{.systab = PhysAddr(given.rsdp + 1),
                        .setup = {},
                        .map = std::vector<khob::EfiRegion>(given.regions),
                        .secure_boot = 1};
    const std::uint64_t initrd_end = given.initrd + given.initrd_bytes;
    const khob::BootParamsInputs in{
        .kernel = &kernel,
        .image = image,
        .running = running,
        .map = &map,
        .initrd = khob::make_range(given.initrd, std::max(initrd_end, given.initrd)),
        .kernel_address = PhysAddr(given.kernel),
        .cmdline = PhysAddr(given.cmdline),
        .setup_data = PhysAddr(given.chain),
        .acpi_rsdp = PhysAddr(given.rsdp),
        .efi = given.regions == 0 ? nullptr : &efi,
        .efi_map = PhysAddr(given.kernel + given.chain)};
    expect_built(in);
    return 0;
}
