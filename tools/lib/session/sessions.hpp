// SPDX-License-Identifier: GPL-2.0-only
// Live update sessions: what kho_luo's device, /dev/kho_luo, tells of them (docs/sessions.rst is
// the contract), and who has which open, which any kernel with a LUO shows.
#ifndef KHOB_SESSION_SESSIONS_HPP
#define KHOB_SESSION_SESSIONS_HPP

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.hpp"
#include "base/system.hpp"
#include "khob/sessions.hpp"

namespace khob {

/// A process that has a session open.
struct Holder {
    std::uint64_t pid = 0;
    std::string comm;
};

struct Session {
    std::string name;
    /// What kho_luo tells; nothing of a kernel whose own LUO has it, which tells nobody.
    std::optional<sessions::session> told{};
    std::vector<Holder> holders{};

    /// "outgoing", "waiting" for somebody to retrieve it, "retrieved"; "open" if only that is
    /// known.
    std::string_view state() const;
};

/**
 * All sessions: outgoing ones first, in the order in which they were made. Nothing is changed, but
 * that what the kernel before has left is looked at if nobody has opened /dev/liveupdate yet.
 *
 * Errors (refused): not root; what the kernel before has left was refused. Errors (absent): there
 * is no LUO.
 */
Result<std::vector<Session>> list_sessions(const System& sys);

/**
 * Ends a session of the kernel before that nobody has open, and frees what is in it.
 *
 * Errors (refused): it is open, or a kernel is loaded that gets it. Errors (absent): there is none
 * of that name, or no kho_luo.
 */
Result<void> drop_session(const System& sys, std::string_view name);

/**
 * Ends every session of the kernel before that nobody has open, whatever bytes its name has.
 *
 * Return: their names. Errors: as list_sessions() and drop_session(); those before are ended.
 */
Result<std::vector<std::string>> drop_waiting_sessions(const System& sys);

}  // namespace khob

#endif  // KHOB_SESSION_SESSIONS_HPP
