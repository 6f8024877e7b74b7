// SPDX-License-Identifier: GPL-2.0-only
/*
 * A reader-writer lock whose readers share nothing: see gate.h.
 */
#include "gate.h"

#ifdef __KERNEL__
/* Each in a cache line of its own, or what CPUs write to is shared after all. */
DEFINE_PER_CPU_ALIGNED(struct khob_slot, khob_slots);
#endif

__u64 khob_gate_closed;

void khob_gate_wait(struct khob_slot *slot)
{
	do {
		khob_fetch_add(&slot->inside, -(u64)1);
		while (khob_load(&khob_gate_closed))
			khob_relax();
		khob_fetch_add(&slot->inside, 1);
	} while (khob_load(&khob_gate_closed));
}

void khob_gate_close(void)
{
	unsigned int i;

	/* Not to be preempted while others spin. */
	khob_slot_get();
	while (!khob_swap_if(&khob_gate_closed, 0, 1))
		while (khob_load(&khob_gate_closed))
			khob_relax();
	for (i = 0; i < khob_nr_slots(); i++) {
		struct khob_slot *slot = khob_slot_at(i);

		while (slot && khob_load(&slot->inside))
			khob_relax();
	}
}

void khob_gate_open(void)
{
	khob_store(&khob_gate_closed, 0);
	khob_slot_put();
}
