// SPDX-License-Identifier: GPL-2.0-only
/*
 * Other modules' pages, handed over. What is known of them besides their keys in the
 * outgoing tree is which of these keys are whose: that is kept in trees of the same
 * kind, a bit a page, so that a range costs no more here than there.
 *
 * Once a kernel is loaded nothing changes any more, yet a client that unpreserves
 * frees its pages next. So each of them gets a reference, which keeps it as it is
 * until the kexec, or until thaw, when it really goes.
 */
#include "khob.h"

/* A client that unpreserves frees its pages next: that must not be forgotten. */
static void *khob_book_alloc_node(void *ctx, u64 *pa)
{
	void *node = (void *)__get_free_page(GFP_KERNEL | __GFP_NOFAIL);

	*pa = __pa(node);
	return node;
}

static void khob_book_free_node(void *ctx, void *node, u64 pa)
{
	khob_page_ops.free_node(ctx, node, pa);
}

static const struct khob_radix_ops khob_frozen_book_ops = {
	.alloc_node = khob_book_alloc_node,
	.free_node = khob_book_free_node,
};

/* Return: 0; or -ENOMEM, and there are none. */
int khob_books_init(void)
{
	unsigned int i;

	for (i = 0; i < KHOB_BOOK_NR; i++) {
		bool frozen = i == KHOB_BOOK_GONE || i == KHOB_BOOK_HELD;
		int ret = khob_radix_init(&khob_out.books[i],
					  frozen ? &khob_frozen_book_ops : &khob_page_ops,
					  NULL, 0);

		if (ret) {
			khob_books_destroy();
			return ret;
		}
	}
	return 0;
}

void khob_books_destroy(void)
{
	unsigned int i;

	for (i = 0; i < KHOB_BOOK_NR; i++)
		khob_radix_destroy(&khob_out.books[i]);
}

static bool khob_client_valid(unsigned long pfn, unsigned long nr)
{
	return nr && pfn < khob_end_pfn() && nr <= khob_end_pfn() - pfn;
}

/* Whether the kernel before left any of it and nobody has restored that yet. */
static bool khob_client_unrestored(unsigned long pfn, unsigned long nr)
{
	for (; khob_in.nr_ranges && nr; pfn++, nr--)
		if (khob_in_kept(PFN_PHYS(pfn), PFN_PHYS(pfn + 1)))
			return true;
	return false;
}

static int khob_client_count(void *ctx, u64 pa, unsigned int order)
{
	const int *sign = ctx;

	khob_out_count(order, *sign);
	return 0;
}

static void khob_client_counts(unsigned long pfn, unsigned long nr, int sign)
{
	khob_range_split(pfn, nr, KHOB_BUDDY_ORDER_MAX, khob_client_count, &sign);
}

static int khob_client_check(void *ctx, u64 pa, unsigned int order)
{
	const enum khob_book *book = ctx;
	u64 key;
	int ret = khob_key_encode(pa, order, &key);

	if (!ret && (!khob_radix_has(&khob_out.books[*book], key) ||
		     khob_radix_has(&khob_out.books[KHOB_BOOK_GONE], key)))
		ret = -ENOENT;
	return ret;
}

/* Whether exactly this range was preserved, and is in @book. */
bool khob_client_has(unsigned long pfn, unsigned long nr, enum khob_book book)
{
	lockdep_assert_held(&khob_lock);
	return khob_client_valid(pfn, nr) && khob_out.tree_ready &&
	       !khob_range_split(pfn, nr, KHOB_BUDDY_ORDER_MAX, khob_client_check, &book);
}

/**
 * khob_client_preserve() - preserve pages for a client
 * @pfn: the first
 * @nr: how many
 * @book: KHOB_BOOK_CLIENTS; or KHOB_BOOK_CHUNKS for a page to be freed with it
 *
 * Context: process, khob_lock held.
 *
 * Return: 0; -EBUSY, -EEXIST, -EINVAL, -ENOMEM as khob_preserve_pages(), and then
 * nothing changed.
 */
int khob_client_preserve(unsigned long pfn, unsigned long nr, enum khob_book book)
{
	u64 key;
	int ret;

	lockdep_assert_held(&khob_lock);
	if (!khob_client_valid(pfn, nr))
		return -EINVAL;
	if (khob_out.frozen)
		return -EBUSY;
	ret = khob_out_tree_get();
	if (ret)
		return ret;
	if (khob_radix_overlap(&khob_out.tree, pfn, nr, &key) || khob_client_unrestored(pfn, nr))
		return -EEXIST;
	ret = khob_radix_add_range(&khob_out.books[book], pfn, nr, KHOB_BUDDY_ORDER_MAX);
	if (ret)
		return ret;
	ret = khob_out_preserve_range(pfn, nr);
	if (ret)
		khob_radix_del_range(&khob_out.books[book], pfn, nr, KHOB_BUDDY_ORDER_MAX);
	else
		khob_client_counts(pfn, nr, 1);
	return ret;
}

