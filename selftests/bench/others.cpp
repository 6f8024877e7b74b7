// SPDX-License-Identifier: GPL-2.0-only
#include "others.hpp"

namespace khob::bench {

Bitmap::Bitmap(std::uint64_t pages) {
    for (std::size_t order = 0; order < orders_.size(); order++) {
        orders_[order].resize((pages >> order) / word + 1);
    }
}

}  // namespace khob::bench
