// SPDX-License-Identifier: GPL-2.0-only
/*
 * Other modules' pages, handed over. A range is one struct khob_folio a piece, so
 * that preserving and unpreserving it split alike; a folio is always one piece.
 *
 * Once a kernel is loaded nothing changes any more, yet a client that unpreserves
 * frees its pages next. So each of them gets a reference, which keeps it as it is
 * until the kexec, or until thaw, when it really goes.
 */
#include "khob.h"

/* Whether anything that is preserved already shares pages with [@pfn, @pfn + @nr). */
static bool khob_client_overlaps(unsigned long pfn, unsigned long nr)
{
	unsigned long head = pfn;
	unsigned int order;

	if (xa_find(&khob_out.folios, &head, pfn + nr - 1, XA_PRESENT))
		return true;
	for (order = 1; order <= KHOB_BUDDY_ORDER_MAX; order++) {
		const struct khob_folio *f;

		f = xa_load(&khob_out.folios, ALIGN_DOWN(pfn, 1UL << order));
		if (f && f->order >= order)
			return true;
	}
	return false;
}

/* Whether the kernel before left any of it and nobody has restored that yet. */
static bool khob_client_unrestored(unsigned long pfn, unsigned long nr)
{
	for (; khob_in.nr_ranges && nr; pfn++, nr--)
		if (khob_in_kept(PFN_PHYS(pfn), PFN_PHYS(pfn + 1)))
			return true;
	return false;
}

struct khob_client_range {
	enum khob_owner owner;
	u64 done;
};

static int khob_client_add(void *ctx, u64 pa, unsigned int order)
{
	struct khob_folio *f = kzalloc(sizeof(*f), GFP_KERNEL);
	struct khob_client_range *range = ctx;
	int ret;

	cond_resched();
	if (!f)
		return -ENOMEM;
	f->pa = pa;
	f->order = order;
	f->owner = range->owner;
	ret = khob_folio_insert(f);
	if (ret) {
		kfree(f);
		return ret;
	}
	range->done = pa + (PAGE_SIZE << order);
	return 0;
}

static struct folio *khob_client_folio(const struct khob_folio *f, unsigned long i)
{
	return page_folio(pfn_to_page(PHYS_PFN(f->pa) + i));
}

/* A reference to each page of a piece, or none where that cannot be. */
static bool khob_client_hold(const struct khob_folio *f)
{
	unsigned long i;

	for (i = 0; i < 1UL << f->order; i++) {
		if (folio_try_get(khob_client_folio(f, i)))
			continue;
		while (i--)
			folio_put(khob_client_folio(f, i));
		return false;
	}
	return true;
}

static void khob_client_drop(struct khob_folio *f)
{
	unsigned long i;

	for (i = 0; f->held && i < 1UL << f->order; i++)
		folio_put(khob_client_folio(f, i));
	khob_folio_drop(f);
}

static int khob_client_del(void *ctx, u64 pa, unsigned int order)
{
	struct khob_folio *f = xa_load(&khob_out.folios, PHYS_PFN(pa));

	cond_resched();
	if (!khob_out.frozen) {
		khob_client_drop(f);
		return 0;
	}
	f->gone = true;
	if (f->owner == KHOB_OWNER_CLIENT)
		f->held = khob_client_hold(f);
	return 0;
}

static int khob_client_check(void *ctx, u64 pa, unsigned int order)
{
	struct khob_folio *f = xa_load(&khob_out.folios, PHYS_PFN(pa));
	const enum khob_owner *owner = ctx;

	return f && f->order == order && f->owner == *owner && !f->gone ? 0 : -ENOENT;
}

/* Whether exactly this range was preserved for @owner. */
bool khob_client_has(unsigned long pfn, unsigned long nr, enum khob_owner owner)
{
	u64 start = PFN_PHYS(pfn);

	if (!nr || pfn >= khob_end_pfn() || nr > khob_end_pfn() - pfn)
		return false;
	return !khob_range_split(start, start + PFN_PHYS(nr), KHOB_BUDDY_ORDER_MAX,
				 khob_client_check, &owner);
}

