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
#include "out/out.h"

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

/* Pages of each order that clients have preserved: the sum over the CPUs. */
static DEFINE_PER_CPU(struct { s64 orders[KHOB_ORDER_MAX + 1]; }, khob_client_counts);

/* Return: 0; or -ENOMEM, and there are none. */
int khob_books_init(void)
{
	unsigned int i;

	for (i = 0; i < KHOB_BOOK_NR; i++) {
		bool frozen = i == KHOB_BOOK_GONE || i == KHOB_BOOK_HELD;
		int ret = khob_radix_init(&khob_out.books[i],
					  frozen ? &khob_frozen_book_ops : &khob_page_ops,
					  NULL, i == KHOB_BOOK_CLIENTS ? KHOB_RADIX_SHARED : 0);

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

bool khob_client_valid(unsigned long pfn, unsigned long nr)
{
	return nr && pfn < khob_end_pfn() && nr <= khob_end_pfn() - pfn;
}

/* Whether the kernel before left any of it and nobody has restored that yet. */
static bool khob_client_unrestored(unsigned long pfn, unsigned long nr)
{
	for (; khob_in.got && nr; pfn++, nr--)
		if (khob_in_kept(PFN_PHYS(pfn), PFN_PHYS(pfn + 1)))
			return true;
	return false;
}

static int khob_client_count(void *ctx, u64 pa, unsigned int order)
{
	const int *sign = ctx;

	this_cpu_add(khob_client_counts.orders[order], *sign);
	return 0;
}

/* Adds how many pages of each order clients have preserved. */
void khob_client_orders(u64 *orders)
{
	unsigned int cpu, order;

	for_each_possible_cpu(cpu)
		for (order = 0; order <= KHOB_ORDER_MAX; order++)
			orders[order] += per_cpu(khob_client_counts, cpu).orders[order];
}

/* Whether clients have preserved anything. */
bool khob_client_any(void)
{
	return khob_out.tree_ready && (!khob_radix_empty(&khob_out.books[KHOB_BOOK_CLIENTS]) ||
				       !khob_radix_empty(&khob_out.books[KHOB_BOOK_CHUNKS]));
}

/* Whether exactly this range was preserved, and is in @book. */
bool khob_client_has(unsigned long pfn, unsigned long nr, enum khob_book book)
{
	u64 key;

	lockdep_assert_held(&khob_lock);
	return khob_client_valid(pfn, nr) && khob_out.tree_ready &&
	       khob_radix_has_range(&khob_out.books[book], pfn, nr, 0) &&
	       khob_radix_has_range(&khob_out.tree, pfn, nr, KHOB_BUDDY_ORDER_MAX) &&
	       !khob_radix_overlap(&khob_out.books[KHOB_BOOK_GONE], pfn, nr, &key);
}

/*
 * Adds a range to what is handed over, the tree being there. It is claimed in the book first,
 * page by page: so of two clients that want the same page at once one is refused.
 */
int khob_client_add(unsigned long pfn, unsigned long nr, enum khob_book book)
{
	int sign = 1, ret;
	u64 key;

	lockdep_assert_held(&khob_lock);
	ret = khob_radix_add_range(&khob_out.books[book], pfn, nr, 0);
	if (ret)
		return ret;
	if (khob_radix_overlap(&khob_out.tree, pfn, nr, &key) || khob_client_unrestored(pfn, nr))
		ret = -EEXIST;
	else
		ret = khob_out_add_range(pfn, nr);
	if (ret)
		khob_radix_del_range(&khob_out.books[book], pfn, nr, 0);
	else
		khob_range_split(pfn, nr, KHOB_BUDDY_ORDER_MAX, khob_client_count, &sign);
	return ret;
}

/* Undoes khob_client_add(). */
static int khob_client_del(unsigned long pfn, unsigned long nr, enum khob_book book)
{
	int sign = -1;
	u64 first;

	lockdep_assert_held(&khob_lock);
	/* Of two that do this at once one goes on. */
	if (khob_key_encode(PFN_PHYS(pfn), 0, &first) ||
	    khob_radix_del(&khob_out.books[book], first))
		return -ENOENT;
	khob_out_del_range(pfn, nr);
	if (nr > 1)
		khob_radix_del_range(&khob_out.books[book], pfn + 1, nr - 1, 0);
	khob_range_split(pfn, nr, KHOB_BUDDY_ORDER_MAX, khob_client_count, &sign);
	if (!khob_client_any())
		WRITE_ONCE(khob_out.slack, true);
	return 0;
}

/**
 * khob_client_preserve() - preserve pages for a client
 * @pfn: the first
 * @nr: how many
 * @book: KHOB_BOOK_CLIENTS; or KHOB_BOOK_CHUNKS for a page to be freed with it
 *
 * Context: process, khob_lock held for writing.
 *
 * Return: 0; -EBUSY, -EEXIST, -EINVAL, -ENOMEM as khob_preserve_pages(), and then
 * nothing changed.
 */
int khob_client_preserve(unsigned long pfn, unsigned long nr, enum khob_book book)
{
	int ret;

	lockdep_assert_held_write(&khob_lock);
	if (!khob_client_valid(pfn, nr))
		return -EINVAL;
	if (khob_out.frozen)
		return -EBUSY;
	ret = khob_out_tree_get();
	if (!ret)
		ret = khob_client_add(pfn, nr, book);
	if (ret)
		return ret;
	ret = khob_out_settle();
	if (ret)
		khob_client_del(pfn, nr, book);
	return ret;
}

/* A chunk goes with its keys. */
static int khob_client_drop(unsigned long pfn, unsigned long nr, enum khob_book book)
{
	int ret = khob_client_del(pfn, nr, book);

	if (!ret && book == KHOB_BOOK_CHUNKS)
		free_page((unsigned long)pfn_to_kaddr(pfn));
	return ret;
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

/*
 * Undoes khob_client_preserve(), and frees a chunk. Context: process, khob_lock held, for
 * writing if frozen. Return: 0 or -ENOENT.
 */
int khob_client_unpreserve(unsigned long pfn, unsigned long nr, enum khob_book book)
{
	lockdep_assert_held(&khob_lock);
	if (!khob_client_has(pfn, nr, book))
		return -ENOENT;
	if (!khob_out.frozen)
		return khob_client_drop(pfn, nr, book);
	khob_radix_add_range(&khob_out.books[KHOB_BOOK_GONE], pfn, nr, KHOB_BUDDY_ORDER_MAX);
	if (book == KHOB_BOOK_CLIENTS && khob_client_hold(pfn, nr))
		khob_radix_add_range(&khob_out.books[KHOB_BOOK_HELD], pfn, nr,
				     KHOB_BUDDY_ORDER_MAX);
	return 0;
}

/* Whether clients have preserved every page that [@start, @end) touches. */
bool khob_client_covers(u64 start, u64 end)
{
	unsigned long pfn = PHYS_PFN(start), last = PHYS_PFN(end - 1);

	lockdep_assert_held(&khob_lock);
	if (!khob_out.tree_ready || start >= end || last >= khob_end_pfn())
		return false;
	for (; pfn <= last; pfn++)
		if (!khob_radix_has_range(&khob_out.books[KHOB_BOOK_CLIENTS], pfn, 1, 0) &&
		    !khob_radix_has_range(&khob_out.books[KHOB_BOOK_CHUNKS], pfn, 1, 0))
			return false;
	return true;
}

static int khob_client_go(void *ctx, u64 key)
{
	enum khob_book book;
	unsigned int order;
	u64 pa;

	cond_resched();
	if (!khob_key_decode(key, &pa, &order)) {
		book = khob_radix_has_range(&khob_out.books[KHOB_BOOK_CHUNKS], PHYS_PFN(pa), 1, 0) ?
		       KHOB_BOOK_CHUNKS : KHOB_BOOK_CLIENTS;
		khob_client_drop(PHYS_PFN(pa), 1UL << order, book);
	}
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
