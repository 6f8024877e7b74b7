// SPDX-License-Identifier: GPL-2.0-only
#include "load/luo.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "khob/luo.hpp"

namespace khob {

namespace {

/// What a blob that is called LUO begins with.
std::string version_of(ByteView blob) {
    const std::size_t room = std::min<std::size_t>(blob.size(), luo::compatible_length);
    std::string_view text(reinterpret_cast<const char*>(blob.data()), room);
    text = text.substr(0, text.find('\0'));
    const bool readable =
        std::all_of(text.begin(), text.end(), [](char c) { return c > ' ' && c <= '~'; });
    return text.empty() || !readable ? "unknown" : std::string(text);
}

}  // namespace

Result<std::optional<std::string>> luo_handed_over(const Module& module) {
    for (const Side side : {Side::out, Side::in}) {
        const auto subtrees = module.subtrees(side);
        if (!subtrees) {
            return tl::unexpected(subtrees.error());
        }
        if (std::none_of(subtrees->begin(), subtrees->end(),
                         [](const Subtree& s) { return s.name == luo::subtree_name; })) {
            continue;
        }
        const auto blob = module.subtree(side, luo::subtree_name);
        if (!blob) {
            return tl::unexpected(blob.error());
        }
        return version_of(*blob);
    }
    return std::nullopt;
}

Result<void> require_luo(const Module& module, const MethodChoice& choice) {
    if (choice.method == Method::indirect || choice.kernel_luo == "") {
        return {};
    }
    const auto handed = luo_handed_over(module);
    if (!handed) {
        return tl::unexpected(handed.error());
    }
    if (!*handed || *handed == choice.kernel_luo) {
        return {};
    }
    const std::string remedy =
        "finish the sessions first (`khoctl session ls`), or say `--method indirect`";
    if (!choice.kernel_luo) {
        return fail(ExitCode::refused,
                    fmt::format("live update sessions are handed over ({}), and whether the kernel "
                                "boots with them could not be seen in its image",
                                **handed),
                    remedy);
    }
    return fail(ExitCode::refused,
                fmt::format("live update sessions are handed over as {}, and the kernel has a Live "
                            "Update Orchestrator that takes only {}: it would not boot",
                            **handed, *choice.kernel_luo),
                remedy);
}

}  // namespace khob
