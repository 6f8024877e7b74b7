// SPDX-License-Identifier: GPL-2.0-only
// Fuzzes the parser of the module's status: what it says can be shown, as text that says the
// same when it is parsed again and as JSON that can be read.
#include "module/status.hpp"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <set>
#include <string>

#include "base/numbers.hpp"
#include "fuzz.hpp"

namespace {

using khob::Status;
using khob::fuzz::require;

/// Whether each name can be told from the others: none is a value and a group as well.
bool can_be_told_apart(const std::vector<std::string>& names) {
    return std::all_of(names.begin(), names.end(), [&names](const std::string& name) {
        const std::size_t dot = name.find('.');
        return dot == std::string::npos ||
               std::find(names.begin(), names.end(), name.substr(0, dot)) == names.end();
    });
}

/// The first word says the number or the text; what follows a number is the same for people.
std::string first_word(const std::string& text) {
    return text.substr(0, text.find_first_of(" \t\r"));
}

void expect_same(const Status& status, const Status& shown) {
    for (const std::string& name : status.names()) {
        const std::string was = status.text(name);
        const std::string is = shown.text(name);
        const auto number = status.number(name);
        require(!was.empty() || is.empty() || is == "-", "nothing becomes nothing");
        const auto again = khob::parse_u64(first_word(is));
        require(!number || is == "yes" || is == "no" || again == number ||
                    is.find(':') != std::string::npos,
                "a number stays the number");
        require(number || was.empty() || first_word(was) == first_word(is) ||
                    was.find(':') != std::string::npos,
                "a text stays the text");
    }
}

}  // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string text(reinterpret_cast<const char*>(data), size);
    const auto status = Status::parse(text);
    if (!status) {
        require(!status.error().what.empty(), "a refusal says why");
        return 0;
    }
    const auto& names = status->names();
    require(std::set<std::string>(names.begin(), names.end()).size() == names.size(),
            "every name is there once");
    require(names.size() <= static_cast<std::size_t>(std::count(text.begin(), text.end(), ':')),
            "no name is made up");
    for (const std::string& name : names) {
        require(!name.empty() && name == khob::trimmed(name), "a name has no blanks around it");
        require(name.front() != '.' && name.back() != '.', "a name's parts are not empty");
        const std::string value = status->text(name);
        require(value == khob::trimmed(value) && value.find('\n') == std::string::npos,
                "a value is a line without blanks around it");
        require(status->number_or(name, 7) == status->number(name).value_or(7),
                "a number is one, or the other");
    }
    require(!(status->attached() && status->refused()), "what is attached is not refused");
    const khob::Value value = status->to_value();
    const auto json = nlohmann::json::parse(value.json(), nullptr, false);
    require(json.is_object(), "what is shown to programs is JSON");
    const auto shown = Status::parse(value.text());
    require(shown.has_value() || names.empty(), "what is shown to people can be parsed");
    if (can_be_told_apart(names) && shown) {
        expect_same(*status, *shown);
    }
    return 0;
}
