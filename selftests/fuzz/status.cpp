// SPDX-License-Identifier: GPL-2.0-only
// Fuzzes what is made of the module's status: whatever the struct holds can be shown, to people
// and as JSON.
#include "module/status.hpp"

#include <algorithm>
#include <cstring>
#include <nlohmann/json.hpp>
#include <set>
#include <string>

#include "base/numbers.hpp"
#include "fuzz.hpp"

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using khob::fuzz::require;
    khob::device::status from;
    std::memcpy(&from, data, std::min(size, sizeof(from)));
    const khob::Status status(from);
    const auto& names = status.names();
    require(std::set<std::string>(names.begin(), names.end()).size() == names.size(),
            "every name is there once");
    for (const std::string& name : names) {
        const std::string value = status.text(name);
        require(value == khob::trimmed(value), "a value has no blanks around it");
        require(status.number_or(name, 7) == status.number(name).value_or(7),
                "a number is one, or the other");
    }
    require(!(status.attached() && status.refused()), "what is attached is not refused");
    require(status.frozen() == ((from.flags & khob::device::status_flags::frozen) != 0),
            "what is frozen is said to be");
    const khob::Value value = status.to_value();
    const auto json = nlohmann::json::parse(value.json(), nullptr, false);
    require(json.is_object(), "what is shown to programs is JSON");
    require(!value.text().empty(), "and people see something, too");
    return 0;
}
