// SPDX-License-Identifier: GPL-2.0-only
/*
 * Physically contiguous memory, found at run time: a window slides down over
 * every zone until alloc_contig_range() can empty it. Nothing is reserved
 * before and nothing stays behind after khob_contig_free().
 */
#include <linux/memory_hotplug.h>
#include <linux/mmzone.h>
#include <linux/nodemask.h>
#include <linux/sched/signal.h>

#include "mem/mem.h"

unsigned long khob_end_pfn(void)
{
	unsigned long end = 0;
	int nid;

	for_each_online_node(nid)
		end = max(end, pgdat_end_pfn(NODE_DATA(nid)));
	return end;
}

/*
 * Whether alloc_contig_range() has a chance with this page. It would find out
 * by itself, at the price of isolating the pageblock and draining every CPU's
 * lists: pages in use that are on no LRU list cannot be migrated (slab, page
 * tables, what this module owns).
 */
static bool khob_page_may_move(struct page *page)
{
	if (PageReserved(page) || PageHuge(page) || PageHWPoison(page))
		return false;
	return !page_ref_count(page) || PageLRU(page) || PageBuddy(page);
}

/*
 * The first page in [@pfn, @pfn + @nr) that spoils the window, or @pfn + @nr.
 * The zone matters: alloc_contig_range() trusts its caller to stay in one. A window may be
 * most of RAM: who is killed has found a page that spoils it.
 */
static unsigned long khob_first_bad(unsigned long pfn, unsigned long nr, struct zone *zone)
{
	unsigned long end = pfn + nr;

	for (; pfn < end; pfn++) {
		struct page *page = pfn_to_online_page(pfn);

		if (!page || page_zone(page) != zone || !khob_page_may_move(page))
			break;
		if (IS_ALIGNED(pfn, 1024)) {
			if (fatal_signal_pending(current))
				break;
			cond_resched();
		}
	}
	return pfn;
}

static bool khob_zone_usable(struct zone *zone)
{
	enum zone_type idx = zone_idx(zone);

	/*
	 * Preserved pages stay where they are for long: that is what
	 * ZONE_MOVABLE must not hold. The first 16 MiB are left to devices.
	 */
	if (!populated_zone(zone) || idx == ZONE_MOVABLE)
		return false;
#ifdef CONFIG_ZONE_DMA
	if (idx == ZONE_DMA)
		return false;
#endif
#ifdef CONFIG_ZONE_DEVICE
	if (idx == ZONE_DEVICE)
		return false;
#endif
	return true;
}

static int khob_contig_try(unsigned long pfn, unsigned long nr)
{
	return alloc_contig_range(pfn, pfn + nr, KHOB_CONTIG_KIND, GFP_KERNEL | __GFP_NOWARN);
}

static bool khob_contig_in_zone(struct zone *zone, unsigned long nr, unsigned long align,
				unsigned long limit, unsigned long *found)
{
	/* After a window that looked good but could not be emptied. */
	unsigned long step = max(align, ALIGN(nr / 8 + 1, align));
	unsigned long start = zone->zone_start_pfn, end = min(zone_end_pfn(zone), limit);
	unsigned long pfn;

	if (end < start || end - start < nr)
		return false;
	for (pfn = ALIGN_DOWN(end - nr, align); pfn >= start;) {
		unsigned long bad = khob_first_bad(pfn, nr, zone);

		if (fatal_signal_pending(current))
			return false;
		cond_resched();
		if (bad == pfn + nr) {
			if (!khob_contig_try(pfn, nr)) {
				*found = pfn;
				return true;
			}
			if (pfn < start + step)
				return false;
			pfn -= step;
		} else {
			if (bad < start + nr)
				return false;
			pfn = ALIGN_DOWN(bad - nr, align);
		}
	}
	return false;
}

/**
 * khob_contig_alloc_at() - physically contiguous pages of a part of memory
 * @nr: pages
 * @align: alignment in pages, a power of two
 * @where: which part
 * @pfn: first page
 *
 * Each page has a reference of its own, as after split_page(). Context:
 * process, may sleep long (it migrates pages and compacts).
 *
 * Return: 0; -ENOMEM if no zone has such a piece; -EINTR if killed.
 */
