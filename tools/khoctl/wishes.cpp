// SPDX-License-Identifier: GPL-2.0-only
// --method and --abi into what the library takes.
#include "wishes.hpp"

#include <fmt/format.h>

namespace khob::cli {

namespace {

constexpr const char* automatic = "auto";

}  // namespace

void add_wishes(CLI::App& command, WishWords& words) {
    command
        .add_option("--method", words.method,
                    "how the next kernel learns of it: kho if it has KHO, else indirect, or file "
                    "if both kernels have the same; auto (default) looks into it")
        ->check(CLI::IsMember({automatic, "kho", "indirect", "file"}));
    command.add_option("--abi", words.abi,
                       "version of the ABI to hand over with; auto (default): the kernel's own");
}

Result<MethodWishes> wishes_of(const WishWords& words) {
    MethodWishes out;
    if (words.method != automatic) {
        out.method = method_from(words.method);
    }
    if (words.abi != automatic) {
        out.abi = abi::version_from(words.abi);
        if (!out.abi) {
            return fail(ExitCode::usage,
                        fmt::format("'{}' is no version of the ABI that is known here", words.abi),
                        "`khoctl abi` lists them");
        }
    }
    return out;
}

}  // namespace khob::cli
