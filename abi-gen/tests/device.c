// SPDX-License-Identifier: GPL-2.0-only
// The generated C header of the device has to compile on its own, without a warning; what
// programs and the module agree on was worked out by hand.
#include <linux/kho_bridge.h>

#include <stddef.h>

_Static_assert(KHO_BRIDGE_STATUS == 0xbc00, "a number has neither a size nor a direction");
_Static_assert(KHO_BRIDGE_LOADED == 0xbc0f, "the last ioctl");
_Static_assert(sizeof(struct kho_bridge_status) == 1848, "42 u64, 2 for each order, 7 texts");
_Static_assert(offsetof(struct kho_bridge_status, out_orders) == 352, "42 u64 behind 4 u32");
_Static_assert(offsetof(struct kho_bridge_target, name) == 24, "behind what a page is named by");
_Static_assert(sizeof(struct kho_bridge_subtree) == 88, "a stream");

int is_loaded(const struct kho_bridge_image *image);

int is_loaded(const struct kho_bridge_image *image)
{
	return image->state == KHO_BRIDGE_IMAGE_LOADED;
}
