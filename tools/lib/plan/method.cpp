// SPDX-License-Identifier: GPL-2.0-only
// The choice of handover method and ABI version.
#include "plan/method.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <vector>

namespace khob {

namespace {

constexpr std::string_view kho_on = "kho=on";
constexpr std::string_view liveupdate_on = "liveupdate=on";

/// The parameters as the kernel splits them: blanks within quotes do not count, the quotes
/// themselves are dropped, and nothing behind "--" is the kernel's.
std::vector<std::string> parameters(std::string_view cmdline) {
    std::vector<std::string> out;
    std::string word;
    bool quoted = false;
    const auto finish = [&out, &word] {
        if (!word.empty()) {
            out.push_back(std::move(word));
        }
        word.clear();
    };
    for (const char c : cmdline) {
        if (c == '"') {
            quoted = !quoted;
        } else if (!quoted && (c == ' ' || c == '\t' || c == '\n')) {
            finish();
        } else {
            word += c;
        }
    }
    finish();
    out.erase(std::find(out.begin(), out.end(), "--"), out.end());
    return out;
}

/// A boolean as the kernel reads it: the first letter, of on and off the second.
std::optional<bool> read_bool(std::string_view value) {
    constexpr std::string_view yes = "yYtT1eE";
    constexpr std::string_view no = "nNfF0dD";
    if (value.empty()) {
        return std::nullopt;
    }
    if (value[0] == 'o' || value[0] == 'O') {
        const char second = value.size() > 1 ? value[1] : '\0';
        if (second == 'n' || second == 'N') {
            return true;
        }
        return second == 'f' || second == 'F' ? std::optional(false) : std::nullopt;
    }
    if (yes.find(value[0]) != std::string_view::npos) {
        return true;
    }
    return no.find(value[0]) != std::string_view::npos ? std::optional(false) : std::nullopt;
}

/// A version that a kernel does not take for its own, the newest if the one in use will not do.
std::optional<abi::Version> foreign_version(const MethodWishes& wishes, abi::Version module_abi,
                                            std::string_view kernel_abi) {
    if (wishes.abi) {
        return wishes.abi;
    }
    if (abi::compatible(module_abi) != kernel_abi) {
        return std::nullopt;
    }
    const auto other = std::find_if(abi::versions.rbegin(), abi::versions.rend(),
                                    [kernel_abi](abi::Version version) {
                                        return abi::compatible(version) != kernel_abi &&
                                               abi::supported(Layout::page_shift, version);
                                    });
    return other == abi::versions.rend() ? std::nullopt : std::optional(*other);
}

/// With a parameter in front: what stands behind "--" is not the kernel's.
std::string in_front(std::string_view parameter, std::string_view cmdline) {
    return fmt::format("{}{}{}", parameter, cmdline.empty() ? "" : " ", cmdline);
}

/// What the last parameter of that name says that makes sense.
std::optional<bool> last_switch(std::string_view cmdline, std::string_view prefix) {
    std::optional<bool> on;
    for (const std::string& word : parameters(cmdline)) {
        if (word.starts_with(prefix)) {
            const auto value = read_bool(std::string_view(word).substr(prefix.size()));
            on = value ? value : on;
        }
    }
    return on;
}

Result<MethodChoice> by_intervals(const MethodWishes& wishes, std::string_view cmdline,
                                  abi::Version module_abi, std::string kernel_abi) {
    if (wishes.abi && abi::compatible(*wishes.abi) == kernel_abi) {
        return fail(ExitCode::refused,
                    fmt::format("method indirect cannot hand {} over to a kernel whose own KHO "
                                "takes that version: it would do so besides",
                                kernel_abi),
                    "leave --abi out, or --method");
    }
    MethodChoice out;
    out.method = Method::indirect;
    out.abi = foreign_version(wishes, module_abi, kernel_abi);
    out.kernel_abi = std::move(kernel_abi);
    out.cmdline = cmdline;
    return out;
}

Result<MethodChoice> by_kho(const MethodWishes& wishes, abi::Version version,
                            std::string_view cmdline, std::optional<abi::Version> native) {
    MethodChoice out;
    out.by_kernel = native == version;
    out.method = wishes.method.value_or(out.by_kernel ? Method::file : Method::kho);
    out.abi = version;
    if (out.method == Method::file && !out.by_kernel) {
        const std::string_view hint = "leave --method out";
        return native ? fail(ExitCode::refused,
                             fmt::format("method file needs one version of KHO at both ends, and "
                                         "this kernel's is {}, the next one's {}",
                                         abi::compatible(*native), abi::compatible(version)),
                             std::string(hint))
                      : fail(ExitCode::refused,
                             "method file is for a running kernel with KHO, and this one has none, "
                             "or it is off",
                             std::string(hint));
    }
    out.kernel_abi = abi::compatible(version);
    out.cmdline = cmdline;
    if (!kho_switch(cmdline)) {
        out.cmdline = in_front(kho_on, cmdline);
        out.added_kho_on = true;
    }
    return out;
}

/// For an image that cannot be looked into the user has to know.
Result<MethodChoice> choose_blindly(const Error& why, const MethodWishes& wishes,
                                    std::string_view cmdline, abi::Version module_abi,
                                    std::optional<abi::Version> native) {
    if (wishes.method == Method::indirect) {
        return by_intervals(wishes, cmdline, module_abi, {});
    }
    if (wishes.method && wishes.abi) {
        return by_kho(wishes, *wishes.abi, cmdline, native);
    }
    return fail(why.code, fmt::format("cannot tell whether the kernel has KHO: {}", why.what),
                "if you know, say `--method indirect`, or `--method kho --abi VERSION`");
}

Result<MethodChoice> choose_for(const KernelProbe& probe, const MethodWishes& wishes,
                                std::string_view cmdline, abi::Version module_abi,
                                std::optional<abi::Version> native) {
    const bool wants_kho = wishes.method && wishes.method != Method::indirect;
    if (!probe.has_kho()) {
        if (wants_kho) {
            return fail(ExitCode::refused,
                        fmt::format("the kernel has no KHO: method {} would lose everything",
                                    to_string(*wishes.method)),
                        "leave --method out: without KHO it is indirect");
        }
        return by_intervals(wishes, cmdline, module_abi, {});
    }
    if (wishes.method == Method::indirect) {
        return by_intervals(wishes, cmdline, module_abi, probe.compatible);
    }
    if (!probe.abi) {
        return fail(
            ExitCode::refused,
            fmt::format("the kernel's KHO is {}, which khoctl does not know", probe.compatible),
            "`--method indirect` does without the kernel's own KHO");
    }
    if (kho_switch(cmdline) == false) {
        if (wants_kho) {
            return fail(ExitCode::refused,
                        fmt::format("the command line switches the kernel's KHO off (kho=), and "
                                    "method {} needs it",
                                    to_string(*wishes.method)),
                        "give it kho=on, or leave --method out");
        }
        return by_intervals(wishes, cmdline, module_abi, probe.compatible);
    }
    if (wishes.abi && *wishes.abi != *probe.abi) {
        return fail(ExitCode::refused,
                    fmt::format("the kernel's KHO takes only {}, not {}", probe.compatible,
                                abi::compatible(*wishes.abi)),
                    "leave --abi out");
    }
    return by_kho(wishes, *probe.abi, cmdline, native);
}

}  // namespace

std::string_view to_string(Method method) {
    switch (method) {
        case Method::kho:
            return "kho";
        case Method::file:
            return "file";
        case Method::indirect:
            break;
    }
    return "indirect";
}

std::optional<Method> method_from(std::string_view name) {
    for (const Method method : {Method::indirect, Method::kho, Method::file}) {
        if (to_string(method) == name) {
            return method;
        }
    }
    return std::nullopt;
}

std::optional<bool> kho_switch(std::string_view cmdline) {
    return last_switch(cmdline, "kho=");
}

std::optional<bool> liveupdate_switch(std::string_view cmdline) {
    return last_switch(cmdline, "liveupdate=");
}

Result<MethodChoice> choose_method(const Result<KernelProbe>& probe, const MethodWishes& wishes,
                                   std::string_view cmdline, abi::Version module_abi,
                                   std::optional<abi::Version> native) {
    if (!probe) {
        return choose_blindly(probe.error(), wishes, cmdline, module_abi, native);
    }
    auto choice = choose_for(*probe, wishes, cmdline, module_abi, native);
    if (!choice) {
        return choice;
    }
    choice->kasan = probe->kasan;
    choice->kernel_luo = probe->luo;
    const bool luo = !probe->luo.empty() && choice->method != Method::indirect;
    if (luo && !liveupdate_switch(cmdline)) {
        choice->cmdline = in_front(liveupdate_on, choice->cmdline);
        choice->added_liveupdate_on = true;
    }
    return choice;
}

}  // namespace khob
