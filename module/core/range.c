// SPDX-License-Identifier: GPL-2.0-only
/*
 * Keys to maximal physical ranges and ranges to aligned orders. Keys sort by
 * order before address (KHO ABI: the order bit is the key's highest), so the
 * ranges of a tree are the merge of one ascending sequence an order.
 */
#include "range.h"

#define KHOB_NO_PA U64_MAX /* no page address: those are multiples of a page's size */

/* The last byte of a page; the page of the highest order ends the 64-bit space. */
static u64 khob_page_last(u64 pa, unsigned int order)
{
	unsigned int shift = KHOB_PAGE_SHIFT + order;

	return shift >= 64 ? U64_MAX : pa + (((u64)1 << shift) - 1);
}

/* Moves the cursor of @order to its first page at or behind @pa. */
static void khob_range_seek(struct khob_range_iter *it, unsigned int order, u64 pa)
{
	unsigned int found;
	u64 key;

	it->head[order] = KHOB_NO_PA;
	if (khob_key_encode(pa, order, &key) || !khob_radix_next(it->r, key, &key) ||
	    khob_key_decode(key, &pa, &found) || found != order)
		return;
	it->head[order] = pa;
}

void khob_range_iter_init(struct khob_range_iter *it, const struct khob_radix *r)
{
	unsigned int order;

	it->r = r;
	for (order = 0; order <= KHOB_ORDER_MAX; order++)
		khob_range_seek(it, order, 0);
}

bool khob_range_iter_next(struct khob_range_iter *it, u64 *start, u64 *end)
{
	u64 first = KHOB_NO_PA, last;
	unsigned int order;
	bool grown;

	for (order = 0; order <= KHOB_ORDER_MAX; order++)
		if (it->head[order] < first)
			first = it->head[order];
	if (first == KHOB_NO_PA)
		return false;

	/* Nothing starts below @first, so what touches [first, last] extends it upwards. */
	last = first;
	do {
		grown = false;
		for (order = 0; order <= KHOB_ORDER_MAX; order++) {
			u64 pa = it->head[order];

			while (pa != KHOB_NO_PA && (pa <= last || pa - 1 == last)) {
				u64 page_last = khob_page_last(pa, order);

				if (page_last > last)
					last = page_last;
				grown = true;
				if (page_last == U64_MAX)
					it->head[order] = KHOB_NO_PA;
				else
					khob_range_seek(it, order, page_last + 1);
				pa = it->head[order];
			}
		}
	} while (grown);

	*start = first;
	*end = last + 1; /* 0 behind the last byte of the 64-bit space */
	return true;
}

int khob_range_split(u64 start, u64 end, unsigned int max_order,
		     int (*fn)(void *ctx, u64 pa, unsigned int order), void *ctx)
{
	const u64 in_page = KHOB_PAGE_SIZE - 1;

	if (start >= end || ((start | end) & in_page))
		return -EINVAL;

	while (start < end) {
		unsigned int order = khob_last_bit(end - start) - KHOB_PAGE_SHIFT;
		int err;

		if (start && khob_first_bit(start) - KHOB_PAGE_SHIFT < order)
			order = khob_first_bit(start) - KHOB_PAGE_SHIFT;
		if (order > max_order)
			order = max_order;
		err = fn(ctx, start, order);
		if (err)
			return err;
		/* At most @end - @start: no overflow, and order is below 52 here. */
		start += (u64)KHOB_PAGE_SIZE << order;
	}
	return 0;
}
