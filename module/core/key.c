// SPDX-License-Identifier: GPL-2.0-only
/* Keys: the order and the physical address of a page in one number (KHO ABI). */
#include "radix_node.h"

unsigned int khob_key_index(u64 key, unsigned int level)
{
	return level < KHOB_TREE_DEPTH ? khob_index(key, level) : 0;
}

int khob_key_encode(u64 pa, unsigned int order, u64 *key)
{
	unsigned int shift = KHOB_PAGE_SHIFT + order;

	if (order > KHOB_ORDER_MAX)
		return -EINVAL;
	/*
	 * KHO ABI: key = order bit | pa >> (S + o). The one page of the highest
	 * order is the whole 64-bit space, where both shifts would be by 64.
	 */
	if (shift >= 64) {
		if (pa)
			return -EINVAL;
		*key = 1;
		return 0;
	}
	if (pa & (((u64)1 << shift) - 1))
		return -EINVAL;
	*key = ((u64)1 << (KHOB_ORDER_0_BIT - order)) | (pa >> shift);
	return 0;
}

int khob_key_decode(u64 key, u64 *pa, unsigned int *order)
{
	unsigned int bit;

	/* KHO ABI: the highest set bit is the order's, so 0 is no key. */
	if (!key || key > KHOB_KEY_MAX)
		return -EINVAL;
	bit = khob_last_bit(key);
	*order = KHOB_ORDER_0_BIT - bit;
	*pa = bit ? (key ^ ((u64)1 << bit)) << (KHOB_PAGE_SHIFT + *order) : 0;
	return 0;
}
