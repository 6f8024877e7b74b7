// SPDX-License-Identifier: GPL-2.0-only
#include "load/again.hpp"

#include <fmt/format.h>

#include <filesystem>
#include <nlohmann/json.hpp>

#include "base/bytes.hpp"
#include "base/files.hpp"
#include "keep/record.hpp"

namespace khob {

namespace {

namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;

constexpr int version = 1;

std::optional<LoadWords> parse(const std::string& text) {
    LoadWords out;
    try {
        const Json json = Json::parse(text);
        if (json.at("version").get<int>() != version) {
            return std::nullopt;
        }
        for (const Json& word : json.at("words")) {
            auto bytes = keep::unescaped(word.get<std::string>());
            if (!bytes) {
                return std::nullopt;
            }
            out.push_back(std::move(*bytes));
        }
    } catch (const nlohmann::json::exception&) {
        return std::nullopt;
    }
    return out.empty() || out.front() != "load" ? std::nullopt : std::optional(out);
}

}  // namespace

Result<void> write_last_load(const System& sys, const LoadWords& words) {
    Json out;
    out["version"] = version;
    out["words"] = Json::array();
    for (const std::string& word : words) {
        out["words"].push_back(keep::escaped(word));
    }
    const fs::path path = sys.path(last_load_path);
    std::error_code err;
    // A command line may hold what is nobody else's business.
    if (fs::create_directories(path.parent_path(), err)) {
        fs::permissions(path.parent_path(), fs::perms::owner_all, err);
    }
    const std::string text = out.dump(2) + "\n";
    return write_file(path, as_bytes(text));
}

Result<std::optional<LoadWords>> read_last_load(const System& sys) {
    std::error_code ignored;
    const fs::path path = sys.path(last_load_path);
    if (!fs::exists(path, ignored)) {
        return std::nullopt;
    }
    const auto text = read_text(path);
    if (!text) {
        return tl::unexpected(text.error());
    }
    auto words = parse(*text);
    if (!words) {
        return fail(ExitCode::failure,
                    fmt::format("{} does not say what was loaded last", last_load_path),
                    "remove it, and load the kernel by name");
    }
    return words;
}

void forget_last_load(const System& sys) {
    std::error_code ignored;
    fs::remove(sys.path(last_load_path), ignored);
}

}  // namespace khob
