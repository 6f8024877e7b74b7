// SPDX-License-Identifier: GPL-2.0-only
/*
 * What other modules take over of the kernel before.
 */
#include "khob.h"

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
	folio = khob_ram_folio(phys, order);
	khob_update_pin();
	return folio;
}
EXPORT_SYMBOL_GPL(khob_restore_folio);

struct page *khob_restore_pages(phys_addr_t phys, unsigned long nr)
{
	guard(rwsem_write)(&khob_lock);
	if (khob_out.frozen || khob_in_claim(phys, nr))
		return NULL;
	khob_in_take(phys, nr);
	khob_ram_live(phys, nr);
	khob_update_pin();
	return pfn_to_page(PHYS_PFN(phys));
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
	khob_ram_free(pa, 1ULL << order);
	khob_update_pin();
	return 0;
}
EXPORT_SYMBOL_GPL(khob_restore_free);

int khob_retrieve_subtree(const char *name, phys_addr_t *phys, size_t *size)
{
	struct khob_in_subtree *sub;

	if (!name || !phys)
		return -EINVAL;
	guard(rwsem_write)(&khob_lock);
	sub = khob_in_subtree(name);
	if (!sub || khob_in.state != KHOB_IN_ATTACHED)
		return -ENOENT;
	*phys = sub->pa;
	if (size)
		*size = sub->len;
	return 0;
}
EXPORT_SYMBOL_GPL(khob_retrieve_subtree);

int khob_release_subtree(const char *name)
{
	struct khob_target target = { .what = KHOB_WHAT_SUBTREE };
	int ret;

	if (strscpy(target.name, name, sizeof(target.name)) < 0)
		return -ENOENT;
	guard(rwsem_write)(&khob_lock);
	ret = khob_in_release(&target);
	khob_update_pin();
	return ret;
}
EXPORT_SYMBOL_GPL(khob_release_subtree);

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
