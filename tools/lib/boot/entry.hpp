// SPDX-License-Identifier: GPL-2.0-only
// What a boot loader's entry boots, with paths as the boot loader has them.
#ifndef KHOB_BOOT_ENTRY_HPP
#define KHOB_BOOT_ENTRY_HPP

#include <map>
#include <string>
#include <vector>

namespace khob::boot {

struct Entry {
    std::string title;
    std::string kernel;
    std::vector<std::string> initrds;
    std::string cmdline;
};

/// Variables of a boot loader, as its files and the firmware have them.
using Variables = std::map<std::string, std::string>;

}  // namespace khob::boot

#endif  // KHOB_BOOT_ENTRY_HPP
