// SPDX-License-Identifier: GPL-2.0-only
/*
 * Whether a tree has any page of a range, whatever the order: keys sort by order first, so
 * that every order that occurs has a run of keys of its own that would do.
 */
#include "radix_node.h"
#include "range.h"

bool khob_radix_overlap(const struct khob_radix *r, u64 pfn, u64 nr, u64 *key)
{
	u64 from = 1;

	if (!nr || pfn >= KHOB_PFN_END || nr > KHOB_PFN_END - pfn)
		return false;
	/* The next key names the next order that occurs; the largest one comes first. */
	while (khob_radix_next(r, from, key)) {
		u64 bit = (u64)1 << khob_last_bit(*key);
		unsigned int order = KHOB_ORDER_0_BIT - khob_last_bit(*key);
		u64 first = bit | pfn >> order, last = bit | (pfn + nr - 1) >> order;

		/* The search ends with the range: most orders have nothing there. */
		if (*key <= last && (*key >= first || khob_next_to(r, first, last, key)))
			return true;
		from = bit << 1;
	}
	return false;
}
