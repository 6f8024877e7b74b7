// SPDX-License-Identifier: GPL-2.0-only
// The configuration that the running kernel was built with, where a
// distribution or the kernel itself left it.
#ifndef KHOB_KERNEL_CONFIG_HPP
#define KHOB_KERNEL_CONFIG_HPP

#include <optional>
#include <set>
#include <string>
#include <string_view>

#include "base/system.hpp"

namespace khob {

class KernelConfig {
  public:
    /// From /proc/config.gz, /boot or /lib/modules; nothing if none of them can be read.
    static std::optional<KernelConfig> read(const System& sys);
    /// Of a .config's text; `where` is its path.
    static KernelConfig parse(std::string_view text, std::string where);

    /// Whether an option, with its CONFIG_, is y or m.
    bool has(std::string_view option) const { return set_.contains(option); }
    const std::string& where() const { return where_; }

  private:
    std::string where_;
    std::set<std::string, std::less<>> set_;
};

}  // namespace khob

#endif  // KHOB_KERNEL_CONFIG_HPP
