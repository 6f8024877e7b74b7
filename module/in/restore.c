// SPDX-License-Identifier: GPL-2.0-only
/*
 * Giving pages of the kernel before to this one: the books of what is held, and
 * what debugfs lets go to the page allocator. client/ is the clients' side.
 */
#include "core/bits.h"
#include "in/in.h"

static struct khob_span *khob_in_span(u64 pa, u64 nr)
{
	return khob_handover_span(khob_in.got, pa, pa + (nr << PAGE_SHIFT));
}

static void khob_in_mark(u64 pa, u64 nr, bool kept)
{
	struct khob_span *s = khob_in_span(pa, nr);
	u64 bit = PHYS_PFN(pa - s->start);

	if (kept)
		khob_bits_set(s->kept, bit, bit + nr);
	else
		khob_bits_clear(s->kept, bit, bit + nr);
}

/**
 * khob_in_claim() - keep contiguous pages from being claimed again
 * @pa: physical address of the first; nothing is assumed of it
 * @nr: how many
 *
 * What is held has to be exactly this range, in whatever orders. The pages stay in the
 * books until khob_in_take(), or khob_in_unclaim(), for the same range; nothing else
 * has changed until then. Context: process, khob_lock held.
 *
 * Return: 0; -ENOENT if they are not all held, and not claimed; -EHWPOISON if one of them
 * is broken.
 */
int khob_in_claim(u64 pa, u64 nr)
{
	u64 at, end = pa + (nr << PAGE_SHIFT);
	unsigned int order;

	if (!nr || nr > khob_end_pfn() || !IS_ALIGNED(pa, PAGE_SIZE) || !khob_in_kept(pa, end))
		return -ENOENT;
	for (at = pa; at < end; at += PAGE_SIZE << order) {
		if (!khob_in_held(at, &order) || (PAGE_SIZE << order) > end - at)
			return -ENOENT;
		cond_resched();
	}
	if (khob_ram_poisoned(pa, nr))
		return -EHWPOISON;
	khob_in_mark(pa, nr, false);
	return 0;
}

void khob_in_unclaim(u64 pa, u64 nr)
{
	khob_in_mark(pa, nr, true);
}

/* A subtree is no more; what is left of its own pages are pages like all others. */
static void khob_in_end_subtree(struct khob_handed *sub)
{
	unsigned int order;
	u64 pa;

	sub->gone = true;
	khob_in_hide(sub);
	for (pa = sub->start; sub->own_pages && pa < sub->end; pa += PAGE_SIZE << order) {
		if (!khob_key_at(&khob_in.got->tree, pa, &order)) {
			order = 0;
			continue;
		}
		khob_in.got->pages += 1ULL << order;
		khob_in.got->orders[order]++;
	}
}

/* Takes the key of a page out of the books. */
static void khob_in_take_key(u64 pa, unsigned int order)
{
	struct khob_handover *h = khob_in.got;
	struct khob_handed *sub = khob_handover_blob(h, pa, pa + (PAGE_SIZE << order));
	u64 key;

	if (sub)
		khob_in_end_subtree(sub);
	if (khob_key_encode(pa, order, &key) || khob_radix_del(&h->tree, key))
		return;
	h->pages -= 1ULL << order;
	h->orders[order]--;
	khob_in.restored_pages += 1ULL << order;
}

/*
 * Takes claimed pages out of the books; they stay reserved, and are the caller's. Subtrees that
 * have a part in them end here.
 */
void khob_in_take(u64 pa, u64 nr)
{
	u64 at, end = pa + (nr << PAGE_SHIFT);
	unsigned int order;

	for (at = pa; at < end; at += PAGE_SIZE << order) {
		if (!khob_key_at(&khob_in.got->tree, at, &order))
			return;
		khob_in_take_key(at, order);
		cond_resched();
	}
}

/**
 * khob_in_take_page() - claim and take one page, in as few steps as a page needs
 * @pa: its physical address; nothing is assumed of it
 *
 * Context: as khob_in_claim(). Return: whether it was a page of order 0 with nothing rare about
 * it; if not nothing changed, and khob_in_claim() has the answer.
 */
bool khob_in_take_page(u64 pa)
{
	struct khob_handover *h = khob_in.got;
	struct khob_span *s;
	u64 bit;

	if (!h || khob_in.native || offset_in_page(pa))
		return false;
	s = khob_handover_near(h, pa, pa + PAGE_SIZE);
	if (!s)
		return false;
	bit = PHYS_PFN(pa - s->start);
	/* What is kept is online, and reserved, so that it stays so. */
	if (!khob_bits_test(s->kept, bit) || PageHWPoison(pfn_to_page(PHYS_PFN(pa))) ||
	    !khob_handover_plain(h, pa, pa + PAGE_SIZE) ||
	    khob_radix_del(&h->tree, 1ULL << KHOB_ORDER_0_BIT | PHYS_PFN(pa)))
		return false;
	khob_bits_drop(s->kept, bit);
	h->pages--;
	h->orders[0]--;
	khob_in.restored_pages++;
	return true;
}