int khob_contig_alloc_at(unsigned long nr, unsigned long align, const struct khob_where *where,
			 unsigned long *pfn)
{
	int nid, i;

	/* High zones first: the low ones are what the incoming kernel is short of. */
	for (i = MAX_NR_ZONES - 1; i >= 0; i--) {
		for_each_online_node(nid) {
			struct zone *zone = &NODE_DATA(nid)->node_zones[i];

			if (where->nid != NUMA_NO_NODE && where->nid != nid)
				continue;
			if (khob_zone_usable(zone) &&
			    khob_contig_in_zone(zone, nr, align, where->end, pfn))
				return 0;
			if (fatal_signal_pending(current))
				return -EINTR;
		}
	}
	return -ENOMEM;
}

int khob_contig_alloc(unsigned long nr, unsigned long align, unsigned long *pfn)
{
	const struct khob_where anywhere = { .end = ULONG_MAX, .nid = NUMA_NO_NODE };

	return khob_contig_alloc_at(nr, align, &anywhere, pfn);
}

/**
 * khob_contig_take() - exactly these pages
 * @pfn: first page
 * @nr: pages
 *
 * Return: 0, or -EBUSY if they are not all RAM of one zone that can be emptied.
 */
int khob_contig_take(unsigned long pfn, unsigned long nr)
{
	struct page *page = pfn_to_online_page(pfn);

	if (!page || !khob_zone_usable(page_zone(page)) ||
	    khob_first_bad(pfn, nr, page_zone(page)) != pfn + nr)
		return -EBUSY;
	return khob_contig_try(pfn, nr) ? -EBUSY : 0;
}

/*
 * How many of these pages are in the way of taking them all; ULONG_MAX if they are not all
 * RAM of one zone that may be used.
 */
unsigned long khob_contig_pinned(unsigned long pfn, unsigned long nr)
{
	struct page *first = pfn_to_online_page(pfn);
	unsigned long end = pfn + nr, pinned = 0;

	if (!first || !khob_zone_usable(page_zone(first)))
		return ULONG_MAX;
	for (; pfn < end; pfn++) {
		struct page *page = pfn_to_online_page(pfn);

		if (!page || page_zone(page) != page_zone(first))
			return ULONG_MAX;
		if (!khob_page_may_move(page))
			pinned++;
	}
	return pinned;
}

/*
 * A page that has broken in the meantime may have a reference of the kernel's, which keeps
 * it out of use: free_contig_range() would complain of that. Ours goes.
 */
void khob_contig_free(unsigned long pfn, unsigned long nr)
{
	unsigned long end = pfn + nr, from = pfn;

	for (; pfn < end; pfn++) {
		if (IS_ALIGNED(pfn, 1024))
			cond_resched();
		if (!PageHWPoison(pfn_to_page(pfn)))
			continue;
		free_contig_range(from, pfn - from);
		__free_page(pfn_to_page(pfn));
		from = pfn + 1;
	}
	free_contig_range(from, end - from);
}

/* The longest run of pages in @zone that may move, from an aligned one on, if above @most. */
static unsigned long khob_contig_run(struct zone *zone, unsigned long align,
				     const struct khob_where *where, unsigned long most)
{
	unsigned long end = min(zone_end_pfn(zone), where->end);
	unsigned long pfn = ALIGN(zone->zone_start_pfn, align), bad;

	for (; pfn < end && !fatal_signal_pending(current); pfn = ALIGN(bad + 1, align)) {
		bad = khob_first_bad(pfn, end - pfn, zone);
		most = max(most, bad - pfn);
		cond_resched();
	}
	return most;
}

/**
 * khob_contig_largest() - no piece can be had that is larger than this, in pages
 * @nr: a size that could not be had
 * @align: alignment in pages, a power of two
 * @where: where it could not be had
 *
 * A figure for an error message: nothing is moved to find out how much of it there really is.
 */
unsigned long khob_contig_largest(unsigned long nr, unsigned long align,
				  const struct khob_where *where)
{
	unsigned long most = 0;
	int nid, i;

	for (i = MAX_NR_ZONES - 1; i >= 0; i--) {
		for_each_online_node(nid) {
			struct zone *zone = &NODE_DATA(nid)->node_zones[i];

			if (khob_zone_usable(zone) &&
			    (where->nid == NUMA_NO_NODE || where->nid == nid))
				most = khob_contig_run(zone, align, where, most);
		}
	}
	return min(most, nr - 1);
}
