/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The gate: what lets nodes of a shared tree be freed. Everybody who looks at such a tree
 * is inside; who has unlinked a node closes the gate, waits until those inside have
 * left, and then nobody can hold the node any more.
 *
 * To enter and to leave writes only to a slot of one's own, so that threads on different
 * CPUs do not get in each other's way. To close looks at every slot: it is meant for
 * what is rare, such as a node that has become empty. Inside nobody sleeps, and
 * a visit is short (a descent, or some hundred keys), so closing waits for no
 * longer than that. One gate serves all trees.
 *
 * RCU would do the same with no cost at all inside, but would give a node back only a
 * grace period later, which the tree's owner would then have to wait for (a node belongs
 * to an arena, and what is counted and digested must be what is there).
 */
#ifndef KHOB_CORE_GATE_H
#define KHOB_CORE_GATE_H

#include "port.h"

#ifdef __cplusplus
extern "C" {
#endif

extern __u64 khob_gate_closed;

/* Waits until the gate is open, and goes inside of it then. */
void khob_gate_wait(struct khob_slot *slot);

/* Goes inside; waits while the gate is closed. Return: for khob_gate_leave(). No nesting. */
static inline struct khob_slot *khob_gate_enter(void)
{
	struct khob_slot *slot = khob_slot_get();

	/*
	 * Either this is seen by who closes, or it is seen here that the gate is closed:
	 * both sides write first and look afterwards, fully ordered.
	 */
	khob_fetch_add(&slot->inside, 1);
	if (unlikely(khob_load(&khob_gate_closed)))
		khob_gate_wait(slot);
	return slot;
}

static inline void khob_gate_leave(struct khob_slot *slot)
{
	/* Nobody else writes to it, and what was done inside is seen before this is. */
	if (likely(khob_slot_own(slot)))
		khob_store(&slot->inside, khob_load(&slot->inside) - 1);
	else
		khob_fetch_add(&slot->inside, -(u64)1);
	khob_slot_put();
}

/* Waits until nobody is inside and lets nobody in. Not from inside; not for long. */
void khob_gate_close(void);
void khob_gate_open(void);

#ifdef __cplusplus
}
#endif

#endif /* KHOB_CORE_GATE_H */
