// SPDX-License-Identifier: GPL-2.0-only
// What is handed over to the next kernel's Live Update Orchestrator (LUO): one that is handed
// another version's state than its own does not boot.
#ifndef KHOB_LOAD_LUO_HPP
#define KHOB_LOAD_LUO_HPP

#include <optional>
#include <string>

#include "base/error.hpp"
#include "module/module.hpp"
#include "plan/method.hpp"

namespace khob {

/**
 * The version that the LUO subtree says it is of, which this kernel hands over or holds for the
 * next one; nothing if there is no such subtree. Text for people too: what is no printable string
 * is "unknown".
 */
Result<std::optional<std::string>> luo_handed_over(const Module& module);

/**
 * Whether the kernel of that choice boots with the LUO subtree. One without LUO takes any, as it
 * looks at none; one that learns of the handover by intervals has its own KHO, and with it its
 * LUO, left out.
 *
 * Errors (refused): it has LUO of another version; that could not be seen. Those of the module.
 */
Result<void> require_luo(const Module& module, const MethodChoice& choice);

}  // namespace khob

#endif  // KHOB_LOAD_LUO_HPP
