// SPDX-License-Identifier: GPL-2.0-only
// What doctor says of the module: whether it is there or could be, and what it holds.
#include <fmt/format.h>

#include <algorithm>

#include "attach/attach.hpp"
#include "attach/shown.hpp"
#include "base/files.hpp"
#include "base/mapped_file.hpp"
#include "base/numbers.hpp"
#include "doctor/doctor.hpp"
#include "image/unpack.hpp"
#include "load/load.hpp"
#include "module/module.hpp"

namespace khob {

namespace {

// What `make install` calls the module's source below /usr/src.
constexpr std::string_view source_prefix = "kho-bridge-";

bool exists(const System& sys, std::string_view path) {
    std::error_code ignored;
    return std::filesystem::exists(sys.path(path), ignored);
}

/// The remedy where no module is installed: with dkms if its source is there.
std::string install_remedy(const System& sys) {
    const std::string release = sys.release();
    const auto sources = list_dir(sys.path("/usr/src")).value_or(std::vector<std::string>{});
    const auto source = std::find_if(sources.rbegin(), sources.rend(), [](const std::string& name) {
        return name.starts_with(source_prefix);
    });
    std::string out = source == sources.rend()
                          ? "`make install` in kho-bridge's source, then "
                            "`dkms install kho-bridge/VERSION`"
                          : fmt::format("dkms install kho-bridge/{} -k {}",
                                        source->substr(source_prefix.size()), release);
    if (!exists(sys, fmt::format("/lib/modules/{}/build", release))) {
        out +=
            fmt::format("; it needs the kernel's headers: apt install linux-headers-{}", release);
    }
    return out;
}

Check check_loaded(const System& sys) {
    if (module_loaded(sys)) {
        const auto version = read_text(sys.path("/sys/module/kho_bridge/version"));
        return check_ok("module",
                        fmt::format("kho_bridge {} is loaded",
                                    version ? trimmed(*version) : "of an unknown version"));
    }
    const auto file = find_module(sys);
    if (!file) {
        return check_missing("module", file.error().what, install_remedy(sys));
    }
    const auto known =
        read_text(sys.path(fmt::format("/lib/modules/{}/modules.dep", sys.release())));
    const bool depmod = !known || known->find("/kho_bridge.ko") == std::string::npos;
    return check_missing("module",
                         fmt::format("kho_bridge is installed but not loaded ({})", file->string()),
                         depmod ? "depmod && modprobe kho_bridge" : "modprobe kho_bridge");
}

/// Whether a module's file ends as one does that is signed; nothing if it cannot be read.
std::optional<bool> is_signed(const std::filesystem::path& file) {
    constexpr std::string_view trailer = "~Module signature appended~\n";
    constexpr std::uint64_t largest = 64U << 20U;
    std::string tail;
    const auto keep_tail = [&tail, trailer](const Piece& piece) -> Result<void> {
        const ByteView last = piece.bytes.last(std::min(piece.bytes.size(), trailer.size()));
        tail.append(reinterpret_cast<const char*>(last.data()), last.size());
        tail.erase(0, tail.size() - std::min(tail.size(), trailer.size()));
        return {};
    };
    const auto packed = MappedFile::open(file);
    if (!packed || !unpack_pieces(packed->bytes(), keep_tail, largest) || !packed->check()) {
        return std::nullopt;
    }
    return tail == trailer;
}

Check check_signatures(const System& sys) {
    const std::string name = "signatures";
    const auto enforced = read_text(sys.path("/sys/module/module/parameters/sig_enforce"));
    if (!enforced || trimmed(*enforced) != "Y") {
        return check_ok(name, "modules need none");
    }
    if (module_loaded(sys)) {
        return check_ok(name, "modules need one; kho_bridge was accepted");
    }
    const std::string remedy =
        "sign it with a key that this kernel trusts (dkms does: mokutil --import "
        "/var/lib/dkms/mok.pub), or boot without module.sig_enforce";
    const auto file = find_module(sys);
    const auto has_one = file ? is_signed(*file) : std::nullopt;
    if (has_one == false) {
        return check_missing(name, fmt::format("modules need one, {} has none", file->string()),
                             remedy);
    }
    return check_warning(name,
                         has_one ? "kho_bridge has one; whether this kernel trusts its key is not "
                                   "known before it is loaded"
                                 : "modules need one",
                         remedy);
}

/// Whether programs reach the module; of one that is not loaded nothing can be said.
Check check_device(const Seen& seen) {
    const std::string name = "device";
    if (!module_loaded(*seen.sys)) {
        return check_ok(name, "comes with the module");
    }
    if (exists(*seen.sys, device::path)) {
        return check_ok(name, std::string(device::path));
    }
    return check_missing(name, fmt::format("{} is missing", device::path),
                         "mount -t devtmpfs devtmpfs /dev, or load the module of khoctl's version");
}

Check check_own_kho(const Seen& seen) {
    const std::string name = "running KHO";
    const std::string running = read_text(seen.sys->path("/proc/cmdline")).value_or("");
    const auto wanted = kho_switch(running);
    const std::string source = preserving_source(seen);
    const std::string said = wanted
                                 ? fmt::format("kho={} on its command line", *wanted ? "on" : "off")
                                 : "no kho= on its command line";
    if (source.empty()) {
        return check_warning(name, fmt::format("could not be seen without root ({})", said),
                             "sudo khoctl doctor");
    }
    return check_ok(name, source == "native" ? fmt::format("on ({})", said)
                                             : fmt::format("off or not built in ({})", said));
}

Check check_handover(const Seen& seen) {
    const std::string name = "handover";
    if (seen.status && seen.status->attached()) {
        return check_ok(name, fmt::format("{} pages of the previous kernel's are still held; a "
                                          "load hands them on",
                                          seen.status->number_or("in.pages", 0)));
    }
    if (seen.status && seen.status->refused()) {
        return check_missing(
            name,
            fmt::format("what the previous kernel left was refused and stays reserved: {}",
                        seen.status->text("in.reason")),
            "khoctl release all; what it cannot give back a reboot does");
    }
    if (find_handover(*seen.sys) && !(seen.status && seen.status->was_attached())) {
        return check_warning(name, "this kernel was handed something that is not attached",
                             "khoctl attach, or the next kernel does not get it");
    }
    return check_ok(name, "nothing is held");
}

/// What the kernel itself shows of a handover, and to whom.
Check check_shown(const Seen& seen) {
    const std::string name = "setup_data";
    const Shown shown = see_shown(*seen.sys, seen.status);
    if (shown.damaged) {
        return check_warning(name, std::string(not_looked_at),
                             "only root can read it since attach; a reboot ends it");
    }
    if (shown.intervals == 0) {
        return check_ok(name, "the kernel shows nothing of a handover");
    }
    if (seen.status && (seen.status->was_attached() || seen.status->refused())) {
        const Error error = shown_error(shown);
        return check_warning(name, error.what, error.hint);
    }
    if (shown.for_all != 0) {
        return check_warning(name, fmt::format("{} can be read by every user", describe(shown)),
                             "khoctl attach; at boot, what `make install` puts in place");
    }
    return check_ok(name,
                    fmt::format("{} can be read by root until it is attached", describe(shown)));
}

Check check_kexec_loaded(const Seen& seen) {
    const std::string name = "loaded kernel";
    const auto state = seen.image ? seen.image->state : device::ImageState::none;
    if (state == device::ImageState::loaded) {
        return check_missing(name, "a kernel is loaded already: what is preserved is frozen",
                             "`khoctl unload` first");
    }
    if (state != device::ImageState::none) {
        const Error error = image_error(*seen.image);
        return check_missing(name, error.what, error.hint);
    }
    if (kexec_loaded(*seen.sys)) {
        return check_warning(name, "one is loaded for kexec; a load replaces it",
                             "kexec -u, if it is not wanted");
    }
    return check_ok(name, "none");
}

}  // namespace

std::string preserving_source(const Seen& seen) {
    if (auto said = seen.status ? seen.status->text("source") : ""; !said.empty()) {
        return said;
    }
    // Not the root FDT: a kernel that was handed something does not show its own.
    if (exists(*seen.sys, fmt::format("{}/out/scratch_phys", kernel_kho_dir))) {
        return "native";
    }
    const bool built_in = !seen.config || seen.config->has("CONFIG_KEXEC_HANDOVER");
    return seen.sys->is_root() || !built_in ? "bridge" : "";
}

Checks check_module(const Seen& seen) {
    const System& sys = *seen.sys;
    return {check_device(seen),   check_loaded(sys), check_signatures(sys),   check_own_kho(seen),
            check_handover(seen), check_shown(seen), check_kexec_loaded(seen)};
}

}  // namespace khob
