// SPDX-License-Identifier: GPL-2.0-only
/*
 * Whose the pages are that other modules hand over: a map of ranges, each as it was
 * preserved. What one call has preserved is undone by one call or not at all. Each
 * range has references to its pages (mem/hold.c): a client that unpreserves frees its
 * pages next, and what was loaded meanwhile is handed over as it was.
 *
 * The map is a tree of the same kind as the outgoing one, with KHOB_MARKS bits for each
 * page, of which a range sets two however long it is, and one that is a single page sets
 * one. Single pages are what there are millions of, and a bit is less to write and to
 * keep than what any map has that keeps ranges as such.
 */
#include "out/marks.h"
#include "out/out.h"
#include "out/regions.h"

/**
 * struct khob_owned - what one call has preserved
 * @pfn: the first page
 * @nr: how many
 * @kind: what they are
 * @gone: unpreserved while frozen
 */
struct khob_owned {
	unsigned long pfn;
	unsigned long nr;
	enum khob_kind kind;
	bool gone;
};

DEFINE_PER_CPU(struct khob_counts, khob_client_counts);

static unsigned long khob_mark_pfn(u64 key)
{
	return (key & ~BIT_ULL(KHOB_ORDER_0_BIT)) / KHOB_MARKS;
}

static unsigned int khob_marks_at(unsigned long pfn)
{
	u64 key = khob_mark_key(pfn, 0);

	return khob_marks_of(khob_radix_word(&khob_out.owners, key), key);
}

/* The range that begins at @pfn. Return: false if none does. */
static bool khob_owned_at(unsigned long pfn, struct khob_owned *range)
{
	unsigned int marks = khob_marks_at(pfn);
	u64 last;

	*range = (struct khob_owned) {
		.pfn = pfn,
		.nr = 1,
		.kind = marks & BIT(KHOB_MARK_LAST) ? KHOB_KIND_CHUNK : KHOB_KIND_PAGES,
		.gone = marks & BIT(KHOB_MARK_GONE),
	};
	if (marks & BIT(KHOB_MARK_ONLY))
		return true;
	if (!(marks & BIT(KHOB_MARK_FIRST)))
		return false;
	/* Between a range's first page and its last nothing is marked. */
	if (range->kind == KHOB_KIND_PAGES &&
	    khob_radix_next(&khob_out.owners, khob_mark_key(pfn + 1, 0), &last))
		range->nr = khob_mark_pfn(last) - pfn + 1;
	return true;
}

/* Return: 0; or -ENOMEM, and nothing is marked. */
static int khob_owned_mark(const struct khob_owned *range)
{
	u64 first = khob_mark_key(range->pfn, KHOB_MARK_FIRST);
	u64 last = khob_mark_key(range->pfn + range->nr - 1, KHOB_MARK_LAST);
	int ret;

	if (range->nr == 1 && range->kind == KHOB_KIND_PAGES)
		return khob_radix_add(&khob_out.owners, khob_mark_key(range->pfn, KHOB_MARK_ONLY));
	ret = khob_radix_add(&khob_out.owners, first);
	if (ret)
		return ret;
	ret = khob_radix_add(&khob_out.owners, last);
	if (ret)
		khob_radix_del(&khob_out.owners, first);
	return ret;
}

static void khob_owned_unmark(const struct khob_owned *range)
{
	unsigned long last = range->pfn + range->nr - 1;

	if (range->gone)
		khob_radix_del(&khob_out.owners, khob_mark_key(range->pfn, KHOB_MARK_GONE));
	if (range->nr == 1 && range->kind == KHOB_KIND_PAGES) {
		khob_radix_del(&khob_out.owners, khob_mark_key(range->pfn, KHOB_MARK_ONLY));
		return;
	}
	khob_radix_del(&khob_out.owners, khob_mark_key(range->pfn, KHOB_MARK_FIRST));
	khob_radix_del(&khob_out.owners, khob_mark_key(last, KHOB_MARK_LAST));
}

static void *khob_owners_alloc_node(void *ctx, u64 *pa)
{
	return khob_page_ops.alloc_node(ctx, pa);
}

