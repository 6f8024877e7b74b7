// SPDX-License-Identifier: GPL-2.0-only
/*
 * Compaction: what this module owns moves close together, so that few intervals cover
 * it. It can: where a folio of out/preserve lies means nothing to anybody. A client
 * knows where its pages are, so these stay, and so does the metadata, which lies
 * together anyway.
 */
#include <linux/ktime.h>
#include <linux/sched/signal.h>

#include "out/out.h"

/* Where no piece of this size can be had, one is made. */
#define KHOB_BLOCK_PAGES MAX_ORDER_NR_PAGES

/* The folios to move, by order: the largest go first, so that none needs a gap to align. */
struct khob_compaction {
	struct list_head by_order[KHOB_ORDER_MAX + 1];
	u64 folios;
	u64 most;
	unsigned long from; /* blocks below this page have been looked at */
	struct khob_compacted done;
};

static u64 khob_folio_bytes(const struct khob_folio *f)
{
	return PAGE_SIZE << f->order;
}

/* What the machine cannot read any more stays where it is. */
static bool khob_folio_sound(const struct khob_folio *f)
{
	return !khob_ram_poisoned(f->pa, 1ULL << f->order);
}

static bool khob_compact_moves(const struct khob_folio *f)
{
	if (!khob_folio_sound(f))
		return false;
	return f->owner == KHOB_OWNER_SCATTER ||
	       (f->owner == KHOB_OWNER_ARENA && khob_arena_closed(&khob_out.data, f->pa));
}

static u64 khob_scattered_bytes(void)
{
	struct khob_folio *f;
	unsigned long pfn;
	u64 bytes = 0;

	xa_for_each(&khob_out.folios, pfn, f) {
		if (f->owner == KHOB_OWNER_SCATTER)
			bytes += khob_folio_bytes(f);
		cond_resched();
	}
	return bytes;
}

static void khob_compact_gather(struct khob_compaction *c)
{
	struct khob_folio *f;
	unsigned long pfn;
	unsigned int order;

	for (order = 0; order <= KHOB_ORDER_MAX; order++)
		INIT_LIST_HEAD(&c->by_order[order]);
	xa_for_each(&khob_out.folios, pfn, f) {
		if (khob_compact_moves(f)) {
			list_add_tail(&f->list, &c->by_order[f->order]);
			c->folios++;
			c->done.left += khob_folio_bytes(f);
		}
		cond_resched();
	}
}

/* Leaves no folio on a list that is about to go. */
static void khob_compact_forget(struct khob_compaction *c)
{
	struct khob_folio *f, *next;
	unsigned int order;

	for (order = 0; order <= KHOB_ORDER_MAX; order++)
		list_for_each_entry_safe(f, next, &c->by_order[order], list)
			list_del_init(&f->list);
}

static bool khob_compact_done(const struct khob_compaction *c)
{
	return !c->done.left || c->done.bytes >= c->most;
}

/*
 * Moves what finds room in the chunks that there are. Where one folio of an order finds
 * none, no other does. Return: 0; -EINTR; what khob_folio_move() returned.
 */
static int khob_compact_round(struct khob_compaction *c)
{
	struct khob_folio *f, *next;
	int order, ret;
	u64 pa;

	for (order = KHOB_ORDER_MAX; order >= 0; order--) {
		list_for_each_entry_safe(f, next, &c->by_order[order], list) {
			u64 bytes = khob_folio_bytes(f);

			if (khob_act_pause())
				return -EINTR;
			if (khob_compact_done(c))
				return 0;
			pa = khob_arena_find(&khob_out.data, bytes, true);
			if (!pa)
				break;
			ret = khob_folio_move(f, pa, KHOB_OWNER_ARENA);
			if (ret) {
				khob_arena_free(&khob_out.data, pa, bytes);
				return ret;
			}
			list_del_init(&f->list);
			c->done.folios++;
			c->done.bytes += bytes;
			c->done.left -= bytes;
		}
	}
	return 0;
}

/* Pages of the block that scattered folios take up. */
static unsigned long khob_block_scattered(unsigned long block)
{
	struct khob_folio *f;
	unsigned long pfn, pages = 0;

	xa_for_each_range(&khob_out.folios, pfn, f, block, block + KHOB_BLOCK_PAGES - 1)
		if (f->owner == KHOB_OWNER_SCATTER && khob_folio_sound(f))
			pages += 1UL << f->order;
	return pages;
}

/* The next block that nothing but scattered folios keeps from being taken, and few of them. */
static bool khob_block_next(struct khob_compaction *c, unsigned long *block)
{
	while (xa_find(&khob_out.folios, &c->from, ULONG_MAX, XA_PRESENT)) {
		unsigned long scattered;

		cond_resched();
		*block = ALIGN_DOWN(c->from, KHOB_BLOCK_PAGES);
		c->from = *block + KHOB_BLOCK_PAGES;
		scattered = khob_block_scattered(*block);
		if (scattered <= KHOB_BLOCK_PAGES / 2 &&
		    scattered == khob_contig_pinned(*block, KHOB_BLOCK_PAGES))
			return true;
	}
	return false;
}

