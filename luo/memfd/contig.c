// SPDX-License-Identifier: GPL-2.0-only
/*
 * Contiguous memory for pages that are to lie together: a window slides down over a node's zones
 * until alloc_contig_range() can empty it. Nothing is reserved before, and what is not used goes
 * back at once.
 */
#include <linux/memory_hotplug.h>
#include <linux/mmzone.h>
#include <linux/sched/signal.h>

#include "memfd/memfd.h"

/* Windows that look good and cannot be emptied, before a smaller one is looked for. */
#define LUO_CONTIG_TRIES 64

/* A smaller piece is no gain; a file of fewer pages is taken whole. */
#define LUO_CONTIG_MIN LUO_RUN

/*
 * Whether alloc_contig_range() can be expected to get this page. It finds out by itself, but only
 * after it has isolated the pageblock, drained every CPU's lists and migrated what can be: what is
 * pinned, as pages are that other files have preserved, would make that happen again and again.
 */
static bool luo_contig_free(struct page *page, const struct luo_scatter *keep)
{
	if (PageReserved(page) || PageHuge(page) || PageHWPoison(page))
		return false;
	if (!page_ref_count(page) || PageBuddy(page))
		return true;
	if (!PageLRU(page))
		return false;
	/* What has been gathered must not make room. */
	if (keep && page_folio(page)->mapping == keep->mapping &&
	    !luo_scatter_has(keep, page_to_pfn(page)))
		return false;
	/* The page cache, what hangs on the page, and each mapping have one reference. */
	return PageCompound(page) ||
	       page_ref_count(page) <= 1 + folio_test_private(page_folio(page)) +
				       atomic_read(&page->_mapcount) + 1;
}

/* The first page of a window that spoils it, or its end. */
static unsigned long luo_contig_spoilt(struct zone *zone, unsigned long pfn, unsigned long nr,
				       const struct luo_scatter *keep)
{
	unsigned long end = pfn + nr;

	for (; pfn < end; pfn++) {
		struct page *page = pfn_to_online_page(pfn);

		/* alloc_contig_range() relies on its caller to stay in a zone. */
		if (!page || page_zone(page) != zone || !luo_contig_free(page, keep))
			break;
		if (IS_ALIGNED(pfn, 1024))
			cond_resched();
	}
	return pfn;
}

static bool luo_contig_in_zone(struct zone *zone, unsigned long nr, const struct luo_scatter *keep,
			       unsigned long *found)
{
	/* What is in the way is in a pageblock, or there is more of it. */
	unsigned long step = max(pageblock_nr_pages, ALIGN(nr / 8, pageblock_nr_pages));
	unsigned long align = min(roundup_pow_of_two(nr), LUO_RUN);
	unsigned long start = zone->zone_start_pfn, end = zone_end_pfn(zone);
	unsigned int tries = LUO_CONTIG_TRIES;

	while (end >= start + nr && tries && !fatal_signal_pending(current)) {
		unsigned long pfn = ALIGN_DOWN(end - nr, align), spoilt;

		if (pfn < start)
			break;
		spoilt = luo_contig_spoilt(zone, pfn, nr, keep);
		if (spoilt < pfn + nr) {
			end = spoilt;
			continue;
		}
		if (!luo_contig(pfn, nr)) {
			*found = pfn;
			return true;
		}
		end = pfn + nr > step ? pfn + nr - step : 0;
		tries--;
	}
	return false;
}

static bool luo_contig_zone(struct zone *zone)
{
	enum zone_type idx = zone_idx(zone);

	/* What is preserved stays where it is for long, and devices need the first 16 MiB. */
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

static bool luo_contig_in_node(int nid, unsigned long nr, const struct luo_scatter *keep,
			       unsigned long *found)
{
	int i;

	/* High zones first: the low ones are what a kernel that is loaded is short of. */
	for (i = MAX_NR_ZONES - 1; i >= 0; i--) {
		struct zone *zone = &NODE_DATA(nid)->node_zones[i];

		if (luo_contig_zone(zone) && luo_contig_in_zone(zone, nr, keep, found))
			return true;
	}
	return false;
}

/**
 * luo_contig_take() - the largest piece of contiguous memory that can be had
 * @contig: the piece
 * @nid: node that it is of
 * @nr: pages that are wanted; it has no more
 * @keep: a file of which only pages in short runs may have to move elsewhere; NULL: any
 *
 * Context: may sleep long, it migrates pages.
 *
 * Return: 0; -ENOMEM if there is none that is worth it; -EINTR if killed.
 */
int luo_contig_take(struct luo_contig *contig, int nid, unsigned long nr,
		    const struct luo_scatter *keep)
{
	unsigned long least = min(nr, LUO_CONTIG_MIN);

	*contig = (struct luo_contig) {};
	for (; nr >= least; nr /= 2) {
		bool found = luo_contig_in_node(nid, nr, keep, &contig->pfn);

		if (fatal_signal_pending(current)) {
			contig->nr = found ? nr : 0;
			luo_contig_give(contig);
			return -EINTR;
		}
		if (found) {
			contig->nr = nr;
			return 0;
		}
	}
	return -ENOMEM;
}

/**
 * luo_contig_next() - the next page
 * @contig: a piece that is not full
 *
 * Return: it, with one reference, which is the caller's.
 */
struct folio *luo_contig_next(struct luo_contig *contig)
{
	unsigned long pfn;

	if (!contig->nr_again)
		return pfn_folio(contig->pfn + contig->used++);
	pfn = contig->holes[--contig->nr_again];
	contig->holes[contig->nr_again] = contig->holes[--contig->nr_holes];
	return pfn_folio(pfn);
}

/**
 * luo_contig_spoil() - a page was not used after all, and is free
 * @contig: the piece
 * @pfn: its page
 */
void luo_contig_spoil(struct luo_contig *contig, unsigned long pfn)
{
	if (contig->nr_holes < LUO_CONTIG_HOLES)
		contig->holes[contig->nr_holes++] = pfn;
}

/**
 * luo_contig_give() - give back what is not used
 * @contig: the piece, which then is full
 */
void luo_contig_give(struct luo_contig *contig)
{
	while (contig->nr_again)
		folio_put(luo_contig_next(contig));
	for (; contig->nr > contig->used; contig->nr--) {
		__free_page(pfn_to_page(contig->pfn + contig->nr - 1));
		cond_resched();
	}
}

/**
 * luo_contig_settle() - have every CPU let go of pages that wait in lists of its own
 * @contig: a piece that is not full
 *
 * Pages on their way to and between LRU lists have a reference more meanwhile. None of the
 * functions that end this is exported, but alloc_contig_range() begins with it: the last page is
 * given back and taken again, unless somebody else has it by then. So are the holes.
 */
void luo_contig_settle(struct luo_contig *contig)
{
	unsigned int i;

	if (contig->used < contig->nr) {
		unsigned long last = contig->pfn + --contig->nr;

		__free_page(pfn_to_page(last));
		if (!luo_contig(last, 1))
			contig->nr++;
	}
	for (i = contig->nr_again; i < contig->nr_holes; i++) {
		if (luo_contig(contig->holes[i], 1))
			continue;
		swap(contig->holes[i], contig->holes[contig->nr_again]);
		contig->nr_again++;
	}
}
