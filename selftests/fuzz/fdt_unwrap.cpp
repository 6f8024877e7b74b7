// SPDX-License-Identifier: GPL-2.0-only
// Fuzzes khob_fdt_unwrap(), and that any bytes come out as they went in.
#include <libfdt.h>

#include <cerrno>
#include <cstring>
#include <vector>

#include "core/fdt.h"
#include "fuzz.hpp"

namespace {

using khob::fuzz::require;

void expect_travels(const std::uint8_t* data, std::size_t size) {
    std::vector<std::uint8_t> blob(data, data + size);
    if (!khob_fdt_is_whole(data, size)) {
        blob.resize(khob_fdt_wrap_size(size));
        require(khob_fdt_wrap(blob.data(), blob.size(), data, size, nullptr) ==
                    static_cast<long>(blob.size()),
                "bytes can be wrapped");
    }
    require(fdt_check_full(blob.data(), blob.size()) == 0, "libfdt accepts what travels");
    const void* inside = nullptr;
    std::size_t len = 0;
    const char* why = nullptr;
    require(khob_fdt_unwrap(blob.data(), blob.size(), &inside, &len, &why) == 0 && len == size &&
                (size == 0 || std::memcmp(inside, data, size) == 0),
            "bytes come out as they went in");
}

}  // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const void* inside = nullptr;
    std::size_t len = 0;
    const char* why = nullptr;

    const int err = khob_fdt_unwrap(data, size, &inside, &len, &why);
    require(err == 0 || (err == -EINVAL && why != nullptr), "a refusal says why");
    if (err == 0) {
        const auto* bytes = static_cast<const std::uint8_t*>(inside);
        require(bytes >= data && bytes + len <= data + size, "the blob is in what was read");
        require(fdt_check_full(data, size) == 0, "libfdt accepts what is accepted");
    }
    expect_travels(data, size);
    return 0;
}