/*
 * Memory for a folio anywhere but in the block. What the page allocator has in it comes
 * out on the way, which at some time is all of it. Return: physical address, or 0.
 */
static u64 khob_place_outside(unsigned long block, unsigned int order, struct list_head *inside)
{
	struct page *page;

	while ((page = alloc_pages(GFP_KERNEL | __GFP_NORETRY | __GFP_NOWARN, order))) {
		if (ALIGN_DOWN(page_to_pfn(page), KHOB_BLOCK_PAGES) != block) {
			split_page(page, order);
			return PFN_PHYS(page_to_pfn(page));
		}
		set_page_private(page, order);
		list_add(&page->lru, inside);
	}
	return 0;
}

/* Moves scattered folios out of a block and takes it. Return: 0, -ENOMEM, -EBUSY, -EINTR. */
static int khob_block_take(unsigned long block)
{
	struct page *page, *next;
	struct khob_folio *f;
	LIST_HEAD(inside);
	unsigned long pfn;
	int ret = 0;

	xa_for_each_range(&khob_out.folios, pfn, f, block, block + KHOB_BLOCK_PAGES - 1) {
		u64 pa = khob_place_outside(block, f->order, &inside);

		ret = pa ? khob_folio_move(f, pa, KHOB_OWNER_SCATTER) : -ENOMEM;
		if (ret && pa)
			khob_contig_free(PHYS_PFN(pa), 1UL << f->order);
		ret = khob_act_pause() ?: ret;
		if (ret)
			break;
	}
	list_for_each_entry_safe(page, next, &inside, lru) {
		unsigned int order = page_private(page);

		list_del(&page->lru);
		set_page_private(page, 0);
		__free_pages(page, order);
	}
	return ret ?: khob_contig_take(block, KHOB_BLOCK_PAGES);
}

/*
 * When folios lie so scattered that no chunk is to be had, those in one block go to any
 * place for the time being. Each block is tried once. Return: 0, -ENOMEM, -EINTR.
 */
static int khob_compact_make_room(struct khob_compaction *c)
{
	unsigned long block;

	while (khob_block_next(c, &block)) {
		int ret = khob_block_take(block);

		if (ret == -EINTR)
			return ret;
		if (ret)
			continue;
		ret = khob_arena_adopt(&khob_out.data, block, KHOB_BLOCK_PAGES);
		if (ret)
			khob_contig_free(block, KHOB_BLOCK_PAGES);
		return ret;
	}
	return -ENOMEM;
}

/* More chunks: for all that is left, for a part of it, or at least one. */
static int khob_compact_grow(struct khob_compaction *c)
{
	unsigned long pages = khob_out.data.nr_pages;

	khob_arena_reserve(&khob_out.data, c->done.left);
	if (khob_out.data.nr_pages > pages || !khob_arena_grow(&khob_out.data, PAGE_SIZE))
		return 0;
	return fatal_signal_pending(current) ? -EINTR : khob_compact_make_room(c);
}

/* What does not fit gets more chunks, again and again: moving frees memory for them. */
static int khob_compact_rounds(struct khob_compaction *c)
{
	int ret;

	for (;;) {
		ret = khob_compact_round(c);
		if (ret || khob_compact_done(c))
			return ret;
		ret = khob_compact_grow(c);
		if (ret)
			return ret;
	}
}

/**
 * khob_out_compact() - move what this module owns close together
 * @req: how much of it
 *
 * Moves what was scattered and, if all is asked for, what lies in chunks that are at most
 * half full, if that makes the arena smaller. Contents, seeds and digests stay. Whatever
 * has moved when this fails stays where it is then: every folio has one place at any
 * time. Context: process, within khob_act_lock(), of which it lets go between two folios.
 *
 * Return: 0; -EBUSY once a kernel is loaded; -ENOMEM; -EINTR if killed.
 */
int khob_out_compact(const struct khob_compact_req *req)
{
	struct khob_compaction *c __free(kfree) = NULL;
	ktime_t begin = ktime_get();
	int ret;

	lockdep_assert_held_write(&khob_lock);
	if (khob_out.frozen)
		return khob_refuse(-EBUSY, "compact: a kernel is loaded; unload it first");
	c = kzalloc(sizeof(*c), GFP_KERNEL);
	if (!c)
		return -ENOMEM;
	c->most = req->most;
	if (req->all)
		khob_arena_close(&khob_out.data, khob_scattered_bytes());
	khob_out.keeps_room = true;
	khob_compact_gather(c);
	ret = khob_compact_rounds(c);
	khob_compact_forget(c);
	khob_out.keeps_room = false;
	khob_arena_open(&khob_out.data);
	c->done.us = ktime_us_delta(ktime_get(), begin);
	khob_out.compacted = c->done;
	khob_out.nr_compactions++;
	if (ret == -ENOMEM)
		return khob_refuse(ret,
				   "compact: moved %llu of %llu folios; no room for %llu bytes",
				   c->done.folios, c->folios, c->done.left);
	if (ret)
		return khob_refuse(ret, "compact: moved %llu of %llu folios (error %d)",
				   c->done.folios, c->folios, ret);
	return 0;
}
