// SPDX-License-Identifier: GPL-2.0-only
/*
 * Whether a tree has any page of a range, whatever the order: keys sort by order first, so
 * that every order that occurs has a run of keys of its own that would do.
 */
#include "radix_node.h"
#include "range.h"

bool khob_radix_overlap(const struct khob_radix *r, u64 pfn, u64 nr, u64 *key)
{
	u64 tops = khob_counted(r->flags) ? khob_load(&r->tops) : KHOB_KEY_MAX;

	return khob_radix_overlap_of(r, tops, pfn, nr, key);
}

bool khob_radix_overlap_of(const struct khob_radix *r, u64 tops, u64 pfn, u64 nr, u64 *key)
{
	struct khob_slot *slot;
	bool found = false;

	if (!nr || pfn >= KHOB_PFN_END || nr > KHOB_PFN_END - pfn)
		return false;
	slot = khob_enter(r->flags);
	for (; tops && !found; tops &= tops - 1) {
		unsigned int order = KHOB_ORDER_0_BIT - khob_first_bit(tops);
		u64 bit = tops & -tops;

		found = khob_next_to(r, bit | pfn >> order, bit | (pfn + nr - 1) >> order, key);
	}
	khob_leave(r->flags, slot);
	return found;
}
