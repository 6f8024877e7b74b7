/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Pages into one compound page, as the allocator's own prep_compound_page()
 * does, which no kernel exports. Where the fields are that it sets has changed:
 * compound.mk looks into the target's headers (KHOB_HAVE_*), and what matches neither
 * layout has no khob_prep_compound() and KHOB_COMPOUND 0.
 */
#ifndef KHOB_COMPOUND_H
#define KHOB_COMPOUND_H

#include <linux/mm.h>
#include <linux/page-flags.h>
#include <linux/poison.h>

static inline void khob_set_compound_head(struct page *tail, struct page *head,
					  unsigned int order)
{
#ifdef KHOB_HAVE_COMPOUND_INFO
	set_compound_head(tail, head, order);
#else
	set_compound_head(tail, head);
#endif
}

#if defined(KHOB_HAVE_COMPOUND_DTOR) && !defined(KHOB_HAVE_SUBPAGES_MAPCOUNT)
#define KHOB_COMPOUND 1
/* 6.1, not 6.2: all is in the first tail page, and mm.h has a function for each field. */
static inline void khob_prep_compound_head(struct page *head, unsigned int order)
{
	set_compound_page_dtor(head, COMPOUND_PAGE_DTOR);
	set_compound_order(head, order);
	atomic_set(compound_mapcount_ptr(head), -1);
	atomic_set(compound_pincount_ptr(head), 0);
}
#elif defined(KHOB_HAVE_LARGE_MAPCOUNT) && defined(CONFIG_64BIT)
#define KHOB_COMPOUND 1
/* 6.10 and later: struct folio names the fields; the order is _flags_1's lowest byte. */
static inline void khob_prep_compound_head(struct page *head, unsigned int order)
{
	struct folio *folio = (struct folio *)head;

	folio->_flags_1 = (folio->_flags_1 & ~0xffUL) | order;
#if defined(KHOB_HAVE_FOLIO_NR_PAGES)
	folio->_folio_nr_pages = 1U << order;
#elif defined(NR_PAGES_IN_LARGE_FOLIO)
	folio->_nr_pages = 1U << order;
#endif
	atomic_set(&folio->_large_mapcount, -1);
	atomic_set(&folio->_entire_mapcount, -1);
	atomic_set(&folio->_nr_pages_mapped, 0);
	atomic_set(&folio->_pincount, 0);
#if defined(KHOB_HAVE_MM_IDS) && defined(CONFIG_MM_ID)
	folio->_mm_ids = 0;
	folio->_mm_id_mapcount[0] = -1;
	folio->_mm_id_mapcount[1] = -1;
#endif
	if (order > 1)
		INIT_LIST_HEAD(&folio->_deferred_list);
}
#else
#define KHOB_COMPOUND 0
static inline void khob_prep_compound_head(struct page *head, unsigned int order)
{
}
#endif

/* @head: of 2^@order pages, @order > 0, that nobody uses and that are not reserved */
static inline void khob_prep_compound(struct page *head, unsigned int order)
{
	unsigned long i;

	__folio_set_head((struct folio *)head);
	/* The tails first: what the head has to say overlays the fields of some. */
	for (i = 1; i < 1UL << order; i++) {
		head[i].mapping = TAIL_MAPPING;
		set_page_private(head + i, 0);
		khob_set_compound_head(head + i, head, order);
	}
	khob_prep_compound_head(head, order);
}

#endif /* KHOB_COMPOUND_H */
