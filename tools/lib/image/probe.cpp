// SPDX-License-Identifier: GPL-2.0-only
// KHO leaves its compatible string and the name of the root's property in the
// kernel's read-only data. A kernel that has both speaks it; neither comes from a
// module. Names of other properties differ between versions.
#include "image/probe.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <string_view>

#include "base/bytes.hpp"

namespace khob {

namespace {

constexpr std::string_view compatible_prefix = "kho-v";
constexpr std::size_t max_digits = 4;

std::string_view text_of(ByteView bytes) {
    return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

/// Whether wanted stands in kernel as a C string of its own, or as the end of a longer one:
/// linkers merge strings by their tails.
bool holds_string(std::string_view kernel, std::string_view wanted) {
    return kernel.find(std::string(wanted) + '\0') != std::string_view::npos;
}

}  // namespace

std::string find_kho(ByteView vmlinux) {
    const std::string_view kernel = text_of(vmlinux);
    if (!holds_string(kernel, abi::prop_memory_map)) {
        return {};
    }
    for (std::size_t at = kernel.find(compatible_prefix); at != std::string_view::npos;
         at = kernel.find(compatible_prefix, at + 1)) {
        const std::size_t digits = at + compatible_prefix.size();
        const std::size_t end = kernel.find_first_not_of("0123456789", digits);
        const bool starts = at == 0 || kernel[at - 1] == '\0';
        if (starts && end != std::string_view::npos && kernel[end] == '\0' && end > digits &&
            end - digits <= max_digits) {
            return std::string(kernel.substr(at, end - at));
        }
    }
    return {};
}

Result<KernelProbe> probe_kernel(ByteView image) {
    KernelProbe probe;
    auto header = inspect_bzimage(image);
    if (!header) {
        return tl::unexpected(header.error());
    }
    probe.image = std::move(*header);
    probe.release = probe.image.version.substr(0, probe.image.version.find(' '));
    const auto packed = slice(image, probe.image.compressed_offset, probe.image.compressed_bytes);
    if (!packed || packed->empty()) {
        return fail(ExitCode::refused, "the kernel's header does not say where its payload is",
                    "say --method and --abi yourself");
    }
    probe.compression = detect_compression(*packed);
    const auto vmlinux = unpack(*packed);
    if (!vmlinux) {
        return tl::unexpected(vmlinux.error());
    }
    probe.compatible = find_kho(*vmlinux);
    probe.abi = abi::version_from(probe.compatible);
    return probe;
}

Value KernelProbe::to_value() const {
    Value value;
    value.set("release", release.empty() ? Value() : Value(release))
        .set("protocol", fmt::format("{}.{:02}", image.protocol >> 8, image.protocol & 0xff))
        .set("relocatable", image.relocatable)
        .set("compression", to_string(compression))
        .set("kho", has_kho())
        .set("abi", has_kho() ? Value(compatible) : Value())
        .set("abi_known", abi.has_value())
        .set("setup_indirect", image.knows_setup_indirect())
        .set("init_size", Bytes{image.init_size});
    return value;
}

}  // namespace khob
