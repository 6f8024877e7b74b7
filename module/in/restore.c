// SPDX-License-Identifier: GPL-2.0-only
/*
 * Giving pages of the kernel before to this one: the books of what is held, and
 * what debugfs lets go to the page allocator. client_in.c is the clients' side.
 */
#include "in/in.h"

/* Calls @fn for each key of a subtree's own pages, until it returns other than 0. */
int khob_in_each_key(const struct khob_in_subtree *sub, int (*fn)(void *ctx, u64 key))
{
	unsigned int order;
	u64 pa, key;
	int ret;

	for (pa = sub->start; pa < sub->end; pa += PAGE_SIZE << order) {
		if (!khob_in_key_at(&khob_in.blobs, pa, &order) ||
		    khob_key_encode(pa, order, &key))
			return -EINVAL;
		ret = fn(NULL, key);
		if (ret)
			return ret;
	}
	return 0;
}

static int khob_in_blob_to_page(void *ctx, u64 key)
{
	return khob_radix_add(&khob_in.tree, key);
}

static int khob_in_blob_no_page(void *ctx, u64 key)
{
	khob_radix_del(&khob_in.tree, key);
	return 0;
}

static int khob_in_blob_count(void *ctx, u64 key)
{
	unsigned int order;
	u64 pa;

	if (!khob_key_decode(key, &pa, &order)) {
		khob_in.pages += 1ULL << order;
		khob_in.orders[order]++;
	}
	return 0;
}

static int khob_in_blob_forget(void *ctx, u64 key)
{
	return khob_radix_del(&khob_in.blobs, key);
}

static void khob_in_drop_subtree(struct khob_in_subtree *sub)
{
	if (sub->own_pages)
		khob_in_each_key(sub, khob_in_blob_forget);
	khob_in_hide(sub);
	list_del(&sub->list);
	khob_in.nr_subtrees--;
	kfree(sub);
}

/*
 * From here on a subtree's pages are pages like all others, and it is no more. Only
 * for one with pages of its own. Return: 0, or -ENOMEM and nothing changed.
 */
static int khob_in_end_subtree(struct khob_in_subtree *sub)
{
	int ret = khob_in_each_key(sub, khob_in_blob_to_page);

	if (ret) {
		khob_in_each_key(sub, khob_in_blob_no_page);
		return ret;
	}
	khob_in_each_key(sub, khob_in_blob_count);
	khob_in_drop_subtree(sub);
	return 0;
}

/* The order of the page that is held at @pa, data or part of a subtree's blob. */
bool khob_in_held(u64 pa, unsigned int *order)
{
	if (khob_in.state != KHOB_IN_ATTACHED)
		return false;
	return khob_in_key_at(&khob_in.tree, pa, order) ||
	       (khob_in.blobs_ready && khob_in_key_at(&khob_in.blobs, pa, order));
}

static int khob_in_end_subtrees(u64 start, u64 end)
{
	struct khob_in_subtree *sub, *next;
	int ret = 0;

	list_for_each_entry_safe(sub, next, &khob_in.subtrees, list)
		if (!ret && start < sub->end && end > sub->start && sub->own_pages)
			ret = khob_in_end_subtree(sub);
	return ret;
}

/**
 * khob_in_claim() - keep contiguous pages from being claimed again
 * @pa: physical address of the first; nothing is assumed of it
 * @nr: how many
 *
 * What is held has to be exactly this range, in whatever orders. Subtrees whose
 * blobs it holds end here. The pages stay in the books until khob_in_take(), or
 * khob_in_unclaim(), for the same range. Context: process, khob_lock held.
 *
 * Return: 0; -ENOENT if they are not all held, and not claimed; -ENOMEM.
 */
int khob_in_claim(u64 pa, u64 nr)
{
	u64 at, end = pa + (nr << PAGE_SHIFT);
	struct khob_in_range *r;
	unsigned int order;
	int ret;

	if (!nr || nr > khob_end_pfn() || !IS_ALIGNED(pa, PAGE_SIZE) || !khob_in_kept(pa, end))
		return -ENOENT;
	for (at = pa; at < end; at += PAGE_SIZE << order) {
		if (!khob_in_held(at, &order) || (PAGE_SIZE << order) > end - at)
			return -ENOENT;
		cond_resched();
	}
	ret = khob_in_end_subtrees(pa, end);
	if (ret)
		return ret;
	r = khob_in_find(pa, end);
	bitmap_clear(r->kept, PHYS_PFN(pa - r->start), nr);
	return 0;
}

void khob_in_unclaim(u64 pa, u64 nr)
{
	struct khob_in_range *r = khob_in_find(pa, pa + (nr << PAGE_SHIFT));

	bitmap_set(r->kept, PHYS_PFN(pa - r->start), nr);
}

