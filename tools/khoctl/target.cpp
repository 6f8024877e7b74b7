// SPDX-License-Identifier: GPL-2.0-only
// Words of the command line into what the module is to act on.
#include "target.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "base/numbers.hpp"

namespace khob::cli {

Result<Target> parse_target(const std::vector<std::string>& words, TargetKinds kinds) {
    if (words.size() == 1 && words[0] == "all") {
        return Target{};
    }
    if (kinds.subtree && words.size() == 2 && words[0] == "subtree") {
        if (auto ok = check_subtree_name(words[1]); !ok) {
            return tl::unexpected(ok.error());
        }
        return Target{.kind = device::TargetKind::subtree, .name = words[1]};
    }
    if (kinds.page && words.size() == 2) {
        const auto addr = parse_u64(words[0]);
        const auto order = parse_u64(words[1]);
        if (addr && order && *order <= Layout::order_max) {
            return Target{.kind = device::TargetKind::page,
                          .page = {PhysAddr(*addr), Order(static_cast<unsigned>(*order))}};
        }
    }
    return fail(ExitCode::usage, fmt::format("'{}' is no target", fmt::join(words, " ")),
                fmt::format("give all{}{}", kinds.page ? " | PHYS ORDER" : "",
                            kinds.subtree ? " | subtree NAME" : ""));
}

}  // namespace khob::cli