static void khob_owners_free_node(void *ctx, void *node, u64 pa)
{
	khob_regions_forget(node);
	khob_page_ops.free_node(ctx, node, pa);
}

static const struct khob_radix_ops khob_owners_ops = {
	.alloc_node = khob_owners_alloc_node,
	.free_node = khob_owners_free_node,
};

/* Return: 0; or -ENOMEM, and there is no map. */
int khob_owners_init(void)
{
	return khob_radix_init(&khob_out.owners, &khob_owners_ops, NULL, KHOB_RADIX_SHARED);
}

void khob_owners_destroy(void)
{
	khob_radix_destroy(&khob_out.owners);
}

bool khob_client_valid(unsigned long pfn, unsigned long nr)
{
	return nr && pfn < khob_end_pfn() && nr <= khob_end_pfn() - pfn;
}

/*
 * Whether nobody has restored one of the pages that were handed over. A kernel with KHO of
 * its own gives pages to its clients without a word to this module: it is asked each time.
 */
bool khob_clients_unrestored(unsigned long pfn, unsigned long nr)
{
	unsigned int order;
	unsigned long i;
	u64 at, start;

	for (i = 0; i < nr; i++) {
		at = PFN_PHYS(pfn + i);
		if (khob_in_kept(at, at + PAGE_SIZE) &&
		    (!khob_in.native || khob_native_holds(at, &start, &order)))
			return true;
		if (!((i + 1) % PAGES_PER_SUBSECTION))
			cond_resched();
	}
	return false;
}

static int khob_client_count_one(void *ctx, u64 pa, unsigned int order)
{
	const int *sign = ctx;

	this_cpu_add(khob_client_counts.orders[order], *sign);
	return 0;
}

/* @sign: 1, or -1 for what is no longer preserved */
static void khob_client_count(unsigned long pfn, unsigned long nr, int sign)
{
	if (nr == 1)
		this_cpu_add(khob_client_counts.orders[0], sign);
	else
		khob_range_split(pfn, nr, KHOB_BUDDY_ORDER_MAX, khob_client_count_one, &sign);
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
	return khob_out.tree_ready && !khob_radix_empty(&khob_out.owners);
}

/* What exactly one call has preserved, and nobody has unpreserved since. */
static bool khob_owned_find(unsigned long pfn, unsigned long nr, enum khob_kind kind,
			    struct khob_owned *range)
{
	return khob_client_valid(pfn, nr) && khob_out.tree_ready && khob_owned_at(pfn, range) &&
	       range->nr == nr && range->kind == kind && !range->gone;
}

/* Whether exactly this range was preserved. Context: khob_lock held for writing. */
bool khob_client_has(unsigned long pfn, unsigned long nr, enum khob_kind kind)
{
	struct khob_owned range;

	lockdep_assert_held_write(&khob_lock);
	return khob_owned_find(pfn, nr, kind, &range);
}

static void khob_owned_drop(const struct khob_owned *range)
{
	khob_owned_unmark(range);
	khob_out_del_range(range->pfn, range->nr);
	khob_client_count(range->pfn, range->nr, -1);
	khob_regions_let_go(range->pfn, range->nr);
	khob_unhold(range->pfn, range->nr);
	if (!khob_client_any())
		WRITE_ONCE(khob_out.slack, true);
}

/**
 * khob_client_add() - add a range to what is handed over, the tree being there
 * @pfn: the first page
 * @nr: how many; khob_client_valid()
 * @kind: what they are
 *
 * khob_out_settle() has to follow if khob_out.unsettled is set. Context: process, khob_lock
 * held for writing; or for reading, not frozen, the source not native, and nobody else at it
 * with any of these pages (khob_regions_lock()).
 *
 * Return: 0; -EEXIST, -EINVAL, -ENOMEM as khob_preserve_pages(), and then nothing changed.
 */
