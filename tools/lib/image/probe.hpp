// SPDX-License-Identifier: GPL-2.0-only
// Looks inside a bzImage: whether that kernel takes a handover by itself, and
// in which version of the ABI.
#ifndef KHOB_PROBE_HPP
#define KHOB_PROBE_HPP

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

    bool has_kho() const { return !compatible.empty(); }
    Value to_value() const;
};

/**
 * Probes a whole bzImage. A kernel that cannot be loaded (not relocatable) is no error here.
 *
 * Errors (refused): no bzImage, or one that cannot be unpacked.
 */
Result<KernelProbe> probe_kernel(ByteView image);

/// The compatible string of the KHO in an unpacked kernel, empty if there is none.
/// Source: KHO_FDT_COMPATIBLE, KHO_FDT_MEMORY_MAP_PROP_NAME.
std::string find_kho(ByteView vmlinux);

}  // namespace khob

#endif  // KHOB_PROBE_HPP
