// SPDX-License-Identifier: GPL-2.0-only
// Both headers of the device in one C++ file: they compile and do not clash; what C++
// has besides. tests/device_outputs_test.py compares them number by number.
#include <linux/kho_bridge.h>

#include <type_traits>

#include "khob/device.hpp"

namespace device = khob::device;
using device::Ioctl;

static_assert(sizeof(device::status) == sizeof(kho_bridge_status));
static_assert(device::request(3) == 0xbc03 && device::name_max == KHO_BRIDGE_NAME_MAX);
static_assert(static_cast<__u32>(Ioctl::scratch_take) == KHO_BRIDGE_SCRATCH_TAKE);
static_assert(!std::is_convertible_v<device::ImageState, device::InState>);

// A struct knows its own size, also one with a field of its own name.
static_assert(device::abi{}.size == sizeof(kho_bridge_abi) && device::abi{}.abi[15] == '\0');
static_assert(device::open{.what = KHO_BRIDGE_OUT_FDT, .name = {}}.size == 80);

constexpr const device::Field& last = device::status_fields.back();
static_assert(last.name == "last_error" && last.text && last.size == 1 && last.length == 256);
static_assert(last.offset + last.length == sizeof(device::status));
static_assert(device::ioctls[2].name == "open" && device::ioctls[2].returns_fd);
static_assert(device::ioctls[9].size == 0 && device::ioctls[9].needs == "CAP_SYS_BOOT");

__u32 flags_of(const kho_bridge_status& status);

__u32 flags_of(const kho_bridge_status& status) {
    return status.flags & device::status_flags::frozen;
}
