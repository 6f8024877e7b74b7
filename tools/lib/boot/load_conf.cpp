// SPDX-License-Identifier: GPL-2.0-only
#include "boot/load_conf.hpp"

#include <fmt/format.h>

#include "base/numbers.hpp"

namespace khob::boot {

namespace {

tl::unexpected<Error> bad_line(std::size_t number, std::string_view why) {
    return fail(ExitCode::refused, fmt::format("{} line {}: {}", load_conf_path, number, why),
                "see kho-bridge(5)");
}

/// What is between two quotes of a kind, if it begins with one. Errors: it does not end so.
std::optional<std::string_view> unquoted(std::string_view text) {
    if (text.empty() || (text.front() != '"' && text.front() != '\'')) {
        return text;
    }
    if (text.size() < 2 || text.back() != text.front()) {
        return std::nullopt;
    }
    return text.substr(1, text.size() - 2);
}

Result<void> set(LoadConf& to, std::string_view key, std::string_view value, std::size_t number) {
    if (key == "KERNEL") {
        if (!value.starts_with('/')) {
            return bad_line(number, "KERNEL= is an absolute path");
        }
        to.kernel = value;
    } else if (key == "INITRD") {
        to.initrds.clear();
        for (const std::string_view path : words(value)) {
            if (!path.starts_with('/')) {
                return bad_line(number, "INITRD= is an absolute path, or several");
            }
            to.initrds.emplace_back(path);
        }
    } else if (key == "CMDLINE") {
        to.cmdline = value;
    } else if (key == "ON_REFUSED") {
        if (value != "stop" && value != "boot") {
            return bad_line(number, fmt::format("ON_REFUSED={} is neither stop nor boot", value));
        }
        to.boot_if_refused = value == "boot";
    } else {
        return bad_line(number,
                        fmt::format("'{}' is none of KERNEL, INITRD, CMDLINE, ON_REFUSED", key));
    }
    return {};
}

}  // namespace

Result<LoadConf> parse_load_conf(std::string_view text) {
    LoadConf out;
    std::size_t number = 0;
    for (const std::string_view raw : lines(text)) {
        number++;
        const std::string_view line = trimmed(raw);
        if (line.empty() || line.starts_with('#')) {
            continue;
        }
        const auto equals = line.find('=');
        if (equals == std::string_view::npos) {
            return bad_line(number, "it is no NAME=VALUE");
        }
        const auto value = unquoted(trimmed(line.substr(equals + 1)));
        if (!value) {
            return bad_line(number, "a quote is not closed");
        }
        if (auto ok = set(out, line.substr(0, equals), *value, number); !ok) {
            return tl::unexpected(ok.error());
        }
    }
    if (out.kernel.empty() && !out.initrds.empty()) {
        return fail(ExitCode::refused,
                    fmt::format("{} has an INITRD= and no KERNEL=", load_conf_path),
                    "see kho-bridge(5)");
    }
    return out;
}

}  // namespace khob::boot
