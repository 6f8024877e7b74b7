// SPDX-License-Identifier: GPL-2.0-only
/*
 * Leaves that are remembered: how one is found, see hint.h.
 */
#include "hint.h"

bool khob_hint_find(const struct khob_radix *r, struct khob_hint *hint, u64 key)
{
	unsigned int kind = r->flags;
	struct khob_node *leaf;
	struct khob_slot *slot;

	if (!khob_counted(kind) || !khob_key_valid(kind, key))
		return false;
	/* The way there may be taken away by those who delete other keys, the leaf may not. */
	slot = khob_enter(kind);
	leaf = khob_leaf(r, key);
	khob_leave(kind, slot);
	if (!leaf)
		return false;
	*hint = (struct khob_hint) {
		.prefix = (key >> KHOB_LEAF_LOG2) + 1,
		.leaf = leaf,
		.used = khob_node_used(leaf),
	};
	return true;
}
