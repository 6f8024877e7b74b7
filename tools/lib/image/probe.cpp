// SPDX-License-Identifier: GPL-2.0-only
// Reads a header, and unpacks what it tells of.
#include "image/probe.hpp"

#include <fmt/format.h>

#include "base/bytes.hpp"
#include "image/kernel_scan.hpp"

namespace khob {

Result<KernelProbe> probe_kernel(ByteView image, const ProbeWatch& watch) {
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
    KernelScan scan;
    const auto unpacked = unpack_pieces(*packed, [&](const Piece& piece) {
        scan.feed(piece.bytes);
        return watch ? watch(piece.packed_done, packed->size()) : Result<void>();
    });
    if (!unpacked) {
        return tl::unexpected(unpacked.error());
    }
    probe.compatible = scan.kho();
    probe.abi = abi::version_from(probe.compatible);
    probe.luo = scan.luo();
    probe.kasan = scan.kasan();
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
        .set("luo", luo.empty() ? Value() : Value(luo))
        .set("kasan", kasan)
        .set("init_size", Bytes{image.init_size});
    return value;
}

}  // namespace khob
