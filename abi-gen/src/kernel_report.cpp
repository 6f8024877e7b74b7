// SPDX-License-Identifier: GPL-2.0-only
// A comparison with a kernel, for people and for programs.
#include <fmt/format.h>

#include <cstdint>
#include <nlohmann/json.hpp>

#include "kernel.hpp"

namespace khob::gen {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::size_t line_width = 100;

/// A string between quotes; what a terminal would not show as it is, in hexadecimal.
std::string quoted(const std::string& text) {
    std::string out = "\"";
    for (const char c : text) {
        const auto code = static_cast<unsigned char>(c);
        if (c == '"' || c == '\\') {
            out += fmt::format("\\{}", c);
        } else if (code < ' ' || code > '~') {
            out += fmt::format("\\x{:02x}", code);
        } else {
            out += c;
        }
    }
    return out + "\"";
}

std::string shown(const KernelValue& value, bool hex) {
    if (const auto* number = std::get_if<std::uint64_t>(&value); number != nullptr) {
        return hex ? fmt::format("{:#x}", *number) : fmt::format("{}", *number);
    }
    return quoted(std::get<std::string>(value));
}

std::string sentence(const KernelMismatch& mismatch) {
    std::string schema;
    std::string kernel;
    for (const KernelDifference& one : mismatch.differences) {
        const std::string name = one.what == "value" ? "" : one.what + " ";
        const char* separator = schema.empty() ? "" : ", ";
        schema += separator + name + shown(one.schema, mismatch.hex);
        kernel += separator + name + shown(one.kernel, mismatch.hex);
    }
    const KernelElement& element = mismatch.element;
    return fmt::format("{} {} ({} in {}): the schema has {}, the kernel {}\n", element.kind,
                       element.name, element.upstream, element.header, schema, kernel);
}

/// A title, then for each header its elements in lines that fit.
std::string listing(const std::string& title, const std::vector<KernelElement>& elements) {
    std::string text = elements.empty() ? "" : title + ":\n";
    std::string header;
    std::string line;
    for (const KernelElement& element : elements) {
        const std::string name = element.name.empty()
                                     ? element.upstream
                                     : fmt::format("{} ({})", element.name, element.upstream);
        const bool new_header = element.header != header;
        if (!line.empty()) {
            const bool full = line.size() + name.size() + 3 > line_width;
            line += new_header ? "" : ",";
            if (new_header || full) {
                text += line + "\n";
                line.clear();
            }
        }
        if (new_header) {
            header = element.header;
            text += fmt::format("  {}:\n", header);
        }
        line += (line.empty() ? "    " : " ") + name;
    }
    return text + (line.empty() ? "" : line + "\n");
}

Json json_of(const KernelElement& element) {
    Json out = {{"kind", element.kind}};
    if (!element.name.empty()) {
        out["name"] = element.name;
    }
    out["upstream"] = element.upstream;
    out["header"] = element.header;
    return out;
}

Json json_of(const std::vector<KernelElement>& elements) {
    Json out = Json::array();
    for (const KernelElement& element : elements) {
        out.push_back(json_of(element));
    }
    return out;
}

Json json_of(const KernelValue& value) {
    return std::visit([](const auto& one) { return Json(one); }, value);
}

Json or_null(const std::string& text) {
    return text.empty() ? Json() : Json(text);
}

}  // namespace

std::string to_text(const KernelReport& report) {
    constexpr std::uint64_t bytes_per_k = 1024;
    std::vector<std::string> versions;
    for (const KernelVersion& one : report.versions) {
        versions.push_back(one.version);
    }
    std::string text = fmt::format(
        "{} at {}K against {}{}: {} of {} agree\n", fmt::join(versions, ", "),
        (std::uint64_t{1} << report.page_shift) / bytes_per_k, report.tree,
        report.release.empty() ? "" : fmt::format(" (Linux {} by its Makefile)", report.release),
        report.compared - report.mismatches.size(), report.compared);
    for (const KernelMismatch& mismatch : report.mismatches) {
        text += sentence(mismatch);
    }
    return text + listing("not compared, for want of the header in this tree", report.not_in_tree) +
           listing("only in the schema", report.only_in_schema) +
           listing("only in the kernel", report.only_in_kernel);
}

std::string to_json(const KernelReport& report) {
    Json mismatches = Json::array();
    for (const KernelMismatch& mismatch : report.mismatches) {
        Json one = json_of(mismatch.element);
        for (const KernelDifference& difference : mismatch.differences) {
            one["differences"].push_back({{"what", difference.what},
                                          {"schema", json_of(difference.schema)},
                                          {"kernel", json_of(difference.kernel)}});
        }
        mismatches.push_back(std::move(one));
    }
    Json versions = Json::array();
    for (const KernelVersion& one : report.versions) {
        versions.push_back({{"schema", one.schema},
                            {"version", one.version},
                            {"compatible", or_null(one.compatible)}});
    }
    const Json out = {{"format", 1},
                      {"tree", report.tree},
                      {"release", or_null(report.release)},
                      {"versions", std::move(versions)},
                      {"page_shift", report.page_shift},
                      {"compared", report.compared},
                      {"agreeing", report.compared - report.mismatches.size()},
                      {"mismatches", std::move(mismatches)},
                      {"not_in_tree", json_of(report.not_in_tree)},
                      {"only_in_schema", json_of(report.only_in_schema)},
                      {"only_in_kernel", json_of(report.only_in_kernel)}};
    // What is in a kernel's string is its own affair: it need not be UTF-8.
    return out.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

}  // namespace khob::gen
