// SPDX-License-Identifier: GPL-2.0-only
// Looks inside a bzImage: whether that kernel takes a handover by itself, and
// in which version of the ABI, and whether it has a Live Update Orchestrator.
#ifndef KHOB_PROBE_HPP
#define KHOB_PROBE_HPP

#include <cstdint>
#include <functional>
#include <optional>
#include <string>

#include "base/error.hpp"
#include "base/types.hpp"
#include "base/value.hpp"
#include "image/bzimage.hpp"
#include "image/unpack.hpp"
#include "khob/abi.hpp"

namespace khob {

/// What is known of a kernel without booting it.
struct KernelProbe {
    BzImage image;
    std::string release;  ///< as `uname -r` will say; empty: the image does not
    Compression compression = Compression::unknown;
    std::string compatible;           ///< its KHO's compatible string; empty: it has no KHO
    std::optional<abi::Version> abi;  ///< that string's version, if the schema knows it
    /// Its Live Update Orchestrator's compatible string; empty: it has none.
    std::string luo{};
    bool kasan = false;  ///< it checks every access to memory

    bool has_kho() const { return !compatible.empty(); }
    Value to_value() const;
};

/// Is told how many of how many bytes have been unpacked; an Error ends the probe.
using ProbeWatch = std::function<Result<void>(std::uint64_t done, std::uint64_t all)>;

/**
 * Probes a whole bzImage, which it unpacks piece by piece. A kernel that cannot be loaded (not
 * relocatable) is no error here.
 *
 * Errors (refused): no bzImage, or one that cannot be unpacked; else those of `watch`.
 */
Result<KernelProbe> probe_kernel(ByteView image, const ProbeWatch& watch = {});

}  // namespace khob

#endif  // KHOB_PROBE_HPP