static void khob_in_take_key(u64 key, unsigned int order)
{
	khob_radix_del(&khob_in.tree, key);
	khob_in.pages -= 1ULL << order;
	khob_in.orders[order]--;
	khob_in.restored_pages += 1ULL << order;
}

/* Takes claimed pages out of the books; they stay reserved, and are the caller's. */
void khob_in_take(u64 pa, u64 nr)
{
	u64 at, end = pa + (nr << PAGE_SHIFT), key;
	unsigned int order;

	for (at = pa; at < end; at += PAGE_SIZE << order) {
		if (!khob_in_key_at(&khob_in.tree, at, &order) ||
		    khob_key_encode(at, order, &key))
			return;
		khob_in_take_key(key, order);
		cond_resched();
	}
}

/* Claims and takes one data page of this very order. Return: 0 or -ENOENT. */
static int khob_in_take_page(u64 pa, unsigned int order)
{
	struct khob_in_range *r;
	u64 key;

	if (khob_in.state != KHOB_IN_ATTACHED || khob_key_encode(pa, order, &key) ||
	    !khob_radix_has(&khob_in.tree, key))
		return -ENOENT;
	r = khob_in_find(pa, pa + (PAGE_SIZE << order));
	bitmap_clear(r->kept, PHYS_PFN(pa - r->start), 1UL << order);
	khob_in_take_key(key, order);
	return 0;
}

static int khob_in_free_key(void *ctx, u64 key)
{
	unsigned int order;
	u64 pa;

	cond_resched();
	if (!khob_key_decode(key, &pa, &order) && !khob_in_take_page(pa, order))
		khob_in_free(pa, 1ULL << order);
	return 0;
}

static void khob_in_free_subtree(struct khob_in_subtree *sub)
{
	struct khob_in_range *r = khob_in_find(sub->start, sub->end);
	u64 nr = PHYS_PFN(sub->end - sub->start);

	bitmap_clear(r->kept, PHYS_PFN(sub->start - r->start), nr);
	khob_in_free(sub->start, nr);
	khob_in_drop_subtree(sub);
}

/* Pages become live and, having no owner here, go to the page allocator. */
int khob_in_restore(const struct khob_target *t)
{
	if (khob_in.going)
		return khob_refuse(-EBUSY, "restore: a kernel is loaded; unload it first");
	if (khob_in.state != KHOB_IN_ATTACHED)
		return khob_refuse(-ENOENT, "restore: nothing is attached");
	switch (t->what) {
	case KHOB_WHAT_ALL:
		return khob_radix_walk(&khob_in.tree, 0, U64_MAX, khob_in_free_key, NULL);
	case KHOB_WHAT_PAGE:
		if (khob_in_take_page(t->pa, t->order))
			return khob_refuse(-ENOENT, "restore: 0x%llx, order %u: not held",
					   t->pa, t->order);
		khob_in_free(t->pa, 1ULL << t->order);
		return 0;
	case KHOB_WHAT_SUBTREE:
		break;
	}
	return khob_refuse(-EINVAL, "restore: a subtree is released, not restored");
}

/* A handover that was refused is nothing but its intervals. */
static void khob_in_free_refused(void)
{
	unsigned int i;

	for (i = 0; khob_in.intervals_ok && i < khob_in.nr_ranges; i++)
		khob_in_free(khob_in.ranges[i].start,
			      PHYS_PFN(khob_in.ranges[i].end - khob_in.ranges[i].start));
}

int khob_in_release(const struct khob_target *t)
{
	struct khob_in_subtree *sub;

	if (khob_in.going)
		return khob_refuse(-EBUSY, "release: a kernel is loaded; unload it first");
	if (khob_in.state == KHOB_IN_NONE)
		return khob_refuse(-ENOENT, "release: nothing is attached");
	switch (t->what) {
	case KHOB_WHAT_ALL:
		if (khob_in.state == KHOB_IN_REFUSED) {
			khob_in_free_refused();
		} else {
			khob_radix_walk(&khob_in.tree, 0, U64_MAX, khob_in_free_key, NULL);
			while (!list_empty(&khob_in.subtrees))
				khob_in_free_subtree(list_first_entry(&khob_in.subtrees,
								      struct khob_in_subtree,
								      list));
		}
		khob_in_clear();
		return 0;
	case KHOB_WHAT_SUBTREE:
		sub = khob_in_subtree(t->name);
		if (!sub || khob_in.state != KHOB_IN_ATTACHED)
			return khob_refuse(-ENOENT, "release: no subtree %s is held", t->name);
		khob_in_free_subtree(sub);
		return 0;
	case KHOB_WHAT_PAGE:
		break;
	}
	return khob_refuse(-EINVAL, "release: a page is restored, not released");
}
