// SPDX-License-Identifier: GPL-2.0-only
// What doctor says of the machine and of the kernel that runs on it.
#include <fmt/format.h>

#include <array>

#include "base/files.hpp"
#include "base/numbers.hpp"
#include "doctor/doctor.hpp"
#include "machine/memory_map.hpp"

namespace khob {

namespace {

struct Option {
    std::string_view name;
    std::string_view what_for;
    bool required;
};

constexpr std::array<Option, 6> options{{
    {"CONFIG_MODULES", "kho_bridge is a module", true},
    {"CONFIG_CONTIG_ALLOC", "scratch is made with alloc_contig_range()", true},
    {"CONFIG_KEXEC", "kexec_load(2)", true},
    {"CONFIG_KEXEC_FILE", "kexec_file_load(2), for method file", false},
    {"CONFIG_KEXEC_HANDOVER", "KHO of the kernel's own", false},
}};

Check check_architecture(const System& sys) {
    const std::string machine = sys.machine();
    if (machine == "x86_64") {
        return check_ok("architecture", machine);
    }
    return check_missing("architecture", fmt::format("{} is not supported", machine),
                         "use an x86-64 kernel");
}

void check_config(const Seen& seen, Checks& out) {
    if (!seen.config) {
        out.push_back(check_warning(
            "config", "the running kernel's configuration could not be seen",
            fmt::format("put it at /boot/config-{} (CONFIG_IKCONFIG_PROC shows it too)",
                        seen.sys->release())));
        return;
    }
    out.push_back(check_ok("config", seen.config->where()));
    for (const Option& option : options) {
        const std::string name(option.name);
        if (seen.config->has(option.name)) {
            out.push_back(check_ok(name, fmt::format("set: {}", option.what_for)));
        } else if (option.required) {
            out.push_back(check_missing(name, fmt::format("not set: {}", option.what_for),
                                        fmt::format("use a kernel built with {}=y", name)));
        } else {
            out.push_back(
                check_ok(name, fmt::format("not set: {}; not required", option.what_for)));
        }
    }
}

Check check_lockdown(const Seen& seen) {
    const std::string level = lockdown_level(*seen.sys);
    if (level != "unknown") {
        const auto open = require_no_lockdown(*seen.sys);
        return open ? check_ok("lockdown", level) : check_missing("lockdown", open.error());
    }
    if (seen.config && !seen.config->has("CONFIG_SECURITY_LOCKDOWN_LSM")) {
        return check_ok("lockdown", "this kernel has none");
    }
    return check_warning("lockdown", "could not be seen: /sys/kernel/security/lockdown is missing",
                         "mount -t securityfs securityfs /sys/kernel/security");
}

/// The variable's value follows four bytes of attributes.
bool secure_boot(const System& sys) {
    const auto var = read_bytes(
        sys.path("/sys/firmware/efi/efivars/SecureBoot-8be4df61-93ca-11d2-aa0d-00e098032b8c"));
    return var && var->size() == 5 && var->back() == std::byte{1};
}

Check check_firmware(const Seen& seen) {
    const System& sys = *seen.sys;
    std::error_code ignored;
    if (!std::filesystem::exists(sys.path("/sys/firmware/efi"), ignored)) {
        return check_ok("firmware", "no EFI");
    }
    if (secure_boot(sys)) {
        return check_warning("firmware",
                             "EFI with Secure Boot, which may lock the kernel down and forbid "
                             "unsigned modules",
                             "switch Secure Boot off in the firmware's setup");
    }
    if (seen.efi.efi) {
        return check_ok("firmware", "EFI, whose runtime services go on in the next kernel");
    }
    return check_ok("firmware",
                    sys.is_root()
                        ? fmt::format("EFI; its runtime services end here: {}", seen.efi.why)
                        : "EFI; whether its runtime services go on could not be seen without root");
}

Check check_kexec(const System& sys) {
    if (const auto ok = require_kexec(sys); !ok) {
        return check_missing("kexec", ok.error());
    }
    const auto limit = read_text(sys.path("/proc/sys/kernel/kexec_load_limit_reboot"));
    const auto left = limit ? parse_u64(trimmed(*limit)) : std::nullopt;
    return check_ok(
        "kexec",
        left ? fmt::format("allowed, {} more (kernel.kexec_load_limit_reboot)", *left) : "allowed");
}

/// Whether this process may use reboot(2) and kexec_load(2): CAP_SYS_BOOT of the effective set.
bool may_boot(const System& sys) {
    constexpr unsigned cap_sys_boot = 22;
    const std::string status = read_text(sys.path("/proc/self/status")).value_or("");
    for (const std::string_view line : lines(status)) {
        const auto parts = words(line);
        if (parts.size() == 2 && parts[0] == "CapEff:") {
            const auto set = parse_u64(fmt::format("0x{}", parts[1]));
            return !set || ((*set >> cap_sys_boot) & 1) != 0;
        }
    }
    return true;
}

Check check_privileges(const System& sys) {
    if (!sys.is_root()) {
        return check_warning("privileges",
                             "not root: a load needs it, and what debugfs holds could not be seen",
                             "sudo khoctl doctor");
    }
    if (!may_boot(sys)) {
        return check_missing("privileges", "root without CAP_SYS_BOOT",
                             "run it outside the container, or give that CAP_SYS_BOOT");
    }
    return check_ok("privileges", "root with CAP_SYS_BOOT");
}

Check check_memory_map(const System& sys) {
    const auto map = MemoryMap::read(sys.path("/sys/firmware/memmap"));
    if (!map) {
        return check_missing("memory map", map.error());
    }
    return check_ok("memory map", fmt::format("{} of RAM", human_bytes(map->ram_bytes())));
}

}  // namespace

Checks check_machine(const Seen& seen) {
    const System& sys = *seen.sys;
    Checks out{check_architecture(sys)};
    check_config(seen, out);
    out.push_back(check_lockdown(seen));
    out.push_back(check_firmware(seen));
    out.push_back(check_kexec(sys));
    out.push_back(check_privileges(sys));
    out.push_back(check_memory_map(sys));
    return out;
}

}  // namespace khob
