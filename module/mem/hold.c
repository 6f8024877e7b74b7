// SPDX-License-Identifier: GPL-2.0-only
/*
 * References to pages that others own: as long as there is one, what its owner frees stays
 * as it is. A folio has one for all of its pages that a range has.
 */
#include <linux/memory_hotplug.h>

#include "mem/mem.h"

/*
 * The folio that @page is of, if a reference keeps that page as it is. Not so: a page
 * of the boot code's, which nobody frees; slab, whose objects come and go within the page;
 * and what a balloon has given away.
 */
static struct folio *khob_holdable(struct page *page)
{
	struct folio *folio = page_folio(page);

	if (PageReserved(page) || folio_test_slab(folio) || PageOffline(page))
		return NULL;
	return folio;
}

static unsigned long khob_folio_end(struct folio *folio)
{
	return folio_pfn(folio) + folio_nr_pages(folio);
}

/* As khob_hold(), of one page, which is known to be online. Return: whether there is one. */
bool khob_hold_page(struct page *page)
{
	struct folio *folio = khob_holdable(page);

	return folio && folio_try_get(folio);
}

/* Gives back what khob_hold() has taken for the same range. */
void khob_unhold(unsigned long pfn, unsigned long nr)
{
	unsigned long at = pfn, end = pfn + nr, yield = pfn;

	while (at < end) {
		struct folio *folio = page_folio(pfn_to_page(at));

		if (at >= yield) {
			cond_resched();
			yield = at + PAGES_PER_SUBSECTION;
		}
		at = khob_folio_end(folio);
		folio_put(folio);
	}
}

/**
 * khob_hold() - take references to the pages of a range
 * @pfn: the first
 * @nr: how many, > 0
 *
 * Fails where a reference would not keep a page: beside what khob_holdable() refuses these
 * are pages without one of their own, such as all but the first of a high order that are no
 * compound page, free ones, and what is no RAM of the kernel's.
 *
 * Context: process; may sleep.
 *
 * Return: 0; -EINVAL, and there are none.
 */
int khob_hold(unsigned long pfn, unsigned long nr)
{
	unsigned long at = pfn, end = pfn + nr, online = pfn;

	while (at < end) {
		struct folio *folio;

		/* A subsection is the smallest part of memory that is there or is not. */
		if (at >= online) {
			cond_resched();
			online = ALIGN(at + 1, PAGES_PER_SUBSECTION);
			if (!pfn_to_online_page(at))
				break;
		}
		folio = khob_holdable(pfn_to_page(at));
		if (!folio || !folio_try_get(folio))
			break;
		at = khob_folio_end(folio);
	}
	if (at >= end)
		return 0;
	khob_unhold(pfn, at - pfn);
	return -EINVAL;
}
