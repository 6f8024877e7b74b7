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
	return khob_out.tree_ready && khob_out.pinned && !khob_out.frozen && !khob_out.native;
}

/*
 * Calls @fn for a range beside others, if that may be; khob_lock is held for reading. Return:
 * whether; and *@ret.
 */
static bool khob_client_try(int (*fn)(unsigned long pfn, unsigned long nr, enum khob_kind kind),
			    unsigned long pfn, unsigned long nr, int *ret)
{
	if (!khob_client_beside() || !khob_regions_lock(pfn, nr))
		return false;
	*ret = fn(pfn, nr, KHOB_KIND_PAGES);
	khob_regions_unlock(pfn, nr);
	return true;
}

static int khob_preserve_alone(unsigned long pfn, unsigned long nr)
{
	int ret;

	CLASS(khob_user_lock, killed)();
	if (killed)
		return killed;
	ret = khob_client_preserve(pfn, nr, KHOB_KIND_PAGES);
	khob_update_pin();
	return ret;
}

/* Half of it is done: now it is ended one way or the other, whoever is being killed. */
static int khob_settle_alone(unsigned long pfn, unsigned long nr)
{
	int ret;

	guard(khob_write)();
	ret = khob_out_settle();
	if (ret)
		khob_client_unpreserve(pfn, nr, KHOB_KIND_PAGES);
	khob_update_pin();
	return ret;
}

/* Pages of which there are many go the short way, if nothing rare is with them. */
static int khob_preserve_single(unsigned long pfn)
{
	int ret = khob_read_lock_killable();

	if (ret)
		return ret;
	ret = khob_client_beside() ? khob_single_add(pfn) : KHOB_SINGLE_RARE;
	khob_read_unlock();
	return ret;
}

static int khob_unpreserve_single(unsigned long pfn)
{
	int ret;

	khob_read_lock();
	ret = khob_client_beside() ? khob_single_drop(pfn) : KHOB_SINGLE_RARE;
	khob_read_unlock();
	return ret;
}

static int khob_preserve_range(unsigned long pfn, unsigned long nr)
{
	bool added;
	int ret;

	if (!khob_client_valid(pfn, nr))
		return -EINVAL;
	ret = khob_read_lock_killable();
	if (ret)
		return ret;
	added = khob_client_try(khob_client_add, pfn, nr, &ret);
	khob_read_unlock();
	if (!added)
		return khob_preserve_alone(pfn, nr);
	if (!ret && READ_ONCE(khob_out.unsettled))
		return khob_settle_alone(pfn, nr);
	if (ret && READ_ONCE(khob_out.slack)) {
		guard(khob_write)();
		khob_update_pin();
	}
	return ret;
}

int khob_preserve_pages(struct page *page, unsigned long nr)
{
	unsigned long pfn = page_to_pfn(page);
	int ret = KHOB_SINGLE_RARE;

	if (likely(nr == 1))
		ret = khob_preserve_single(pfn);
	return likely(ret != KHOB_SINGLE_RARE) ? ret : khob_preserve_range(pfn, nr);
}
EXPORT_SYMBOL_GPL(khob_preserve_pages);

static int khob_unpreserve_range(unsigned long pfn, unsigned long nr)
{
	bool beside;
	int ret = 0;

	if (!khob_client_valid(pfn, nr))
		return -ENOENT;
	scoped_guard(khob_read)
		beside = khob_client_try(khob_client_unpreserve, pfn, nr, &ret);
	if (beside && !READ_ONCE(khob_out.slack))
		return ret;
	guard(khob_write)();
	if (!beside)
		ret = khob_client_unpreserve(pfn, nr, KHOB_KIND_PAGES);
	khob_update_pin();
	return ret;
}

int khob_unpreserve_pages(struct page *page, unsigned long nr)
{
	unsigned long pfn = page_to_pfn(page);
	int ret = KHOB_SINGLE_RARE;

	if (likely(nr == 1))
		ret = khob_unpreserve_single(pfn);
	return likely(ret != KHOB_SINGLE_RARE) ? ret : khob_unpreserve_range(pfn, nr);
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
