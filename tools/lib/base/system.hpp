// SPDX-License-Identifier: GPL-2.0-only
// What khoctl needs of the running kernel: files below /sys and /proc, the module's device, and
// five system calls. Tests stand in for the calls and put the files in a directory.
#ifndef KHOB_SYSTEM_HPP
#define KHOB_SYSTEM_HPP

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>

#include "base/error.hpp"
#include "base/types.hpp"

namespace khob {

/// One segment of kexec_load(2).
struct Segment {
    std::string_view name;
    ByteView data;            ///< at most mem_bytes
    PhysAddr address;         ///< page aligned
    std::uint64_t mem_bytes;  ///< whole pages
};

/// Linux's limit (include/uapi/linux/kexec.h).
inline constexpr std::size_t max_segments = 16;

class System {
  public:
    /// `root` stands before every path: "/" but for tests.
    explicit System(std::filesystem::path root = "/") : root_(std::move(root)) {}
    System(const System&) = delete;
    System& operator=(const System&) = delete;
    System(System&&) = delete;
    System& operator=(System&&) = delete;
    virtual ~System() = default;

    /// An absolute path below the root.
    std::filesystem::path path(std::string_view absolute) const;

    /// The kernel's release, as `uname -r` says.
    virtual std::string release() const;
    /// The kernel's architecture, as `uname -m` says.
    virtual std::string machine() const;
    virtual bool is_root() const;

    /// kexec_load(2). On failure what was loaded before stays loaded.
    virtual Result<void> kexec_load(PhysAddr entry, std::span<const Segment> segments);
    /// kexec_file_load(2): the kernel places it itself. `initrd` may be empty. As above.
    virtual Result<void> kexec_file_load(const std::filesystem::path& kernel,
                                         const std::filesystem::path& initrd,
                                         const std::string& cmdline);
    /// kexec_load(2) without segments: forgets what is loaded.
    virtual Result<void> kexec_unload();
    /// sync(2) and reboot(2) into what is loaded. Returns only on failure.
    virtual Error kexec_exec();
    /// finit_module(2); `params` as on modprobe's command line.
    virtual Result<void> load_module(const std::filesystem::path& file, const std::string& params);

    /// ioctl(2). Return: what it returns, or an errno as a negative number.
    virtual int ioctl(int fd, unsigned long request, void* arg) const;

  private:
    std::filesystem::path root_;
};

/// Errors (refused) unless this runs as root.
Result<void> require_root(const System& sys);

/// Errors (refused) if the kernel is locked down: it then keeps debugfs and kexec_load(2) shut.
Result<void> require_no_lockdown(const System& sys);

/// Errors (refused) if kexec_load(2) is missing, switched off or used up.
Result<void> require_kexec(const System& sys);

/// Whether a kernel is loaded for kexec (by whomever).
bool kexec_loaded(const System& sys);

/// The lockdown level: "none", "integrity", "confidentiality", or "unknown" without securityfs.
std::string lockdown_level(const System& sys);

/// The error for a refusal that lockdown is behind.
Error lockdown_error(std::string_view level);

}  // namespace khob

#endif  // KHOB_SYSTEM_HPP
