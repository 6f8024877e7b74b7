// SPDX-License-Identifier: GPL-2.0-only
// Looks into the files through which the kernel shows its setup_data chain, and shuts them.
#include "attach/shown.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <string_view>

#include "base/files.hpp"
#include "base/numbers.hpp"
#include "khob/abi.hpp"

namespace khob {

namespace {

constexpr std::string_view in_sysfs = "/sys/kernel/boot_params/setup_data";
/// With CONFIG_DEBUG_BOOT_PARAMS; it keeps what it saw at boot, so that nothing but modes helps.
constexpr std::string_view in_debugfs = "/sys/kernel/debug/x86/boot_params/setup_data";
constexpr mode_t root_only = 0400;
constexpr mode_t others = 0077;

/// Whether there is a byte to read.
bool shows(const std::filesystem::path& file) {
    const auto fd = open_file(file, O_RDONLY);
    char byte = 0;
    return fd && ::read(fd->get(), &byte, 1) == 1;
}

}  // namespace

void close_shown(const System& sys) {
    for (const std::string_view dir : {in_sysfs, in_debugfs}) {
        const auto nodes = sys.path(dir);
        for (const auto& name : list_dir(nodes).value_or(std::vector<std::string>{})) {
            ::chmod((nodes / name / "data").c_str(), root_only);
        }
    }
}

Shown see_shown(const System& sys, const std::optional<Status>& status) {
    Shown out;
    if (status && status->chain_damaged()) {
        out.damaged = true;
        return out;
    }
    const auto nodes = sys.path(in_sysfs);
    for (const auto& name : list_dir(nodes).value_or(std::vector<std::string>{})) {
        const auto type = parse_u64(trimmed(read_text(nodes / name / "type").value_or("")));
        const auto file = nodes / name / "data";
        struct stat st {};
        if (type == abi::setup_indirect_range && ::stat(file.c_str(), &st) == 0 && shows(file)) {
            out.intervals++;
            out.for_all += (st.st_mode & others) != 0 ? 1U : 0U;
        }
    }
    return out;
}

Value shown_value(const Shown& shown) {
    return shown.damaged ? Value() : Value(std::uint64_t{shown.intervals});
}

std::string describe(const Shown& shown) {
    return fmt::format("{} interval{} of what was handed over", shown.intervals,
                       shown.intervals == 1 ? "" : "s");
}

Error shown_error(const Shown& shown) {
    return Error{ExitCode::failure,
                 fmt::format("{} can still be read in {} by {}", describe(shown), in_sysfs,
                             shown.for_all != 0 ? "every user" : "root"),
                 "the module did not close it: is it as new as khoctl? the kernel log (dmesg) "
                 "tells more"};
}

}  // namespace khob
