// SPDX-License-Identifier: GPL-2.0-only
// The module's `status` file: "name: value" lines.
#ifndef KHOB_STATUS_HPP
#define KHOB_STATUS_HPP

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.hpp"
#include "base/value.hpp"

namespace khob {

class Status {
  public:
    /// Lines that are not "name: value" are an error (failure).
    static Result<Status> parse(std::string_view text);

    /// Every name, in the order of its first line.
    const std::vector<std::string>& names() const { return order_; }

    /// The value of a name; empty if it is not there.
    std::string text(std::string_view name) const;
    /// As a number; nothing if absent or no number.
    std::optional<std::uint64_t> number(std::string_view name) const;
    std::uint64_t number_or(std::string_view name, std::uint64_t fallback) const;

    bool frozen() const { return text("out.state") == "frozen"; }
    bool attached() const { return text("in.state") == "attached"; }
    bool refused() const { return text("in.state") == "refused"; }
    /// Attached at some time; what was then released has left the name of its kernel.
    bool was_attached() const { return attached() || !text("in.previous_release").empty(); }

    /// Typed values, nested at the dots: {"out": {"state": "open", ...}, ...}.
    Value to_value() const;

  private:
    std::map<std::string, std::string, std::less<>> fields_;
    std::vector<std::string> order_;
};

}  // namespace khob

#endif  // KHOB_STATUS_HPP
