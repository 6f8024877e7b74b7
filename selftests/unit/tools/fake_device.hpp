// SPDX-License-Identifier: GPL-2.0-only
// Plays the module's device on a directory: what is listed there is what its files hold, and what
// is asked of it is noted there, a line each as debugfs would have taken it.
#ifndef KHOB_TESTS_FAKE_DEVICE_HPP
#define KHOB_TESTS_FAKE_DEVICE_HPP

#include <filesystem>

namespace khob::test {

/// ioctl(2) on the device of the module whose files are in `dir`. Return: as System::ioctl().
int fake_ioctl(const std::filesystem::path& dir, unsigned long request, void* arg);

}  // namespace khob::test

#endif  // KHOB_TESTS_FAKE_DEVICE_HPP