static int khob_client_del(unsigned long pfn, unsigned long nr, enum khob_book book)
{
	int ret = khob_radix_del_range(&khob_out.books[book], pfn, nr, KHOB_BUDDY_ORDER_MAX);

	if (ret)
		return ret;
	khob_out_unpreserve_range(pfn, nr);
	khob_client_counts(pfn, nr, -1);
	if (book == KHOB_BOOK_CHUNKS)
		free_page((unsigned long)pfn_to_kaddr(pfn));
	return 0;
}

/* A reference to each page of a range, or none where that cannot be. */
static bool khob_client_hold(unsigned long pfn, unsigned long nr)
{
	unsigned long i;

	for (i = 0; i < nr; i++) {
		if (folio_try_get(page_folio(pfn_to_page(pfn + i))))
			continue;
		while (i--)
			folio_put(page_folio(pfn_to_page(pfn + i)));
		return false;
	}
	return true;
}

/* Undoes khob_client_preserve(), and frees a chunk. Return: 0 or -ENOENT. */
int khob_client_unpreserve(unsigned long pfn, unsigned long nr, enum khob_book book)
{
	lockdep_assert_held(&khob_lock);
	if (!khob_client_has(pfn, nr, book))
		return -ENOENT;
	if (!khob_out.frozen)
		return khob_client_del(pfn, nr, book);
	khob_radix_add_range(&khob_out.books[KHOB_BOOK_GONE], pfn, nr, KHOB_BUDDY_ORDER_MAX);
	if (book == KHOB_BOOK_CLIENTS && khob_client_hold(pfn, nr))
		khob_radix_add_range(&khob_out.books[KHOB_BOOK_HELD], pfn, nr,
				     KHOB_BUDDY_ORDER_MAX);
	return 0;
}

/* Whether clients have preserved every page that [@start, @end) touches. */
bool khob_client_covers(u64 start, u64 end)
{
	u64 pa = start;

	lockdep_assert_held(&khob_lock);
	while (pa && pa < end) {
		unsigned int order;
		u64 key;

		if (!khob_out.tree_ready ||
		    (!khob_radix_overlap(&khob_out.books[KHOB_BOOK_CLIENTS], PHYS_PFN(pa), 1,
					 &key) &&
		     !khob_radix_overlap(&khob_out.books[KHOB_BOOK_CHUNKS], PHYS_PFN(pa), 1,
					 &key)) ||
		    khob_key_decode(key, &pa, &order))
			return false;
		pa += PAGE_SIZE << order;
	}
	return true;
}

static int khob_client_go(void *ctx, u64 key)
{
	enum khob_book book = khob_radix_has(&khob_out.books[KHOB_BOOK_CHUNKS], key) ?
			      KHOB_BOOK_CHUNKS : KHOB_BOOK_CLIENTS;
	unsigned int order;
	u64 pa;

	cond_resched();
	if (!khob_key_decode(key, &pa, &order))
		khob_client_del(PHYS_PFN(pa), 1UL << order, book);
	return khob_radix_del(&khob_out.books[KHOB_BOOK_GONE], key);
}

static int khob_client_put(void *ctx, u64 key)
{
	unsigned int order;
	unsigned long i;
	u64 pa;

	cond_resched();
	for (i = 0; !khob_key_decode(key, &pa, &order) && i < 1UL << order; i++)
		folio_put(page_folio(pfn_to_page(PHYS_PFN(pa) + i)));
	return khob_radix_del(&khob_out.books[KHOB_BOOK_HELD], key);
}

/* What clients have unpreserved while a kernel was loaded. */
void khob_client_thaw(void)
{
	if (!khob_out.tree_ready)
		return;
	khob_radix_walk(&khob_out.books[KHOB_BOOK_GONE], 0, U64_MAX, khob_client_go, NULL);
	khob_radix_walk(&khob_out.books[KHOB_BOOK_HELD], 0, U64_MAX, khob_client_put, NULL);
}

int khob_preserve_pages(struct page *page, unsigned long nr)
{
	int ret;

	guard(mutex)(&khob_lock);
	ret = khob_client_preserve(page_to_pfn(page), nr, KHOB_BOOK_CLIENTS);
	khob_update_pin();
	return ret;
}
EXPORT_SYMBOL_GPL(khob_preserve_pages);

int khob_unpreserve_pages(struct page *page, unsigned long nr)
{
	int ret;

	guard(mutex)(&khob_lock);
	ret = khob_client_unpreserve(page_to_pfn(page), nr, KHOB_BOOK_CLIENTS);
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
