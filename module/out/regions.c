// SPDX-License-Identifier: GPL-2.0-only
/*
 * Who adds and drops clients' pages beside others is alone with these pages: memory is divided
 * into regions, and they share a few locks. What has more regions than two is rare and
 * large, and is for who holds khob_lock for writing.
 */
#include <linux/cache.h>
#include <linux/mutex.h>

#include "out/out.h"

#define KHOB_REGION_PAGES (SZ_32M / PAGE_SIZE)
#define KHOB_REGION_LOCKS 64

static struct {
	struct mutex lock; /* of every region whose number modulo KHOB_REGION_LOCKS is this */
} ____cacheline_aligned_in_smp khob_regions[KHOB_REGION_LOCKS];

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
