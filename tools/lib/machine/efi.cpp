// SPDX-License-Identifier: GPL-2.0-only
// The running kernel's view of EFI, out of boot_params and sysfs; nothing is taken on trust.
#include "machine/efi.hpp"

#include <asm/bootparam.h>
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <limits>

#include "base/bytes.hpp"
#include "base/files.hpp"
#include "base/numbers.hpp"
#include "base/system.hpp"

namespace khob {

static_assert(sizeof(EfiRegion) == 40);
static_assert(sizeof(EfiSetupData) == 96);

namespace {

constexpr std::string_view efi_dir = "/sys/firmware/efi";
// Linux maps the services in the upper half, whatever its own addresses are.
constexpr std::uint64_t upper_half = 0xffff800000000000;
constexpr std::uint64_t no_table = std::numeric_limits<std::uint64_t>::max();

Result<std::uint64_t> number(const std::filesystem::path& path) {
    const auto text = read_text(path);
    if (!text) {
        return tl::unexpected(text.error());
    }
    const auto value = parse_u64(trimmed(*text));
    if (!value) {
        return fail(ExitCode::failure, fmt::format("{} holds no number", path.string()));
    }
    return *value;
}

/// Whether [start, start + pages) is whole pages that do not wrap.
bool spans(std::uint64_t start, std::uint64_t pages) {
    return is_aligned(start, page_size) && pages != 0 && pages <= (no_table - start) / page_size;
}

Range range_of(const EfiRegion& region) {
    return make_range(region.phys_addr, region.phys_addr + region.num_pages * page_size);
}

Result<EfiRegion> read_region(const std::filesystem::path& dir) {
    std::array<std::uint64_t, 5> values{};
    std::size_t i = 0;
    for (const char* name : {"type", "phys_addr", "virt_addr", "num_pages", "attribute"}) {
        const auto value = number(dir / name);
        if (!value) {
            return tl::unexpected(value.error());
        }
        values.at(i++) = *value;
    }
    const EfiRegion out{.type = static_cast<std::uint32_t>(values[0]),
                        .pad = 0,
                        .phys_addr = values[1],
                        .virt_addr = values[2],
                        .num_pages = values[3],
                        .attribute = values[4]};
    if (out.type != values[0] || !spans(out.phys_addr, out.num_pages) ||
        !spans(out.virt_addr, out.num_pages) || out.virt_addr < upper_half) {
        return fail(ExitCode::failure, fmt::format("{} holds no mapped region", dir.string()));
    }
    return out;
}

Result<std::vector<EfiRegion>> read_map(const std::filesystem::path& dir) {
    const auto names = list_dir(dir);
    if (!names) {
        return fail(ExitCode::failure, "this kernel does not use EFI's runtime services");
    }
    if (names->empty() || names->size() > max_efi_regions) {
        return fail(ExitCode::failure,
                    fmt::format("{} lists {} regions", dir.string(), names->size()));
    }
    std::vector<EfiRegion> map;
    for (const std::string& name : *names) {
        const auto region = read_region(dir / name);
        if (!region) {
            return tl::unexpected(region.error());
        }
        const bool twice = std::any_of(map.begin(), map.end(), [&region](const EfiRegion& r) {
            return range_of(r).overlaps(range_of(*region));
        });
        if (twice) {
            return fail(ExitCode::failure,
                        fmt::format("{} overlaps another region", (dir / name).string()));
        }
        map.push_back(*region);
    }
    return map;
}

/// SMBIOS is optional: the table that the firmware had to move for the services.
std::uint64_t find_smbios(std::string_view systab) {
    constexpr std::string_view name = "SMBIOS=";
    for (const std::string_view line : lines(systab)) {
        if (line.starts_with(name)) {
            return parse_u64(trimmed(line.substr(name.size()))).value_or(0);
        }
    }
    return 0;
}

Result<Efi> read_all_of_it(const std::filesystem::path& dir, ByteView running) {
    if (running.size() < sizeof(boot_params)) {
        return fail(ExitCode::failure, "this kernel does not show its boot_params");
    }
    efi_info info{};
    std::memcpy(&info, running.data() + offsetof(boot_params, efi_info), sizeof(info));
    const auto bits = number(dir / "fw_platform_size");
    if (!bits) {
        return tl::unexpected(bits.error());
    }
    if (*bits != 64 || info.efi_loader_signature != efi_loader_signature_64) {
        return fail(ExitCode::failure, "the firmware is not a 64-bit one");
    }
    Efi out;
    out.systab = PhysAddr((std::uint64_t{info.efi_systab_hi} << 32) | info.efi_systab);
    out.secure_boot = std::to_integer<std::uint8_t>(running[offsetof(boot_params, secure_boot)]);
    auto map = read_map(dir / "runtime-map");
    if (!map) {
        return tl::unexpected(map.error());
    }
    out.map = std::move(*map);
    const bool inside = std::any_of(out.map.begin(), out.map.end(), [&out](const EfiRegion& r) {
        return range_of(r).start <= out.systab && out.systab < range_of(r).end;
    });
    if (!inside) {
        return fail(ExitCode::failure,
                    fmt::format("EFI's system table at {:#x} is in no region of the runtime map",
                                out.systab.value()));
    }
    const auto vendor = number(dir / "fw_vendor");
    const auto tables = number(dir / "config_table");
    if (!vendor || !tables) {
        return tl::unexpected(vendor ? tables.error() : vendor.error());
    }
    if (*tables == 0 || *tables == no_table) {
        return fail(ExitCode::failure, "the address of EFI's configuration tables is missing");
    }
    out.setup.fw_vendor = *vendor;
    out.setup.tables = *tables;
    out.setup.smbios = find_smbios(read_text(dir / "systab").value_or(""));
    return out;
}

}  // namespace

EfiState read_efi(const System& sys, ByteView running_boot_params) {
    const auto dir = sys.path(efi_dir);
    if (!list_dir(dir)) {
        return {std::nullopt, "the machine was not booted by EFI"};
    }
    auto efi = read_all_of_it(dir, running_boot_params);
    if (!efi) {
        return {std::nullopt, efi.error().what};
    }
    return {std::move(*efi), {}};
}

}  // namespace khob
