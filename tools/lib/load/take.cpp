// SPDX-License-Identifier: GPL-2.0-only
// Taking scratch.
#include "load/take.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace khob {

namespace {

/// Pieces smaller than this are of no use to a kernel that boots.
constexpr std::uint64_t least_piece = 2 * kho_scratch_alignment;

Result<void> no_room(const ScratchTaker& taker, std::string_view what, std::uint64_t bytes,
                     const Error& said) {
    if (said.code == ExitCode::interrupted) {
        return tl::unexpected(said);
    }
    const std::uint64_t largest = taker.largest();
    return fail(
        ExitCode::refused,
        fmt::format("{}: {} bytes ({}) of contiguous memory are needed, the largest piece "
                    "found has {} ({}); the module says: {}",
                    what, bytes, human_bytes(bytes), largest, human_bytes(largest), said.what),
        "free memory, use a smaller kernel or initrd, or `khoctl compact` if what is preserved "
        "lies scattered");
}

/// `bytes` in as few areas as there can be.
Result<void> take_pieces(ScratchTaker& taker, std::uint64_t bytes) {
    std::uint64_t piece = bytes;
    while (bytes > 0) {
        piece = std::min(piece, bytes);
        const auto got = taker.take(AreaRequest{piece, kho_scratch_alignment});
        if (got) {
            bytes -= piece;
            continue;
        }
        const std::uint64_t largest = align_down(taker.largest(), kho_scratch_alignment);
        if (got.error().code == ExitCode::interrupted || largest < least_piece ||
            largest >= piece || taker.areas() >= max_kho_areas) {
            return no_room(taker, "there is too little scratch for the kernel to boot in", bytes,
                           got.error());
        }
        piece = largest;
    }
    return {};
}

}  // namespace

ScratchTaker::~ScratchTaker() {
    if (held_) {
        // The failure that led here is what gets reported; this does what can be done.
        (void)module_->give_scratch();
    }
}

Result<void> ScratchTaker::take(const AreaRequest& request) {
    auto got = module_->take_scratch(request, held_ ? std::nullopt : abi_, &largest_);
    if (got) {
        ++areas_;
        held_ = true;
    }
    return got;
}

Result<void> ScratchTaker::leave_to_kernel() {
    auto got = module_->leave_to_kernel();
    held_ = got.has_value();
    return got;
}

Result<void> ScratchTaker::loaded() {
    auto ok = module_->loaded();
    if (ok) {
        held_ = false;
    }
    return ok;
}

Result<void> take_for_indirect(ScratchTaker& taker, const ScratchNeeds& needs) {
    constexpr std::string_view complaint = "the kernel and its initrd do not fit scratch";
    const AreaRequest whole = one_area(needs);
    auto got = taker.take(whole);
    if (got || got.error().code == ExitCode::interrupted) {
        return got;
    }
    for (const AreaRequest& part : two_areas(needs)) {
        got = taker.take(part);
        if (!got) {
            return no_room(taker, complaint, whole.size, got.error());
        }
    }
    return got;
}

Result<void> take_for_kho(ScratchTaker& taker, const KhoScratch& wanted) {
    if (auto got = taker.take(wanted.low); !got) {
        return no_room(taker, "there is no scratch below 4 GiB", wanted.low.size, got.error());
    }
    AreaRequest image{wanted.image_bytes + wanted.early_bytes, kho_scratch_alignment};
    image.low = wanted.image_low;
    std::uint64_t pieces = 0;
    auto got = taker.take(image);
    if (!got && got.error().code != ExitCode::interrupted) {
        pieces = wanted.early_bytes;
        image.size = wanted.image_bytes;
        got = taker.take(image);
    }
    if (!got) {
        return no_room(taker, "the kernel and its initrd do not fit scratch", image.size,
                       got.error());
    }
    for (const AreaRequest& share : wanted.nodes) {
        got = taker.take(share);
        if (!got && got.error().code == ExitCode::interrupted) {
            return got;
        }
        pieces += got ? 0 : share.size;
    }
    return take_pieces(taker, pieces);
}

}  // namespace khob
