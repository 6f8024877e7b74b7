/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * From page ranges to keys and back: a range is split into the largest aligned orders,
 * and a tree is read as maximal physical ranges. Ranges are a pfn and a number of pages:
 * all of the 64-bit physical space is pfn 0 and KHOB_PFN_END pages.
 */
#ifndef KHOB_CORE_RANGE_H
#define KHOB_CORE_RANGE_H

#include "radix.h"

#ifdef __cplusplus
extern "C" {
#endif

/* The first page frame number behind the 64-bit physical space. */
#define KHOB_PFN_END ((u64)1 << (64 - KHOB_PAGE_SHIFT))

/**
 * khob_radix_add_range() - add the keys of pages [@pfn, @pfn + @nr), or none
 * @r: the tree
 * @pfn: the first page
 * @nr: pages, > 0
 * @max_order: no key is of a larger order; 0..KHOB_ORDER_MAX
 *
 * As khob_range_split() splits it, but the pieces of one order at once.
 *
 * Return: 0; -EINVAL for a bad range; -EEXIST if any of these very keys is present;
 * -ENOMEM; then the tree is what it was.
 */
int khob_radix_add_range(struct khob_radix *r, u64 pfn, u64 nr, unsigned int max_order);

/**
 * khob_radix_del_range() - delete the keys that khob_radix_add_range() adds for the same
 * @r: the tree
 * @pfn: the first page
 * @nr: pages, > 0
 * @max_order: as it was added with
 *
 * Return: 0; -EINVAL; -ENOENT if any of them is absent, and then nothing changed.
 */
int khob_radix_del_range(struct khob_radix *r, u64 pfn, u64 nr, unsigned int max_order);

/**
 * khob_radix_has_range() - whether the keys that khob_radix_add_range() adds are there
 * @r: the tree
 * @pfn: the first page
 * @nr: pages, > 0
 * @max_order: no key is of a larger order
 *
 * Return: false also if the range is no range.
 */
bool khob_radix_has_range(struct khob_radix *r, u64 pfn, u64 nr, unsigned int max_order);

/**
 * khob_radix_overlap() - look for a page that shares memory with [@pfn, @pfn + @nr)
 * @r: the tree
 * @pfn: the first page
 * @nr: pages, > 0
 * @key: the key found, of the largest order that has one
 *
 * Return: false if there is none, or if the range is no range.
 */
bool khob_radix_overlap(const struct khob_radix *r, u64 pfn, u64 nr, u64 *key);

/* The same, but only of the orders whose bit in a key, KHOB_ORDER_0_BIT - order, is in @tops. */
bool khob_radix_overlap_of(const struct khob_radix *r, u64 tops, u64 pfn, u64 nr, u64 *key);

/**
 * struct khob_range_iter - merges the orders of a tree by physical address
 * @r: the tree
 * @pos: the first page that was not looked at yet
 * @changes: of the tree when the cursors were set
 * @nr: orders with pages at or behind @pos
 * @order: which ones
 * @first: of each of those, the key that the next run of keys begins with
 * @last: where that run ends
 * @keys: how many there are from @first to @last: all, but where gaps are passed over
 * @leaf: the node that @last is in
 * @slack: pages that a gap may have that is passed over
 *
 * Keys sort by order first; one cursor an order gives physical order without sorting.
 */
struct khob_range_iter {
	const struct khob_radix *r;
	u64 pos;
	u64 changes;
	unsigned int nr;
	u8 order[KHOB_ORDER_MAX + 1];
	u64 first[KHOB_ORDER_MAX + 1];
	u64 last[KHOB_ORDER_MAX + 1];
	u64 keys[KHOB_ORDER_MAX + 1];
	const struct khob_node *leaf[KHOB_ORDER_MAX + 1];
	u64 slack;
};

/* Begins at page @pfn; a range that begins below is seen from there on. */
void khob_range_iter_init(struct khob_range_iter *it, const struct khob_radix *r, u64 pfn);

/**
 * khob_range_iter_next() - the next maximal range [*@pfn, *@pfn + *@nr)
 *
 * Ranges ascend and neither touch nor overlap. The tree may change in between: what
 * lies behind the last range is then read anew.
 *
 * Return: false when there is none left.
 */
bool khob_range_iter_next(struct khob_range_iter *it, u64 *pfn, u64 *nr);

/**
 * khob_extent_iter_init() - begin to read a tree as extents: ranges with gaps
 * @it: the iterator
 * @r: the tree, which nobody changes meanwhile
 * @slack: pages; gaps of up to so many may be passed over, but need not be
 *
 * Where single pages lie close together this takes a word of the tree, 64 keys, at a time.
 */
void khob_extent_iter_init(struct khob_range_iter *it, const struct khob_radix *r, u64 slack);

/**
 * khob_extent_iter_next() - the next extent [*@pfn, *@pfn + *@nr), with *@held pages of the tree
 * @it: the iterator
 * @pfn: its first page, which is in the tree, as its last is
 * @nr: pages
 * @held: those of them that are in the tree
 *
 * Extents ascend and neither touch nor overlap.
 *
 * Return: false when there is none left.
 */
bool khob_extent_iter_next(struct khob_range_iter *it, u64 *pfn, u64 *nr, u64 *held);

/**
 * khob_radix_walk_ranges() - call @fn for every maximal range below @end, ascending
 * @it: where to begin, and afterwards where to go on
 * @end: first page that is not looked at; KHOB_PFN_END for all. A range that goes on
 *	there is cut, and the rest comes when the walk goes on.
 * @fn: may add and delete keys
 * @ctx: for @fn
 *
 * Return: 0, or the first value other than 0 that @fn returned.
 */
int khob_radix_walk_ranges(struct khob_range_iter *it, u64 end,
			   int (*fn)(void *ctx, u64 pfn, u64 nr), void *ctx);

/**
 * khob_range_split() - split [@pfn, @pfn + @nr) into the largest aligned orders
 * @pfn: the first page
 * @nr: pages, > 0
 * @max_order: no piece is larger
 * @fn: called for each piece, ascending; a value other than 0 ends the split
 * @ctx: for @fn
 *
 * Preserve and unpreserve both use this, so that a range always maps to the
 * same keys. Return: 0, -EINVAL for a bad range, or what @fn returned.
 */
int khob_range_split(u64 pfn, u64 nr, unsigned int max_order,
		     int (*fn)(void *ctx, u64 pa, unsigned int order), void *ctx);

#ifdef __cplusplus
}
#endif

#endif /* KHOB_CORE_RANGE_H */
