// SPDX-License-Identifier: GPL-2.0-only
// Parsers of the short text files that the module and sysfs offer.
#include "base/numbers.hpp"

#include <fmt/format.h>

#include <charconv>

namespace khob {

namespace {

constexpr std::string_view blanks = " \t\r\n";

tl::unexpected<Error> bad_line(std::string_view what, std::size_t number, std::string_view line) {
    return fail(ExitCode::failure,
                fmt::format("{} line {} makes no sense: '{}'", what, number, line.substr(0, 80)));
}

}  // namespace

std::string_view trimmed(std::string_view text) {
    const auto first = text.find_first_not_of(blanks);
    if (first == std::string_view::npos) {
        return {};
    }
    return text.substr(first, text.find_last_not_of(blanks) - first + 1);
}

std::vector<std::string_view> words(std::string_view line) {
    std::vector<std::string_view> out;
    std::size_t pos = line.find_first_not_of(blanks);
    while (pos != std::string_view::npos) {
        const std::size_t end = line.find_first_of(blanks, pos);
        out.push_back(line.substr(pos, end == std::string_view::npos ? end : end - pos));
        pos = line.find_first_not_of(blanks, end);
    }
    return out;
}

std::vector<std::string_view> lines(std::string_view text) {
    std::vector<std::string_view> out;
    while (!text.empty()) {
        const std::size_t end = text.find('\n');
        out.push_back(text.substr(0, end));
        text = end == std::string_view::npos ? std::string_view{} : text.substr(end + 1);
    }
    return out;
}

std::optional<std::uint64_t> parse_u64(std::string_view text) {
    int base = 10;
    if (text.size() > 2 && text[0] == '0' && (text[1] == 'x' || text[1] == 'X')) {
        text.remove_prefix(2);
        base = 16;
    }
    std::uint64_t value = 0;
    const char* end = text.data() + text.size();
    const auto [stop, err] = std::from_chars(text.data(), end, value, base);
    if (text.empty() || err != std::errc{} || stop != end) {
        return std::nullopt;
    }
    return value;
}

Result<std::vector<std::uint64_t>> parse_numbers(std::string_view text) {
    std::vector<std::uint64_t> out;
    std::size_t number = 0;
    for (const std::string_view line : lines(text)) {
        ++number;
        const auto value = parse_u64(trimmed(line));
        if (!value) {
            return bad_line("the number list's", number, line);
        }
        out.push_back(*value);
    }
    return out;
}

}  // namespace khob
