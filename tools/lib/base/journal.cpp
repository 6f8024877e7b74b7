// SPDX-License-Identifier: GPL-2.0-only
#include "base/journal.hpp"

#include <syslog.h>

namespace khob {

void warn_in_journal(const std::string& line) {
    ::openlog("khoctl", LOG_PID, LOG_DAEMON);
    ::syslog(LOG_WARNING, "%s", line.c_str());
    ::closelog();
}

}  // namespace khob
