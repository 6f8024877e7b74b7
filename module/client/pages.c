// SPDX-License-Identifier: GPL-2.0-only
/*
 * Other modules' pages and folios, handed over: the calls that they make.
 *
 * Clients on different CPUs do not wait for each other, unless it is for the same region of
 * memory: they hold khob_lock for reading, and the trees are shared. Who makes something
 * that all of them depend on, or may give such a thing back, comes again with khob_lock
 * held for writing.
 */
#include "khob/kho_bridge.h"
#include "out/out.h"

/*
 * Whether a client may go ahead beside others: there is a tree, nothing is made or given back
 * with it, and the kernel has none of its own. khob_lock is held for reading.
 */
static bool khob_client_beside(void)
{
	return khob_out.tree_ready && khob_is_pinned() && !khob_out.frozen &&
	       !khob_native_source();
}

/* Calls @fn for a range beside others, if that may be. Return: whether; and *@ret. */
static bool khob_client_try(int (*fn)(unsigned long pfn, unsigned long nr, enum khob_kind kind),
			    unsigned long pfn, unsigned long nr, int *ret)
{
	guard(rwsem_read)(&khob_lock);
	if (!khob_client_beside() || !khob_regions_lock(pfn, nr))
		return false;
	*ret = fn(pfn, nr, KHOB_KIND_PAGES);
	khob_regions_unlock(pfn, nr);
	return true;
}

int khob_preserve_pages(struct page *page, unsigned long nr)
{
	unsigned long pfn = page_to_pfn(page);
	bool beside;
	int ret = 0;

	if (!khob_client_valid(pfn, nr))
		return -EINVAL;
	beside = khob_client_try(khob_client_add, pfn, nr, &ret);
	if (beside && (ret || !READ_ONCE(khob_out.unsettled)))
		return ret;
	guard(rwsem_write)(&khob_lock);
	if (beside) {
		ret = khob_out_settle();
		if (ret)
			khob_client_unpreserve(pfn, nr, KHOB_KIND_PAGES);
	} else {
		ret = khob_client_preserve(pfn, nr, KHOB_KIND_PAGES);
	}
	khob_update_pin();
	return ret;
}
EXPORT_SYMBOL_GPL(khob_preserve_pages);

int khob_unpreserve_pages(struct page *page, unsigned long nr)
{
	unsigned long pfn = page_to_pfn(page);
	bool beside;
	int ret = 0;

	if (!khob_client_valid(pfn, nr))
		return -ENOENT;
	beside = khob_client_try(khob_client_unpreserve, pfn, nr, &ret);
	if (beside && !READ_ONCE(khob_out.slack))
		return ret;
	guard(rwsem_write)(&khob_lock);
	if (!beside)
		ret = khob_client_unpreserve(pfn, nr, KHOB_KIND_PAGES);
	khob_update_pin();
	return ret;
}
EXPORT_SYMBOL_GPL(khob_unpreserve_pages);

int khob_preserve_folio(struct folio *folio)
{
	if (folio_order(folio) > KHOB_BUDDY_ORDER_MAX)
		return -EINVAL;
	return khob_preserve_pages(folio_page(folio, 0), folio_nr_pages(folio));
}
EXPORT_SYMBOL_GPL(khob_preserve_folio);

int khob_unpreserve_folio(struct folio *folio)
{
	return khob_unpreserve_pages(folio_page(folio, 0), folio_nr_pages(folio));
}
EXPORT_SYMBOL_GPL(khob_unpreserve_folio);

void *khob_alloc_preserve(size_t size)
{
	struct folio *folio;
	int ret;

	if (!size)
		return ERR_PTR(-EINVAL);
	if (get_order(size) > KHOB_BUDDY_ORDER_MAX)
		return ERR_PTR(-E2BIG);
	folio = folio_alloc(GFP_KERNEL | __GFP_ZERO, get_order(size));
	if (!folio)
		return ERR_PTR(-ENOMEM);
	ret = khob_preserve_folio(folio);
	if (ret) {
		folio_put(folio);
		return ERR_PTR(ret);
	}
	return folio_address(folio);
}
EXPORT_SYMBOL_GPL(khob_alloc_preserve);

int khob_unpreserve_free(void *mem)
{
	struct folio *folio;
	int ret;

	if (!mem)
		return 0;
	if (!virt_addr_valid(mem))
		return -ENOENT;
	folio = virt_to_folio(mem);
	ret = khob_unpreserve_folio(folio);
	if (!ret)
		folio_put(folio);
	return ret;
}
EXPORT_SYMBOL_GPL(khob_unpreserve_free);
