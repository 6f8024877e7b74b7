// SPDX-License-Identifier: GPL-2.0-only
#include "boot/loader.hpp"

#include <fmt/format.h>
#include <fnmatch.h>

#include <algorithm>
#include <cstring>
#include <optional>
#include <utility>

#include "base/numbers.hpp"

namespace khob::boot {

namespace {

constexpr std::string_view name_it = "name the kernel in /etc/kho-bridge/load.conf, or give it";

/// An entry, and what it is sorted by.
struct Candidate {
    Entry entry;
    std::string id;  ///< its file's name without what is counted of its boots
    std::string sort_key;
    std::string machine_id;
    std::string version;
    bool efi = false;  ///< a program of the firmware's
    bool bad = false;  ///< its boots have all been tried
};

/// `line` as a key and the rest; both are empty if it is a comment.
std::pair<std::string_view, std::string_view> key_of(std::string_view line) {
    const std::string_view text = trimmed(line);
    if (text.empty() || text.starts_with('#')) {
        return {};
    }
    const auto end = std::min(text.find_first_of(" \t"), text.size());
    return {text.substr(0, end), trimmed(text.substr(end))};
}

/// NAME+LEFT-DONE.conf as NAME.conf, and whether there is none left.
std::pair<std::string, bool> uncounted(const std::string& name) {
    const auto plus = name.rfind('+');
    const auto end = name.rfind(".conf");
    if (plus == std::string::npos || end == std::string::npos || plus > end) {
        return {name, false};
    }
    const std::string counts = name.substr(plus + 1, end - plus - 1);
    const auto left = parse_u64(counts.substr(0, counts.find('-')));
    return left ? std::pair{name.substr(0, plus) + ".conf", *left == 0} : std::pair{name, false};
}

Candidate parse(const LoaderFile& file) {
    Candidate out;
    std::tie(out.id, out.bad) = uncounted(file.name);
    for (const std::string_view line : lines(file.text)) {
        const auto [key, value] = key_of(line);
        const auto path = [&file, &value = value] {
            return fmt::format("{}{}{}", file.partition, value.starts_with('/') ? "" : "/", value);
        };
        if (key == "title") {
            out.entry.title = value;
        } else if (key == "linux") {
            out.entry.kernel = path();
        } else if (key == "efi" || key == "uki" || key == "uki-url") {
            out.efi = true;
        } else if (key == "initrd") {
            out.entry.initrds.push_back(path());
        } else if (key == "options") {
            out.entry.cmdline += fmt::format("{}{}", out.entry.cmdline.empty() ? "" : " ", value);
        } else if (key == "sort-key") {
            out.sort_key = value;
        } else if (key == "machine-id") {
            out.machine_id = value;
        } else if (key == "version") {
            out.version = value;
        }
    }
    return out;
}

/// Whether a comes before b in systemd-boot's menu.
bool before(const Candidate& a, const Candidate& b) {
    if (a.bad != b.bad) {
        return b.bad;
    }
    if (a.sort_key.empty() != b.sort_key.empty()) {
        return b.sort_key.empty();
    }
    if (!a.sort_key.empty()) {
        if (a.sort_key != b.sort_key) {
            return a.sort_key < b.sort_key;
        }
        if (a.machine_id != b.machine_id) {
            return a.machine_id < b.machine_id;
        }
        if (const int order = strverscmp(a.version.c_str(), b.version.c_str()); order != 0) {
            return order > 0;
        }
    }
    return strverscmp(a.id.c_str(), b.id.c_str()) > 0;
}

const Candidate* matching(const std::vector<Candidate>& all, const std::string& pattern) {
    if (pattern.empty()) {
        return nullptr;
    }
    const auto found = std::find_if(all.begin(), all.end(), [&pattern](const Candidate& c) {
        return fnmatch(pattern.c_str(), c.id.c_str(), FNM_CASEFOLD) == 0;
    });
    return found == all.end() ? nullptr : &*found;
}

std::string default_of(std::string_view loader_conf) {
    std::string out;
    for (const std::string_view line : lines(loader_conf)) {
        if (const auto [key, value] = key_of(line); key == "default") {
            out = value;
        }
    }
    return out;
}

}  // namespace

std::string parse_efi_text(ByteView bytes) {
    constexpr std::size_t attributes = 4;
    std::string out;
    for (std::size_t at = attributes; at + 1 < bytes.size(); at += 2) {
        const auto low = std::to_integer<unsigned char>(bytes[at]);
        if (low == 0 && bytes[at + 1] == std::byte{0}) {
            break;
        }
        out += bytes[at + 1] == std::byte{0} && low < 0x80 ? static_cast<char>(low) : '?';
    }
    return out;
}

Result<Entry> loader_default(const std::vector<LoaderFile>& files, const LoaderChoice& choice) {
    std::vector<Candidate> all;
    for (const LoaderFile& file : files) {
        Candidate candidate = parse(file);
        if (candidate.efi || !candidate.entry.kernel.empty()) {
            all.push_back(std::move(candidate));
        }
    }
    if (all.empty()) {
        return fail(ExitCode::refused, "systemd-boot has no entry that boots a kernel",
                    std::string(name_it));
    }
    std::stable_sort(all.begin(), all.end(), before);
    const Candidate* found = nullptr;
    for (std::string wanted : {choice.once, choice.default_id, default_of(choice.conf)}) {
        if (wanted == "@saved") {
            wanted = choice.last_booted;
        }
        found = found == nullptr ? matching(all, wanted) : found;
    }
    if (found == nullptr) {
        found = &all.front();
    }
    if (found->entry.kernel.empty()) {
        return fail(
            ExitCode::refused,
            fmt::format("systemd-boot's default entry {} is a program of the firmware's, or "
                        "a kernel in one file with its initrd",
                        found->id),
            std::string(name_it));
    }
    Entry out = found->entry;
    if (out.title.empty()) {
        out.title = found->id;
    }
    return out;
}

}  // namespace khob::boot
