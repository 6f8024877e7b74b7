// SPDX-License-Identifier: GPL-2.0-only
// The entry that systemd-boot would boot next, by the files in loader/ and the variables that it
// shares with the system through the firmware: pure code.
#ifndef KHOB_BOOT_LOADER_HPP
#define KHOB_BOOT_LOADER_HPP

#include <string>
#include <string_view>
#include <vector>

#include "base/error.hpp"
#include "base/types.hpp"
#include "boot/entry.hpp"

namespace khob::boot {

/// A file of loader/entries; `partition` is where it was found, which its paths begin at.
struct LoaderFile {
    std::string name;
    std::string text;
    std::string partition;
};

/// What tells which entry is the default.
struct LoaderChoice {
    std::string once;         ///< LoaderEntryOneShot
    std::string default_id;   ///< LoaderEntryDefault
    std::string last_booted;  ///< LoaderEntryLastBooted
    std::string conf;         ///< loader.conf
};

/// A text variable of the firmware, as efivarfs has it: attributes, then UTF-16. What is not ASCII
/// comes out as '?'.
std::string parse_efi_text(ByteView bytes);

/// The default entry, with the partition in front of its paths. Errors (refused): there is none,
/// or it is no kernel with an initrd.
Result<Entry> loader_default(const std::vector<LoaderFile>& files, const LoaderChoice& choice);

}  // namespace khob::boot

#endif  // KHOB_BOOT_LOADER_HPP
