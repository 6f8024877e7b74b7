// SPDX-License-Identifier: GPL-2.0-only
// System calls and the switches that say whether they may be used.
#include "base/system.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <linux/kexec.h>
#include <linux/module.h>
#include <linux/reboot.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <utility>

#include "base/files.hpp"
#include "base/numbers.hpp"

#ifndef MODULE_INIT_COMPRESSED_FILE
#define MODULE_INIT_COMPRESSED_FILE 4  // since Linux 5.17
#endif

namespace khob {

static_assert(max_segments == KEXEC_SEGMENT_MAX);

namespace {

/// kexec_load(2)'s struct kexec_segment, which the exported header leaves to libc.
struct KexecSegment {
    const void* buf;
    std::size_t bufsz;
    std::uint64_t mem;
    std::size_t memsz;
};

Error kexec_error(int err, std::string_view what) {
    switch (err) {
        case EPERM:
            return Error{ExitCode::refused, fmt::format("the kernel refuses {}", what),
                         "look at /proc/sys/kernel/kexec_load_disabled and "
                         "/sys/kernel/security/lockdown"};
        case ENOSYS:
            return Error{ExitCode::refused, fmt::format("this kernel knows no {}", what),
                         "use a kernel built with CONFIG_KEXEC"};
        case EBUSY:
            return Error{ExitCode::refused, fmt::format("another {} is under way", what),
                         "try again"};
        case ENOMEM:
            return Error{ExitCode::refused, fmt::format("too little memory is free for {}", what),
                         "free memory: a second copy of kernel and initrd is kept until the jump"};
        default:
            return fail_errno(err, std::string(what)).value();
    }
}

}  // namespace

std::filesystem::path System::path(std::string_view absolute) const {
    return root_ / std::filesystem::path(absolute).relative_path();
}

std::string System::release() const {
    utsname name{};
    return ::uname(&name) == 0 ? static_cast<const char*>(name.release) : "";
}

std::string System::machine() const {
    utsname name{};
    return ::uname(&name) == 0 ? static_cast<const char*>(name.machine) : "";
}

bool System::is_root() const {
    return ::geteuid() == 0;
}

Result<void> System::kexec_load(PhysAddr entry, std::span<const Segment> segments) {
    if (segments.size() > max_segments) {
        return fail(ExitCode::failure,
                    fmt::format("{} segments are more than {}", segments.size(), max_segments));
    }
    std::array<KexecSegment, max_segments> raw{};
    for (std::size_t i = 0; i < segments.size(); ++i) {
        const Segment& s = segments[i];
        raw.at(i) = KexecSegment{s.data.data(), s.data.size(), s.address.value(), s.mem_bytes};
    }
    if (::syscall(SYS_kexec_load, entry.value(), segments.size(), raw.data(),
                  static_cast<unsigned long>(KEXEC_ARCH_X86_64)) != 0) {
        return tl::unexpected(kexec_error(errno, "kexec_load"));
    }
    return {};
}

Result<void> System::kexec_file_load(const std::filesystem::path& kernel,
                                     const std::filesystem::path& initrd,
                                     const std::string& cmdline) {
    const auto image = open_file(kernel, O_RDONLY);
    if (!image) {
        return tl::unexpected(image.error());
    }
    Fd ramdisk;
    if (!initrd.empty()) {
        auto fd = open_file(initrd, O_RDONLY);
        if (!fd) {
            return tl::unexpected(fd.error());
        }
        ramdisk = std::move(*fd);
    }
    const unsigned long flags = ramdisk.valid() ? 0UL : KEXEC_FILE_NO_INITRAMFS;
    if (::syscall(SYS_kexec_file_load, image->get(), ramdisk.get(), cmdline.size() + 1,
                  cmdline.c_str(), flags) == 0) {
        return {};
    }
    switch (errno) {
        case EADDRNOTAVAIL:
            return fail(ExitCode::refused,
                        "the kernel and its initrd do not fit this kernel's own scratch",
                        "boot this kernel with a larger kho_scratch=, or say `--method kho`");
        case EKEYREJECTED:
        case ENOKEY:
            return fail(ExitCode::refused, "this kernel does not take the other one's signature",
                        "sign it, or say `--method kho` where nothing is locked down");
        default:
            return tl::unexpected(kexec_error(errno, "kexec_file_load"));
    }
}

Result<void> System::kexec_unload() {
    if (::syscall(SYS_kexec_load, 0UL, 0UL, nullptr,
                  static_cast<unsigned long>(KEXEC_ARCH_X86_64)) != 0) {
        return tl::unexpected(kexec_error(errno, "kexec_load"));
    }
    return {};
}

Error System::kexec_exec() {
    ::sync();
    ::syscall(SYS_reboot, LINUX_REBOOT_MAGIC1, LINUX_REBOOT_MAGIC2, LINUX_REBOOT_CMD_KEXEC,
              nullptr);
    return kexec_error(errno, "reboot into the loaded kernel");
}

int System::ioctl(int fd, unsigned long request, void* arg) const {
    const int ret = ::ioctl(fd, request, arg);
    return ret < 0 ? -errno : ret;
}

Result<void> System::load_module(const std::filesystem::path& file, const std::string& params) {
    const auto fd = open_file(file, O_RDONLY);
    if (!fd) {
        return tl::unexpected(fd.error());
    }
    const int flags = file.extension() == ".ko" ? 0 : MODULE_INIT_COMPRESSED_FILE;
    if (::syscall(SYS_finit_module, fd->get(), params.c_str(), flags) != 0) {
        return fail_errno(errno, fmt::format("cannot load {}", file.string()),
                          "the kernel log (dmesg) says why");
    }
    return {};
}

Result<void> require_root(const System& sys) {
    if (!sys.is_root()) {
        return fail(ExitCode::refused, "khoctl needs root", "run it with sudo");
    }
    return {};
}

std::string lockdown_level(const System& sys) {
    const auto text = read_text(sys.path("/sys/kernel/security/lockdown"));
    const auto open = text ? text->find('[') : std::string::npos;
    const auto close = text ? text->find(']') : std::string::npos;
    if (open == std::string::npos || close == std::string::npos || close < open) {
        return "unknown";
    }
    return text->substr(open + 1, close - open - 1);
}

Error lockdown_error(std::string_view level) {
    return Error{ExitCode::refused,
                 fmt::format("the kernel is locked down ({}): it allows neither kexec_load nor "
                             "debugfs",
                             level),
                 "boot without Secure Boot and without lockdown="};
}

Result<void> require_no_lockdown(const System& sys) {
    const std::string level = lockdown_level(sys);
    if (level != "none" && level != "unknown") {
        return tl::unexpected(lockdown_error(level));
    }
    return {};
}

Result<void> require_kexec(const System& sys) {
    if (!read_text(sys.path("/sys/kernel/kexec_loaded"))) {
        return fail(ExitCode::refused, "this kernel has no kexec",
                    "use a kernel built with CONFIG_KEXEC");
    }
    const auto disabled = read_text(sys.path("/proc/sys/kernel/kexec_load_disabled"));
    if (disabled && trimmed(*disabled) != "0") {
        return fail(ExitCode::refused, "kexec is switched off (kernel.kexec_load_disabled is 1)",
                    "it stays so until the next boot: look for who sets it in /etc/sysctl.d");
    }
    const auto limit = read_text(sys.path("/proc/sys/kernel/kexec_load_limit_reboot"));
    if (limit && trimmed(*limit) == "0") {
        return fail(ExitCode::refused,
                    "no kexec load is left (kernel.kexec_load_limit_reboot is 0)",
                    "it stays so until the next boot: look for who sets it in /etc/sysctl.d");
    }
    return {};
}

bool kexec_loaded(const System& sys) {
    const auto text = read_text(sys.path("/sys/kernel/kexec_loaded"));
    return text && trimmed(*text) == "1";
}

}  // namespace khob
