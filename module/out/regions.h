/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Regions of memory: what those who add and drop clients' pages beside others share of each.
 */
#ifndef KHOB_OUT_REGIONS_H
#define KHOB_OUT_REGIONS_H

#include <linux/cache.h>
#include <linux/mutex.h>

#include "core/hint.h"

/* Pages of a region: those whose keys of order 0 are one leaf, which so is one region's only. */
#define KHOB_REGION_PAGES ((unsigned long)KHOB_LEAF_BITS)
#define KHOB_REGION_LOCKS 64

/**
 * struct khob_region - what every region whose number modulo KHOB_REGION_LOCKS is the same shares
 * @lock: whoever adds, drops or looks for pages of them has it, or khob_lock for writing; so
 *	he also has what follows
 * @tops: bits of the orders > 0, in a key, of which there may be pages in them
 * @online: the subsection of memory, plus 1, that a page is of to which there is a reference: none
 *	of that can go offline; 0 for none
 * @pages: the leaf of khob_out.tree that was used last, of order 0
 * @marks: the leaf of khob_out.owners that was used last
 */
struct khob_region {
	struct mutex lock; /* of all else here, see above */
	u64 tops;
	unsigned long online;
	struct khob_hint pages;
	struct khob_hint marks;
} ____cacheline_aligned_in_smp;

extern struct khob_region khob_regions[KHOB_REGION_LOCKS];

static inline struct khob_region *khob_region_of(unsigned long pfn)
{
	return &khob_regions[pfn / KHOB_REGION_PAGES % KHOB_REGION_LOCKS];
}

void khob_regions_init(void);
void khob_regions_note(unsigned long pfn, unsigned long nr);
void khob_regions_let_go(unsigned long pfn, unsigned long nr);
void khob_regions_forget(const void *node);
void khob_regions_reset(void);

#endif /* KHOB_OUT_REGIONS_H */
