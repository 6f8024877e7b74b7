// SPDX-License-Identifier: GPL-2.0-only
/*
 * Single pages of clients', of which there are millions: what owners.c and tree.c do for a range,
 * in as few steps as one page needs. What is rare is not done here: it is told, and goes the
 * long way.
 */
#include <linux/memory_hotplug.h>

#include "out/marks.h"
#include "out/out.h"
#include "out/regions.h"

static u64 khob_single_key(unsigned long pfn)
{
	return 1ULL << KHOB_ORDER_0_BIT | pfn;
}

/* Whether both leaves that have something of a page are there, and remembered. */
static bool khob_single_leaves(struct khob_region *region, u64 key, u64 mark)
{
	return khob_hint_leaf(&khob_out.tree, &region->pages, key) &&
	       khob_hint_leaf(&khob_out.owners, &region->marks, mark);
}

/* Whether a page, of any order, has @pfn already. */
static bool khob_single_preserved(struct khob_region *region, unsigned long pfn, u64 key)
{
	return *khob_hint_word(&region->pages, key) >> (key % 64) & 1 ||
	       (unlikely(region->tops) &&
		khob_radix_overlap_of(&khob_out.tree, region->tops, pfn, 1, &key));
}

static int khob_single_add_here(struct khob_region *region, unsigned long pfn)
{
	unsigned long part = pfn / PAGES_PER_SUBSECTION + 1;
	u64 key = khob_single_key(pfn), mark = khob_mark_key(pfn, KHOB_MARK_ONLY);

	/* A subsection is the smallest part of memory that is there or is not. */
	if ((unlikely(region->online != part) && !pfn_to_online_page(pfn)) ||
	    !khob_single_leaves(region, key, mark))
		return KHOB_SINGLE_RARE;
	if (khob_single_preserved(region, pfn, key) || khob_client_unrestored(pfn, 1))
		return -EEXIST;
	if (!khob_hold_page(pfn_to_page(pfn)))
		return -EINVAL;
	region->online = part;
	khob_hint_add(&khob_out.tree, &region->pages, key);
	khob_hint_add(&khob_out.owners, &region->marks, mark);
	this_cpu_inc(khob_client_counts.orders[0]);
	return 0;
}

/**
 * khob_single_add() - as khob_client_add(), of one page
 * @pfn: the page; nothing is assumed of it
 *
 * Nothing that it does has to be settled. Context: process, khob_lock held for reading, not
 * frozen, the source not native, the tree there.
 *
 * Return: as khob_client_add(); KHOB_SINGLE_RARE, and nothing changed: ask that.
 */
int khob_single_add(unsigned long pfn)
{
	struct khob_region *region = khob_region_of(pfn);
	int ret;

	lockdep_assert_held(&khob_lock);
	mutex_lock(&region->lock);
	ret = khob_single_add_here(region, pfn);
	mutex_unlock(&region->lock);
	return ret;
}

static int khob_single_drop_here(struct khob_region *region, unsigned long pfn)
{
	u64 key = khob_single_key(pfn), mark = khob_mark_key(pfn, KHOB_MARK_ONLY);

	if (!khob_single_leaves(region, key, mark) || !khob_hint_many(&region->pages) ||
	    !khob_hint_many(&region->marks) ||
	    khob_marks_of(*khob_hint_word(&region->marks, mark), mark) != BIT(KHOB_MARK_ONLY))
		return KHOB_SINGLE_RARE;
	khob_hint_del(&khob_out.owners, &region->marks, mark);
	khob_hint_del(&khob_out.tree, &region->pages, key);
	this_cpu_dec(khob_client_counts.orders[0]);
	region->online = 0;
	return 0;
}

/**
 * khob_single_drop() - as khob_client_unpreserve(), of one page
 * @pfn: the page; nothing is assumed of it
 *
 * Nothing can be given back after it but the page. Context: as khob_single_add().
 *
 * Return: 0; KHOB_SINGLE_RARE, and nothing changed: ask khob_client_unpreserve().
 */
int khob_single_drop(unsigned long pfn)
{
	struct khob_region *region = khob_region_of(pfn);
	int ret;

	lockdep_assert_held(&khob_lock);
	if (pfn >> KHOB_ORDER_0_BIT)
		return KHOB_SINGLE_RARE;
	mutex_lock(&region->lock);
	ret = khob_single_drop_here(region, pfn);
	mutex_unlock(&region->lock);
	if (!ret)
		folio_put(page_folio(pfn_to_page(pfn)));
	return ret;
}