/**
 * khob_client_preserve() - preserve pages for a client
 * @pfn: the first
 * @nr: how many
 * @owner: KHOB_OWNER_CLIENT; or KHOB_OWNER_CHUNK for a page to be freed with it
 *
 * Context: process, khob_lock held.
 *
 * Return: 0; -EBUSY, -EEXIST, -EINVAL, -ENOMEM as khob_preserve_pages(), and then
 * nothing changed.
 */
int khob_client_preserve(unsigned long pfn, unsigned long nr, enum khob_owner owner)
{
	u64 start = PFN_PHYS(pfn);
	struct khob_client_range range = { .owner = owner, .done = start };
	int ret;

	lockdep_assert_held(&khob_lock);
	if (!nr || pfn >= khob_end_pfn() || nr > khob_end_pfn() - pfn)
		return -EINVAL;
	if (khob_out.frozen)
		return -EBUSY;
	if (khob_client_overlaps(pfn, nr) || khob_client_unrestored(pfn, nr))
		return -EEXIST;
	ret = khob_range_split(start, start + PFN_PHYS(nr), KHOB_BUDDY_ORDER_MAX,
			       khob_client_add, &range);
	if (ret && range.done > start) {
		struct khob_folio *f;
		unsigned long head;

		/* Not khob_client_del(): a chunk is still its caller's to free. */
		xa_for_each_range(&khob_out.folios, head, f, pfn, PHYS_PFN(range.done) - 1) {
			f->owner = KHOB_OWNER_CLIENT;
			khob_client_drop(f);
		}
	}
	return ret;
}

/* Undoes khob_client_preserve(), and frees a chunk. Return: 0 or -ENOENT. */
int khob_client_unpreserve(unsigned long pfn, unsigned long nr, enum khob_owner owner)
{
	u64 start = PFN_PHYS(pfn);

	lockdep_assert_held(&khob_lock);
	if (!khob_client_has(pfn, nr, owner))
		return -ENOENT;
	return khob_range_split(start, start + PFN_PHYS(nr), KHOB_BUDDY_ORDER_MAX,
				khob_client_del, NULL);
}

/* Whether clients have preserved every page that [@start, @end) touches. */
bool khob_client_covers(u64 start, u64 end)
{
	unsigned long pfn = PHYS_PFN(start), last = PHYS_PFN(end - 1);

	while (pfn <= last) {
		const struct khob_folio *f;
		unsigned int order;
		bool found = false;

		for (order = 0; order <= KHOB_BUDDY_ORDER_MAX && !found; order++) {
			f = xa_load(&khob_out.folios, ALIGN_DOWN(pfn, 1UL << order));
			found = f && f->order >= order && khob_is_clients(f->owner);
		}
		if (!found)
			return false;
		pfn = PHYS_PFN(f->pa) + (1UL << f->order);
	}
	return true;
}

/* What clients have unpreserved while a kernel was loaded. */
void khob_client_thaw(void)
{
	struct khob_folio *f;
	unsigned long pfn;

	xa_for_each(&khob_out.folios, pfn, f) {
		if (f->gone)
			khob_client_drop(f);
		cond_resched();
	}
}

int khob_preserve_pages(struct page *page, unsigned long nr)
{
	int ret;

	guard(mutex)(&khob_lock);
	ret = khob_client_preserve(page_to_pfn(page), nr, KHOB_OWNER_CLIENT);
	khob_update_pin();
	return ret;
}
EXPORT_SYMBOL_GPL(khob_preserve_pages);

int khob_unpreserve_pages(struct page *page, unsigned long nr)
{
	int ret;

	guard(mutex)(&khob_lock);
	ret = khob_client_unpreserve(page_to_pfn(page), nr, KHOB_OWNER_CLIENT);
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
