// SPDX-License-Identifier: GPL-2.0-only
/*
 * Pages that other modules take over of the kernel before: the calls that they make.
 */
#include "khob/kho_bridge.h"
#include "out/out.h"

struct folio *khob_restore_folio(phys_addr_t phys)
{
	struct folio *folio;
	unsigned int order;

	guard(rwsem_write)(&khob_lock);
	if (khob_out.frozen || !khob_in_held(phys, &order))
		return NULL;
	if (order > (KHOB_COMPOUND ? KHOB_BUDDY_ORDER_MAX : 0))
		return NULL;
	if (khob_in_claim(phys, 1ULL << order))
		return NULL;
	khob_in_take(phys, 1ULL << order);
	folio = khob_in_folio(phys, order);
	khob_update_pin();
	return folio;
}
EXPORT_SYMBOL_GPL(khob_restore_folio);

struct page *khob_restore_pages(phys_addr_t phys, unsigned long nr)
{
	struct page *page = NULL;

	guard(rwsem_write)(&khob_lock);
	if (khob_out.frozen || khob_in_claim(phys, nr))
		return NULL;
	khob_in_take(phys, nr);
	if (!khob_in_live(phys, nr))
		page = pfn_to_page(PHYS_PFN(phys));
	khob_update_pin();
	return page;
}
EXPORT_SYMBOL_GPL(khob_restore_pages);

int khob_restore_free(void *mem)
{
	unsigned int order;
	u64 pa;

	if (!mem)
		return 0;
	if (!virt_addr_valid(mem))
		return -ENOENT;
	pa = __pa(mem);
	guard(rwsem_write)(&khob_lock);
	if (khob_out.frozen || !khob_in_held(pa, &order) || khob_in_claim(pa, 1ULL << order))
		return -ENOENT;
	khob_in_take(pa, 1ULL << order);
	khob_in_free(pa, 1ULL << order);
	khob_update_pin();
	return 0;
}
EXPORT_SYMBOL_GPL(khob_restore_free);

bool khob_is_enabled(void)
{
	return true;
}
EXPORT_SYMBOL_GPL(khob_is_enabled);

bool khob_is_boot(void)
{
	guard(rwsem_write)(&khob_lock);
	return khob_in.boot;
}
EXPORT_SYMBOL_GPL(khob_is_boot);
