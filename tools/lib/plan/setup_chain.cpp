// SPDX-License-Identifier: GPL-2.0-only
// Packs the setup_data chain.
#include "plan/setup_chain.hpp"

#include <asm/bootparam.h>

#include "base/bytes.hpp"
#include "base/digest.hpp"

namespace khob {

namespace {

constexpr std::uint64_t chain_round(std::uint64_t bytes) {
    return align_down(bytes + chain_alignment - 1, chain_alignment);
}

constexpr std::uint64_t header_bytes = sizeof(abi::setup_data);
constexpr std::uint64_t kho_bytes = chain_round(header_bytes + sizeof(abi::kho_data));
constexpr std::uint64_t seal_bytes = chain_round(header_bytes + sizeof(abi::seal));
constexpr std::uint64_t efi_bytes = chain_round(header_bytes + sizeof(EfiSetupData));
constexpr std::uint64_t indirect_bytes = chain_round(header_bytes + sizeof(abi::setup_indirect));

constexpr std::uint64_t e820_bytes(std::size_t entries) {
    return entries == 0 ? 0 : chain_round(header_bytes + entries * sizeof(boot_e820_entry));
}

/// Appends nodes; each node's `next` is known from its own padded length.
class Packer {
  public:
    Packer(PhysAddr base, std::uint64_t total) : at_(base), end_(base + total) {}

    void header(std::uint32_t type, std::uint64_t payload) {
        const std::uint64_t node = chain_round(header_bytes + payload);
        at_ = at_ + node;
        append(out_, abi::setup_data{.next = at_ < end_ ? at_.value() : 0,
                                     .type = type,
                                     .len = static_cast<std::uint32_t>(payload)});
    }
    template <typename T>
    void data(const T& value) {
        append(out_, value);
    }
    ByteVector finish() {
        out_.resize(chain_round(out_.size()));
        return std::move(out_);
    }

  private:
    ByteVector out_;
    PhysAddr at_;
    PhysAddr end_;
};

/// Over all that the chain says of the handover, so that no flipped bit of it says anything else.
abi::seal seal_of(const abi::kho_data& kho, std::span<const Range> intervals) {
    ByteVector location;
    ByteVector all;
    append(location, kho);
    for (const Range& r : intervals) {
        // Whole pages, though the one at the end of RAM leaves its last byte out.
        append(all, abi::chunk{.addr = r.start.value(), .size = page_round(r.size())});
    }
    return {.magic = abi::seal_magic,
            .version = abi::seal_version,
            .nr_intervals = static_cast<std::uint32_t>(intervals.size()),
            .kho_digest = xxh64(location),
            .intervals_digest = xxh64(all)};
}

}  // namespace

std::uint64_t chain_bytes(std::size_t intervals, std::size_t extra_e820, bool efi) {
    return kho_bytes + seal_bytes + (efi ? efi_bytes : 0) + intervals * indirect_bytes +
           e820_bytes(extra_e820);
}

ByteVector build_chain(PhysAddr base, const KhoData& kho, std::span<const Range> intervals,
                       std::span<const MapEntry> extra_e820, const Efi* efi) {
    Packer chain(base, chain_bytes(intervals.size(), extra_e820.size(), efi != nullptr));
    const abi::kho_data location{.fdt_addr = kho.fdt_addr.value(),
                                 .fdt_size = kho.fdt_size,
                                 .scratch_addr = kho.scratch_addr.value(),
                                 .scratch_size = kho.scratch_size};
    chain.header(abi::setup_kexec_kho, sizeof(location));
    chain.data(location);
    chain.header(abi::setup_seal, sizeof(abi::seal));
    chain.data(seal_of(location, intervals));
    if (efi != nullptr) {
        chain.header(SETUP_EFI, sizeof(efi->setup));
        chain.data(efi->setup);
    }
    for (const Range& r : intervals) {
        chain.header(abi::setup_indirect_type, sizeof(abi::setup_indirect));
        chain.data(abi::setup_indirect{.type = abi::setup_indirect_range,
                                       .reserved = 0,
                                       .len = r.size(),
                                       .addr = r.start.value()});
    }
    // Last, because its length need not be a multiple of the alignment.
    if (!extra_e820.empty()) {
        chain.header(SETUP_E820_EXT, extra_e820.size() * sizeof(boot_e820_entry));
        for (const MapEntry& e : extra_e820) {
            chain.data(boot_e820_entry{.addr = e.range.start.value(),
                                       .size = e.range.size(),
                                       .type = static_cast<std::uint32_t>(e.type)});
        }
    }
    return chain.finish();
}

}  // namespace khob
