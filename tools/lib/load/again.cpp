// SPDX-License-Identifier: GPL-2.0-only
#include "load/again.hpp"

#include <fmt/format.h>

#include <filesystem>
#include <nlohmann/json.hpp>

#include "base/bytes.hpp"
#include "base/files.hpp"

namespace khob {

namespace {

namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;

constexpr int version = 1;

}  // namespace

Result<void> write_last_load(const System& sys, const LastLoad& load) {
    Json out;
    out["version"] = version;
    out["kernel"] = load.kernel;
    out["initrds"] = load.initrds;
    out["cmdline"] = load.cmdline;
    out["method"] = load.method;
    out["abi"] = load.abi;
    out["max_intervals"] = load.max_intervals;
    out["compact"] = load.compact;
    if (load.late_room_mib) {
        out["late_room_mib"] = *load.late_room_mib;
    }
    out["carve"] = load.carve;
    out["uncarve"] = load.uncarve;
    const fs::path path = sys.path(last_load_path);
    std::error_code err;
    // A command line may hold what is nobody else's business.
    if (fs::create_directories(path.parent_path(), err)) {
        fs::permissions(path.parent_path(), fs::perms::owner_all, err);
    }
    const std::string text =
        out.dump(2, ' ', false, nlohmann::json::error_handler_t::replace) + "\n";
    return write_file(path, as_bytes(text));
}

Result<std::optional<LastLoad>> read_last_load(const System& sys) {
    std::error_code ignored;
    const fs::path path = sys.path(last_load_path);
    if (!fs::exists(path, ignored)) {
        return std::nullopt;
    }
    const auto text = read_text(path);
    if (!text) {
        return tl::unexpected(text.error());
    }
    try {
        const Json json = Json::parse(*text);
        LastLoad out;
        if (json.at("version").get<int>() == version) {
            out.kernel = json.at("kernel").get<std::string>();
            out.initrds = json.at("initrds").get<std::vector<std::string>>();
            out.cmdline = json.at("cmdline").get<std::string>();
            out.method = json.at("method").get<std::string>();
            out.abi = json.at("abi").get<std::string>();
            out.max_intervals = json.at("max_intervals").get<std::uint64_t>();
            out.compact = json.at("compact").get<bool>();
            if (json.contains("late_room_mib")) {
                out.late_room_mib = json["late_room_mib"].get<std::uint64_t>();
            }
            out.carve = json.at("carve").get<std::vector<std::string>>();
            out.uncarve = json.at("uncarve").get<std::vector<std::string>>();
            return out;
        }
    } catch (const nlohmann::json::exception&) {
        // Said below, as for any other version.
    }
    return fail(ExitCode::failure,
                fmt::format("{} does not say what was loaded last", last_load_path),
                "remove it, and load the kernel by name");
}

void forget_last_load(const System& sys) {
    std::error_code ignored;
    fs::remove(sys.path(last_load_path), ignored);
}

}  // namespace khob
