// SPDX-License-Identifier: GPL-2.0-only
// What may become of a loaded kernel: it is forgotten, or jumped into.
#include <fmt/format.h>

#include "keep/keeping.hpp"
#include "load/again.hpp"
#include "load/load.hpp"
#include "session/late_room.hpp"

namespace khob {

Result<UnloadReport> unload(System& sys) {
    const auto module = Module::open(sys);
    if (!module) {
        return tl::unexpected(module.error());
    }
    const auto status = module->status();
    if (!status) {
        return tl::unexpected(status.error());
    }
    UnloadReport report;
    report.was_loaded = kexec_loaded(sys);
    report.was_frozen = status->frozen();
    if (report.was_loaded) {
        if (auto ok = sys.kexec_unload(); !ok) {
            return tl::unexpected(ok.error());
        }
    }
    if (report.was_frozen) {
        if (auto ok = module->give_scratch(); !ok) {
            return tl::unexpected(ok.error());
        }
    }
    forget_last_load(sys);
    if (auto ok = LateRoom::drop(sys); !ok) {
        return tl::unexpected(ok.error());
    }
    if (auto ok = keep::Keeping::drop(sys, *module); !ok) {
        return tl::unexpected(ok.error());
    }
    return report;
}

std::string_view to_string(device::ImageState state) {
    switch (state) {
        case device::ImageState::loading:
            return "loading";
        case device::ImageState::loaded:
            return "loaded";
        case device::ImageState::replaced:
            return "replaced";
        case device::ImageState::unloaded:
            return "unloaded";
        case device::ImageState::none:
            break;
    }
    return "none";
}

Error image_error(const LoadedImage& image) {
    switch (image.state) {
        case device::ImageState::loading:
            return {ExitCode::refused,
                    fmt::format("{} (PID {}) is still loading a kernel", image.comm, image.pid),
                    "wait for it"};
        case device::ImageState::replaced:
            return {
                ExitCode::refused,
                "somebody has loaded another kernel since `khoctl load`: nothing is handed over "
                "to that one",
                "`khoctl unload`, then `khoctl load` again"};
        case device::ImageState::unloaded:
            return {ExitCode::refused, "somebody has unloaded the kernel since `khoctl load`",
                    "`khoctl unload`, then `khoctl load` again"};
        default:
            return {ExitCode::refused,
                    "the loaded kernel was not loaded by khoctl: what is preserved would be lost",
                    "`khoctl load` first, or `kexec -e` if that is what you want"};
    }
}

Error exec(System& sys) {
    const auto module = Module::open(sys);
    if (!module) {
        return module.error();
    }
    const auto image = module->image();
    if (!image) {
        return image.error();
    }
    if (!kexec_loaded(sys) && image->state != device::ImageState::unloaded) {
        return Error{ExitCode::refused, "no kernel is loaded", "`khoctl load` first"};
    }
    if (image->state != device::ImageState::loaded) {
        return image_error(*image);
    }
    if (image->others_changed) {
        return Error{ExitCode::refused,
                     "since the load others have preserved or freed memory with this kernel's own "
                     "KHO: that would be lost",
                     "`khoctl unload`, then `khoctl load` again"};
    }
    return sys.kexec_exec();
}

}  // namespace khob
