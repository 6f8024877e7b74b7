// SPDX-License-Identifier: GPL-2.0-only
// The incoming side: finding the handover and telling the module of it.
#ifndef KHOB_ATTACH_HPP
#define KHOB_ATTACH_HPP

#include <cstdint>
#include <filesystem>
#include <optional>

#include "attach/shown.hpp"
#include "base/error.hpp"
#include "base/progress.hpp"
#include "base/system.hpp"
#include "base/value.hpp"
#include "module/module.hpp"
#include "module/status.hpp"

namespace khob {

struct AttachOptions {
    std::filesystem::path module;           ///< empty: looked for below /lib/modules
    std::optional<PhysAddr> setup_data;     ///< empty: looked for in sysfs
    std::optional<std::uint64_t> init_tsc;  ///< the time stamp counter at PID 1's first act
};

struct AttachReport {
    PhysAddr setup_data;
    bool loaded_module = false;
    bool was_attached = false;
    Shown shown;  ///< what the kernel still shows to others; all is well with none
    Status status;
    std::optional<double> blackout_ms;  ///< from kexec to PID 1's first act
    double total_ms = 0;

    Value to_value() const;
};

/**
 * The first setup_data node, if this kernel was started by a handover.
 * Errors (nothing_handed): sysfs has no node of a handover, and the kernel's own KHO knows of
 * none.
 */
Result<PhysAddr> find_handover(const System& sys);

/// The module's file below /lib/modules. Errors (absent): not installed for this kernel.
Result<std::filesystem::path> find_module(const System& sys);

/// Milliseconds between two readings of the time stamp counter; nothing if that makes no sense.
std::optional<double> tsc_millis(std::uint64_t from, std::uint64_t to, std::uint64_t khz);

/**
 * Loads the module, or tells the one that is loaded, and says how it went. Attaching twice
 * is no error. Errors: nothing_handed; absent; data_damaged when the module refused what it saw.
 */
Result<AttachReport> attach(System& sys, const AttachOptions& options, Progress& progress);

/// Errors unless something is attached: nothing_handed, or data_damaged if it was refused.
Result<void> require_attached(const Status& status);

}  // namespace khob

#endif  // KHOB_ATTACH_HPP
