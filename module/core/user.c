// SPDX-License-Identifier: GPL-2.0-only
/*
 * The part of port.h that a program needs once. The module has no use for it.
 */
#include "port.h"

struct khob_user_ram khob_user_ram;
struct khob_slot khob_slots[KHOB_SLOTS];
__thread struct khob_slot *khob_slot_mine;

struct khob_slot *khob_slot_new(void)
{
	static __u64 taken;
	u64 mine = khob_fetch_add(&taken, 1) + 1;

	khob_slot_mine = &khob_slots[mine < KHOB_SLOTS ? mine : 0];
	return khob_slot_mine;
}
