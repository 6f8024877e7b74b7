// SPDX-License-Identifier: GPL-2.0-only
/*
 * A kernel with KHO of its own has taken the handover before this module came:
 * its boot code reserved every page that the tree names and noted in the first
 * one's struct page that it is preserved, and of which order. So there are no
 * intervals; what lies between preserved pages was never lost. Pages become live
 * only through the kernel, which owns those notes.
 */
#include <linux/kexec_handover.h>
#include <linux/memory_hotplug.h>

#include "core/native_note.h"
#include "in/in.h"

bool khob_native_boot(void)
{
	return is_kho_boot();
}

/**
 * khob_native_order() - whether a page that the kernel holds begins at @pa
 * @pa: physical address; nothing is assumed of it
 * @order: its order, if one does
 */
bool khob_native_order(u64 pa, unsigned int *order)
{
	unsigned long pfn = PHYS_PFN(pa);
	struct page *page;

	if (!is_kho_boot() || pfn >= khob_end_pfn())
		return false;
	page = pfn_to_online_page(pfn);
	if (!page || PageCompound(page) || PageLRU(page))
		return false;
	return khob_native_note(page_private(page), order) &&
	       IS_ALIGNED(pfn, 1UL << *order) && khob_end_pfn() - pfn >= 1UL << *order;
}

/**
 * khob_native_holds() - whether the kernel holds a page that covers @pa
 * @pa: physical address; nothing is assumed of it
 * @start: physical address at which that page begins
 * @order: its order
 */
bool khob_native_holds(u64 pa, u64 *start, unsigned int *order)
{
	unsigned int o;

	for (o = 0; o <= KHOB_BUDDY_ORDER_MAX; o++) {
		*start = ALIGN_DOWN(pa, PAGE_SIZE << o);
		if (khob_native_order(*start, order) && *order >= o)
			return true;
	}
	return false;
}

/* Pages become live. What matters is what the kernel has just given, nothing else. */

/**
 * khob_native_live() - have the kernel make pages that it holds live
 * @pa: physical address of the first
 * @nr: pages: whole keys
 *
 * Return: 0, and each page has a reference that is the caller's; -ENOENT if one of them is not
 * held: then those in front of it are free.
 */
int khob_native_live(u64 pa, u64 nr)
{
	u64 at, end = pa + (nr << PAGE_SHIFT);
	unsigned int order;

	for (at = pa; at < end; at += PAGE_SIZE << order) {
		if (!khob_native_order(at, &order) || (PAGE_SIZE << order) > end - at ||
		    !kho_restore_pages(at, 1UL << order)) {
			khob_native_put(pa, PHYS_PFN(at - pa));
			return -ENOENT;
		}
		cond_resched();
	}
	return 0;
}

struct folio *khob_native_folio(u64 pa)
{
	unsigned int order;

	return khob_native_order(pa, &order) ? kho_restore_folio(pa) : NULL;
}

/* Frees pages that khob_native_live() has given. */
void khob_native_put(u64 pa, u64 nr)
{
	unsigned long pfn = PHYS_PFN(pa);
	u64 i;

	for (i = 0; i < nr; i++) {
		__free_page(pfn_to_page(pfn + i));
		cond_resched();
	}
}

/* Makes pages live and frees them, key by key, as far as the kernel holds them. */
void khob_native_free(u64 pa, u64 nr)
{
	u64 end = pa + (nr << PAGE_SHIFT);
	unsigned int order;

	for (; pa < end; pa += PAGE_SIZE << order) {
		if (!khob_native_order(pa, &order) || (PAGE_SIZE << order) > end - pa)
			order = 0;
		else if (!khob_native_live(pa, 1ULL << order))
			khob_native_put(pa, 1ULL << order);
	}
}
