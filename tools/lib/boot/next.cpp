// SPDX-License-Identifier: GPL-2.0-only
#include "boot/next.hpp"

#include <fmt/format.h>

#include <array>
#include <utility>

#include "base/files.hpp"
#include "base/numbers.hpp"
#include "boot/grub.hpp"
#include "boot/load_conf.hpp"
#include "boot/loader.hpp"
#include "load/load.hpp"

namespace khob::boot {

namespace {

namespace fs = std::filesystem;

constexpr std::string_view grub_dir = "/boot/grub";
/// Where the partitions are mounted that systemd-boot reads.
constexpr std::array<std::string_view, 3> loader_partitions{"/efi", "/boot/efi", "/boot"};
constexpr std::string_view loader_variables = "/sys/firmware/efi/efivars";
constexpr std::string_view loader_vendor = "4a67b082-0a4c-41cf-b6c7-440b29bb8c4f";

bool exists(const System& sys, std::string_view path) {
    std::error_code ignored;
    return fs::exists(sys.path(path), ignored);
}

std::string efi_text(const System& sys, std::string_view name) {
    const auto bytes =
        read_bytes(sys.path(fmt::format("{}/{}-{}", loader_variables, name, loader_vendor)));
    return bytes ? parse_efi_text(*bytes) : "";
}

/// GRUB's paths are those of the file system that it looks on: the root's, or one for /boot; or,
/// with subvolumes, neither.
Result<fs::path> found_path(const System& sys, const std::string& path) {
    const std::array<std::string, 3> places{
        path, fmt::format("/boot{}", path),
        fmt::format("/boot/{}", fs::path(path).filename().string())};
    for (const std::string& place : places) {
        if (place.starts_with('/') && exists(sys, place)) {
            return sys.path(place);
        }
    }
    return fail(
        ExitCode::refused,
        fmt::format("GRUB's default entry boots {}, which is neither there nor below /boot", path),
        "mount it, or name the kernel in /etc/kho-bridge/load.conf");
}

Result<Next> by_grub(const System& sys) {
    const std::string file = fmt::format("{}/grub.cfg", grub_dir);
    const auto text = read_text(sys.path(file));
    if (!text) {
        return tl::unexpected(text.error());
    }
    Variables variables =
        parse_grubenv(read_text(sys.path(fmt::format("{}/grubenv", grub_dir))).value_or(""));
    variables.emplace("prefix", grub_dir);
    variables.emplace("grub_cpu", "x86_64");
    variables.emplace("grub_platform", exists(sys, "/sys/firmware/efi") ? "efi" : "pc");
    auto entry = grub_default(*text, std::move(variables));
    if (!entry) {
        Error error = entry.error();
        error.what = fmt::format("{}: {}", file, error.what);
        return tl::unexpected(std::move(error));
    }
    const auto kernel = found_path(sys, entry->kernel);
    if (!kernel) {
        return tl::unexpected(kernel.error());
    }
    Next out{file, entry->title, *kernel, {}, entry->cmdline};
    for (const std::string& initrd : entry->initrds) {
        auto path = found_path(sys, initrd);
        if (!path) {
            return tl::unexpected(path.error());
        }
        out.initrds.push_back(std::move(*path));
    }
    return out;
}

std::vector<LoaderFile> loader_files(const System& sys) {
    std::vector<LoaderFile> out;
    for (const std::string_view partition : loader_partitions) {
        const fs::path dir = sys.path(fmt::format("{}/loader/entries", partition));
        for (const std::string& name : list_dir(dir).value_or(std::vector<std::string>{})) {
            const auto text =
                name.ends_with(".conf") ? read_text(dir / name) : Result<std::string>("");
            if (text && !text->empty()) {
                out.push_back({name, *text, std::string(partition)});
            }
        }
    }
    return out;
}

Result<Next> by_loader(const System& sys, const std::vector<LoaderFile>& files) {
    LoaderChoice choice{efi_text(sys, "LoaderEntryOneShot"), efi_text(sys, "LoaderEntryDefault"),
                        efi_text(sys, "LoaderEntryLastBooted"), ""};
    for (const std::string_view partition : loader_partitions) {
        if (choice.conf.empty()) {
            choice.conf =
                read_text(sys.path(fmt::format("{}/loader/loader.conf", partition))).value_or("");
        }
    }
    const auto entry = loader_default(files, choice);
    if (!entry) {
        return tl::unexpected(entry.error());
    }
    Next out{"systemd-boot", entry->title, sys.path(entry->kernel), {}, entry->cmdline};
    for (const std::string& initrd : entry->initrds) {
        out.initrds.push_back(sys.path(initrd));
    }
    return out;
}

Result<Next> by_boot_loader(const System& sys) {
    const auto files = loader_files(sys);
    const bool grub = exists(sys, fmt::format("{}/grub.cfg", grub_dir));
    // Both may be there: what booted this kernel will boot the next one.
    if (efi_text(sys, "LoaderInfo").starts_with("systemd-boot") || (!grub && !files.empty())) {
        return by_loader(sys, files);
    }
    if (grub) {
        return by_grub(sys);
    }
    return fail(ExitCode::refused,
                "it cannot be told which kernel would boot next: there is neither "
                "/boot/grub/grub.cfg nor an entry of systemd-boot",
                "name a kernel, here or in /etc/kho-bridge/load.conf");
}

}  // namespace

Value Next::to_value() const {
    Table table{{"initrd"}, {}};
    for (const fs::path& initrd : initrds) {
        table.rows.push_back({initrd.string()});
    }
    Value out;
    out.set("from", from)
        .set("entry", title.empty() ? Value() : Value(title))
        .set("kernel", kernel.string())
        .set("initrds", std::move(table))
        .set("cmdline", cmdline)
        .set("on_refused", boot_if_refused ? "boot" : "stop");
    return out;
}

Result<Next> next_boot(const System& sys) {
    LoadConf conf;
    if (exists(sys, load_conf_path)) {
        const auto text = read_text(sys.path(load_conf_path));
        auto parsed = text ? parse_load_conf(*text) : tl::unexpected(text.error());
        if (!parsed) {
            return tl::unexpected(parsed.error());
        }
        conf = std::move(*parsed);
    }
    Result<Next> out = Next{};
    if (conf.kernel.empty()) {
        out = by_boot_loader(sys);
        if (!out) {
            return out;
        }
    } else {
        out->from = load_conf_path;
        out->kernel = sys.path(conf.kernel);
        for (const std::string& initrd : conf.initrds) {
            out->initrds.push_back(sys.path(initrd));
        }
        const auto running = read_text(sys.path("/proc/cmdline"));
        if (!conf.cmdline && !running) {
            return tl::unexpected(running.error());
        }
        out->cmdline = reusable_cmdline(running.value_or(""));
    }
    out->cmdline = conf.cmdline.value_or(out->cmdline);
    out->boot_if_refused = conf.boot_if_refused;
    return out;
}

}  // namespace khob::boot
