// SPDX-License-Identifier: GPL-2.0-only
// What the FDT tests share: buffers of the exact size, reading, and libfdt's opinion.
#pragma once

#include <libfdt.h>

#include <cstdint>
#include <cstdlib>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "core/fdt.h"

namespace khob::test {

using Bytes = std::vector<std::uint8_t>;

inline constexpr std::uint64_t map_pa = 0x123456000;

/// What khob_fdt_read() made of some bytes.
struct Read {
    int err = 0;
    khob_fdt_info info{};
    std::vector<khob_fdt_subtree> subtrees;
    [[nodiscard]] std::string why() const { return info.why == nullptr ? "" : info.why; }
};

inline Read read_fdt(std::span<const std::uint8_t> bytes) {
    Read read;
    const auto collect = [](void* ctx, const khob_fdt_subtree* sub) {
        static_cast<std::vector<khob_fdt_subtree>*>(ctx)->push_back(*sub);
        return 0;
    };
    read.err = khob_fdt_read(bytes.data(), bytes.size(), &read.info, collect, &read.subtrees);
    return read;
}

/// libfdt's verdict on exactly these bytes; 0 is good.
inline int libfdt_check(std::span<const std::uint8_t> bytes) {
    return fdt_check_full(bytes.data(), bytes.size());
}

inline khob_fdt_subtree subtree(const std::string& name, std::uint64_t addr, std::uint64_t size) {
    khob_fdt_subtree sub{};
    name.copy(static_cast<char*>(sub.name), KHOB_SUBTREE_NAME_MAX);
    sub.addr = addr;
    sub.size = size;
    return sub;
}

/// Many subtrees with different names, addresses and sizes.
inline std::vector<khob_fdt_subtree> some_subtrees(std::size_t count) {
    std::vector<khob_fdt_subtree> subs;
    for (std::size_t i = 0; i < count; i++) {
        const std::string name = "sub_" + std::string(i % 50, 'x') + std::to_string(i);
        subs.push_back(subtree(name, 0x1000 * (i + 1), i * 77 + 1));
    }
    return subs;
}

inline Bytes write_fdt(khob_abi abi, std::span<const khob_fdt_subtree> subs) {
    Bytes bytes(khob_fdt_size(abi, subs.data(), subs.size()));
    const long size =
        khob_fdt_write(bytes.data(), bytes.size(), abi, map_pa, subs.data(), subs.size());
    if (size < 0 || static_cast<std::size_t>(size) != bytes.size()) {
        std::abort();
    }
    return bytes;
}

/// Builds FDTs with libfdt, as upstream does, but also such as no kernel would write.
class Builder {
  public:
    Builder() : bytes_(1U << 20U) {
        check(fdt_create(bytes_.data(), static_cast<int>(bytes_.size())));
    }
    Builder& reserve(std::uint64_t addr, std::uint64_t size) {
        check(fdt_add_reservemap_entry(bytes_.data(), addr, size));
        return *this;
    }
    Builder& begin(const std::string& name) {
        if (!reserved_) {
            check(fdt_finish_reservemap(bytes_.data()));
            reserved_ = true;
        }
        check(fdt_begin_node(bytes_.data(), name.c_str()));
        return *this;
    }
    Builder& end() {
        check(fdt_end_node(bytes_.data()));
        return *this;
    }
    Builder& prop(const std::string& name, std::span<const std::uint8_t> value) {
        check(fdt_property(bytes_.data(), name.c_str(), value.data(),
                           static_cast<int>(value.size())));
        return *this;
    }
    Builder& text(const std::string& name, const std::string& value) {
        check(fdt_property_string(bytes_.data(), name.c_str(), value.c_str()));
        return *this;
    }
    /// A native-endian number, as the KHO ABI has it.
    Builder& u64(const std::string& name, std::uint64_t value) {
        check(fdt_property(bytes_.data(), name.c_str(), &value, sizeof(value)));
        return *this;
    }
    Builder& root(const std::string& compatible) {
        return begin("").text(KHOB_PROP_COMPATIBLE, compatible).u64(KHOB_PROP_MEMORY_MAP, map_pa);
    }
    Builder& sub(const std::string& name, std::uint64_t addr, std::uint64_t size) {
        return begin(name).u64(KHOB_PROP_DATA, addr).u64(KHOB_PROP_BLOB_SIZE, size).end();
    }
    Bytes finish() {
        check(fdt_finish(bytes_.data()));
        bytes_.resize(fdt_totalsize(bytes_.data()));
        return std::move(bytes_);
    }

  private:
    static void check(int err) {
        if (err != 0) {
            std::abort();
        }
    }

    Bytes bytes_;
    bool reserved_ = false;
};

}  // namespace khob::test
