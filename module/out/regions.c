// SPDX-License-Identifier: GPL-2.0-only
/*
 * Who adds and drops clients' pages beside others is alone with these pages: memory is divided
 * into regions, and they share a few locks. What has more regions than two is rare and
 * large, and is for who holds khob_lock for writing.
 */
#include "out/out.h"
#include "out/regions.h"

struct khob_region khob_regions[KHOB_REGION_LOCKS];

void khob_regions_init(void)
{
	unsigned int i;

	for (i = 0; i < KHOB_REGION_LOCKS; i++)
		mutex_init(&khob_regions[i].lock);
}

/* The locks of a range of two regions at most. */
static void khob_regions_of(unsigned long pfn, unsigned long nr, struct mutex **first,
			    struct mutex **second)
{
	unsigned long a = pfn / KHOB_REGION_PAGES % KHOB_REGION_LOCKS;
	unsigned long b = (pfn + nr - 1) / KHOB_REGION_PAGES % KHOB_REGION_LOCKS;

	*first = &khob_regions[min(a, b)].lock;
	*second = a == b ? NULL : &khob_regions[max(a, b)].lock;
}

/**
 * khob_regions_lock() - keep others who do so away from a range
 * @pfn: the first page
 * @nr: how many; khob_client_valid()
 *
 * Return: false if it has too many regions, and nothing is locked.
 */
bool khob_regions_lock(unsigned long pfn, unsigned long nr)
{
	struct mutex *first, *second;

	if ((pfn + nr - 1) / KHOB_REGION_PAGES - pfn / KHOB_REGION_PAGES > 1)
		return false;
	khob_regions_of(pfn, nr, &first, &second);
	mutex_lock(first);
	if (second)
		mutex_lock_nested(second, SINGLE_DEPTH_NESTING);
	return true;
}

void khob_regions_unlock(unsigned long pfn, unsigned long nr)
{
	struct mutex *first, *second;

	khob_regions_of(pfn, nr, &first, &second);
	if (second)
		mutex_unlock(second);
	mutex_unlock(first);
}

/* How many of the locks a range has; they follow each other from its first page's on. */
static unsigned long khob_regions_nr(unsigned long pfn, unsigned long nr)
{
	return min((pfn + nr - 1) / KHOB_REGION_PAGES - pfn / KHOB_REGION_PAGES + 1,
		   (unsigned long)KHOB_REGION_LOCKS);
}

static int khob_regions_add_order(void *ctx, u64 pa, unsigned int order)
{
	u64 *tops = ctx;

	if (order)
		*tops |= 1ULL << (KHOB_ORDER_0_BIT - order);
	return 0;
}

/* To be called before a range is added to khob_out.tree, as its keys are. */
void khob_regions_note(unsigned long pfn, unsigned long nr)
{
	unsigned long i;
	u64 tops = 0;

	if (nr == 1)
		return;
	khob_range_split(pfn, nr, KHOB_BUDDY_ORDER_MAX, khob_regions_add_order, &tops);
	for (i = 0; i < khob_regions_nr(pfn, nr); i++)
		khob_region_of(pfn + i * KHOB_REGION_PAGES)->tops |= tops;
}

/* To be called before references to a range's pages are given back. */
void khob_regions_let_go(unsigned long pfn, unsigned long nr)
{
	unsigned long i;

	for (i = 0; i < khob_regions_nr(pfn, nr); i++)
		khob_region_of(pfn + i * KHOB_REGION_PAGES)->online = 0;
}

/*
 * A node is freed. Only a region's own leaf is remembered there, and whoever frees that has the
 * region; all others are looked at and left as they are.
 */
void khob_regions_forget(const void *node)
{
	unsigned int i;

	for (i = 0; i < KHOB_REGION_LOCKS; i++) {
		if (READ_ONCE(khob_regions[i].pages.leaf) == node)
			khob_hint_forget(&khob_regions[i].pages, node);
		if (READ_ONCE(khob_regions[i].marks.leaf) == node)
			khob_hint_forget(&khob_regions[i].marks, node);
	}
}

/* There is no tree any more. */
void khob_regions_reset(void)
{
	unsigned int i;

	lockdep_assert_held_write(&khob_lock);
	for (i = 0; i < KHOB_REGION_LOCKS; i++)
		khob_regions[i].tops = 0;
}
