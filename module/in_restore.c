// SPDX-License-Identifier: GPL-2.0-only
/*
 * Giving pages of the kernel before to this one: to a client that takes them
 * over live, or, through debugfs, to the page allocator.
 */
#include "khob.h"

/* Takes a held page out of the books. Return: 0, or -ENOENT. */
static int khob_in_take(u64 pa, unsigned int order)
{
	u64 end = pa + (PAGE_SIZE << order), key;
	struct khob_in_range *r;

	if (khob_in.state != KHOB_IN_ATTACHED || khob_key_encode(pa, order, &key) ||
	    khob_radix_del(&khob_in.tree, key))
		return -ENOENT;
	r = khob_in_find(pa, end);
	bitmap_clear(r->kept, PHYS_PFN(pa - r->start), 1UL << order);
	khob_in.pages -= 1ULL << order;
	khob_in.orders[order]--;
	khob_in.restored_pages += 1ULL << order;
	return 0;
}

struct page *khob_restore_pages(phys_addr_t pa, unsigned int order)
{
	guard(mutex)(&khob_lock);
	if (khob_out.frozen || khob_in_take(pa, order))
		return NULL;
	khob_ram_live(pa, 1ULL << order);
	khob_update_pin();
	return pfn_to_page(PHYS_PFN(pa));
}
EXPORT_SYMBOL_GPL(khob_restore_pages);

static int khob_in_free_key(void *ctx, u64 key)
{
	unsigned int order;
	u64 pa;

	cond_resched();
	if (!khob_key_decode(key, &pa, &order) && !khob_in_take(pa, order))
		khob_ram_free(pa, 1ULL << order);
	return 0;
}

static void khob_in_free_subtree(struct khob_in_subtree *sub)
{
	struct khob_in_range *r = khob_in_find(sub->start, sub->end);
	u64 nr = PHYS_PFN(sub->end - sub->start);

	bitmap_clear(r->kept, PHYS_PFN(sub->start - r->start), nr);
	khob_debugfs_forget(&sub->dentry);
	khob_ram_free(sub->start, nr);
	list_del(&sub->list);
	khob_in.nr_subtrees--;
	kfree(sub);
}

/* Pages become live and, having no owner here, go to the page allocator. */
int khob_in_restore(const struct khob_target *t)
{
	if (khob_out.frozen)
		return khob_refuse(-EBUSY, "restore: a kernel is loaded; unload it first");
	if (khob_in.state != KHOB_IN_ATTACHED)
		return khob_refuse(-ENOENT, "restore: nothing is attached");
	switch (t->what) {
	case KHOB_WHAT_ALL:
		return khob_radix_walk(&khob_in.tree, 0, khob_in_free_key, NULL);
	case KHOB_WHAT_PAGE:
		if (khob_in_take(t->pa, t->order))
			return khob_refuse(-ENOENT, "restore: 0x%llx, order %u: not held",
					   t->pa, t->order);
		khob_ram_free(t->pa, 1ULL << t->order);
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
		khob_ram_free(khob_in.ranges[i].start,
			      PHYS_PFN(khob_in.ranges[i].end - khob_in.ranges[i].start));
}

int khob_in_release(const struct khob_target *t)
{
	struct khob_in_subtree *sub;

	if (khob_out.frozen)
		return khob_refuse(-EBUSY, "release: a kernel is loaded; unload it first");
	if (khob_in.state == KHOB_IN_NONE)
		return khob_refuse(-ENOENT, "release: nothing is attached");
	switch (t->what) {
	case KHOB_WHAT_ALL:
		if (khob_in.state == KHOB_IN_REFUSED) {
			khob_in_free_refused();
		} else {
			khob_radix_walk(&khob_in.tree, 0, khob_in_free_key, NULL);
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
