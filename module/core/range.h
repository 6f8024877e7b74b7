/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * From keys to physical ranges and back: maximal ranges out of a tree, and the
 * largest aligned orders out of a range.
 */
#ifndef KHOB_CORE_RANGE_H
#define KHOB_CORE_RANGE_H

#include "radix.h"

#ifdef __cplusplus
extern "C" {
#endif

/**
 * struct khob_range_iter - merges the orders of a tree by physical address
 *
 * Keys sort by order first; one cursor an order gives physical order without
 * sorting. The tree must not change while the iterator is in use.
 */
struct khob_range_iter {
	const struct khob_radix *r;
	u64 head[KHOB_ORDER_MAX + 1]; /* next pa of each order; U64_MAX: no more */
};

void khob_range_iter_init(struct khob_range_iter *it, const struct khob_radix *r);

/**
 * khob_range_iter_next() - the next maximal range [*@start, *@end), in bytes
 *
 * Ranges ascend and neither touch nor overlap. A range that reaches the end of
 * the 64-bit space has *@end == 0.
 *
 * Return: false when there is none left.
 */
bool khob_range_iter_next(struct khob_range_iter *it, u64 *start, u64 *end);

/**
 * khob_range_split() - split [@start, @end) into the largest aligned orders
 * @start: physical address in bytes, page aligned
 * @end: exclusive, page aligned, > @start
 * @max_order: no piece is larger
 * @fn: called for each piece, ascending; a value other than 0 ends the split
 *
 * Preserve and unpreserve both use this, so that a range always maps to the
 * same keys. Return: 0, -EINVAL for a bad range, or what @fn returned.
 */
int khob_range_split(u64 start, u64 end, unsigned int max_order,
		     int (*fn)(void *ctx, u64 pa, unsigned int order), void *ctx);

#ifdef __cplusplus
}
#endif

#endif /* KHOB_CORE_RANGE_H */