/* Lets go of one page that no subtree is in. A broken one stays where it is. */
static int khob_in_free_page(void *ctx, u64 key, const struct khob_handed *sub)
{
	unsigned int order;
	u64 pa;

	if (sub || khob_key_decode(key, &pa, &order))
		return 0;
	if (!khob_in_claim(pa, 1ULL << order)) {
		khob_in_take(pa, 1ULL << order);
		khob_in_free(pa, 1ULL << order);
	}
	return khob_act_pause();
}

static void khob_in_free_subtree(struct khob_handed *sub)
{
	u64 start = sub->start, nr = PHYS_PFN(sub->end - sub->start), pa, key;
	unsigned int order;

	sub->gone = true;
	khob_in_hide(sub);
	khob_in_mark(start, nr, false);
	for (pa = start; sub->own_pages && pa < sub->end; pa += PAGE_SIZE << order) {
		if (!khob_key_at(&khob_in.got->tree, pa, &order) ||
		    khob_key_encode(pa, order, &key) || khob_radix_del(&khob_in.got->tree, key))
			order = 0;
	}
	/* Metadata: the kernel's own KHO, if it has one, gave that as a whole at attach. */
	if (khob_in.native && !sub->own_pages)
		khob_native_put(start, nr);
	else
		khob_in_free(start, nr);
}

/* Pages become live and, having no owner here, go to the page allocator. */
int khob_in_restore(const struct khob_target *t)
{
	unsigned int order;

	if (khob_in.going)
		return khob_refuse(-EBUSY, "restore: a kernel is loaded; unload it first");
	if (!khob_in.got)
		return khob_refuse(-ENOENT, "restore: nothing is attached");
	switch (t->what) {
	case KHOB_WHAT_ALL:
		return khob_in_walk(khob_in_free_page, NULL);
	case KHOB_WHAT_PAGE:
		if (!khob_in_held(t->pa, &order) || order != t->order ||
		    khob_handover_blob(khob_in.got, t->pa, t->pa + (PAGE_SIZE << order)))
			return khob_refuse(-ENOENT, "restore: 0x%llx, order %u: not held",
					   t->pa, t->order);
		if (khob_in_claim(t->pa, 1ULL << order))
			return khob_refuse(-EHWPOISON, "restore: 0x%llx, order %u: it is broken",
					   t->pa, t->order);
		khob_in_take(t->pa, 1ULL << order);
		khob_in_free(t->pa, 1ULL << order);
		return 0;
	case KHOB_WHAT_SUBTREE:
		break;
	}
	return khob_refuse(-EINVAL, "restore: a subtree is released, not restored");
}

/* A handover that was refused is nothing but its intervals, if these are certain. */
static int khob_in_release_refused(void)
{
	const struct khob_handover *h = khob_in.refused;
	u64 i;

	if (!h) {
		khob_in_forget();
		pr_notice("release: it is not certain what was reserved: that stays so until the next boot\n");
		return 0;
	}
	for (i = 0; i < h->nr_spans; i++)
		khob_ram_free(h->spans[i].start, PHYS_PFN(h->spans[i].end - h->spans[i].start));
	khob_in_forget();
	return 0;
}

static int khob_in_check_mapped(const struct khob_handed *sub)
{
	if (sub->gone || !khob_mapped(sub->start, sub->end, false))
		return 0;
	return khob_refuse(-EBUSY, "release: somebody has subtree %s mapped", sub->name);
}

static int khob_in_release_all(void)
{
	struct khob_handover *h = khob_in.got;
	u64 i;
	int ret = 0;

	if (khob_in.state == KHOB_IN_REFUSED)
		return khob_in_release_refused();
	for (i = 0; !ret && i < h->nr_subtrees; i++)
		ret = khob_in_check_mapped(&h->subtrees[i]);
	if (ret)
		return ret;
	ret = khob_in_walk(khob_in_free_page, NULL);
	for (i = 0; !ret && i < h->nr_subtrees; i++) {
		if (!h->subtrees[i].gone)
			khob_in_free_subtree(&h->subtrees[i]);
		ret = khob_act_pause();
	}
	if (ret)
		return khob_refuse(ret, "release: interrupted; what is left is still held");
	khob_in_forget();
	return 0;
}

int khob_in_release(const struct khob_target *t)
{
	struct khob_handed *sub;

	if (khob_in.going)
		return khob_refuse(-EBUSY, "release: a kernel is loaded; unload it first");
	if (khob_in.state == KHOB_IN_NONE)
		return khob_refuse(-ENOENT, "release: nothing is attached");
	switch (t->what) {
	case KHOB_WHAT_ALL:
		return khob_in_release_all();
	case KHOB_WHAT_SUBTREE:
		sub = khob_in_subtree(t->name);
		if (!sub)
			return khob_refuse(-ENOENT, "release: no subtree %s is held", t->name);
		if (khob_in_check_mapped(sub))
			return -EBUSY;
		khob_in_free_subtree(sub);
		return 0;
	case KHOB_WHAT_PAGE:
		break;
	}
	return khob_refuse(-EINVAL, "release: a page is restored, not released");
}
