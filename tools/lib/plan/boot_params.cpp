// SPDX-License-Identifier: GPL-2.0-only
// Builds and reads the zero page.
#include "plan/boot_params.hpp"

#include <asm/bootparam.h>

#include <algorithm>
#include <bit>
#include <cstddef>

#include "base/bytes.hpp"
#include "base/numbers.hpp"

namespace khob {

static_assert(sizeof(boot_params) == boot_params_size);
static_assert(E820_MAX_ENTRIES_ZEROPAGE == e820_table_entries);
static_assert(offsetof(boot_params, hdr) + offsetof(setup_header, setup_data) == 0x250);

namespace {

constexpr std::uint8_t loader_undefined = 0xff;  // "a boot loader without an assigned number"

constexpr std::uint32_t efi_memdesc_version = 1;

constexpr std::uint32_t low_half(std::uint64_t v) {
    return static_cast<std::uint32_t>(v);
}
constexpr std::uint32_t high_half(std::uint64_t v) {
    return static_cast<std::uint32_t>(v >> 32);
}

std::optional<boot_params> read_boot_params(ByteView bytes) {
    if (bytes.size() < sizeof(boot_params)) {
        return std::nullopt;
    }
    boot_params bp{};
    std::memcpy(&bp, bytes.data(), sizeof(bp));
    return bp;
}

void take_over(boot_params& bp, const boot_params& running) {
    bp.screen_info = running.screen_info;
    bp.alt_mem_k = running.alt_mem_k;
    bp.eddbuf_entries = std::min<std::uint8_t>(running.eddbuf_entries, EDDMAXNR);
    bp.edd_mbr_sig_buf_entries =
        std::min<std::uint8_t>(running.edd_mbr_sig_buf_entries, EDD_MBR_SIG_MAX);
    std::memcpy(bp.edd_mbr_sig_buffer, running.edd_mbr_sig_buffer, sizeof(bp.edd_mbr_sig_buffer));
    std::memcpy(bp.eddbuf, running.eddbuf, sizeof(bp.eddbuf));
}

/// Like Linux's own kexec_file_load(2): a map of nothing but what the services use.
void set_efi(boot_params& bp, const Efi& efi, PhysAddr map) {
    bp.secure_boot = efi.secure_boot;
    bp.efi_info = efi_info{.efi_loader_signature = efi_loader_signature_64,
                           .efi_systab = low_half(efi.systab.value()),
                           .efi_memdesc_size = sizeof(EfiRegion),
                           .efi_memdesc_version = efi_memdesc_version,
                           .efi_memmap = low_half(map.value()),
                           .efi_memmap_size = static_cast<std::uint32_t>(efi.map_bytes()),
                           .efi_systab_hi = high_half(efi.systab.value()),
                           .efi_memmap_hi = high_half(map.value())};
}

}  // namespace

ByteVector build_boot_params(const BootParamsInputs& in) {
    boot_params bp{};
    if (const auto running = read_boot_params(in.running)) {
        take_over(bp, *running);
    }
    // The header may be longer than the struct that this was compiled with: copy by its own length.
    constexpr std::size_t hdr_at = offsetof(boot_params, hdr);
    std::memcpy(reinterpret_cast<std::byte*>(&bp) + hdr_at, in.image.data() + hdr_at,
                in.kernel->header_end - hdr_at);

    bp.acpi_rsdp_addr = in.acpi_rsdp.value();
    if (in.efi != nullptr) {
        set_efi(bp, *in.efi, in.efi_map);
    }
    setup_header& hdr = bp.hdr;
    hdr.type_of_loader = loader_undefined;
    hdr.ext_loader_ver = 0;
    hdr.ext_loader_type = 0;
    hdr.loadflags = static_cast<std::uint8_t>(
        (hdr.loadflags & ~static_cast<unsigned>(KEEP_SEGMENTS | CAN_USE_HEAP | QUIET_FLAG)) |
        LOADED_HIGH);
    hdr.code32_start = low_half(in.kernel_address.value());
    hdr.setup_data = in.setup_data.value();
    hdr.cmd_line_ptr = low_half(in.cmdline.value());
    bp.ext_cmd_line_ptr = high_half(in.cmdline.value());
    hdr.ramdisk_image = 0;
    hdr.ramdisk_size = 0;
    if (!in.initrd.empty()) {
        hdr.ramdisk_image = low_half(in.initrd.start.value());
        bp.ext_ramdisk_image = high_half(in.initrd.start.value());
        hdr.ramdisk_size = low_half(in.initrd.size());
        bp.ext_ramdisk_size = high_half(in.initrd.size());
    }

    const auto& entries = in.map->entries();
    const std::size_t n = std::min(entries.size(), e820_table_entries);
    for (std::size_t i = 0; i < n; ++i) {
        bp.e820_table[i] = boot_e820_entry{.addr = entries[i].range.start.value(),
                                           .size = entries[i].range.size(),
                                           .type = static_cast<std::uint32_t>(entries[i].type)};
    }
    bp.e820_entries = static_cast<std::uint8_t>(n);
    ByteVector page(sizeof(bp));
    std::memcpy(page.data(), &bp, sizeof(bp));
    return page;
}

ByteVector build_trampoline(PhysAddr boot_params, PhysAddr entry) {
    ByteVector code;
    const auto emit = [&code](std::initializer_list<unsigned> bytes) {
        for (const unsigned b : bytes) {
            code.push_back(static_cast<std::byte>(b));
        }
    };
    emit({0xfa});        // cli
    emit({0x48, 0xbe});  // movabs rsi, boot_params
    append(code, boot_params.value());
    emit({0x48, 0xb8});  // movabs rax, entry
    append(code, entry.value());
    emit({0xff, 0xe0});  // jmp rax
    return code;
}

std::optional<PhysAddr> setup_data_of(ByteView boot_params) {
    const auto bp = read_boot_params(boot_params);
    if (!bp) {
        return std::nullopt;
    }
    return PhysAddr(bp->hdr.setup_data);
}

PhysAddr find_rsdp(ByteView boot_params, std::string_view efi_systab) {
    if (const auto bp = read_boot_params(boot_params); bp && bp->acpi_rsdp_addr != 0) {
        return PhysAddr(bp->acpi_rsdp_addr);
    }
    // ACPI20 is the RSDP of ACPI 2.0 and later; the older one only if there is none.
    for (const std::string_view name : {"ACPI20=", "ACPI="}) {
        for (const std::string_view line : lines(efi_systab)) {
            if (line.starts_with(name)) {
                return PhysAddr(parse_u64(trimmed(line.substr(name.size()))).value_or(0));
            }
        }
    }
    return PhysAddr(0);
}

}  // namespace khob
