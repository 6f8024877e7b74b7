// SPDX-License-Identifier: GPL-2.0-only
// Whether a load would succeed on this machine, how it would go about it, and
// what to do where it would not. Nothing is changed, and nothing fails: what
// cannot be seen is a finding too.
#ifndef KHOB_DOCTOR_HPP
#define KHOB_DOCTOR_HPP

#include <filesystem>
#include <optional>
#include <string>

#include "base/exit_codes.hpp"
#include "base/system.hpp"
#include "base/value.hpp"
#include "doctor/check.hpp"
#include "image/kernel_config.hpp"
#include "machine/efi.hpp"
#include "module/module.hpp"
#include "plan/method.hpp"

namespace khob {

struct DoctorOptions {
    std::filesystem::path kernel;  ///< empty: only the machine is looked at
    std::filesystem::path initrd;  ///< empty: none
    std::string cmdline;           ///< the incoming kernel's
    MethodWishes wishes{};
};

/// What several checks look at, read once.
struct Seen {
    const System* sys = nullptr;
    std::optional<KernelConfig> config;
    std::optional<Status> status;      ///< the module's, if it can be asked
    std::optional<LoadedImage> image;  ///< likewise
    EfiState efi;

    const Efi* efi_or_null() const { return efi.efi ? &*efi.efi : nullptr; }
};

/// What would be loaded, as far as that is known.
struct DoctorKernel {
    std::string path;
    std::string release;     ///< empty: the image does not say
    std::string kernel_abi;  ///< of its own KHO; empty: it has none, or that is not known
    std::optional<MethodChoice> choice;
    abi::Version abi = abi::default_version;  ///< of the root FDT, with that choice
};

struct DoctorReport {
    std::string release;  ///< of the running kernel
    std::string source;   ///< who owns what is preserved: "bridge", "native"; empty: not seen
    std::optional<DoctorKernel> kernel;
    Checks checks;

    std::size_t count(CheckState state) const;
    /// ok, or refused if anything is missing.
    ExitCode code() const;
    /// One sentence without a full stop.
    std::string verdict() const;
    Value to_value() const;
};

/// Architecture, configuration, lockdown, kexec, privileges, firmware.
Checks check_machine(const Seen& seen);

/// Module signatures, debugfs, the module, KHO of this kernel's own, what it holds and shows,
/// what is loaded.
Checks check_module(const Seen& seen);

/// Who owns what is preserved here: "bridge", "native", or nothing if that cannot be seen.
std::string preserving_source(const Seen& seen);

DoctorReport doctor(const System& sys, const DoctorOptions& options);

}  // namespace khob

#endif  // KHOB_DOCTOR_HPP
