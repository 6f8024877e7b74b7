// SPDX-License-Identifier: GPL-2.0-only
// The module's status, by the names that people and --json see.
#ifndef KHOB_STATUS_HPP
#define KHOB_STATUS_HPP

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/value.hpp"
#include "khob/device.hpp"

namespace khob {

class Status {
  public:
    Status() = default;
    explicit Status(const device::status& from);

    /// Every name, in the order in which they are shown.
    const std::vector<std::string>& names() const { return order_; }

    /// The value of a name; empty if it is not there.
    std::string text(std::string_view name) const;
    /// As a number; nothing if absent or no number.
    std::optional<std::uint64_t> number(std::string_view name) const;
    std::uint64_t number_or(std::string_view name, std::uint64_t fallback) const;

    bool frozen() const { return text("out.state") == "frozen"; }
    bool attached() const { return text("in.state") == "attached"; }
    bool refused() const { return text("in.state") == "refused"; }
    /// Attached at some time; what was then released has left its kernel's name, or at least
    /// the time of the kexec.
    bool was_attached() const {
        return attached() || !text("in.previous_release").empty() ||
               number_or("in.kexec_tsc", 0) != 0;
    }
    /// Whoever follows the setup_data chain ends up somewhere else than the loader meant.
    bool chain_damaged() const { return number_or("in.chain_damaged", 0) != 0; }

    /// Typed values, nested at the dots: {"out": {"state": "open", ...}, ...}.
    Value to_value() const;

  private:
    struct Said {
        std::string text;
        bool is_text;  ///< and no number, whatever it looks like
    };

    void set(std::string name, std::string_view value, bool is_text = true);

    std::map<std::string, Said, std::less<>> fields_;
    std::vector<std::string> order_;
};

}  // namespace khob

#endif  // KHOB_STATUS_HPP