int khob_client_add(unsigned long pfn, unsigned long nr, enum khob_kind kind)
{
	const struct khob_owned range = { .pfn = pfn, .nr = nr, .kind = kind };
	int ret;
	u64 key;

	lockdep_assert_held(&khob_lock);
	if (khob_radix_overlap(&khob_out.tree, pfn, nr, &key) || khob_client_unrestored(pfn, nr))
		return -EEXIST;
	ret = khob_hold(pfn, nr);
	if (ret)
		return ret;
	ret = khob_out_add_range(pfn, nr);
	if (!ret) {
		ret = khob_owned_mark(&range);
		if (ret)
			khob_out_del_range(pfn, nr);
	}
	if (!ret)
		khob_client_count(pfn, nr, 1);
	else
		khob_unhold(pfn, nr);
	/* Whoever has unpreserved the last meanwhile may have seen the first mark of this. */
	if (ret && !khob_client_any())
		WRITE_ONCE(khob_out.slack, true);
	return ret;
}

/**
 * khob_client_preserve() - preserve pages for a client
 * @pfn: the first
 * @nr: how many
 * @kind: as khob_client_add()
 *
 * Context: process, khob_lock held for writing.
 *
 * Return: 0; -EBUSY, -EEXIST, -EINVAL, -ENOMEM as khob_preserve_pages(), and then
 * nothing changed.
 */
int khob_client_preserve(unsigned long pfn, unsigned long nr, enum khob_kind kind)
{
	int ret;

	lockdep_assert_held_write(&khob_lock);
	if (!khob_client_valid(pfn, nr))
		return -EINVAL;
	if (khob_out.frozen)
		return -EBUSY;
	ret = khob_out_tree_get();
	if (!ret)
		ret = khob_client_add(pfn, nr, kind);
	if (ret)
		return ret;
	ret = khob_out_settle();
	if (ret)
		khob_client_unpreserve(pfn, nr, kind);
	return ret;
}

/*
 * Undoes khob_client_preserve(). Context: as khob_client_add(), or frozen and khob_lock held for
 * writing. Return: 0 or -ENOENT.
 */
int khob_client_unpreserve(unsigned long pfn, unsigned long nr, enum khob_kind kind)
{
	struct khob_owned range;

	lockdep_assert_held(&khob_lock);
	if (!khob_owned_find(pfn, nr, kind, &range))
		return -ENOENT;
	if (!khob_out.frozen) {
		khob_owned_drop(&range);
		return 0;
	}
	/* That takes no memory: the first page's marks are in one word. */
	khob_out.nr_gone++;
	return khob_radix_add(&khob_out.owners, khob_mark_key(pfn, KHOB_MARK_GONE));
}

/* Whether clients have preserved every page that [@start, @end) touches. */
bool khob_client_covers(u64 start, u64 end)
{
	unsigned long pfn = PHYS_PFN(start), last = PHYS_PFN(end - 1);
	struct khob_owned range;
	u64 key;

	lockdep_assert_held_write(&khob_lock);
	if (!khob_out.tree_ready || start >= end || last >= khob_end_pfn())
		return false;
	while (pfn <= last) {
		if (khob_owned_at(pfn, &range))
			pfn += range.nr;
		/* Within a range, its end is what is marked next. */
		else if (khob_radix_next(&khob_out.owners, khob_mark_key(pfn, 0), &key) &&
			 key % KHOB_MARKS == KHOB_MARK_LAST)
			pfn = khob_mark_pfn(key) + 1;
		else
			return false;
	}
	return true;
}

static int khob_client_go(void *ctx, u64 key)
{
	struct khob_owned range;

	cond_resched();
	if (key % KHOB_MARKS == KHOB_MARK_GONE && khob_owned_at(khob_mark_pfn(key), &range))
		khob_owned_drop(&range);
	return 0;
}

/* What clients have unpreserved while a kernel was loaded. */
void khob_client_thaw(void)
{
	lockdep_assert_held_write(&khob_lock);
	if (khob_out.nr_gone)
		khob_radix_walk(&khob_out.owners, 0, U64_MAX, khob_client_go, NULL);
	khob_out.nr_gone = 0;
}
