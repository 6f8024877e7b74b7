// SPDX-License-Identifier: GPL-2.0-only
// Finds and reads a kernel's .config.
#include "image/kernel_config.hpp"

#include <fmt/format.h>

#include <array>

#include "base/bytes.hpp"
#include "base/files.hpp"
#include "base/numbers.hpp"
#include "image/unpack.hpp"

namespace khob {

namespace {

// Debian's has 280 KiB.
constexpr std::uint64_t max_config = 16U << 20U;

/// A file's text, unpacked if it is packed.
std::optional<std::string> text_of(const std::filesystem::path& path) {
    const auto raw = read_bytes(path);
    if (!raw) {
        return std::nullopt;
    }
    ByteVector bytes = *raw;
    if (detect_compression(*raw) == Compression::gzip) {
        auto unpacked = unpack(*raw, max_config);
        if (!unpacked) {
            return std::nullopt;
        }
        bytes = std::move(*unpacked);
    }
    return std::string(reinterpret_cast<const char*>(bytes.data()), bytes.size());
}

}  // namespace

KernelConfig KernelConfig::parse(std::string_view text, std::string where) {
    KernelConfig out;
    out.where_ = std::move(where);
    for (const std::string_view line : lines(text)) {
        const std::size_t equals = line.find('=');
        if (!line.starts_with("CONFIG_") || equals == std::string_view::npos) {
            continue;
        }
        const std::string_view value = trimmed(line.substr(equals + 1));
        if (value == "y" || value == "m") {
            out.set_.emplace(line.substr(0, equals));
        }
    }
    return out;
}

std::optional<KernelConfig> KernelConfig::read(const System& sys) {
    const std::string release = sys.release();
    const std::array<std::string, 4> places{"/proc/config.gz",
                                            fmt::format("/boot/config-{}", release),
                                            fmt::format("/lib/modules/{}/config", release),
                                            fmt::format("/lib/modules/{}/build/.config", release)};
    for (const std::string& place : places) {
        if (const auto text = text_of(sys.path(place))) {
            KernelConfig out = parse(*text, place);
            // An empty or damaged file says nothing of what is missing.
            if (!out.set_.empty()) {
                return out;
            }
        }
    }
    return std::nullopt;
}

}  // namespace khob
