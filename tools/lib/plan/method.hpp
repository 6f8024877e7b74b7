// SPDX-License-Identifier: GPL-2.0-only
// How the incoming kernel learns of the handover, and in which version of the
// ABI it is told: chosen from what the kernel is and from its command line.
#ifndef KHOB_METHOD_HPP
#define KHOB_METHOD_HPP

#include <optional>
#include <string>
#include <string_view>

#include "base/error.hpp"
#include "base/types.hpp"
#include "image/probe.hpp"
#include "khob/abi.hpp"

namespace khob {

enum class Method {
    indirect,  ///< its boot code is told of intervals; it need not have KHO
    kho,       ///< its own KHO takes the handover
    file,      ///< as kho, and the running kernel's own KHO loads it: kexec_file_load(2)
};

std::string_view to_string(Method method);
std::optional<Method> method_from(std::string_view name);

/// What the user asked for; what is empty is found out.
struct MethodWishes {
    std::optional<Method> method = std::nullopt;
    std::optional<abi::Version> abi = std::nullopt;
};

struct MethodChoice {
    Method method = Method::indirect;
    /// The root FDT's version. Empty: the one that the module is set to.
    std::optional<abi::Version> abi;
    std::string kernel_abi;  ///< what the kernel's own KHO takes; empty: it has none
    std::string cmdline;     ///< to be passed
    bool added_kho_on = false;
    /// What the kernel's own Live Update Orchestrator takes. Empty: it has none; nothing: its image
    /// could not be looked into.
    std::optional<std::string> kernel_luo{};
    bool added_liveupdate_on = false;
    /// The running kernel's own KHO hands over: its root FDT and, unless that is too small for
    /// the image, its scratch.
    bool by_kernel = false;
    bool kasan = false;  ///< the kernel has KASAN, and needs memory for it
};

/// What a command line says of kho=: the last one that makes sense counts, as for the kernel.
std::optional<bool> kho_switch(std::string_view cmdline);

/// The same of liveupdate=.
std::optional<bool> liveupdate_switch(std::string_view cmdline);

/**
 * Chooses for the kernel that `probe` tells of. `module_abi` is the version that the module is set
 * to, `native` the version of the running kernel's own KHO if that is on.
 *
 * A kernel with KHO takes its own version only. It is switched on explicitly (kho=on),
 * because the image does not tell its default, and so is its Live Update Orchestrator
 * (liveupdate=on), which without that throws away what it is handed. What is switched off, or what
 * the user wants so, is told by intervals; the root FDT then has a version that the kernel's own
 * KHO leaves alone. Between two kernels with KHO of one version the running one hands over itself.
 * Errors (refused): contradictions, each with what to say instead.
 */
Result<MethodChoice> choose_method(const Result<KernelProbe>& probe, const MethodWishes& wishes,
                                   std::string_view cmdline, abi::Version module_abi,
                                   std::optional<abi::Version> native = std::nullopt);

}  // namespace khob

#endif  // KHOB_METHOD_HPP
