// SPDX-License-Identifier: GPL-2.0-only
// Fuzzes the readers of a kernel image: its header, and what it is seen to know of KHO.
// What is accepted has to be true of the file, and enough to make boot_params of.
#include "image/bzimage.hpp"

#include <algorithm>
#include <cstring>

#include "base/bytes.hpp"
#include "fuzz.hpp"
#include "image/kernel_scan.hpp"
#include "plan/boot_params.hpp"

namespace {

using khob::ByteView;
using khob::BzImage;
using khob::fuzz::require;

constexpr std::uint64_t header_offset = 0x1f1;
constexpr std::size_t max_bytes = 1U << 16U;

bool printable(std::string_view text) {
    return std::all_of(text.begin(), text.end(), [](char c) { return c >= ' ' && c <= '~'; });
}

void expect_true(const BzImage& kernel, ByteView image) {
    require(kernel.protocol >= 0x020c, "the protocol is one that is known");
    require(kernel.header_end > header_offset && kernel.header_end <= kernel.payload_offset,
            "the header ends before the kernel begins");
    require(khob::slice(image, kernel.payload_offset, kernel.payload_bytes).has_value() &&
                kernel.payload_bytes > khob::entry64_offset,
            "the kernel and its entry are in the file");
    require(kernel.payload_bytes <= kernel.init_size, "the kernel fits what it asks for");
    require(khob::is_power_of_two(kernel.kernel_alignment) &&
                kernel.kernel_alignment >= khob::page_size,
            "the alignment is one");
    require(kernel.compressed_bytes == 0 ||
                (kernel.compressed_offset >= kernel.payload_offset &&
                 khob::slice(image, kernel.compressed_offset, kernel.compressed_bytes)),
            "the compressed kernel is in the file");
    require(printable(kernel.version) && kernel.version.size() <= 128,
            "the version is a short line of text");
    require(kernel.knows_setup_indirect() == khob::require_setup_indirect(kernel).has_value(),
            "a kernel that cannot be told is refused");
}

/// All of its header but the fields that a boot loader sets goes into boot_params.
void expect_copied(const BzImage& kernel, ByteView image) {
    const auto map = khob::MemoryMap::make({{khob::make_range(0, 1U << 30U), khob::E820Type::ram}});
    require(map.has_value(), "the map is one");
    const khob::BootParamsInputs in{.kernel = &kernel,
                                    .image = image,
                                    .running = {},
                                    .map = &*map,
                                    .initrd = khob::make_range(0x2000000, 0x2000123),
                                    .kernel_address = khob::PhysAddr(0x1000000),
                                    .cmdline = khob::PhysAddr(0x9000),
                                    .setup_data = khob::PhysAddr(0xa000),
                                    .acpi_rsdp = khob::PhysAddr(0xe0000)};
    const auto page = khob::build_boot_params(in);
    require(page.size() == khob::boot_params_size, "boot_params is a page");
    require(khob::setup_data_of(page) == in.setup_data, "the chain's place is told");
    constexpr std::uint64_t init_size_offset = 0x260;
    if (kernel.header_end >= init_size_offset + sizeof(std::uint32_t)) {
        require(khob::load_le<std::uint32_t>(page, init_size_offset) == kernel.init_size,
                "the header is the kernel's own");
    }
    require(std::all_of(page.begin() + static_cast<std::ptrdiff_t>(kernel.header_end),
                        page.begin() + 0x290, [](std::byte b) { return b == std::byte{0}; }),
            "nothing behind the header is taken over");
}

void expect_found(ByteView image) {
    khob::KernelScan whole;
    whole.feed(image);
    const std::string compatible = whole.kho();
    // A border anywhere, then one behind each byte of what is short.
    const std::size_t border =
        image.empty() ? 0 : static_cast<std::size_t>(image[0]) % image.size();
    khob::KernelScan halves;
    halves.feed(image.first(border));
    halves.feed(image.subspan(border));
    require(halves.kho() == compatible && halves.kasan() == whole.kasan(),
            "a border changes nothing");
    khob::KernelScan bytes;
    const ByteView end = image.last(std::min<std::size_t>(image.size(), 512));
    khob::KernelScan last;
    last.feed(end);
    for (std::size_t i = 0; i < end.size(); ++i) {
        bytes.feed(end.subspan(i, 1));
    }
    require(bytes.kho() == last.kho() && bytes.kasan() == last.kasan(), "nor do many");
    if (compatible.empty()) {
        return;
    }
    require(compatible.starts_with("kho-v") && printable(compatible) && compatible.size() <= 9,
            "a compatible string has a version");
    const std::string_view text(reinterpret_cast<const char*>(image.data()), image.size());
    require(text.find(compatible + '\0') != std::string_view::npos,
            "a compatible string is in the kernel");
}

}  // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size > max_bytes) {
        return -1;  // not for the corpus
    }
    const ByteView image(reinterpret_cast<const std::byte*>(data), size);
    const auto kernel = khob::inspect_bzimage(image);
    if (kernel) {
        expect_true(*kernel, image);
        expect_copied(*kernel, image);
    } else {
        require(kernel.error().code == khob::ExitCode::refused && !kernel.error().what.empty() &&
                    !kernel.error().hint.empty(),
                "a refusal says why");
    }
    require(khob::parse_bzimage(image).has_value() == (kernel && kernel->relocatable),
            "what is loaded is sound and can be put anywhere");
    expect_found(image);
    return 0;
}
