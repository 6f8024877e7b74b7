// SPDX-License-Identifier: GPL-2.0-only
// The bzImage header reader.
#include "image/bzimage.hpp"

#include <asm/bootparam.h>
#include <fmt/format.h>

#include <algorithm>

#include "base/bytes.hpp"

namespace khob {

namespace {

// Offsets of the boot protocol, from the start of the file.
constexpr std::uint64_t header_offset = 0x1f1;
static_assert(offsetof(boot_params, hdr) == header_offset);
constexpr std::uint64_t jump_length_offset = 0x201;  // the short jump tells where the header ends
constexpr std::uint64_t jump_target = 0x202;
constexpr std::uint64_t version_base = 0x200;  // hdr.kernel_version counts from here
constexpr std::uint64_t sector = 512;
constexpr std::uint64_t paragraph = 16;  // the unit of hdr.syssize
constexpr std::uint16_t boot_flag = 0xaa55;
constexpr std::uint32_t magic_hdrs = 0x53726448;  // "HdrS"
constexpr std::uint32_t magic_ltop = 0x506f544c;  // "LToP": kernel_info
constexpr std::uint64_t setup_type_max_offset = 12;
constexpr std::uint16_t protocol_xloadflags = 0x020c;
constexpr std::uint16_t protocol_kernel_info = 0x020f;
// The largest alignment that makes sense: a huge page of the page tables' third level.
constexpr std::uint64_t max_alignment = 1ULL << 30;
constexpr std::size_t max_version_length = 128;

tl::unexpected<Error> unusable(std::string_view what) {
    return fail(ExitCode::refused, fmt::format("the kernel is unusable: {}", what),
                "give a bzImage for x86-64, such as /boot/vmlinuz-$(uname -r)");
}

std::string read_version(ByteView setup, std::uint16_t pointer) {
    std::string out;
    if (pointer == 0) {
        return out;
    }
    for (std::uint64_t at = version_base + pointer; at < setup.size(); ++at) {
        const char c = static_cast<char>(setup[at]);
        if (c == '\0') {
            return out;
        }
        if (c < ' ' || c > '~' || out.size() >= max_version_length) {
            break;
        }
        out.push_back(c);
    }
    return {};
}

std::uint32_t read_setup_type_max(ByteView payload, std::uint32_t offset) {
    const std::uint64_t at = offset;
    if (offset == 0 || load_le<std::uint32_t>(payload, at) != magic_ltop) {
        return 0;
    }
    return load_le<std::uint32_t>(payload, at + setup_type_max_offset).value_or(0);
}

}  // namespace

bool BzImage::knows_setup_indirect() const {
    return setup_type_max != 0 && (setup_type_max & abi::setup_indirect_type) != 0;
}

Result<BzImage> inspect_bzimage(ByteView image) {
    setup_header hdr{};
    const auto raw = slice(image, header_offset, sizeof(hdr));
    if (!raw) {
        return unusable("the file is too short to be a bzImage");
    }
    std::memcpy(&hdr, raw->data(), sizeof(hdr));
    if (hdr.boot_flag != boot_flag || hdr.header != magic_hdrs) {
        return unusable("the file is no bzImage");
    }
    if (hdr.version < protocol_xloadflags) {
        return unusable(fmt::format("boot protocol {}.{:02} is older than 2.12", hdr.version >> 8,
                                    hdr.version & 0xff));
    }
    if ((hdr.xloadflags & XLF_KERNEL_64) == 0) {
        return unusable("it has no 64-bit entry");
    }

    BzImage out;
    out.relocatable = hdr.relocatable_kernel != 0;
    out.protocol = hdr.version;
    const auto jump = static_cast<std::uint64_t>(image[jump_length_offset]);
    out.header_end = jump_target + jump;
    if (out.header_end < header_offset + offsetof(setup_header, handover_offset) ||
        out.header_end > offsetof(boot_params, edd_mbr_sig_buffer)) {
        return unusable(fmt::format("its setup header ends at {:#x}", out.header_end));
    }

    // 0 stands for 4, for boot loaders of the nineties.
    const std::uint64_t sects = hdr.setup_sects == 0 ? 4 : hdr.setup_sects;
    out.payload_offset = (sects + 1) * sector;
    out.payload_bytes = static_cast<std::uint64_t>(hdr.syssize) * paragraph;
    if (out.payload_bytes <= entry64_offset) {
        return unusable("it has no protected-mode part");
    }
    if (out.header_end > out.payload_offset) {
        return unusable("its setup header runs into the protected-mode part");
    }
    const auto payload = slice(image, out.payload_offset, out.payload_bytes);
    if (!payload) {
        return unusable(fmt::format("the file is truncated: {} bytes, its header tells of {}",
                                    image.size(), out.payload_offset + out.payload_bytes));
    }

    out.init_size = hdr.init_size;
    out.kernel_alignment = hdr.kernel_alignment;
    out.pref_address = hdr.pref_address;
    out.cmdline_size = hdr.cmdline_size;
    if (out.init_size < out.payload_bytes) {
        return unusable(fmt::format("init_size {} is less than the {} bytes to load", out.init_size,
                                    out.payload_bytes));
    }
    if (!is_power_of_two(out.kernel_alignment) || out.kernel_alignment < page_size ||
        out.kernel_alignment > max_alignment) {
        return unusable(
            fmt::format("kernel_alignment {:#x} is no sane power of two", out.kernel_alignment));
    }
    if (out.pref_address > (1ULL << 46)) {
        return unusable(fmt::format("pref_address {:#x} is no address", out.pref_address));
    }
    // From the start of the protected-mode part; both are the file's own claims.
    if (slice(*payload, hdr.payload_offset, hdr.payload_length)) {
        out.compressed_offset = out.payload_offset + hdr.payload_offset;
        out.compressed_bytes = hdr.payload_length;
    }
    out.above_4g = (hdr.xloadflags & XLF_CAN_BE_LOADED_ABOVE_4G) != 0;
    out.version = read_version(image.first(out.payload_offset), hdr.kernel_version);
    const bool has_info = hdr.version >= protocol_kernel_info &&
                          out.header_end >= header_offset + sizeof(setup_header);
    if (has_info) {
        out.setup_type_max = read_setup_type_max(*payload, hdr.kernel_info_offset);
    }
    return out;
}

Result<BzImage> parse_bzimage(ByteView image) {
    auto out = inspect_bzimage(image);
    if (out && !out->relocatable) {
        return fail(ExitCode::refused,
                    "the kernel is not relocatable: it would unpack itself over preserved memory",
                    "use a kernel built with CONFIG_RELOCATABLE=y");
    }
    return out;
}

Result<void> require_setup_indirect(const BzImage& kernel) {
    if (kernel.knows_setup_indirect()) {
        return {};
    }
    return fail(ExitCode::refused,
                fmt::format("the kernel is too old to be told of preserved memory (boot protocol "
                            "{}.{:02})",
                            kernel.protocol >> 8, kernel.protocol & 0xff),
                "use Linux 5.5 or later");
}

}  // namespace khob
