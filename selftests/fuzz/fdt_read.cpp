// SPDX-License-Identifier: GPL-2.0-only
// Fuzzes khob_fdt_read(): what it accepts, libfdt accepts, and writing what was
// read and reading it again gives the same.
#include <libfdt.h>

#include <cerrno>
#include <cstring>
#include <vector>

#include "core/fdt.h"
#include "fuzz.hpp"

namespace {

using khob::fuzz::require;
using Subtrees = std::vector<khob_fdt_subtree>;

int collect(void* ctx, const khob_fdt_subtree* sub) {
    static_cast<Subtrees*>(ctx)->push_back(*sub);
    return 0;
}

bool same(const Subtrees& a, const Subtrees& b) {
    if (a.size() != b.size()) {
        return false;
    }
    for (std::size_t i = 0; i < a.size(); i++) {
        if (std::strcmp(a[i].name, b[i].name) != 0 || a[i].addr != b[i].addr ||
            a[i].size != b[i].size) {
            return false;
        }
    }
    return true;
}

void write_again(const khob_fdt_info& info, const Subtrees& subs) {
    std::vector<std::uint8_t> bytes(khob_fdt_size(info.abi, subs.data(), subs.size()));
    require(khob_fdt_write(bytes.data(), bytes.size(), info.abi, info.map_pa, subs.data(),
                           subs.size()) == static_cast<long>(bytes.size()),
            "what was read can be written");
    Subtrees again;
    khob_fdt_info what{};
    require(khob_fdt_read(bytes.data(), bytes.size(), &what, collect, &again) == 0,
            "what was written can be read");
    require(what.abi == info.abi && what.map_pa == info.map_pa && same(subs, again),
            "it says the same");
}

}  // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    Subtrees subs;
    khob_fdt_info info{};
    const int err = khob_fdt_read(data, size, &info, collect, &subs);

    require(err == 0 || (err == -EINVAL && info.why != nullptr), "a refusal says why");
    require(err == 0 || subs.empty(), "nothing is handed out of a refused FDT");
    if (err == 0) {
        // libfdt wants 8-byte alignment, which libFuzzer's copy of the input has.
        require(fdt_check_full(data, size) == 0, "libfdt accepts what is accepted");
        require(info.nr_subtrees == subs.size(), "subtrees are counted");
        write_again(info, subs);
    }
    return 0;
}
