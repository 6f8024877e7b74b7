// SPDX-License-Identifier: GPL-2.0-only
// What kho_luo does with kept files; docs/sessions.rst is the contract.
#ifndef KHOB_KEEP_DEVICE_HPP
#define KHOB_KEEP_DEVICE_HPP

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/error.hpp"
#include "base/files.hpp"
#include "base/system.hpp"

namespace khob::keep {

/// A file that kho_luo knows.
struct Known {
    std::uint64_t token = 0;
    bool waits = false;  ///< the kernel before has left it; or else it was kept here
    std::uint64_t bytes = 0;
    std::uint64_t folios = 0;
};

class Device {
  public:
    /// Errors (absent): no kho_luo.
    static Result<Device> open(const System& sys);

    /// `path` is for the error.
    Result<void> keep(const Fd& file, std::uint64_t token, const std::string& path) const;
    /// Nothing to drop is no error. Errors (refused): a kernel is loaded.
    Result<void> drop() const;
    Result<std::vector<Known>> list() const;
    Result<void> adopt(const Fd& empty, std::uint64_t token, const std::string& path) const;
    /// Gives an empty file huge pages; `bytes` is a multiple of them. Errors: no room for it, not
    /// as much contiguous memory; the file is empty then.
    Result<void> fill(const Fd& empty, std::uint64_t bytes, std::optional<std::uint32_t> node,
                      const std::string& path) const;
    Result<void> discard(std::uint64_t token) const;

  private:
    Device(const System& sys, Fd fd) : sys_(&sys), fd_(std::move(fd)) {}
    const System* sys_;
    Fd fd_;
};

}  // namespace khob::keep

#endif  // KHOB_KEEP_DEVICE_HPP
