// SPDX-License-Identifier: GPL-2.0-only
// A /dev/liveupdate made up in this process, with the errnos of kho_luo; and a kexec.
#ifndef KHO_FAKE_LIVEUPDATE_HPP
#define KHO_FAKE_LIVEUPDATE_HPP

#include <cstddef>
#include <cstdint>

extern "C" {

/// Nothing is handed over, nothing came, the device is there and nobody has it open.
void fake_reset();
/// Whether there is a device.
void fake_device(bool there);
/// So many opens fail with EBUSY.
void fake_busy(int opens);
/// A kernel is loaded: nothing more is preserved.
void fake_loaded(bool loaded);
/// The machine jumps: what was handed over has come, every session is closed.
void fake_kexec();
/// The next ioctl of this number fails with an errno.
void fake_fail(unsigned long command, int err);
/// A file of a session that came; -1 if there is none. Not the caller's.
int fake_came(const char* session, std::uint64_t token);
/// Puts a file into a session that comes with the next kexec, which need not be there yet.
void fake_put(const char* session, std::uint64_t token, int fd);
/// Sessions that came and were neither finished nor closed.
std::size_t fake_left();
/// Whether the device is open.
bool fake_open();
}

#endif  // KHO_FAKE_LIVEUPDATE_HPP
